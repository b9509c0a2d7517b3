//! When the claims of chapter 3 hold.

use super::RATES;
use super::gamma_beta::{EARLY_ACCURACY, LINES_ACCURACY, NONLINEAR_SHARE, layer_share};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, at_least, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let recovered = ["recovery, sigmoid", "recovery, relu"];
    let lines = |arm: &str| value(arm, TEST_ACCURACY) - value(arm, LINES_ACCURACY);
    vec![
        Claim::difference("linear", within(0.0, 0.03)).headline().each(shares_by_layer()),
        Claim::exact("identity", within(0.0, 1e-9)).values("recovered", &recovered),
        Claim::exact("bias", within(0.0, 1e-9)).values("bias_gradient", &recovered),
        Claim::ratio("norm", at_least(2.0, 1.0)).at("rate ×1", share("sigmoid none ×1") / share("sigmoid plain ×1")),
        Claim::ratio("curve", at_least(1.2, 1.0)).each(at_each_rate(|rate| {
            share(&format!("sigmoid both {rate}")) / share(&format!("sigmoid plain {rate}"))
        })),
        Claim::accuracy("lines", at_least(0.01, 0.0))
            .each(at_each_rate(|rate| lines(&format!("sigmoid plain {rate}")))),
        ablation("sigmoid", |norm| format!("sigmoid {norm} ×1")),
        ablation("relu", |norm| format!("relu {norm}")),
    ]
}
// ANCHOR_END: claims

/// Measures under each of the learning rates, relative to the chapter's own.
fn at_each_rate(quantity: impl Fn(&str) -> Quantity) -> [(String, Quantity); 3] {
    RATES.map(|(rate, _)| (format!("rate {rate}"), quantity(rate)))
}

/// What the lines leave of the variance of all hidden units.
fn share(arm: &str) -> Quantity {
    value(arm, NONLINEAR_SHARE)
}

/// The same of each hidden layer, with neither γ nor β.
fn shares_by_layer() -> impl Iterator<Item = (String, Quantity)> {
    RATES.into_iter().flat_map(|(rate, _)| {
        let share = move |layer| value(format!("sigmoid plain {rate}"), layer_share(layer));
        (1..=3).map(move |layer| (format!("layer {layer}, rate {rate}"), share(layer)))
    })
}

/// Without γ, without β or without both the accuracy is that with both, early and at the end.
fn ablation(id: &str, arm: impl Fn(&str) -> String) -> Claim {
    let measurements = ["gamma", "beta", "plain"].into_iter().flat_map(|norm| {
        [("early", EARLY_ACCURACY), ("end", TEST_ACCURACY)]
            .map(|(when, name)| (format!("{norm}, {when}"), value(arm(norm), name) - value(arm("both"), name)))
    });
    Claim::accuracy(id, within(0.0, 0.01)).each(measurements)
}
