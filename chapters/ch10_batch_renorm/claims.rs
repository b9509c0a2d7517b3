//! When the claims of chapter 10 hold.

use super::of;
use normbook::probe::train_eval::{ACCURACY_EARLY, ACCURACY_GAP, LOGIT_GAP};
use normbook::train::accuracy::TEST_ACCURACY;
use normbook_lab::{Claim, Quantity, at_least, value, within};

// ANCHOR: claims
pub fn claims() -> Vec<Claim> {
    let [batch, renorm] = [of("batch", "two classes"), of("renorm", "two classes")];
    let logit_gaps = ["in 4s", "two classes"]
        .map(|parts| (parts, value(of("batch", parts), LOGIT_GAP) / value(of("renorm", parts), LOGIT_GAP)));
    vec![
        Claim::accuracy("classes", at_least(0.01, 0.0)).headline().each([gain("two classes")]),
        Claim::accuracy("gap", at_least(0.05, 0.0)).at("two classes", value(&batch, ACCURACY_GAP)),
        Claim::accuracy("closed", at_least(0.05, 0.0))
            .at("two classes", value(&batch, ACCURACY_GAP) - value(&renorm, ACCURACY_GAP)),
        same("restored", &renorm, &of("batch", "in 16s")),
        Claim::accuracy("small", at_least(0.01, 0.0)).each(["in 4s", "in 2s"].map(gain)),
        Claim::ratio("agree", at_least(2.0, 1.0)).each(logit_gaps),
        same("whole", &of("renorm", "whole"), &of("batch", "whole")),
        Claim::exact("is-batch-norm", within(0.0, 1e-9)).values("batch_norm_output_difference", &["closed"]),
        Claim::exact("same-gradient", within(0.0, 1e-9)).values("batch_norm_gradient_difference", &["closed"]),
        Claim::exact("is-inference", within(0.0, 1e-9)).values("evaluation_difference", &["open"]),
    ]
}
// ANCHOR_END: claims

/// The test accuracy that batch renorm gains on BatchNorm.
fn gain(parts: &str) -> (&str, Quantity) {
    (parts, value(of("renorm", parts), TEST_ACCURACY) - value(of("batch", parts), TEST_ACCURACY))
}

/// Two arms are equally accurate, early and at the end.
fn same(id: &str, one: &str, other: &str) -> Claim {
    Claim::accuracy(id, within(0.0, 0.01))
        .at("early", value(one, ACCURACY_EARLY) - value(other, ACCURACY_EARLY))
        .at("end", value(one, TEST_ACCURACY) - value(other, TEST_ACCURACY))
}
