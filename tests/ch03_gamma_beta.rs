//! Chapter 3's evidence against PyTorch: `tests/golden/ch03_gamma_beta.py`, an implementation of its own with random numbers
//! of its own, so that only what does not hang on a seed can agree.

use candle_core::Device;
use normbook_lab::record::Record;
use normbook::probe::gaussian_line::GaussianLine;
use normbook_lab::seed::Seed;
use normbook_lab::trial::Trial;
use serde_json::Value;
use std::path::Path;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/ch03_gamma_beta.json")).unwrap()
}

/// Two quadratures of the same integral; the record keeps six digits, the trial all.
#[test]
fn the_share_of_a_normal_input_is_pytorchs() {
    let trace = GaussianLine { largest_gamma: 1.0, beta: 0.0 }.run_alone(Seed(0), &Device::Cpu).unwrap();
    let expected = golden()["normal_share"].as_f64().unwrap();
    assert!((trace.values["linear_share"] - expected).abs() < 1e-12, "{}", trace.values["linear_share"]);
}

/// Means over the seeds: shares within 15 % of each other, accuracies within a point.
#[test]
fn the_trained_nets_agree_with_pytorchs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch03/record.json");
    let (record, golden) = (Record::read(&path).unwrap(), golden());
    for norm in ["both", "plain", "none"] {
        let found = |name: &str| {
            let samples = record.trials.samples(&format!("sigmoid {norm} ×1"), name).unwrap();
            samples.iter().sum::<f64>() / samples.len() as f64
        };
        let expected = |name: &str| golden[norm][name].as_f64().unwrap();
        let ratio = found("nonlinear_share") / expected("nonlinear_share");
        assert!((ratio - 1.0).abs() < 0.15, "{norm}: nonlinear share {ratio} of PyTorch's");
        for accuracy in ["test_accuracy", "test_accuracy_with_lines"] {
            let (found, expected) = (found(accuracy), expected(accuracy));
            assert!((found - expected).abs() < 0.01, "{norm}: {accuracy} {found}, PyTorch {expected}");
        }
    }
}
