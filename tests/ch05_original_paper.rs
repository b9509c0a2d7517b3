//! Chapter 5's evidence against PyTorch: `tests/golden/ch05_original_paper.py`, an implementation of its own with random
//! numbers of its own, so that only what does not hang on a seed can agree.

use normbook_lab::trials::Trials;
use normbook_lab::record::Record;
use normbook::probe::rate_sweep::LARGEST;
use normbook::train::classifier::TEST_ACCURACY;
use normbook_lab::trial::median;
use serde_json::Value;
use std::path::Path;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/ch05_original_paper.json")).unwrap()
}

fn trials() -> Trials {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch05/record.json");
    Record::read(&path).unwrap().trials
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}

/// The largest rate that trains, to one step of the grid, and how well those do that train or fail beyond doubt.
#[test]
fn the_rates_that_train_are_pytorchs() {
    let (trials, golden) = (trials(), golden());
    for norm in ["plain", "batch"] {
        let arm = format!("ReLU {norm}, rates");
        let found = median(&trials.samples(&arm, LARGEST).unwrap()).unwrap();
        let largest: Vec<f64> =
            golden[norm]["largest"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        let expected = median(&largest).unwrap();
        assert!((0.4..=2.5).contains(&(found / expected)), "{norm}: {found}, PyTorch {expected}");
        for multiple in ["×0.1", "×1", "×10", "×30"] {
            let found = mean(&trials.samples(&arm, &format!("test_accuracy {multiple}")).unwrap());
            let expected = golden[norm][multiple].as_f64().unwrap();
            assert!((found - expected).abs() < 0.03, "{norm} {multiple}: {found}, PyTorch {expected}");
        }
    }
}

#[test]
fn deep_sigmoid_nets_learn_with_batch_norm_alone_there_too() {
    let (trials, golden) = (trials(), golden());
    for (norm, arm) in [("plain", "deep plain at 0.3"), ("batch", "deep batch")] {
        let found = mean(&trials.samples(arm, TEST_ACCURACY).unwrap());
        let expected = golden[norm]["deep"].as_f64().unwrap();
        assert!((found - expected).abs() < 0.03, "{norm}: {found}, PyTorch {expected}");
    }
}

/// Ours is a formula, PyTorch's autograd.
#[test]
fn as_many_singular_values_are_near_one() {
    let found = mean(&trials().samples("jacobian", "near_one").unwrap());
    let expected = golden()["near_one"].as_f64().unwrap();
    assert!((found - expected).abs() < 0.01, "{found}, PyTorch {expected}");
}

/// The tolerance is no artefact of a grid that is too short: its largest rate trains neither net.
#[test]
fn no_net_trains_at_the_largest_rate_of_the_grid() {
    let trials = trials();
    for arm in ["ReLU plain, rates", "ReLU batch, rates"] {
        assert!(trials.traces(arm).unwrap().iter().all(|trace| trace.reached["×30"].step.is_none()), "{arm}");
    }
}
