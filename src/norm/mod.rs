//! The normalizations of activations and of weights, one file per paper, and how a net is told which to use.

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

/// Whether a layer sees a batch to learn from or examples to judge. Always explicit, never inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Train,
    /// As in training, but the layer stays as it was.
    Probe,
    Eval,
}

/// What a layer is told of the pass that it takes part in.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub mode: Mode,
    /// Training steps taken before this one.
    pub step: u64,
    /// Where noise comes from: the same seed and step give the same noise again.
    pub seed: Seed,
}

impl Pass {
    /// A first training step, for what needs no noise.
    pub const TRAIN: Self = Self { mode: Mode::Train, step: 0, seed: Seed(0) };
    /// Batch statistics, and nothing moves.
    pub const PROBE: Self = Self { mode: Mode::Probe, ..Self::TRAIN };
    pub const EVAL: Self = Self { mode: Mode::Eval, ..Self::TRAIN };

    /// What a training step sees, noise included, and nothing moves.
    pub fn probe(step: u64, seed: Seed) -> Self {
        Self { mode: Mode::Probe, step, seed }
    }

    /// A training step.
    pub fn train(step: u64, seed: Seed) -> Self {
        Self { mode: Mode::Train, step, seed }
    }

    /// The same for one layer of a net, with noise of its own.
    pub fn of_layer(self, layer: usize) -> Self {
        Self { seed: self.seed.branch(layer as u64), ..self }
    }
}

/// A layer that normalizes activations `[N, C, ..]`.
pub trait Norm: Send + Sync {
    /// `[N, C, ..] -> [N, C, ..]`.
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor>;

    /// The same on what a layer's linear map gives, and what follows; a norm that can do it in one pass does.
    fn forward_then(&self, source: BlockInput, pass: Pass, then: Epilogue) -> Result<Tensor> {
        then.apply(&self.forward(&source.tensor()?, pass)?)
    }

    /// What is trained: γ and β, each `[C]`, where the layer has and learns them, and what else it learns.
    fn parameters(&self) -> Vec<Var>;

    /// The moving averages, if it has them.
    fn running(&self) -> Option<&Running> {
        None
    }

    /// What moves in training and is not trained: to go on with a training it is needed besides the parameters.
    fn state(&self) -> Vec<Var> {
        self.running().map_or_else(Vec::new, Running::state)
    }
}
