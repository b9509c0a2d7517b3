//! When the claims of chapter 1 hold.

use super::conditioning::steps_name;
use normbook_lab::{Claim, Quantity, at_least, steps, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let stepped = ["stepping, toy raw", "stepping, toy scaled", "stepping, table standardised"];
    vec![
        Claim::exact("steps", at_least(100.0, 1.0)).headline().each(raw_to(&["standardised"], &steps_name(1))),
        Claim::exact("rate", within(1.0, 0.01)).values("log_rate_ratio", &stepped),
        Claim::exact("closed-form", within(0.0, 1e-9)).values("largest_difference", &stepped),
        Claim::exact("condition", at_least(100.0, 1.0))
            .each(raw_to(&["centred", "scaled", "standardised"], "condition_number")),
        Claim::exact("whitening", at_least(1000.0, 1.0)).values("condition_number", &["breast cancer standardised"]),
        Claim::ratio("net", at_least(10.0, 1.0)).at("gradient descent", steps("sgd raw") / steps("sgd standardised")),
        Claim::ratio("adam", at_least(2.0, 1.0)).at(
            "both",
            steps("sgd raw") * steps("adam standardised") / (steps("sgd standardised") * steps("adam raw")),
        ),
    ]
}
// ANCHOR_END: claims

/// Computes the ratio of a value of the raw features to that of each of these preparations.
fn raw_to<'a>(prepared: &[&'a str], name: &str) -> Vec<(&'a str, Quantity)> {
    prepared.iter().map(|arm| (*arm, value("raw", name) / value(*arm, name))).collect()
}
