//! Chapter 8b's evidence against an implementation of its own in PyTorch and numpy: `tests/golden/ch08b_theorems.py`. Nothing
//! of the paper is called false on the word of one program.

use normbook_lab::record::Record;
use std::collections::BTreeMap;
use std::path::Path;

fn golden() -> BTreeMap<String, f64> {
    serde_json::from_str(include_str!("golden/ch08b_theorems.json")).unwrap()
}

fn record() -> Record {
    Record::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch08b/record.json")).unwrap()
}

#[test]
fn the_counter_examples_are_the_same() {
    let (golden, values) = (golden(), record().values);
    let by_hand = golden.iter().filter(|(name, _)| name.starts_with("by hand/") || name.starts_with("second form/"));
    let mut compared = 0;
    for (name, expected) in by_hand {
        // The record keeps six digits.
        assert!((values[name] - expected).abs() <= 1e-5 * expected.abs(), "{name}: {}, {expected}", values[name]);
        compared += 1;
    }
    assert_eq!(compared, 8);
}

/// On nets of its own the other program finds the same theorems true and the same forms false.
#[test]
fn the_theorems_hold_there_too() {
    let golden = golden();
    for name in ["random/lipschitz", "random/curvature", "random/weights"] {
        assert!(golden[name] < 1e-9, "{name}: {}", golden[name]);
    }
    for name in ["layers/gradient_at_minimum", "layers/scaled_gradient", "layers/distance"] {
        assert!(golden[name] < 1e-9, "{name}: {}", golden[name]);
    }
    assert_eq!((golden["random/printed_fails"], record().values["landscape/printed_fails"]), (1.0, 1.0));
    for name in ["weights_printed_fails", "weights_printed_of_norms_fails", "own_gradient_fails"] {
        assert!(golden[&format!("random/{name}")] > 0.1, "{name}");
    }
    assert!(golden["layers/gradient_without_bias"] > 1e-3);
}

/// Other weights and inputs: the growth a layer within 2 %; the mean field, there drawn from and not computed, within 0.5 %.
#[test]
fn the_gradient_explodes_there_too() {
    let (golden, values) = (golden(), record().values);
    for net in ["linear", "relu"] {
        for batch in [16, 64] {
            let name = format!("{net}/growth_at_{batch}");
            let ratio = values[&format!("{name}/median")] / golden[&name];
            assert!((ratio - 1.0).abs() < 0.02, "{name}: {ratio}");
        }
        let name = format!("{net}, mean field/growth_at_16");
        assert!((values[&name] / golden[&name] - 1.0).abs() < 0.005, "{name}: {}", values[&name]);
    }
}
