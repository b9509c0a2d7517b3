//! The loss that a network is trained on.

use crate::data::dataset::Targets;
use candle_core::{Result, Tensor};
use normbook_ops::cross_entropy::cross_entropy;

/// Computes the loss of outputs `[N, K]`: for classes the mean cross-entropy in nats, for values half the sum of
/// squared errors.
pub fn loss(outputs: &Tensor, targets: &Targets) -> Result<Tensor> {
    match targets {
        Targets::Classes(classes) => cross_entropy(outputs, classes),
        Targets::Values(values) => half_squares(outputs, values),
    }
}

/// Computes ½ Σ ‖prediction − target‖² over the batch.
pub fn half_squares(predictions: &Tensor, targets: &Tensor) -> Result<Tensor> {
    (predictions - targets)?.sqr()?.sum_all()? * 0.5
}
