//! The same trials on two devices: with the feature `cuda` the CPU and a GPU, else the two versions of each operation
//! on the CPU.
//!
//! Rounding differs, and a training doubles a difference every few steps; so the losses of the first two steps are
//! compared. The first shows that data, initial weights and the forward pass agree, the second that gradients and the
//! step do.

use assert_cmd::Command;
use normbook_lab::record::Record;
use normbook_lab::trial::{FINAL_LOSS, Trace};
use normbook_lab::trials::TrialRecord;
use std::path::Path;

/// Of two losses, over the larger one: before any step, and after one.
const TOLERANCES: [f64; 2] = [1e-4, 1e-2];
/// There every layer makes a difference larger, which is what the chapter is about.
const EXPLODES: &str = "50 layers";

#[cfg(feature = "cuda")]
const OTHER: (&str, &str) = ("cuda", "fused");
#[cfg(not(feature = "cuda"))]
const OTHER: (&str, &str) = ("cpu", "composed");

/// All on a GPU; composed operations are slow on a CPU.
#[cfg(feature = "cuda")]
const PROGRAMS: [&str; 17] = [
    "ch01-feature-normalization",
    "ch02-inside-the-network",
    "ch03-gamma-beta",
    "ch04-testing",
    "ch05-original-paper",
    "ch06-stable-distributions",
    "ch07-covariate-shift",
    "ch08-landscape",
    "ch08b-theorems",
    "ch09-lp-norms",
    "ch10-batch-renorm",
    "ch11-layer-norm",
    "ch12-instance-norm",
    "ch13-group-norm",
    "ch14-weight-norm",
    "ch15-spectral-norm",
    "ch16-which-norm",
];
#[cfg(not(feature = "cuda"))]
const PROGRAMS: [&str; 5] =
    ["ch01-feature-normalization", "ch04-testing", "ch08b-theorems", "ch10-batch-renorm", "ch15-spectral-norm"];

/// The record of a program at the smoke scale.
fn record(program: &str, (device, operations): (&str, &str), folder: &Path) -> Record {
    let folder = folder.join(format!("{device}-{operations}"));
    let mut command = Command::cargo_bin(program).unwrap();
    command.env("NORMBOOK_OPS", operations).env("NORMBOOK_LAB", folder.join("lab"));
    command.args(["--scale", "smoke", "--device", device, "--out"]).arg(&folder).assert().success();
    Record::read(&folder.join("record.json")).unwrap()
}

/// The losses before any step and after one. A record without curves has the last one, which at this scale is that
/// after two.
fn losses(trial: &TrialRecord) -> Vec<(usize, f64)> {
    let Trace { series, values, .. } = &trial.trace;
    let Some(curve) = series.get("train_loss") else {
        return values.get(FINAL_LOSS).map(|loss| (1, *loss)).into_iter().collect();
    };
    let points = curve.x.iter().zip(&curve.y);
    points.filter_map(|(step, loss)| (*step <= 1.0).then_some((*step as usize, *loss))).collect()
}

#[test]
fn the_first_losses_agree() {
    for program in PROGRAMS {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [("cpu", "fused"), OTHER].map(|on| record(program, on, folder.path()));
        let trials = |record: Record| record.pilots.trials.into_iter().chain(record.trials.trials);
        let mut largest = [0.0f64; 2];
        let mut compared = 0;
        for (one, other) in trials(one).zip(trials(other)) {
            assert_eq!((&one.arm, one.seed), (&other.arm, other.seed));
            for ((step, loss), (_, again)) in losses(&one).into_iter().zip(losses(&other)) {
                if one.arm.starts_with(EXPLODES) {
                    continue;
                }
                let difference = (loss - again).abs() / loss.abs().max(again.abs());
                let (arm, seed) = (&one.arm, one.seed);
                assert!(
                    difference <= TOLERANCES[step],
                    "{program}, {arm}, seed {seed:?}, step {step}: {loss} and {again}"
                );
                largest[step] = largest[step].max(difference);
                compared += 1;
            }
        }
        assert!(compared > 10, "{program} shows {compared} losses");
        println!("{program}: {compared} losses differ by at most {:.1e} and {:.1e}", largest[0], largest[1]);
    }
}
