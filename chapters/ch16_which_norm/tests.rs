use super::{BETA, WhichNorm, claims::claims};
use normbook::probe::rate_sweep::{BEST_ACCURACY, MEAN_ACCURACY};
use normbook::probe::train_eval::LOGIT_GAP;
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::Chapter;
use normbook_lab::record::Record;
use normbook_lab::testing::{World, assert_claims_follow, assert_record_follows};
use std::collections::BTreeMap;
use std::path::Path;

/// Test accuracies of the CNNs: none is better than BatchNorm by more than a point, filter response normalization by
/// less.
const CNNS: [(&str, f64); 13] = [
    ("batch", 0.880),
    ("renorm:1.5:0.5:0", 0.879),
    ("layer", 0.860),
    ("instance", 0.870),
    ("group:4", 0.871),
    ("weight", 0.830),
    ("weight:mean", 0.877),
    ("spectral", 0.820),
    ("rms", 0.862),
    ("frn", 0.886),
    ("dyt", 0.857),
    ("none", 0.800),
    ("clipped", 0.876),
];
/// The MLPs' at the best rate, on batches of 32 and of 2.
const MLPS: [(&str, [f64; 2]); 7] = [
    ("batch", [0.870, 0.700]),
    ("layer", [0.868, 0.850]),
    ("group:4", [0.866, 0.845]),
    ("rms", [0.867, 0.852]),
    ("dyt", [0.865, 0.848]),
    ("none", [0.840, 0.820]),
    ("clipped", [0.864, 0.704]),
];
/// Their means over the rates, on batches of 32.
const MEANS: [(&str, f64); 7] = [
    ("none", 0.600),
    ("batch", 0.800),
    ("layer", 0.780),
    ("group:4", 0.770),
    ("rms", 0.790),
    ("weight", 0.700),
    ("spectral", 0.680),
];
/// Effective β of the CNNs.
const BETAS: [(&str, f64); 6] =
    [("none", 60.0), ("batch", 10.0), ("layer", 20.0), ("instance", 25.0), ("group:4", 15.0), ("rms", 30.0)];
/// Between logits in training and in evaluation, where a batch's statistics are used; elsewhere it is 0.
const LOGIT_GAPS: [(&str, f64); 3] = [("batch", 0.200), ("renorm:1.5:0.5:0", 0.100), ("weight:mean", 0.300)];
const WITHOUT_BATCH: [&str; 9] = ["none", "layer", "instance", "group:4", "weight", "rms", "frn", "dyt", "clipped"];

/// Every paper is right: Wu & He 2018, Santurkar et al. 2018, Zhang & Sennrich 2019, Singh & Krishnan 2020, Brock et
/// al. 2021, Zhu et al. 2025.
fn papers_world() -> World {
    let mut world = World::new(10);
    for (name, values) in [(TEST_ACCURACY, &CNNS[..]), (BETA, &BETAS), (LOGIT_GAP, &LOGIT_GAPS)] {
        world = values.iter().fold(world, |world, (row, value)| world.value(&format!("{row}, CNN"), name, *value));
    }
    for row in WITHOUT_BATCH {
        world = world.value(&format!("{row}, CNN"), LOGIT_GAP, 0.0);
    }
    for (row, [large, small]) in MLPS {
        world = world.value(&format!("{row}, batches of 32"), BEST_ACCURACY, large);
        world = world.value(&format!("{row}, batches of 2"), BEST_ACCURACY, small);
    }
    MEANS.iter().fold(world, |world, (row, mean)| world.value(&format!("{row}, batches of 32"), MEAN_ACCURACY, *mean))
}

#[test]
fn the_claims_hold_in_the_papers_world_and_in_no_other() {
    assert_claims_follow(&claims(), WhichNorm::WORDS, &papers_world());
}

#[test]
fn the_record_says_what_its_trials_say() {
    assert_record_follows::<WhichNorm>();
}

/// In PyTorch, too, BatchNorm is far worse on batches of 2, and neither Dynamic Tanh nor clipped gradients replace a
/// normalization layer in these networks.
#[test]
fn pytorch_finds_the_same() {
    let golden: BTreeMap<String, BTreeMap<String, Vec<f64>>> =
        serde_json::from_str(include_str!("golden.json")).unwrap();
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures/ch16/record.json");
    let trials = Record::read(&record).unwrap().trials;
    let of = |norm: &str, task: &str| {
        let name = if task == "CNN" { TEST_ACCURACY } else { BEST_ACCURACY };
        let ours = trials.samples(&format!("{norm}, {task}"), name).unwrap();
        (mean(&ours), mean(&golden[norm][task]))
    };
    for (one, other, task) in [
        ("layer", "batch", "batches of 2"),
        ("clipped", "batch", "batches of 2"),
        ("layer", "dyt", "CNN"),
        ("layer", "dyt", "batches of 32"),
        ("layer", "dyt", "batches of 2"),
        ("batch", "clipped", "CNN"),
        ("batch", "clipped", "batches of 32"),
    ] {
        let (one, other, pair) = (of(one, task), of(other, task), format!("{one} against {other}, {task}"));
        assert!(one.0 - other.0 > 0.01 && one.1 - other.1 > 0.01, "{pair}: (ours, PyTorch) {one:?}, {other:?}");
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
