use super::generalization::EARLY;
use super::large_step::LOGITS;
use super::{OriginalPaper, claims::claims};
use normbook::probe::rate_sweep::LARGEST;
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::record::Record;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use normbook_lab::trial::{StepsToTarget, median};
use normbook_lab::{Chapter, Trials};
use serde_json::Value;
use std::path::Path;

/// Builds the world of Ioffe & Szegedy 2015 and, for small rates and large steps, of Bjorck et al. 2018. Poor initial
/// weights and dropout cost or gain little more than their floors: a difference of differences must fall below its
/// floor where two arms change places.
fn papers_world() -> World {
    let accuracies = [
        ("plain", 0.840),
        ("batch", 0.870),
        ("plain, 0.01", 0.809),
        ("batch, 0.01", 0.872),
        ("plain, 1", 0.8085),
        ("batch, 1", 0.873),
        ("ReLU plain, a tenth of the rate", 0.830),
        ("ReLU batch, a tenth of the rate", 0.832),
        ("ReLU plain", 0.850),
        ("ReLU plain, dropout", 0.854),
        ("ReLU batch", 0.875),
        ("ReLU batch, dropout", 0.871),
        ("deep plain at 0.03", 0.100),
        ("deep plain at 0.3", 0.101),
        ("deep plain at 3", 0.102),
        ("deep batch", 0.820),
        ("deep plain, init 0.3", 0.700),
    ];
    let values = [
        ("ReLU plain, rates", LARGEST, 2.0),
        ("ReLU batch, rates", LARGEST, 30.0),
        ("ReLU plain, a tenth of the rate", EARLY, 0.701),
        ("ReLU batch, a tenth of the rate", EARLY, 0.704),
        ("plain, large step", LOGITS, 1e6),
        ("batch, large step", LOGITS, 2.0),
        ("ReLU plain", "test_loss_at_0.3", 0.45),
        ("ReLU batch", "test_loss_at_0.3", 0.40),
        ("ReLU plain", "test_loss_at_0.2", 0.55),
        ("ReLU batch", "test_loss_at_0.2", 0.48),
        ("ReLU plain, dropout", "test_loss_at_0.35", 0.43),
        ("ReLU batch, dropout", "test_loss_at_0.35", 0.39),
        ("jacobian", "near_one", 0.95),
    ];
    let drifts = [
        ("median_drift", 0.9, 0.3, 0.4),
        ("width_drift", 0.8, 0.2, 0.3),
        ("relative_median_drift", 0.7, 0.1, 0.2),
        ("relative_width_drift", 0.6, 0.25, 0.35),
    ];
    let reached = [
        ("ReLU plain, rates", "×1", 210),
        ("ReLU plain, rates", "×5", 800),
        ("ReLU plain, rates", "×30", 900),
        ("ReLU batch, rates", "×1", 70),
        ("ReLU batch, rates", "×5", 15),
        ("ReLU batch, rates", "×30", 14),
    ];
    let world = accuracies
        .iter()
        .fold(World::new(10), |world, (arm, accuracy)| world.value(arm, TEST_ACCURACY, *accuracy))
        .steps("plain", &[Some(900); 10])
        .steps("batch", &[Some(100); 10]);
    let world = values.iter().fold(world, |world, (arm, name, value)| world.value(arm, name, *value));
    let world = drifts.iter().fold(world, |world, (name, plain, as_plain, best)| {
        world.value("plain", name, *plain).value("batch as plain", name, *as_plain).value("batch", name, *best)
    });
    reached.iter().fold(world, |world, (arm, multiple, step)| {
        world.change(arm, |trace| {
            let steps = StepsToTarget { step: Some(*step), budget: World::BUDGET };
            trace.reached.insert((*multiple).into(), steps);
        })
    })
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), OriginalPaper::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<OriginalPaper>();
}

/// Reads the values of `golden.py`: an implementation in PyTorch with random numbers of its own. Only what does not
/// depend on a seed can agree.
fn golden() -> Value {
    serde_json::from_str(include_str!("golden.json")).unwrap()
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
fn deep_sigmoid_networks_learn_with_batch_norm_alone_there_too() {
    let (trials, golden) = (trials(), golden());
    for (norm, arm) in [("plain", "deep plain at 0.3"), ("batch", "deep batch")] {
        let found = mean(&trials.samples(arm, TEST_ACCURACY).unwrap());
        let expected = golden[norm]["deep"].as_f64().unwrap();
        assert!((found - expected).abs() < 0.03, "{norm}: {found}, PyTorch {expected}");
    }
}

/// Ours is a formula, PyTorch's autograd.
#[test]
fn the_same_share_of_singular_values_is_near_one() {
    let found = mean(&trials().samples("jacobian", "near_one").unwrap());
    let expected = golden()["near_one"].as_f64().unwrap();
    assert!((found - expected).abs() < 0.01, "{found}, PyTorch {expected}");
}

/// The tolerance is no artifact of a grid that is too short: its largest rate trains neither network.
#[test]
fn no_network_trains_at_the_largest_rate_of_the_grid() {
    let trials = trials();
    for arm in ["ReLU plain, rates", "ReLU batch, rates"] {
        assert!(trials.traces(arm).unwrap().iter().all(|trace| trace.reached["×30"].step.is_none()), "{arm}");
    }
}
