//! What chapters 10, 13, 15 and 16 found against a paper, against the same protocols in PyTorch with weights and orders of its own
//! (`tests/golden/ch10_batch_renorm.py` and its siblings).

use normbook_lab::record::Record;
use serde_json::Value;
use std::path::Path;

fn record(chapter: &str) -> Record {
    Record::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("figures").join(chapter).join("record.json")).unwrap()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Our mean of a value over the seeds of an arm.
fn ours(record: &Record, arm: &str, value: &str) -> f64 {
    mean(&record.trials.samples(arm, value).unwrap())
}

fn theirs(golden: &Value) -> f64 {
    mean(&golden.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect::<Vec<_>>())
}

/// Batch renorm helps on two classes, but does not bring back what any sixteen images give.
#[test]
fn batch_renorm_on_two_classes_is_that_of_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("golden/ch10_batch_renorm.json")).unwrap();
    let record = record("ch10");
    for (arm, within) in [
        ("batch in 16s", 0.02),
        ("batch two classes", 0.15),
        ("renorm two classes", 0.05),
        ("batch in 4s", 0.05),
        ("renorm in 4s", 0.02),
    ] {
        let (ours, theirs) = (ours(&record, arm, "test_accuracy"), theirs(&golden[arm]));
        assert!((ours - theirs).abs() < within, "{arm}: {ours}, PyTorch {theirs}");
    }
    let [any, renorm, batch] =
        ["batch in 16s", "renorm two classes", "batch two classes"].map(|arm| theirs(&golden[arm]));
    assert!(any - renorm > 0.02 && renorm - batch > 0.2, "PyTorch: any 16 {any}, renorm {renorm}, BatchNorm {batch}");
}

/// Group normalization starts more slowly.
#[test]
fn group_normalization_is_behind_early_in_pytorch_too() {
    let golden: Value = serde_json::from_str(include_str!("golden/ch13_group_norm.json")).unwrap();
    let record = record("ch13");
    let behind = |value: &str| ours(&record, "batch 32", value) - ours(&record, "group 32", value);
    let behind_in_pytorch = |when: &str| theirs(&golden["batch"][when]) - theirs(&golden["group"][when]);
    assert!(
        behind("test_accuracy_early") > 0.01 && behind_in_pytorch("early") > 0.01,
        "{}",
        behind_in_pytorch("early")
    );
    assert!((behind("test_accuracy") - behind_in_pytorch("end")).abs() < 0.02, "{}", behind_in_pytorch("end"));
}

/// One step of power iteration lags behind the weights.
#[test]
fn spectral_normalization_ends_near_one_in_pytorch_too() {
    let golden: Value = serde_json::from_str(include_str!("golden/ch15_spectral_norm.json")).unwrap();
    let record = record("ch15");
    for batch in ["small", "large"] {
        let (ours, theirs) =
            (ours(&record, &format!("normalized, {batch}"), "largest_distance_from_one"), theirs(&golden[batch]));
        assert!((0.5..2.0).contains(&(ours / theirs)), "{batch}: {ours}, PyTorch {theirs}");
    }
}

/// On batches of 2 BatchNorm is far behind; Dynamic Tanh and clipped gradients do not take a norm's place on these nets.
#[test]
fn which_norm_does_what_is_that_of_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("golden/ch16_which_norm.json")).unwrap();
    let record = record("ch16");
    let of = |norm: &str, task: &str| {
        let value = if task == "CNN" { "test_accuracy" } else { "best_test_accuracy" };
        (ours(&record, &format!("{norm}, {task}"), value), theirs(&golden[norm][task]))
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
        assert!(one.0 - other.0 > 0.01 && one.1 - other.1 > 0.01, "{pair}: ours {one:?} {other:?} PyTorch's");
    }
}
