//! Normalization by the statistics of a set of values, for `[N, C, ..]`:
//! y = γ_c (x − μ) / d + β_c, where μ is the mean and d the scale of the set that x belongs to.
//!
//! Batch, layer, instance and group normalization differ in their sets, which are [`Axes`] (Wu & He 2018,
//! arXiv:1803.08494, eq. 1–7). The ℓp variants of Santurkar et al. 2018 (arXiv:1805.11604, §3.3) differ in d, a
//! [`ScaleStatistic`]. The mean is taken first and the variance from x − μ in a second pass, because
//! `E[x²] − E[x]²` cancels where |μ| ≫ d.

mod affine;
mod backward;
mod columns;
mod composed;
mod config;
mod forward;
mod fused;
mod partition;
mod statistics;

pub use composed::normalize_composed;
pub use config::{Axes, Epilogue, Normalization, ScaleStatistic};
pub(crate) use fused::Normalize;
pub use fused::{normalize_fused, normalize_with_epilogue_fused};
pub use statistics::Normalized;

use crate::{implementation::Implementation, pool};
use candle_core::{Result, Tensor, bail};

/// Normalizes `[N, C, ..]` with weight γ `[C]` and bias β `[C]`. Gradients flow through μ and d. Errors on an empty
/// batch, on shapes that do not match, and on a number of groups that does not divide the channels.
///
/// ```
/// use candle_core::{Device::Cpu, Tensor};
/// use normbook_ops::normalize::{Axes, Normalization, ScaleStatistic, normalize};
///
/// // Batch normalization of one channel with the values 1 and 5: μ = 3 and σ² = 4.
/// let x = Tensor::new(&[[1f32], [5.0]], &Cpu)?;
/// let (weight, bias) = (Tensor::new(&[1f32], &Cpu)?, Tensor::new(&[0f32], &Cpu)?);
/// let config = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: 0.0 };
/// let normalized = normalize(&x, &weight, &bias, config)?;
/// assert_eq!(normalized.output.to_vec2::<f32>()?, [[-1.0], [1.0]]);
/// assert_eq!(normalized.mean.to_vec1::<f32>()?, [3.0]);
/// assert_eq!(normalized.scale_stat.to_vec1::<f32>()?, [4.0]);
/// # candle_core::Result::Ok(())
/// ```
pub fn normalize(input: &Tensor, weight: &Tensor, bias: &Tensor, config: Normalization) -> Result<Normalized> {
    normalize_with_epilogue(input, weight, bias, config, Epilogue::NOTHING)
}

/// Normalizes as [`normalize`], then applies the epilogue to the output. Errors also on an input that the epilogue
/// cannot pool.
pub fn normalize_with_epilogue(
    input: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    config: Normalization,
    epilogue: Epilogue,
) -> Result<Normalized> {
    check(input.dims(), weight, bias, config, epilogue)?;
    match Implementation::of(input)? {
        Implementation::Composed => {
            let normalized = normalize_composed(input, weight, bias, config)?;
            Ok(Normalized { output: epilogue.apply(&normalized.output)?, ..normalized })
        }
        Implementation::Fused => normalize_with_epilogue_fused(input, weight, bias, config, epilogue),
    }
}

/// Errors as [`normalize_with_epilogue`] for an input of dimensions `dims`.
pub(crate) fn check(
    dims: &[usize],
    weight: &Tensor,
    bias: &Tensor,
    config: Normalization,
    epilogue: Epilogue,
) -> Result<()> {
    if dims.len() < 2 || (weight.dims1()?, bias.dims1()?) != (dims[1], dims[1]) {
        bail!(
            "normalize: input {dims:?}, weight {:?} and bias {:?} do not match; they are [N, C, ..], [C] and [C]",
            weight.dims(),
            bias.dims()
        );
    }
    if dims[0] == 0 {
        bail!("normalize: the batch is empty: input {dims:?}");
    }
    if dims.contains(&0) {
        bail!("normalize: the input has no values: {dims:?}");
    }
    if let Axes::Groups(groups) = config.axes
        && !dims[1].is_multiple_of(groups)
    {
        bail!("normalize: {groups} groups of {} channels; the number of groups must divide the channels", dims[1]);
    }
    if epilogue.window == 1 { Ok(()) } else { pool::check("normalize", dims, epilogue.window) }
}
