//! When the claims of chapter 13 hold.

use super::{SMALLER, of};
use normbook::probe::train_eval::ACCURACY_EARLY;
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, at_least, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let lost = |norm: &str| accuracy(of(norm, 32)) - accuracy(format!("{norm} 2, as many updates"));
    let steady =
        SMALLER.map(|size| (format!("batch {size} − batch 32"), accuracy(of("group", size)) - accuracy("group 32")));
    vec![
        more("small", 0.01, "batch 32", "batch 2").headline(),
        Claim::accuracy("steady", within(0.0, 0.01)).each(steady),
        more("better", 0.01, "group 2", "batch 2"),
        Claim::accuracy("large", within(0.0, 0.01))
            .at("early", value("group 32", ACCURACY_EARLY) - value("batch 32", ACCURACY_EARLY))
            .at("end", accuracy("group 32") - accuracy("batch 32")),
        Claim::accuracy("updates", at_least(0.01, 0.0)).at("batch 2", lost("batch") - lost("group")),
        more("instance", 0.01, "group 32", "G = C"),
        more("layer", 0.002, "group 32", "G = 1"),
        Claim::exact("ends", within(0.0, 1e-9))
            .at("G = 1: layer normalization", value("ends", "layer_difference"))
            .at("G = C: instance normalization", value("ends", "instance_difference")),
    ]
}
// ANCHOR_END: claims

fn accuracy(arm: impl Into<String>) -> Quantity {
    value(arm, TEST_ACCURACY)
}

/// One arm is more accurate than another by at least a floor.
fn more(id: &str, floor: f64, one: &str, other: &str) -> Claim {
    Claim::accuracy(id, at_least(floor, 0.0)).at(format!("{one} − {other}"), accuracy(one) - accuracy(other))
}
