//! The settings of a normalization.

use crate::{
    activation::relu,
    pool::{Pool, Reduction, max_pool2d},
};
use candle_core::{Result, Tensor};

/// The values of `[N, C, ..]` that share their statistics: a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axes {
    /// The values of one channel in all examples: C sets. Batch normalization.
    Batch,
    /// The values of one group of neighboring channels in one example: N · groups sets. With one group this is layer
    /// normalization, with C groups instance normalization.
    Groups(usize),
}

/// The definition of the scale d for a set of M values x with mean μ. ε keeps d away from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleStatistic {
    /// √(σ² + ε) with the biased variance σ² = Σ (x − μ)² / M.
    StandardDeviation,
    /// Σ |x| / M + ε, before the mean is subtracted (ℓ1).
    MeanAbsolute,
    /// √(Σ x² / M) + ε, before the mean is subtracted (ℓ2).
    RootMeanSquare,
    /// max |x| + ε, before the mean is subtracted (ℓ∞). Equal maxima share the gradient equally.
    MaxAbsolute,
    /// √(Σ x² / M + ε), and no mean is subtracted: μ = 0 (RMSNorm, filter response normalization).
    Uncentered,
}

/// A normalization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    pub axes: Axes,
    pub scale: ScaleStatistic,
    /// ε.
    pub epsilon: f64,
}

impl Normalization {
    /// Returns d from the statistic without ε, see [`Normalized::scale_stat`](super::Normalized::scale_stat).
    pub(super) fn divisor(&self, scale_stat: f64) -> f64 {
        match self.scale {
            ScaleStatistic::StandardDeviation | ScaleStatistic::Uncentered => (scale_stat + self.epsilon).sqrt(),
            _ => scale_stat + self.epsilon,
        }
    }
}

/// Operations after a normalization, in the same pass over the memory: max pooling, then ReLU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epilogue {
    /// Side of the windows of the max pooling in pixels; 1 for no pooling.
    pub window: usize,
    /// Whether ReLU follows.
    pub relu: bool,
}

impl Epilogue {
    pub const NOTHING: Self = Self { window: 1, relu: false };

    /// Applies the epilogue to a tensor, one operation after the other.
    pub fn apply(self, input: &Tensor) -> Result<Tensor> {
        let pooled = if self.window > 1 { max_pool2d(input, self.window)? } else { input.clone() };
        if self.relu { relu(&pooled) } else { Ok(pooled) }
    }

    /// Returns the pooling, if there is one.
    pub(super) fn pool(self) -> Option<Pool> {
        (self.window > 1).then_some(Pool { window: self.window, reduction: Reduction::Max })
    }
}
