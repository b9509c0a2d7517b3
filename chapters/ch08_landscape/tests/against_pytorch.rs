//! The CNN against the same protocol in PyTorch, with its own weights and order: `golden_cnn.py`.

use normbook_lab::record::Record;
use std::collections::BTreeMap;
use std::path::Path;

/// Values by network and rate, then by name; a level that was not reached has none.
type Golden = BTreeMap<String, BTreeMap<String, Vec<Option<f64>>>>;

fn geometric_mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    (values.map(libm::log).sum::<f64>() / count).exp()
}

/// The ratios of plain to BatchNorm. At rate 0.01 plain networks differ by a factor of ten between seeds in all but the
/// random direction.
#[test]
fn the_landscape_of_the_cnn_is_that_of_pytorch() {
    let record = Record::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch08/record.json")).unwrap();
    let golden: Golden = serde_json::from_str(include_str!("../golden_cnn.json")).unwrap();
    let pytorch = |net: &str, rate: f64, name: &str| -> f64 {
        geometric_mean(golden[&format!("{net} {rate}")][name].iter().map(|value| value.unwrap()))
    };
    let ours = |net: &str, rate: f64, name: &str| -> f64 {
        geometric_mean(record.trials.samples(&format!("cnn {net} {rate:e}"), name).unwrap().into_iter())
    };
    for (rate, name, theirs, factor) in [
        (0.03, "gradient_beta", "beta", 1.25),
        (0.1, "gradient_beta", "beta", 1.25),
        (0.03, "gradient_change_high", "change", 1.25),
        (0.1, "gradient_change_high", "change", 1.25),
        (0.03, "gradient_loss_range", "loss range", 1.5),
        (0.1, "gradient_loss_range", "loss range", 1.5),
        (0.01, "random_beta", "random beta", 1.5),
        (0.03, "random_beta", "random beta", 1.5),
        (0.1, "random_beta", "random beta", 1.5),
    ] {
        let found = ours("plain", rate, name) / ours("batch", rate, name);
        let expected = pytorch("plain", rate, theirs) / pytorch("batch", rate, theirs);
        assert!((found / expected).ln().abs() < f64::ln(factor), "{rate}, {name}: {found}, PyTorch {expected}");
        if name == "random_beta" {
            assert!(found < 0.75 && expected < 0.75, "rougher along random directions: {found}, PyTorch {expected}");
        }
        if name == "gradient_beta" {
            assert!(found < 2.0 && expected < 2.0, "not half as rough: {found}, PyTorch {expected}");
        }
    }
}
