//! When the claims of chapter 11 hold.

use super::invariances::{CHANGES, NORMS, cell};
use normbook::probe::train_eval::{ACCURACY_EARLY, ACCURACY_GAP};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, at_least, steps, value, within};

// ANCHOR: claims
/// What Table 1 says: whether each of [`NORMS`] is invariant to each of [`CHANGES`].
const TABLE_1: [[bool; 6]; 3] = [
    [true, false, true, true, true, false],
    [true, false, true, false, false, false],
    [true, true, false, true, false, true],
];

pub fn claims() -> Vec<Claim> {
    let [small, large] = ["4", "128"].map(|size| gain(&format!("layer {size}"), &format!("batch {size}")));
    vec![
        Claim::accuracy("batch-size", at_least(0.01, 0.0)).headline().at("4 against 128", small - large.clone()),
        Claim::accuracy("robust", within(0.0, 0.01)).at("batch 4 − batch 128", gain("layer 4", "layer 128")),
        Claim::accuracy("tie", within(0.0, 0.01))
            .at("early", value("layer 128", ACCURACY_EARLY) - value("batch 128", ACCURACY_EARLY))
            .at("end", large),
        Claim::ratio("recurrent", at_least(1.25, 1.0))
            .at("recurrent net", steps("recurrent none") / steps("recurrent layer")),
        Claim::accuracy("no-place", at_least(0.02, 0.0)).at("end", gain("recurrent layer", "recurrent batch")),
        Claim::accuracy("no-place-gap", at_least(0.02, 0.0)).at("BatchNorm", value("recurrent batch", ACCURACY_GAP)),
        Claim::exact("invariant", within(0.0, 1e-9)).each(cells(true)),
        Claim::exact("not-invariant", at_least(1e-3, 0.0)).each(cells(false)),
    ]
}
// ANCHOR_END: claims

/// The test accuracy that one arm has more than another.
fn gain(one: &str, other: &str) -> Quantity {
    value(one, TEST_ACCURACY) - value(other, TEST_ACCURACY)
}

/// The changes of a cell of Table 1 where it says invariant, or those where it does not.
fn cells(invariant: bool) -> Vec<(String, Quantity)> {
    let mut cells = Vec::new();
    for (norm, row) in NORMS.iter().zip(TABLE_1) {
        for (change, _) in CHANGES.iter().zip(row).filter(|(_, is_invariant)| *is_invariant == invariant) {
            cells.push((cell(norm, change), value("table", cell(norm, change))));
        }
    }
    cells
}
