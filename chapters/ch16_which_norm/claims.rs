//! When the claims of chapter 16 hold.

use super::{BETA, cnn, mlp};
use normbook::probe::benchmark::{CLIPPED, NORMS};
use normbook::probe::rate_sweep::{BEST_ACCURACY, MEAN_ACCURACY};
use normbook::probe::train_eval::LOGIT_GAP;
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, at_least, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let others = NORMS[2..].iter().copied().chain(["none", CLIPPED.0]);
    let smoother = ["batch", "layer", "instance", "group:4", "rms"]
        .map(|norm| (norm, value(cnn("none"), BETA) / value(cnn(norm), BETA)));
    let without_batch = ["none", "layer", "instance", "group:4", "weight", "rms", "frn", "dyt", CLIPPED.0];
    let with_batch = ["batch", "renorm:1.5:0.5:0", "weight:mean"];
    let logit_gap = |norm| (norm, value(cnn(norm), LOGIT_GAP));
    vec![
        Claim::accuracy("small", at_least(0.01, 0.0))
            .headline()
            .each(["layer", "group:4", "rms"].map(|norm| of_mlps(2, BEST_ACCURACY, norm, "batch"))),
        Claim::accuracy("small-none", at_least(0.01, 0.0)).each([of_mlps(2, BEST_ACCURACY, "none", "batch")]),
        Claim::accuracy("large", at_least(-0.01, -0.01)).each(others.map(|other| of_cnns("batch", other))),
        mean("rates", &["batch", "layer", "group:4", "rms"]),
        mean("rates-weights", &["weight", "spectral"]),
        Claim::ratio("smoother", at_least(1.25, 1.0)).each(smoother),
        Claim::difference("gap", within(0.0, 0.0)).each(without_batch.map(logit_gap)),
        Claim::difference("batch-gap", at_least(0.05, 0.0)).each(with_batch.map(logit_gap)),
        same("rms", "rms", "layer"),
        same("dyt", "dyt", "layer"),
        same("clipped", CLIPPED.0, "batch"),
        Claim::accuracy("frn", at_least(0.002, 0.0)).each([of_cnns("frn", "batch")]),
    ]
}
// ANCHOR_END: claims

/// The test accuracy that one row's CNN has more than another's.
fn of_cnns(one: &str, other: &str) -> (String, Quantity) {
    (format!("{one} − {other}, CNN"), value(cnn(one), TEST_ACCURACY) - value(cnn(other), TEST_ACCURACY))
}

/// A value of one row's MLPs minus another's.
fn of_mlps(batch: usize, name: &str, one: &str, other: &str) -> (String, Quantity) {
    (format!("{one} − {other}, batches of {batch}"), value(mlp(one, batch), name) - value(mlp(other, batch), name))
}

/// With each of these norms the MLP is better over the whole grid of learning rates.
fn mean(id: &str, norms: &[&str]) -> Claim {
    Claim::accuracy(id, at_least(0.02, 0.0)).each(norms.iter().map(|norm| of_mlps(32, MEAN_ACCURACY, norm, "none")))
}

/// Two rows are equally accurate on every task.
fn same(id: &str, one: &str, other: &str) -> Claim {
    let mlps = [32, 2].map(|batch| of_mlps(batch, BEST_ACCURACY, one, other));
    Claim::accuracy(id, within(0.0, 0.01)).each([of_cnns(one, other)]).each(mlps)
}
