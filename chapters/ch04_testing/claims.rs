//! When the claims of chapter 4 hold.

use normbook_lab::{Claim, Quantity, at_least, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let (low, high, population, first) = ("low rate", "high rate", "population", "p = 0.999 from the first batch");
    let variance = |layer: u32| value("batch 2", format!("variance ratio, algorithm 2, layer {layer}"));
    vec![
        Claim::accuracy("average", within(0.0, 0.01))
            .headline()
            .at("middle, p = 0.9 − population", gain(low, "p = 0.9", population, "middle"))
            .at("late, p = 0.9 − population", gain(low, "p = 0.9", population, "late")),
        Claim::accuracy("lag", at_least(0.05, 0.0))
            .at("early, population − p = 0.9", gain(low, population, "p = 0.9", "early"))
            .at("middle, population − p = 0.999", gain(low, population, "p = 0.999", "middle"))
            .at(
                "middle, high rate, population − p = 0.999 from the first batch",
                gain(high, population, first, "middle"),
            ),
        Claim::accuracy("start", at_least(0.05, 0.0))
            .at("middle, p = 0.999 from the first batch − p = 0.999", gain(low, first, "p = 0.999", "middle")),
        Claim::accuracy("noise", at_least(0.02, 0.0))
            .at("batch 4, late, population − p = 0", gain("batch 4", population, "p = 0", "late")),
        Claim::accuracy("high-rate", at_least(0.002, 0.0))
            .at("late, population − p = 0.9", gain(high, population, "p = 0.9", "late"))
            .at("late, population − p = 0.99", gain(high, population, "p = 0.99", "late")),
        Claim::accuracy("own-batch", at_least(0.1, 0.0))
            .at("late, population − batches of 2", gain(low, population, "batch of 2", "late"))
            .at("late, population − batches of one class", gain(low, population, "batch of one class", "late")),
        Claim::accuracy("factor", at_least(0.01, 0.0))
            .at("batch 2, late, with − without", gain("batch 2", "algorithm 2", "biased", "late"))
            .at("batch 4, late, with − without", gain("batch 4", "algorithm 2", "biased", "late")),
        Claim { fewest_seeds: 10, ..Claim::ratio("variance", within(1.0, 0.05)) }
            .at("first layer", variance(1))
            .at("third layer", variance(3)),
        Claim::exact("alone", within(0.0, 1e-9)).values("largest_difference", &["one example"]),
        Claim::exact("two", within(0.0, 1e-9))
            .at("first layer", value("two examples", "distance_from_one"))
            .at("second layer", value("two examples", "change_of_second_mean")),
    ]
}
// ANCHOR_END: claims

/// Subtracts the accuracy with the statistics `worse` from that with `better`, of one arm at one time.
fn gain(arm: &str, better: &str, worse: &str, when: &str) -> Quantity {
    let accuracy = |statistics: &str| value(arm, format!("accuracy, {statistics}, {when}"));
    accuracy(better) - accuracy(worse)
}
