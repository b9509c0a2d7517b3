//! When the claims of chapter 12 hold.

use super::contrast::lost_at;
use super::{JUDGED, of_contrast};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, at_least, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let [batch, instance] = ["batch", "instance"].map(|norm| value(of_contrast(norm), TEST_ACCURACY));
    let exact = |id: &str, rule, values: &[&str]| Claim::exact(id, rule).values_of(values, &["identity"]);
    vec![
        Claim::accuracy("contrast", within(0.0, 0.01))
            .headline()
            .each(JUDGED.map(|contrast| lost("instance", contrast))),
        Claim::accuracy("batch-contrast", at_least(0.05, 0.0))
            .each([JUDGED[0], JUDGED[3]].map(|contrast| lost("batch", contrast))),
        Claim::accuracy("blind", within(0.1, 0.02)).at("ten contrasts", instance.clone()),
        Claim::accuracy("sees", at_least(0.3, 0.0)).at("ten contrasts", batch - instance),
        Claim::accuracy("costs", at_least(0.01, 0.0))
            .at("contrast 1", value("batch", TEST_ACCURACY) - value("instance", TEST_ACCURACY)),
        exact("identity", within(0.0, 1e-9), &["change", "scaled"]),
        exact("ends", at_least(1e-2, 0.0), &["faint", "shifted"]),
        exact("one-pixel", within(0.0, 1e-9), &["one_pixel"]),
    ]
}
// ANCHOR_END: claims

/// The test accuracy that a network loses at a contrast.
fn lost(arm: &str, contrast: f64) -> (String, Quantity) {
    (format!("contrast {contrast}"), value(arm, lost_at(contrast)))
}
