//! When the claims of chapter 9 hold.

use super::{LANDSCAPE, LP, NETS, of};
use normbook::probe::probe_schedule::TRAIN_ACCURACY;
use normbook::probe::readings::{accuracy_at, at_level, moved};
use normbook::train::classifier::TEST_ACCURACY;
use normbook_lab::trial::FINAL_LOSS;
use normbook_lab::verdict::Rule;
use normbook_lab::{Claim, Quantity, at_least, reading, steps, value, within};

const MEAN: &str = "input_mean_change";
const VARIANCE: &str = "input_variance_change";

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let norms = LP.map(|(norm, _)| norm);
    let loss = |norm| value(of("linear", norm), FINAL_LOSS);
    let trained = |norm| value(of("cnn", norm), TRAIN_ACCURACY);
    let tested = |norm| value(of("cnn", norm), TEST_ACCURACY);
    let larger = |id| Claim::ratio(id, at_least(1.25, 1.0));
    let within_a_factor_of_2 = |id| Claim::ratio(id, within(1.25, 0.75));
    vec![
        larger("better").headline().each(norms.map(|norm| (norm, loss("plain") / loss(norm)))),
        within_a_factor_of_2("comparable").each(norms.map(|norm| (norm, loss(norm) / loss("batch")))),
        larger("l1").at("linear", loss("batch") / loss("l1")),
        ratio_of_steps("l1-steps", at_least(1.1, 1.0), "batch", "l1"),
        ratio_of_steps("l1-size", within(1.025, 0.225), "batch as large as l1", "l1"),
        ratio_of_steps("linf-size", at_least(1.25, 1.0), "linf", "batch as large as linf"),
        Claim::accuracy("cnn-faster", at_least(0.05, 0.0))
            .each(norms.map(|norm| (norm, early_accuracy(norm) - early_accuracy("plain")))),
        norms.into_iter().fold(Claim::accuracy("cnn-trained", within(0.0, 0.02)), |claim, norm| {
            claim
                .at(format!("{norm}, early"), early_accuracy(norm) - early_accuracy("batch"))
                .at(format!("{norm}, end"), trained(norm) - trained("batch"))
        }),
        Claim::accuracy("cnn-tested", within(0.0, 0.02)).each(norms.map(|norm| (norm, tested(norm) - tested("batch")))),
        larger("variance").each(compared(&[VARIANCE], "batch", |lp, batch| lp / batch)),
        larger("shift").each(compared(&[MEAN, VARIANCE], "plain", |lp, plain| lp / plain)),
        larger("moved").each(networks_and_norms().map(|((network, histograms, _), norm)| {
            let moved = |norm| histogram_moved(of(network, norm), histograms);
            (format!("{network}, {norm}"), moved(norm) / moved("plain"))
        })),
        Claim::ratio("smoother", at_least(2.0, 1.0)).each(compared(&LANDSCAPE, "plain", |lp, plain| plain / lp)),
        larger("smoother-at-loss").each(networks_and_norms().flat_map(|((network, _, levels), norm)| {
            levels.map(|level| {
                let beta = |norm| beta_at_loss(of(network, norm), level);
                (format!("{network}, {norm}, loss {level}"), beta("plain") / beta(norm))
            })
        })),
        within_a_factor_of_2("similar").each(compared(&LANDSCAPE, "batch", |lp, batch| lp / batch)),
    ]
}
// ANCHOR_END: claims

fn networks_and_norms() -> impl Iterator<Item = ((&'static str, &'static str, [f64; 2]), &'static str)> {
    NETS.into_iter().flat_map(|network| LP.map(|(norm, _)| (network, norm)))
}

/// Compares values of each ℓp norm with those of another arm, in each network.
fn compared(names: &[&str], other: &str, ratio: fn(Quantity, Quantity) -> Quantity) -> Vec<(String, Quantity)> {
    let of_both = |((network, ..), norm): ((&str, _, _), &str), name: &str| {
        let [lp, other] = [norm, other].map(|norm| value(of(network, norm), name));
        (format!("{network}, {norm}, {}", name.replace('_', " ")), ratio(lp, other))
    };
    networks_and_norms().flat_map(|both| names.iter().map(move |name| of_both(both, name))).collect()
}

/// Divides the steps that two of the deep linear networks take to the target loss.
fn ratio_of_steps(id: &str, rule: Rule, one: &str, other: &str) -> Claim {
    Claim::ratio(id, rule).at("linear", steps(of("linear", one)) / steps(of("linear", other)))
}

/// Reads the CNN's training accuracy after a fifth of the steps.
fn early_accuracy(norm: &str) -> Quantity {
    reading(of("cnn", norm), format!("{TRAIN_ACCURACY} after 0.2 of the steps"), |trace| accuracy_at(trace, 0.2))
}

/// Reads how far a layer's histogram moves over the training.
fn histogram_moved(arm: String, histograms: &'static str) -> Quantity {
    reading(arm, format!("area moved in {histograms}"), |trace| trace.grids.get(histograms).map(moved))
}

/// Reads β where the training loss first comes down to a level.
fn beta_at_loss(arm: String, level: f64) -> Quantity {
    reading(arm, format!("gradient_level_beta at loss {level}"), move |trace| {
        at_level(trace, "gradient_level_beta", level)
    })
}
