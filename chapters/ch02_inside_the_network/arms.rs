//! The arms that are computed exactly, in f64, without training.

use super::backward::Backward;
use super::conventions::{Conventions, Tracked};
use super::cross_example::{Between, CrossExample};
use super::rescaling::Rescaling;
use normbook_lab::Arm;

const BETWEEN: [(&str, Between); 3] =
    [("no norm", Between::Nothing), ("batch norm", Between::Batch), ("layer norm", Between::Layer)];
/// What each library keeps, with its own ε.
const CONVENTIONS: [(&str, Tracked, f64); 4] = [
    ("unbiased variance", Tracked::UnbiasedVariance, 1e-5),
    ("biased variance", Tracked::BiasedVariance, 1e-3),
    ("deviation", Tracked::Deviation, 0.0),
    ("candle-nn", Tracked::CandleNn, 1e-5),
];

/// Makes the exact arms; `factor` is the large one that weights are multiplied by.
pub fn exact(factor: f64) -> Vec<Arm> {
    let scales = [
        ("a small", 0.01, 0.0),
        ("a large", factor, 0.0),
        ("a negative", -1.0, 0.0),
        ("a small, with epsilon", 0.01, 1e-5),
    ];
    let mut arms = Vec::new();
    arms.extend(
        BETWEEN.map(|(name, between)| Arm::exact(format!("jacobian, {name}"), CrossExample { between, batch_size: 8 })),
    );
    arms.extend(scales.map(|(name, scale, epsilon)| Arm::exact(name, Rescaling { scale, epsilon })));
    arms.extend([2, 60].map(|batch_size| Arm::exact(format!("backward, batch {batch_size}"), Backward { batch_size })));
    for (name, tracked, epsilon) in CONVENTIONS {
        arms.extend([2, 64].map(|batch_size| {
            Arm::exact(format!("{name}, batch {batch_size}"), Conventions { tracked, batch_size, epsilon })
        }));
    }
    arms
}
