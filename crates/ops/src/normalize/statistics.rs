//! The statistics of the sets of a normalization.

use candle_core::{Device, Result, Tensor, bail};
use std::sync::OnceLock;

/// The result of a normalization.
pub struct Normalized {
    /// `[N, C, ..]`, or what the epilogue makes of it.
    pub output: Tensor,
    /// μ of each set, `[C]` or `[N · groups]`, without gradient.
    pub mean: Tensor,
    /// M, the number of values of a set.
    pub values_per_set: usize,
    /// The statistic that d is computed from, of each set, `[C]` or `[N · groups]`, without gradient: σ² for
    /// [`StandardDeviation`](super::ScaleStatistic::StandardDeviation), Σ x² / M for
    /// [`Uncentered`](super::ScaleStatistic::Uncentered), else d without ε.
    pub scale_stat: Tensor,
}

impl Normalized {
    /// Returns the result of a fused kernel, from its output and the statistics that it stored.
    pub fn from_kernel(output: Tensor, stored: &OnceLock<Statistics>) -> Result<Self> {
        let Some(Statistics { values_per_set, sets }) = stored.get() else {
            bail!("normalize: the kernel stored no statistics")
        };
        let tensor = |value: fn(&SetStatistics) -> f64| {
            Tensor::from_iter(sets.iter().map(value), &Device::Cpu)?.to_dtype(output.dtype())
        };
        let (mean, scale_stat) = (tensor(|set| set.mean)?, tensor(|set| set.scale_stat)?);
        Ok(Self { output, mean, values_per_set: *values_per_set, scale_stat })
    }
}

/// The statistics of all sets, which the forward pass stores for the backward pass.
pub struct Statistics {
    pub values_per_set: usize,
    pub sets: Vec<SetStatistics>,
}

/// The statistics of one set, or of a part of one: μ, and the statistic that d is computed from.
#[derive(Clone, Copy, Default)]
pub struct SetStatistics {
    pub mean: f64,
    pub scale_stat: f64,
}
