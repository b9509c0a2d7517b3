//! The normalizations of activations and of weights, one file per paper, and the name by which a network takes one.
//!
//! Each file opens with the paper's equations. The lines between its anchors `definition` compute them, one tensor
//! operation after the other: they are `forward` itself or, where `forward` calls a fused kernel, a function
//! `definition` that the file's tests compare with it. [`mean_size`] is the shortest example, and the one to copy for a
//! normalization layer of your own.

pub mod batch;
pub mod group;
pub mod instance;
pub mod kind;
pub mod layer;
pub mod lp;
pub mod mean_only;
pub mod mean_size;
pub mod name;
pub mod noise;
pub mod own;
pub mod per_channel;
pub mod renorm;
pub mod reparameterization;
pub mod response;
pub mod rms;
pub mod running;
pub mod spectral;
pub mod tanh;
#[cfg(test)]
mod testing;
pub mod weight;

pub use kind::{NormKind, UnitShape};

use candle_core::{Result, Tensor, Var};
use normbook_lab::seed::Seed;
use normbook_ops::{block::BlockInput, normalize::Epilogue};
use running::Running;

/// The purpose of a forward pass. Always explicit, never inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the batch; moving averages follow them.
    Train,
    /// As in training, but the layer's state does not change.
    Probe,
    /// Moving averages instead of the batch's statistics.
    Eval,
}

/// Settings of a forward pass, the same for all layers of a network but for the seed.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub mode: Mode,
    /// Training steps taken before this one.
    pub step: u64,
    /// Source of noise: the same seed and step give the same noise again.
    pub seed: Seed,
}

impl Pass {
    /// A first training step, for layers that draw no noise.
    pub const TRAIN: Self = Self { mode: Mode::Train, step: 0, seed: Seed(0) };
    /// The same without a change of the layer's state.
    pub const PROBE: Self = Self { mode: Mode::Probe, ..Self::TRAIN };
    pub const EVAL: Self = Self { mode: Mode::Eval, ..Self::TRAIN };

    /// Computes as the training step `step` does, noise included, without a change of the layer's state.
    pub fn probe(step: u64, seed: Seed) -> Self {
        Self { mode: Mode::Probe, step, seed }
    }

    /// The training step `step`, counted from 0.
    pub fn train(step: u64, seed: Seed) -> Self {
        Self { mode: Mode::Train, step, seed }
    }

    /// The same pass for one layer of a network, with noise of its own.
    pub fn of_layer(self, layer: usize) -> Self {
        Self { seed: self.seed.branch(layer as u64), ..self }
    }
}

/// A layer that normalizes activations `[N, C, ..]`: N examples, C channels (units), then space.
///
/// A layer of your own implements [`forward`](Norm::forward) and [`parameters`](Norm::parameters); candle derives the
/// gradients from the tensor operations in `forward`. [`own`] gives it a name on the command line.
///
/// ```
/// use candle_core::{DType, Device, Result, Tensor, Var};
/// use normbook::norm::{Norm, Pass, per_channel::per_channel};
///
/// /// y = γ x / max |x|, the maximum over all values of the batch.
/// struct DivideByLargest {
///     gamma: Var,
/// }
///
/// impl Norm for DivideByLargest {
///     fn forward(&self, x: &Tensor, _: Pass) -> Result<Tensor> {
///         let largest = x.abs()?.flatten_all()?.max(0)?;
///         x.broadcast_div(&largest)?.broadcast_mul(&per_channel(&self.gamma, x.rank())?)
///     }
///
///     fn parameters(&self) -> Vec<Var> {
///         vec![self.gamma.clone()]
///     }
/// }
///
/// let layer = DivideByLargest { gamma: Var::ones(2, DType::F32, &Device::Cpu)? };
/// let x = Tensor::new(&[[1f32, -4.0], [2.0, 3.0]], &Device::Cpu)?;
/// assert_eq!(layer.forward(&x, Pass::TRAIN)?.to_vec2::<f32>()?, [[0.25, -1.0], [0.5, 0.75]]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub trait Norm: Send + Sync {
    /// Normalizes `[N, C, ..] -> [N, C, ..]`.
    fn forward(&self, x: &Tensor, pass: Pass) -> Result<Tensor>;

    /// Returns the trained tensors: γ and β, each `[C]`, where the layer learns them, and any others.
    fn parameters(&self) -> Vec<Var>;

    /// Returns the moving averages of mean and variance, if the layer has them.
    fn running(&self) -> Option<&Running> {
        None
    }

    /// Returns the tensors that training changes without a gradient, such as moving averages: a checkpoint holds them
    /// besides the parameters.
    fn state(&self) -> Vec<Var> {
        self.running().map_or_else(Vec::new, Running::state)
    }

    /// Normalizes the output of a linear map and applies the `epilogue`. Layers with a fused kernel override it and
    /// do all in one pass over the memory; the result is that of `forward`, then the epilogue.
    #[doc(hidden)]
    fn forward_then(&self, source: BlockInput, pass: Pass, epilogue: Epilogue) -> Result<Tensor> {
        epilogue.apply(&self.forward(&source.tensor()?, pass)?)
    }
}
