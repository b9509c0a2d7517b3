//! The nets of the book. The normalization is an argument of their constructors.

pub mod convolutional;
pub mod layer;
pub mod mlp;

use crate::norm::Mode;
use candle_core::{Result, Tensor, Var};

/// A net from inputs to outputs.
pub trait Net: Send + Sync {
    /// A batch `[N, ..]` -> `[N, outputs]`: logits, or predictions.
    fn forward(&self, inputs: &Tensor, mode: Mode) -> Result<Tensor>;

    /// Every trainable tensor, layer by layer: weight, bias, and γ, β where a normalization follows.
    fn parameters(&self) -> Vec<Var>;
}
