//! When the claims of chapter 6 hold.

use super::{DEPTHS, EARLY, of};
use normbook::probe::probe_schedule::TRAIN_ACCURACY;
use normbook::probe::readings::accuracy_at;
use normbook::train::classifier::TEST_ACCURACY;
use normbook_lab::verdict::Rule;
use normbook_lab::{Claim, Quantity, at_least, reading, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let train = |network, depth| value(of(network, depth), TRAIN_ACCURACY);
    let test = |network, depth| value(of(network, depth), TEST_ACCURACY);
    let change = |network, depth| value(of(network, depth), "output_mean_change");
    let of_depth = |depth, quantity| (format!("{depth} layers"), quantity);
    let at_end = |depth, quantity| (format!("{depth} layers, end"), quantity);
    vec![
        early_and_late("equivalent", within(0.0, 0.02), &EARLY, "noisy", "batch").headline(),
        Claim::accuracy("tested", within(0.0, 0.02))
            .each(DEPTHS.map(|depth| at_end(depth, test("noisy", depth) - test("batch", depth)))),
        early_and_late("better", at_least(0.05, 0.0), &[0.2], "noisy", "plain"),
        Claim::accuracy("stops", within(0.1, 0.05)).each(DEPTHS.map(|depth| at_end(depth, train("noise", depth)))),
        Claim::accuracy("scaled", at_least(0.05, 0.0))
            .each([8, 14].map(|depth| at_end(depth, train("noise", depth) - train("scaled", depth)))),
        Claim::ratio("unstable", at_least(1.25, 1.0))
            .each(DEPTHS.map(|depth| of_depth(depth, change("noisy", depth) / change("plain", depth)))),
        Claim::ratio("similar", at_least(2.0, 1.0))
            .each(DEPTHS.map(|depth| of_depth(depth, change("plain", depth) / change("batch", depth)))),
    ]
}

/// Subtracts the training accuracies of two networks at every depth: after parts of the steps and at the end.
fn early_and_late(id: &str, rule: Rule, parts: &[f64], one: &str, other: &str) -> Claim {
    DEPTHS.into_iter().fold(Claim::accuracy(id, rule), |claim, depth| {
        let [one, other] = [one, other].map(|network| of(network, depth));
        let early = parts.iter().map(|part| {
            (
                format!("{depth} layers, {part} of the steps"),
                accuracy_after(*part, &one) - accuracy_after(*part, &other),
            )
        });
        claim
            .each(early)
            .at(format!("{depth} layers, end"), value(&one, TRAIN_ACCURACY) - value(&other, TRAIN_ACCURACY))
    })
}
// ANCHOR_END: claims

fn accuracy_after(part: f64, arm: &str) -> Quantity {
    reading(arm, format!("{TRAIN_ACCURACY} after {part} of the steps"), move |trace| accuracy_at(trace, part))
}
