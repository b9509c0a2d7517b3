//! The nets of the book. The normalization is an argument of their constructors.

pub mod convolutional;
pub mod deep_linear;
pub mod layer;
pub mod mlp;
pub mod recurrent;
pub mod settings;

use crate::norm::{Norm, Pass};
use candle_core::{Result, Tensor, Var};
use layer::Layer;

/// Where in a layer a tensor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind the linear map.
    Mapped,
    /// What the activation is applied to, `[N, units, ..]`.
    BeforeActivation,
    /// What the layer gives.
    Output,
}

/// Sees the tensors of a pass: the layer, the place in it, the values.
pub type Watch<'a> = &'a mut dyn FnMut(usize, Place, &Tensor) -> Result<()>;

/// A net from inputs to outputs.
pub trait Net: Send + Sync {
    /// A batch `[N, ..]` -> `[N, outputs]`: logits, or predictions.
    fn forward(&self, inputs: &Tensor, pass: Pass) -> Result<Tensor>;

    /// The same, step by step, for a look inside.
    fn forward_watched(&self, inputs: &Tensor, pass: Pass, watch: Watch) -> Result<Tensor>;

    /// From the first to the last.
    fn layers(&self) -> Vec<&Layer>;

    /// Every trainable tensor, layer by layer, as [`Layer::parameters`].
    fn parameters(&self) -> Vec<Var> {
        self.layers().into_iter().flat_map(Layer::parameters).collect()
    }

    /// All that moves in training, as [`Layer::state`].
    fn state(&self) -> Vec<Var> {
        self.layers().into_iter().flat_map(Layer::state).collect()
    }

    /// Every normalization.
    fn norms(&self) -> Vec<&dyn Norm> {
        self.layers().into_iter().filter_map(Layer::norm).collect()
    }
}
