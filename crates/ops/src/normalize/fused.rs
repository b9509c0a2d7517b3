//! The fused kernel of a normalization, and the shapes in which it is fast.

use super::{
    backward::Backward,
    columns::NormalizeColumns,
    config::{Axes, Epilogue, Normalization, ScaleStatistic},
    forward::Forward,
    partition::Partition,
    statistics::{Normalized, Statistics},
};
use crate::{
    array::Array,
    element::Element,
    kernel::{Kernel, apply3},
};
use candle_core::{Result, Shape, Tensor, bail};
use std::sync::{Arc, OnceLock};

/// Returns [`normalize`](super::normalize) in one pass.
pub fn normalize_fused(input: &Tensor, weight: &Tensor, bias: &Tensor, config: Normalization) -> Result<Normalized> {
    normalize_with_epilogue_fused(input, weight, bias, config, Epilogue::NOTHING)
}

/// Returns [`normalize_with_epilogue`](super::normalize_with_epilogue) in one pass.
pub fn normalize_with_epilogue_fused(
    input: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    config: Normalization,
    epilogue: Epilogue,
) -> Result<Normalized> {
    let (examples, channels) = (input.dim(0)?, input.dim(1)?);
    let statistics = Arc::new(OnceLock::new());
    let kernel = |epilogue| Normalize { config, epilogue, statistics: statistics.clone() };
    // Planes of one value each would be slow. Where channels are single values, each set becomes a plane.
    let single = input.elem_count() == examples * channels;
    let output = match config.axes {
        Axes::Batch if single && config.scale == ScaleStatistic::StandardDeviation => {
            let rows = input.reshape((examples, channels))?;
            let kernel = NormalizeColumns { config, relu: epilogue.relu, statistics: statistics.clone() };
            apply3(kernel, &rows, weight, bias)?.reshape(input.shape())?
        }
        Axes::Batch if single => {
            let columns = input.reshape((examples, channels))?.t()?.contiguous()?.reshape((1, channels, examples))?;
            let output = apply3(kernel(epilogue), &columns, weight, bias)?;
            output.reshape((channels, examples))?.t()?.reshape(input.shape())?
        }
        Axes::Groups(groups) if single => {
            let rows = input.reshape((examples, groups, channels / groups))?;
            let one = Tensor::ones(groups, input.dtype(), input.device())?;
            let output = apply3(kernel(Epilogue::NOTHING), &rows, &one, &one.zeros_like()?)?;
            let output = output.reshape((examples, channels))?.broadcast_mul(weight)?.broadcast_add(bias)?;
            epilogue.apply(&output.reshape(input.shape())?)?
        }
        _ => apply3(kernel(epilogue), input, weight, bias)?,
    };
    Normalized::from_kernel(output, &statistics)
}

/// The fused kernel. Its inputs are x `[N, C, ..]`, γ `[C]` and β `[C]`.
pub struct Normalize {
    pub config: Normalization,
    pub epilogue: Epilogue,
    /// Stored by the forward pass.
    pub statistics: Arc<OnceLock<Statistics>>,
}

impl Normalize {
    /// Returns the dimensions of the output.
    fn out_dims(&self, dims: &[usize]) -> Vec<usize> {
        let pooled = |(axis, size): (usize, &usize)| if axis < 2 { *size } else { size / self.epilogue.window };
        dims.iter().enumerate().map(pooled).collect()
    }
}

impl Kernel<3> for Normalize {
    const NAME: &'static str = "normalize";

    fn forward<T: Element>(&self, [input, weight, bias]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let partition = &Partition::new(input.dims, self.config.axes);
        let out_dims = self.out_dims(input.dims);
        let mut out = vec![T::zero(); out_dims.iter().product()];
        let (weight, bias) = (weight.values, bias.values);
        let width = input.dims.last().copied().unwrap_or(1);
        let forward = Forward { config: self.config, epilogue: self.epilogue, partition, width, weight, bias };
        let sets = forward.run(input.values, &mut out);
        self.statistics.get_or_init(|| Statistics { values_per_set: partition.values_per_set(), sets });
        Ok((out, out_dims.into()))
    }

    fn backward<T: Element>(
        &self,
        inputs: [Array<'_, T>; 3],
        output: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> Result<[Option<Vec<T>>; 3]> {
        let Some(Statistics { sets, .. }) = self.statistics.get() else {
            bail!("normalize: the backward pass came before the forward pass")
        };
        let (config, epilogue) = (self.config, self.epilogue);
        let partition = Partition::new(inputs[0].dims, config.axes);
        let backward = Backward { config, epilogue, partition, sets, inputs, output, upstream };
        let (grad_input, grad_parameters) = backward.run();
        let grad_parameter = |index: usize| grad_parameters.iter().map(|grads| T::from_f64(grads[index])).collect();
        Ok([
            wanted[0].then_some(grad_input),
            wanted[1].then(|| grad_parameter(0)),
            wanted[2].then(|| grad_parameter(1)),
        ])
    }
}
