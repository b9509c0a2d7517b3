use super::{GroupNormalization, claims::claims};
use normbook::probe::train_eval::ACCURACY_EARLY;
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::record::Record;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use std::collections::BTreeMap;
use std::path::Path;

/// Wu & He 2018, as told in Table 2 and Table 3: BatchNorm falls with the batch, group normalization does not.
fn papers_world() -> World {
    let accuracies = [
        ("batch 32", 0.900),
        ("batch 8", 0.890),
        ("batch 4", 0.870),
        ("batch 2", 0.800),
        ("batch 2, as many updates", 0.700),
        ("group 32", 0.901),
        ("group 8", 0.902),
        ("group 4", 0.903),
        ("group 2", 0.904),
        ("group 2, as many updates", 0.850),
        ("G = C", 0.860),
        ("G = 1", 0.890),
    ];
    let world =
        accuracies.iter().fold(World::new(10), |world, (arm, accuracy)| world.value(arm, TEST_ACCURACY, *accuracy));
    let early = |world: World, arm: &str, accuracy| world.value(arm, ACCURACY_EARLY, accuracy);
    early(early(world, "batch 32", 0.801), "group 32", 0.802).exact("ends", "layer_difference", 1e-16).exact(
        "ends",
        "instance_difference",
        2e-16,
    )
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), GroupNormalization::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<GroupNormalization>();
}

/// In PyTorch, too, group normalization starts more slowly, and at the end BatchNorm leads by about the same.
#[test]
fn pytorch_finds_the_same() {
    let golden: BTreeMap<String, BTreeMap<String, Vec<f64>>> =
        serde_json::from_str(include_str!("golden.json")).unwrap();
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch13/record.json");
    let trials = Record::read(&record).unwrap().trials;
    let ours = |name: &str| {
        let [batch, group] = ["batch 32", "group 32"].map(|arm| mean(&trials.samples(arm, name).unwrap()));
        batch - group
    };
    let theirs = |when: &str| mean(&golden["batch"][when]) - mean(&golden["group"][when]);
    let early = (ours(ACCURACY_EARLY), theirs("early"));
    assert!(early.0 > 0.01 && early.1 > 0.01, "early BatchNorm leads by (ours, PyTorch) {early:?}");
    let end = (ours(TEST_ACCURACY), theirs("end"));
    assert!((end.0 - end.1).abs() < 0.02, "at the end BatchNorm leads by (ours, PyTorch) {end:?}");
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
