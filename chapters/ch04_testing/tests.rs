use super::{Testing, claims::claims};
use normbook_lab::Chapter;
use normbook_lab::record::Record;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use std::collections::BTreeMap;
use std::path::Path;

/// Builds the world of the lecture, of Ioffe & Szegedy 2015 and of Wu & Johnson 2021: a moving average lags at first
/// and then does as well as the population, where the rate is low and p has a memory.
fn papers_world() -> World {
    // Accuracies early, in the middle and late.
    let accuracies = [
        ("low rate", "population", [0.50, 0.80, 0.860]),
        ("low rate", "p = 0.9", [0.30, 0.801, 0.859]),
        ("low rate", "p = 0.999", [0.10, 0.20, 0.840]),
        ("low rate", "p = 0.999 from the first batch", [0.11, 0.60, 0.850]),
        ("high rate", "population", [0.45, 0.75, 0.870]),
        ("high rate", "p = 0.9", [0.44, 0.74, 0.865]),
        ("high rate", "p = 0.99", [0.20, 0.73, 0.863]),
        ("high rate", "p = 0.999 from the first batch", [0.12, 0.40, 0.855]),
    ];
    let late = [
        ("low rate", "batch of 2", 0.60),
        ("low rate", "batch of one class", 0.25),
        ("batch 4", "population", 0.84),
        ("batch 4", "p = 0", 0.76),
        ("batch 4", "algorithm 2", 0.83),
        ("batch 4", "biased", 0.80),
        ("batch 2", "algorithm 2", 0.75),
        ("batch 2", "biased", 0.65),
    ];
    let world = accuracies.iter().fold(World::new(10), |world, (arm, statistics, accuracies)| {
        ["early", "middle", "late"].iter().zip(accuracies).fold(world, |world, (when, accuracy)| {
            world.value(arm, &format!("accuracy, {statistics}, {when}"), *accuracy)
        })
    });
    late.iter()
        .fold(world, |world, (arm, statistics, accuracy)| {
            world.value(arm, &format!("accuracy, {statistics}, late"), *accuracy)
        })
        .value("batch 2", "variance ratio, algorithm 2, layer 1", 1.01)
        .value("batch 2", "variance ratio, algorithm 2, layer 3", 0.98)
        .exact("one example", "largest_difference", 1e-17)
        .exact("two examples", "distance_from_one", 2e-12)
        .exact("two examples", "change_of_second_mean", 3e-13)
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), Testing::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<Testing>();
}

/// Seeds differ: accuracies and ratios, averaged over five or ten of them, still move by some thousandths.
const TOLERANCE: f64 = 0.015;

/// The same protocol in PyTorch, with weights and data order of its own: `golden.py`.
#[test]
fn the_record_agrees_with_pytorch() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let record = Record::read(&root.join("figures/ch04/record.json")).unwrap();
    let golden: BTreeMap<String, f64> = serde_json::from_str(include_str!("golden.json")).unwrap();
    assert_eq!(golden.len(), 6);
    for (name, expected) in golden {
        let found = record.values[&format!("{name}/median")];
        assert!((found - expected).abs() < TOLERANCE, "{name}: {found}, PyTorch {expected}");
    }
}
