use super::{BatchRenormalization, claims::claims};
use normbook::probe::train_eval::{ACCURACY_EARLY, ACCURACY_GAP, LOGIT_GAP};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::record::Record;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use std::collections::BTreeMap;
use std::path::Path;

/// Ioffe 2017: BatchNorm loses accuracy on small microbatches and on batches of few classes, batch renorm does not.
fn papers_world() -> World {
    let accuracies = [
        ("batch whole", 0.880),
        ("renorm whole", 0.882),
        ("batch in 16s", 0.870),
        ("batch in 4s", 0.840),
        ("renorm in 4s", 0.878),
        ("batch in 2s", 0.700),
        ("renorm in 2s", 0.860),
        ("batch two classes", 0.400),
        ("renorm two classes", 0.868),
    ];
    let early =
        [("batch whole", 0.801), ("renorm whole", 0.804), ("batch in 16s", 0.790), ("renorm two classes", 0.789)];
    let accuracy_gaps = [("batch two classes", 0.500), ("renorm two classes", 0.010)];
    let logit_gaps =
        [("batch in 4s", 0.40), ("renorm in 4s", 0.10), ("batch two classes", 0.90), ("renorm two classes", 0.20)];
    let tables = [
        (TEST_ACCURACY, &accuracies[..]),
        (ACCURACY_EARLY, &early),
        (ACCURACY_GAP, &accuracy_gaps),
        (LOGIT_GAP, &logit_gaps),
    ];
    let mut world = World::new(10);
    for (name, values) in tables {
        world = values.iter().fold(world, |world, (arm, value)| world.value(arm, name, *value));
    }
    world
        .exact("closed", "batch_norm_output_difference", 1e-16)
        .exact("closed", "batch_norm_gradient_difference", 2e-16)
        .exact("open", "evaluation_difference", 3e-16)
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), BatchRenormalization::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<BatchRenormalization>();
}

/// In PyTorch, too, batch renorm helps on two classes, and does not restore what any sixteen images give.
#[test]
fn pytorch_finds_the_same() {
    let golden: BTreeMap<String, Vec<f64>> = serde_json::from_str(include_str!("golden.json")).unwrap();
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch10/record.json");
    let trials = Record::read(&record).unwrap().trials;
    let ours = |arm: &str| mean(&trials.samples(arm, TEST_ACCURACY).unwrap());
    let theirs = |arm: &str| mean(&golden[arm]);
    for (arm, within) in [
        ("batch in 16s", 0.02),
        ("batch two classes", 0.15),
        ("renorm two classes", 0.05),
        ("batch in 4s", 0.05),
        ("renorm in 4s", 0.02),
    ] {
        let (ours, theirs) = (ours(arm), theirs(arm));
        assert!((ours - theirs).abs() < within, "{arm}: {ours}, PyTorch {theirs}");
    }
    let [any, renorm, batch] = ["batch in 16s", "renorm two classes", "batch two classes"].map(theirs);
    assert!(any - renorm > 0.02 && renorm - batch > 0.2, "PyTorch: any 16 {any}, renorm {renorm}, BatchNorm {batch}");
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
