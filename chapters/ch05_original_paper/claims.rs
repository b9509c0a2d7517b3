//! When the claims of chapter 5 hold.

use super::generalization::{EARLY, test_loss_at};
use super::large_step::LOGITS;
use super::{DEEP_RATES, LEVELS};
use normbook::probe::rate_sweep::{LARGEST, at};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, at_least, steps, steps_read, value, within};

const DRIFTS: [&str; 4] = ["median_drift", "width_drift", "relative_median_drift", "relative_width_drift"];

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let [slow_plain, slow_batch] = ["ReLU plain, a tenth of the rate", "ReLU batch, a tenth of the rate"];
    let saved = |dropout: &str, level| {
        value(format!("ReLU plain{dropout}"), test_loss_at(level))
            - value(format!("ReLU batch{dropout}"), test_loss_at(level))
    };
    let by_dropout = |norm: &str| gain(&format!("ReLU {norm}, dropout"), &format!("ReLU {norm}"));
    let [high, low, lowest] = LEVELS;
    vec![
        Claim::ratio("steps", at_least(2.0, 1.0)).headline().at("sigmoid MLP", steps("plain") / steps("batch")),
        Claim::accuracy("final", at_least(0.01, 0.0)).at("sigmoid MLP", gain("batch", "plain")),
        Claim::accuracy("init", at_least(0.03, 0.0))
            .at("deviation 0.01", lost("plain", "0.01") - lost("batch", "0.01"))
            .at("deviation 1", lost("plain", "1") - lost("batch", "1")),
        stable("stable", "batch as plain"),
        stable("stable-best", "batch"),
        Claim::ratio("tolerance", at_least(3.0, 1.0))
            .at("ReLU MLP", value("ReLU batch, rates", LARGEST) / value("ReLU plain, rates", LARGEST)),
        faster("same-rate", 1.0),
        faster("times-5", 5.0),
        faster("times-30", 30.0),
        Claim::accuracy("small", within(0.0, 0.01))
            .at("after a tenth of the steps", value(slow_batch, EARLY) - value(slow_plain, EARLY))
            .at("at the end", gain(slow_batch, slow_plain)),
        Claim::ratio("large-step", at_least(3.0, 1.0))
            .at("six hidden layers", value("plain, large step", LOGITS) / value("batch, large step", LOGITS)),
        Claim::difference("regularizes", at_least(0.01, 0.0))
            .at("at 0.3", saved("", low))
            .at("at 0.2", saved("", lowest))
            .at("at 0.35, dropout", saved(", dropout", high)),
        Claim::accuracy("dropout", at_least(0.005, 0.0)).at("0.3", by_dropout("plain") - by_dropout("batch")),
        Claim::accuracy("deep-plain", within(0.1, 0.02))
            .each(DEEP_RATES.map(|rate| format!("deep plain at {rate}")).map(|arm| (arm.clone(), accuracy(&arm)))),
        Claim::accuracy("deep-batch", at_least(0.3, 0.0)).at("rate 0.3", gain("deep batch", "deep plain at 0.3")),
        Claim::accuracy("deep-init", at_least(0.3, 0.0))
            .at("deviation 0.3", gain("deep plain, init 0.3", "deep plain at 0.3")),
        Claim::difference("jacobian", at_least(0.9, 0.5)).at("100 units, batch 60", value("jacobian", "near_one")),
    ]
}
// ANCHOR_END: claims

fn accuracy(arm: &str) -> Quantity {
    value(arm, TEST_ACCURACY)
}

/// Subtracts the other arm's accuracy at the end from that of one arm.
fn gain(one: &str, other: &str) -> Quantity {
    accuracy(one) - accuracy(other)
}

/// The accuracy that a network loses with these initial weights instead of its best.
fn lost(norm: &str, init: &str) -> Quantity {
    gain(norm, &format!("{norm}, {init}"))
}

/// Without BatchNorm the inputs of the last sigmoids drift more than in the arm with it.
fn stable(id: &str, batch: &str) -> Claim {
    let drifts = DRIFTS.map(|drift| (drift.replace('_', " "), value("plain", drift) / value(batch, drift)));
    Claim::ratio(id, at_least(1.25, 1.0)).each(drifts)
}

/// BatchNorm needs fewer steps at a multiple of the plain network's best rate than that network at its best.
fn faster(id: &str, multiple: f64) -> Claim {
    let of = |norm: &str, multiple| {
        steps_read(format!("ReLU {norm}, rates"), &format!("steps at {}", at(multiple)), move |trace| {
            trace.reached[&at(multiple)]
        })
    };
    Claim::ratio(id, at_least(2.0, 1.0)).at(at(multiple), of("plain", 1.0) / of("batch", multiple))
}
