//! When the claims of chapter 2 hold.

use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, at_least, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let scale = ["output_difference", "weight_gradient_difference", "weight_cosine"];
    let backward = ["fused", "composed", "finite_differences"];
    let spread = |size: u32| value("spread", format!("logit_deviation_at_{size}"));
    let bias = |arm: &str| value(arm, "final_bias_norm");
    let accuracy = |arm: &str| value(arm, TEST_ACCURACY);
    vec![
        Claim::exact("coupled", at_least(1e-3, 0.0)).headline().values("smallest_of_others", &["jacobian, batch norm"]),
        Claim::exact("uncoupled", within(0.0, 1e-12))
            .values("largest_of_others", &["jacobian, no norm", "jacobian, layer norm"]),
        Claim::exact("scale", within(0.0, 1e-9)).values_of(&scale, &["a small", "a large"]),
        Claim::exact("backward", within(0.0, 1e-9)).values_of(&backward, &["backward, batch 2", "backward, batch 60"]),
        Claim::exact("ones", within(0.0, 1e-9)).values("of_ones", &["backward, batch 60"]),
        Claim::exact("conventions-apart", at_least(1.5, 1.0)).each(unbiased_to_others(2)),
        Claim::exact("conventions-agree", within(1.0, 0.05)).each(unbiased_to_others(64)),
        Claim::ratio("spread", at_least(2.0, 1.0)).at("training mode", spread(8) / spread(128)),
        Claim::difference("held", at_least(1.0, 0.0)).at("no γ and β", bias("held") - bias("through")),
        Claim::accuracy("held-accuracy", at_least(0.02, 0.0)).at("no γ and β", accuracy("through") - accuracy("held")),
        Claim::accuracy("order", within(0.0, 0.01)).each(["sigmoid", "ReLU"].map(|activation| {
            let order = |order| accuracy(&format!("{activation}, norm {order}"));
            (activation, order("before") - order("after"))
        })),
    ]
}
// ANCHOR_END: claims

/// Computes the ratio of the average of the unbiased variance to what other libraries keep, at this batch size.
fn unbiased_to_others(batch_size: u32) -> [(&'static str, Quantity); 2] {
    let kept = |tracked: &str| value(format!("{tracked}, batch {batch_size}"), "variance_over_true");
    ["biased variance", "deviation"].map(|tracked| (tracked, kept("unbiased variance") / kept(tracked)))
}
