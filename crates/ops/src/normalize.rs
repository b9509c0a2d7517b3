//! Normalization by the statistics of a set of values, for `[N, C, ..]`:
//! y = γ_c (x − μ) / d + β_c, with the mean μ and the divisor d of the set that x belongs to.
//!
//! Which values make up a set tells batch, layer, instance and group normalization apart (Wu & He 2018,
//! arXiv:1803.08494, eq. 1–7). How d is taken tells the ℓp variants of Santurkar et al. 2018 (arXiv:1805.11604, §3.3)
//! apart. The mean is taken first and the deviations from it in a second pass: E[x²] − E[x]² cancels where |μ| ≫ d.

use super::{
    activation::relu,
    kernel::apply3,
    kernels::Kernels,
    normalize_columns::NormalizeColumns,
    normalize_fused::Normalize,
    pool::{self, max_pool2d},
};
use candle_core::{Device, Result, Tensor, bail};
use std::sync::{Arc, OnceLock};

/// Which values of `[N, C, ..]` share their statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axes {
    /// A channel's, of all examples: C sets. Batch normalization.
    Batch,
    /// An example's, of each of so many groups of neighbouring channels: N · groups sets. One group is layer
    /// normalization, as many as channels is instance normalization.
    Groups(usize),
}

/// The divisor d of a set of M values x with mean μ; ε keeps it from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleStatistic {
    /// √(σ² + ε), σ² = Σ (x − μ)² / M, biased.
    Deviation,
    /// Σ |x| / M + ε, before the mean is subtracted (ℓ1).
    MeanAbsolute,
    /// √(Σ x² / M) + ε, before the mean is subtracted (ℓ2).
    RootMeanSquare,
    /// max |x| + ε, before the mean is subtracted (ℓ∞). Of several maxima each has its part of the gradient.
    MaxAbsolute,
    /// √(Σ x² / M + ε), and no mean is subtracted: μ = 0 (RMSNorm, filter response normalization).
    Uncentred,
}

/// How to normalize.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    pub over: Axes,
    pub divisor: ScaleStatistic,
    /// ε.
    pub epsilon: f64,
}

/// What follows in the same pass over the memory: a maximum pooling, then ReLU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epilogue {
    /// Side of the windows of a maximum pooling; 1 for none.
    pub window: usize,
    pub relu: bool,
}

impl Epilogue {
    pub const NOTHING: Self = Self { window: 1, relu: false };

    /// The same on a tensor, operation by operation.
    pub fn apply(self, input: &Tensor) -> Result<Tensor> {
        let pooled = if self.window > 1 { max_pool2d(input, self.window)? } else { input.clone() };
        if self.relu { relu(&pooled) } else { Ok(pooled) }
    }
}

/// What normalization gives.
pub struct Normalized {
    /// As the input, `[N, C, ..]`, or pooled.
    pub output: Tensor,
    /// μ of each set, `[C]` or `[N · groups]`, without gradient.
    pub mean: Tensor,
    /// M: values of a set.
    pub values_of_set: usize,
    /// σ² of each set for [`ScaleStatistic::Deviation`], Σ x² / M for [`ScaleStatistic::Uncentred`], else d without ε; shape as `mean`,
    /// without gradient.
    pub spread: Tensor,
}

/// Normalizes `[N, C, ..]` with weight γ `[C]` and bias β `[C]`; gradients flow through μ and d. Errors on an empty batch,
/// on shapes that do not fit and on groups that do not divide the channels.
pub fn normalize(input: &Tensor, weight: &Tensor, bias: &Tensor, how: Normalization) -> Result<Normalized> {
    normalize_then(input, weight, bias, how, Epilogue::NOTHING)
}

/// The same, and what follows. Pooling needs `[N, C, H, W]`.
pub fn normalize_then(
    input: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    how: Normalization,
    then: Epilogue,
) -> Result<Normalized> {
    check(input.dims(), weight, bias, how, then)?;
    match Kernels::of(input)? {
        Kernels::Composed => {
            let normalized = normalize_composed(input, weight, bias, how)?;
            Ok(Normalized { output: then.apply(&normalized.output)?, ..normalized })
        }
        Kernels::Fused => normalize_then_fused(input, weight, bias, how, then),
    }
}

pub(super) fn check(dims: &[usize], weight: &Tensor, bias: &Tensor, how: Normalization, then: Epilogue) -> Result<()> {
    if dims.len() < 2 || (weight.dims1()?, bias.dims1()?) != (dims[1], dims[1]) {
        bail!("normalize: input {dims:?}, weight {:?} and bias {:?} do not fit", weight.dims(), bias.dims());
    }
    if dims.contains(&0) {
        bail!("normalize: the batch is empty: {dims:?}");
    }
    if let Axes::Groups(groups) = how.over
        && !dims[1].is_multiple_of(groups)
    {
        bail!("normalize: {groups} groups of {} channels; the number of groups must divide the channels", dims[1]);
    }
    if then.window != 1 { pool::check("normalize", dims, then.window) } else { Ok(()) }
}

