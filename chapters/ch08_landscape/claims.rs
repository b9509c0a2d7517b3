//! When the claims of chapter 8 hold.

use super::slice::RISE;
use super::{DISTANCE, NETS, SAME_LOSS, TRAINING_RATES, of};
use normbook::probe::readings::{at_distance, at_level, ranges_over_runs};
use normbook::probe::santurkar::{CNN_RATES, LINEAR_RATES};
use normbook_lab::trial::median;
use normbook_lab::{Claim, Quantity, across, at_least, reading, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let twice = |id| Claim::ratio(id, at_least(2.0, 1.0));
    let at = |rate, quantity| (format!("rate {rate:e}"), quantity);
    let cnn = |name| CNN_RATES.map(|rate| at(rate, plain_over_batch("cnn", rate, |arm| value(arm, name))));
    let linear = |rate, name| plain_over_batch("linear", rate, |arm| value(arm, name));
    let range_over_runs = || loss_range_over_runs("plain") / loss_range_over_runs("batch");
    vec![
        twice("beta").each(cnn("gradient_beta")).headline(),
        twice("range").each(cnn("gradient_loss_range")),
        twice("change").each(cnn("gradient_change_high")),
        twice("linear").each(LINEAR_RATES.map(|rate| at(rate, linear(rate, "gradient_beta")))),
        LINEAR_RATES.into_iter().fold(twice("linear-walk"), |claim, rate| {
            claim
                .at(format!("rate {rate:e}, gradient loss range"), linear(rate, "gradient_loss_range"))
                .at(format!("rate {rate:e}, gradient change high"), linear(rate, "gradient_change_high"))
        }),
        twice("random").each(cnn("random_beta")),
        twice("matched").each(same_loss(SAME_LOSS[0])),
        twice("linear-matched").each(same_loss(SAME_LOSS[1])),
        Claim::ratio("plateau", within(1.0, 0.5))
            .each(NETS.into_iter().flat_map(|norm| TRAINING_RATES.map(|rate| half_rate_times_beta(norm, rate)))),
        twice("distance").each(
            LINEAR_RATES
                .map(|rate| at(rate, plain_over_batch("linear", rate, |arm| beta_at_distance(arm, DISTANCE / rate)))),
        ),
        Claim::ratio("shortcut", within(1.25, 0.75)).each(CNN_RATES.map(|rate| {
            let walk = plain_over_batch("cnn", rate, |arm| value(arm, "gradient_loss_range"));
            at(rate, range_over_runs() / walk)
        })),
        Claim::ratio("plane", at_least(1.25, 1.0))
            .at("to one length of the filters", value("plane plain", RISE) / value("plane batch", RISE)),
    ]
}
// ANCHOR_END: claims

/// Divides a number of the plain network by that of the network with BatchNorm.
fn plain_over_batch(network: &str, rate: f64, number: impl Fn(String) -> Quantity) -> Quantity {
    let [plain, batch] = NETS.map(|norm| number(of(network, norm, rate)));
    plain / batch
}

/// Compares β where the training loss first comes down to each level, at each rate.
fn same_loss((network, rates, levels): (&str, &[f64], [f64; 2])) -> Vec<(String, Quantity)> {
    let beta = |arm, level| {
        reading(arm, format!("gradient_level_beta at loss {level}"), move |trace| {
            at_level(trace, "gradient_level_beta", level)
        })
    };
    let at =
        |rate, level| (format!("rate {rate:e}, loss {level}"), plain_over_batch(network, rate, |arm| beta(arm, level)));
    rates.iter().flat_map(|rate| levels.map(|level| at(*rate, level))).collect()
}

fn half_rate_times_beta(norm: &str, rate: f64) -> (String, Quantity) {
    (format!("{norm}, rate {rate:e}"), value(of("linear", norm, rate), "gradient_beta") * rate / 2.0)
}

/// Reads β at an η′ of so many learning rates, median over the training.
fn beta_at_distance(arm: String, rates: f64) -> Quantity {
    reading(arm, format!("median of gradient_beta_by_distance at η′ = {rates} · learning rate"), move |trace| {
        median(at_distance(trace.grids.get("gradient_beta_by_distance")?, rates)?)
    })
}

/// Reads the range of the CNN's training loss over its runs at all rates, median over the training.
fn loss_range_over_runs(norm: &str) -> Quantity {
    let runs = CNN_RATES.map(|rate| of("cnn", norm, rate));
    across(&runs, "median of the range of train_loss over the runs", |traces| {
        let losses: Option<Vec<_>> = traces.iter().map(|trace| trace.series.get("train_loss")).collect();
        median(&ranges_over_runs(&losses?))
    })
}
