//! When the claims of chapter 15 hold.

use super::spectrum::{FROM_ONE, GAIN, GAP, LARGEST, STEEPNESS};
use super::{BATCHES, LAMBDA, of};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, at_least, reading, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let penalty = &format!("penalty {LAMBDA}");
    let decay = &format!("decay {LAMBDA}");
    let narrowed = |batch: &str| value(of("plain", batch), GAP) - value(of(penalty, batch), GAP);
    let lowered = |name| both(|batch| if_finite(of("plain", batch), name) / if_finite(of(penalty, batch), name));
    let better =
        |than: &str| both(|batch| value(of(penalty, batch), TEST_ACCURACY) - value(of(than, batch), TEST_ACCURACY));
    let normalized = |name: &str| both(|batch| value(of("normalized", batch), name));
    vec![
        Claim::accuracy("gap", at_least(0.01, 0.0)).headline().at("large", narrowed("large")),
        Claim::accuracy("gap-small", at_least(0.01, 0.0)).at("small", narrowed("small")),
        Claim::ratio("sigma", at_least(1.43, 1.0)).each(lowered(LARGEST)),
        Claim::ratio("flat", at_least(1.25, 1.0)).each(lowered(STEEPNESS)),
        Claim::accuracy("accuracy", at_least(0.002, 0.0)).each(better("plain")),
        Claim::accuracy("decay", at_least(0.002, 0.0)).each(better(decay)),
        Claim::difference("sets-one", within(0.0, 0.05)).each(normalized(FROM_ONE)),
        Claim::difference("lipschitz", within(0.5, 0.5)).each(normalized(GAIN)),
        Claim::exact("power", within(0.0, 1e-6)).values("error", &["power iteration"]),
        Claim::exact("printed", within(0.0, 1e-6)).values("printed_error", &["power iteration"]),
    ]
}
// ANCHOR_END: claims

/// The same quantity at both batch sizes.
fn both(quantity: impl Fn(&str) -> Quantity) -> [(&'static str, Quantity); 2] {
    BATCHES.map(|(batch, ..)| (batch, quantity(batch)))
}

/// A value of each seed whose weights are finite at the end; the others have none.
fn if_finite(arm: String, name: &'static str) -> Quantity {
    reading(arm, name, |trace| trace.values.get(name).copied())
}
