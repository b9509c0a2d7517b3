//! Chapter 4's committed accuracies against those of the same protocol in PyTorch, with its own weights and order:
//! `tests/golden/ch04_testing.py`.

use normbook::lab::record::Record;
use std::collections::BTreeMap;
use std::path::Path;

/// Seeds differ, and a mean of five or ten still moves by some tenths of a percentage point.
const TOLERANCE: f64 = 0.01;

#[test]
fn accuracies_agree_with_pytorch() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let record = Record::read(&root.join("figures/ch04/record.json")).unwrap();
    let golden: BTreeMap<String, f64> = serde_json::from_str(include_str!("golden/ch04_testing.json")).unwrap();
    assert_eq!(golden.len(), 3);
    for (name, expected) in golden {
        let found = record.values[&format!("low rate/accuracy, {name}, late/median")];
        assert!((found - expected).abs() < TOLERANCE, "{name}: {found}, PyTorch {expected}");
    }
}