pub fn normalize_composed(input: &Tensor, weight: &Tensor, bias: &Tensor, how: Normalization) -> Result<Normalized> {
    let (examples, channels) = (input.dim(0)?, input.dim(1)?);
    // The sets along dimension 1, their values along the others.
    let sets = match how.over {
        Axes::Batch => input.reshape((examples, channels, ()))?,
        Axes::Groups(groups) => input.reshape((1, examples * groups, ()))?,
    };
    let mean_of = |values: &Tensor| values.mean_keepdim((0, 2));
    // In f32 a plain mean of large values is off by more than they vary: the second pass mends it.
    let roughly = mean_of(&sets)?.detach();
    let mean = match how.divisor {
        ScaleStatistic::Uncentred => roughly.zeros_like()?,
        _ => (mean_of(&sets.broadcast_sub(&roughly)?)? + roughly)?,
    };
    let centred = sets.broadcast_sub(&mean)?;
    // ANCHOR: divisor
    // The gradient at 0 is 0.
    let absolute = || &sets * sets.sign()?.detach();
    let spread = match how.divisor {
        ScaleStatistic::Deviation | ScaleStatistic::Uncentred => mean_of(&centred.sqr()?)?,
        ScaleStatistic::MeanAbsolute => mean_of(&absolute()?)?,
        ScaleStatistic::RootMeanSquare => {
            // Where all values are 0, the root has no derivative; 0 is taken for it.
            let square = mean_of(&sets.sqr()?)?;
            let vanishes = square.eq(0.0)?.to_dtype(square.dtype())?;
            ((&square + &vanishes)?.sqrt()? - &vanishes)?
        }
        ScaleStatistic::MaxAbsolute => {
            let sizes = absolute()?;
            let maximum = sizes.detach().max_keepdim(2)?.max_keepdim(0)?;
            let at_maximum = sizes.broadcast_eq(&maximum)?.to_dtype(sizes.dtype())?;
            let share = at_maximum.broadcast_div(&at_maximum.sum_keepdim((0, 2))?)?;
            (sizes * share)?.sum_keepdim((0, 2))?
        }
    };
    // ANCHOR_END: divisor
    let divisor = match how.divisor {
        ScaleStatistic::Deviation | ScaleStatistic::Uncentred => (&spread + how.epsilon)?.sqrt()?,
        _ => (&spread + how.epsilon)?,
    };
    let values_of_set = input.elem_count() / mean.elem_count();
    let per_channel = |parameter: &Tensor| parameter.reshape((1, channels, 1));
    let output = centred
        .broadcast_div(&divisor)?
        .reshape((examples, channels, ()))?
        .broadcast_mul(&per_channel(weight)?)?
        .broadcast_add(&per_channel(bias)?)?
        .reshape(input.shape())?;
    Ok(Normalized { output, values_of_set, mean: mean.detach().flatten_all()?, spread: spread.detach().flatten_all()? })
}

pub fn normalize_fused(input: &Tensor, weight: &Tensor, bias: &Tensor, how: Normalization) -> Result<Normalized> {
    normalize_then_fused(input, weight, bias, how, Epilogue::NOTHING)
}

pub fn normalize_then_fused(
    input: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    how: Normalization,
    then: Epilogue,
) -> Result<Normalized> {
    let (examples, channels) = (input.dim(0)?, input.dim(1)?);
    let statistics = Arc::new(OnceLock::new());
    let kernel = |then| Normalize { how, then, statistics: statistics.clone() };
    // Runs of one value each would be slow: where channels are single values, make the sets the runs.
    let single = input.elem_count() == examples * channels;
    let output = match how.over {
        Axes::Batch if single && how.divisor == ScaleStatistic::Deviation => {
            let rows = input.reshape((examples, channels))?;
            apply3(NormalizeColumns(kernel(then)), &rows, weight, bias)?.reshape(input.shape())?
        }
        Axes::Batch if single => {
            let columns = input.reshape((examples, channels))?.t()?.contiguous()?.reshape((1, channels, examples))?;
            let output = apply3(kernel(then), &columns, weight, bias)?;
            output.reshape((channels, examples))?.t()?.reshape(input.shape())?
        }
        Axes::Groups(groups) if single => {
            let rows = input.reshape((examples, groups, channels / groups))?;
            let one = Tensor::ones(groups, input.dtype(), input.device())?;
            let output = apply3(kernel(Epilogue::NOTHING), &rows, &one, &one.zeros_like()?)?;
            let output = output.reshape((examples, channels))?.broadcast_mul(weight)?.broadcast_add(bias)?;
            then.apply(&output.reshape(input.shape())?)?
        }
        _ => apply3(kernel(then), input, weight, bias)?,
    };
    Statistics::of(&statistics, output)
}

/// What the backward pass needs of the forward one.
pub(super) struct Statistics {
    pub values_of_set: usize,
    pub mean: Vec<f64>,
    pub spread: Vec<f64>,
}

impl Statistics {
    /// With the output that the kernel gave.
    pub fn of(kept: &OnceLock<Self>, output: Tensor) -> Result<Normalized> {
        let Some(statistics) = kept.get() else { bail!("normalize: the kernel kept no statistics") };
        let tensor = |values: &[f64]| Tensor::new(values, &Device::Cpu)?.to_dtype(output.dtype());
        let values_of_set = statistics.values_of_set;
        Ok(Normalized { values_of_set, mean: tensor(&statistics.mean)?, spread: tensor(&statistics.spread)?, output })
    }
}
