//! When the claims of chapter 7 hold.

use super::{CNN, LINEAR, of};
use normbook_lab::trial::FINAL_LOSS;
use normbook_lab::{Claim, Quantity, at_least, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let turned = |[plain, batch]: [Quantity; 2]| plain - batch;
    let grown = |[plain, batch]: [Quantity; 2]| batch / plain;
    let loss = |network, rate| value(of("linear", network, rate), FINAL_LOSS);
    vec![
        Claim::difference("linear", at_least(0.05, 0.0)).each(compared("linear", LINEAR, COSINE, turned)).headline(),
        Claim::difference("cnn", at_least(0.05, 0.0)).each(compared("cnn", CNN, COSINE, turned)),
        Claim::ratio("linear-difference", at_least(1.25, 1.0)).each(compared("linear", LINEAR, DIFFERENCE, grown)),
        Claim::ratio("cnn-difference", at_least(1.25, 1.0)).each(compared("cnn", CNN, DIFFERENCE, grown)),
        Claim::difference("almost-none", within(1.0, 0.1)).each(compared("linear", LINEAR, COSINE, |[plain, _]| plain)),
        Claim::difference("uncorrelated", within(0.0, 0.2))
            .each(compared("linear", LINEAR, COSINE, |[_, batch]| batch)),
        Claim::ratio("loss", at_least(1.25, 1.0))
            .each(LINEAR.0.map(|rate| (format!("rate {rate:e}"), loss("plain", rate) / loss("batch", rate)))),
    ]
}

/// Compares a value without BatchNorm and with it, at each rate and in each layer.
fn compared(
    network: &str,
    (rates, layers): ([f64; 2], [usize; 2]),
    name: &str,
    compare: fn([Quantity; 2]) -> Quantity,
) -> Vec<(String, Quantity)> {
    let at = |rate, layer| {
        let both = ["plain", "batch"].map(|norm| value(of(network, norm, rate), format!("{name}_layer_{layer}")));
        (format!("layer {layer}, rate {rate:e}"), compare(both))
    };
    rates.iter().flat_map(|rate| layers.map(|layer| at(*rate, layer))).collect()
}
// ANCHOR_END: claims

/// cos(G, G′) and ‖G − G′‖ of definition 2.1.
const COSINE: &str = "shift_cosine";
const DIFFERENCE: &str = "shift_difference";
