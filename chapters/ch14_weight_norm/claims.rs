//! When the claims of chapter 14 hold.

use super::{RATES, of};
use normbook::probe::train_eval::ACCURACY_EARLY;
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, across, at_least, steps, value, within};

// ANCHOR: claims
const IDENTITIES: [&str; 5] =
    ["scale_difference", "direction_difference", "projection_difference", "largest_cosine", "growth_difference"];

pub fn claims() -> Vec<Claim> {
    let falls = |arm: &str| value(arm, "share_of_falls");
    vec![
        Claim::ratio("faster", at_least(1.25, 1.0)).headline().at("CNN", steps("cnn plain") / steps("cnn weight")),
        robust("rates", "weight"),
        robust("rates-batch", "batch"),
        Claim::accuracy("as-plain", within(0.0, 0.01))
            .at("early", value("cnn weight", ACCURACY_EARLY) - value("cnn plain", ACCURACY_EARLY))
            .at("end", value("cnn weight", TEST_ACCURACY) - value("cnn plain", TEST_ACCURACY)),
        better("batch-plain", "cnn batch", "cnn plain"),
        better("mean-batch", "cnn weight and mean", "cnn batch"),
        Claim::difference("grows", within(0.0, 0.0)).at("SGD", falls("SGD")),
        Claim::difference("falls", at_least(0.01, 0.0))
            .at("weight decay 0.01", falls("decay"))
            .at("Adam", falls("Adam")),
        Claim::exact("identities", within(0.0, 1e-9)).values_of(&IDENTITIES, &["identities"]),
        Claim::exact("start", within(0.0, 1e-3)).values_of(&["start_mean", "start_deviation"], &["identities"]),
    ]
}
// ANCHOR_END: claims

/// With a normalization the accuracy depends less on the rate than without.
fn robust(id: &str, norm: &str) -> Claim {
    Claim::accuracy(id, at_least(0.05, 0.0)).at("rates 0.01 to 10", range("plain") - range(norm))
}

/// One arm is more accurate than another.
fn better(id: &str, one: &str, other: &str) -> Claim {
    let gain = value(one, TEST_ACCURACY) - value(other, TEST_ACCURACY);
    Claim::accuracy(id, at_least(0.002, 0.0)).at(format!("{one} − {other}"), gain)
}

/// The largest test accuracy over the rates minus the smallest.
fn range(norm: &str) -> Quantity {
    across(&RATES.map(|rate| of(norm, rate)), "largest − smallest test_accuracy", |traces| {
        let accuracies = traces.iter().map(|trace| trace.values.get(TEST_ACCURACY).copied());
        let accuracies = accuracies.collect::<Option<Vec<f64>>>()?.into_iter();
        Some(accuracies.clone().fold(0.0, f64::max) - accuracies.fold(1.0, f64::min))
    })
}
