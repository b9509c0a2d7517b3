//! When the claims of chapter 8b hold.

use super::mean_field::LARGE_BATCH;
use super::{BATCH_SIZES, DEEP, DEPTHS, RATES};
use normbook::train::classifier::TEST_ACCURACY;
use normbook_lab::{Claim, at_least, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let equal = |id| Claim::exact(id, within(0.0, 1e-9));
    let exceeded = |id| Claim::exact(id, at_least(0.1, 0.0));
    let growth = |arm| value(arm, "growth_at_256");
    vec![
        equal("lipschitz").headline().values("lipschitz", &["landscape"]),
        equal("gamma-and-beta").values("gamma_and_beta", &["landscape"]),
        exceeded("lipschitz-printed").values("printed_exceeded", &["by hand"]),
        exceeded("own-gradient").values("own_gradient_excess", &["landscape"]),
        Claim::exact("differences", within(0.0, 1e-6)).values("by_differences", &["landscape"]),
        equal("curvature").values_of(&["curvature", "whole_hessian"], &["landscape"]),
        Claim::exact("second-form", at_least(0.0, 0.0)).values("slack", &["second form"]),
        exceeded("second-form-fails").values("exceeded", &["second form"]),
        equal("recovery").values_of(&["activations", "gradient_at_minimum"], &["recovery"]),
        equal("weights").values_of(&["appendix", "same_outputs", "norm_excess"], &["weights"]),
        exceeded("weights-printed")
            .values_of(&["weight_printed_exceeded", "weight_printed_of_norms_exceeded"], &["by hand"]),
        equal("initialization").values_of(&["distance", "scaled_loss", "scaled_gradient"], &["initialization"]),
        exceeded("initialization-condition").values("condition_excess", &["initialization"]),
        mean_field(),
        Claim::ratio("large-batch", within(1.0, 0.03)).at("ReLU", growth("relu") / LARGE_BATCH),
        Claim::ratio("no-norm", at_least(1.3, 1.0)).at("ReLU", growth("relu") / growth("relu, no norm")),
        Claim::ratio("weight-scale", within(1.0, 0.001))
            .at("linear", growth("linear, weights tenfold") / growth("linear"))
            .at("ReLU", growth("relu, weights tenfold") / growth("relu")),
        Claim::accuracy("depth", at_least(0.3, 0.0)).each(RATES.map(|rate| {
            let [shallow, deep] = DEPTHS.map(|(name, _)| value(format!("{name}, rate {rate}"), TEST_ACCURACY));
            (format!("rate {rate}"), shallow - deep)
        })),
    ]
}

/// Divides the growth in each network at each batch size by the one that the mean field predicts.
fn mean_field() -> Claim {
    let pairs = DEEP.into_iter().flat_map(|(name, _)| BATCH_SIZES.map(|size| (name, size)));
    Claim::ratio("mean-field", within(1.0, 0.03)).each(pairs.map(|(name, size)| {
        let growth = |arm: String| value(arm, format!("growth_at_{size}"));
        (format!("{name}, batch {size}"), growth(name.into()) / growth(format!("{name}, mean field")))
    }))
}
// ANCHOR_END: claims
