//! The definition of a normalization in tensor operations.

use super::{
    config::{Axes, Normalization, ScaleStatistic},
    statistics::Normalized,
};
use candle_core::{Result, Tensor};

/// Returns [`normalize`](super::normalize) by its definition.
pub fn normalize_composed(input: &Tensor, weight: &Tensor, bias: &Tensor, config: Normalization) -> Result<Normalized> {
    let (examples, channels) = (input.dim(0)?, input.dim(1)?);
    // Dimension 1 counts the sets; the values of a set lie along the others.
    let sets = match config.axes {
        Axes::Batch => input.reshape((examples, channels, ()))?,
        Axes::Groups(groups) => input.reshape((1, examples * groups, ()))?,
    };
    let mean_of = |values: &Tensor| values.mean_keepdim((0, 2));
    // In f32 the mean of large values can be off by more than they vary. A second pass corrects it.
    let rough_mean = mean_of(&sets)?.detach();
    let mean = match config.scale {
        ScaleStatistic::Uncentered => rough_mean.zeros_like()?,
        _ => (mean_of(&sets.broadcast_sub(&rough_mean)?)? + rough_mean)?,
    };
    let centered = sets.broadcast_sub(&mean)?;
    // ANCHOR: divisor
    // |x|, with the gradient 0 at 0.
    let absolute = || &sets * sets.sign()?.detach();
    let scale_stat = match config.scale {
        ScaleStatistic::StandardDeviation | ScaleStatistic::Uncentered => mean_of(&centered.sqr()?)?,
        ScaleStatistic::MeanAbsolute => mean_of(&absolute()?)?,
        ScaleStatistic::RootMeanSquare => {
            // The root has no derivative where all values are 0; its gradient is set to 0 there.
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
    let divisor = match config.scale {
        ScaleStatistic::StandardDeviation | ScaleStatistic::Uncentered => (&scale_stat + config.epsilon)?.sqrt()?,
        _ => (&scale_stat + config.epsilon)?,
    };
    let per_channel = |parameter: &Tensor| parameter.reshape((1, channels, 1));
    let output = centered
        .broadcast_div(&divisor)?
        .reshape((examples, channels, ()))?
        .broadcast_mul(&per_channel(weight)?)?
        .broadcast_add(&per_channel(bias)?)?
        .reshape(input.shape())?;
    Ok(Normalized {
        output,
        values_per_set: input.elem_count() / mean.elem_count(),
        mean: mean.detach().flatten_all()?,
        scale_stat: scale_stat.detach().flatten_all()?,
    })
}
