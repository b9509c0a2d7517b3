//! Convolution, normalization, max pooling and ReLU as one operation.
//!
//! Between two operations candle's gradient store fills every gradient with zeros and adds to it, which on large
//! activations costs as much as the work itself. A block is one operation for candle; inside it the kernels pass their
//! arrays on.

use super::{
    array::Array,
    conv2d::{self, Conv2d, Windows, conv2d},
    element::Element,
    implementation::Implementation,
    kernel::{Kernel, apply3},
    normalize::{self, Epilogue, Normalization, Normalize, Normalized, normalize_with_epilogue},
};
use candle_core::{CpuStorage, Result, Shape, Tensor, bail};
use std::sync::{Arc, OnceLock};

/// The input of a normalization: a tensor, or a convolution that it may compute itself.
#[derive(Clone, Copy)]
pub enum BlockInput<'a> {
    /// `[N, C, ..]`.
    Tensor(&'a Tensor),
    /// The arguments of [`conv2d()`].
    Convolution { input: &'a Tensor, weight: &'a Tensor, bias: &'a Tensor, windows: Windows },
}

impl BlockInput<'_> {
    /// Returns the input as a tensor, `[N, C, ..]`. Errors as [`conv2d()`].
    pub fn tensor(self) -> Result<Tensor> {
        match self {
            Self::Tensor(tensor) => Ok(tensor.clone()),
            Self::Convolution { input, weight, bias, windows } => conv2d(input, weight, bias, windows),
        }
    }

    /// Normalizes the input with weight γ `[C]` and bias β `[C]`, then applies the epilogue. Errors as [`conv2d()`] and
    /// [`normalize_with_epilogue`].
    pub fn normalize(
        self,
        weight: &Tensor,
        bias: &Tensor,
        config: Normalization,
        epilogue: Epilogue,
    ) -> Result<Normalized> {
        match self {
            Self::Convolution { input, weight: conv_weight, bias: conv_bias, windows }
                if Implementation::of(input)? == Implementation::Fused =>
            {
                let dims = conv2d::output_dims(input, conv_weight, conv_bias, windows)?;
                normalize::check(&dims, weight, bias, config, epilogue)?;
                let statistics = Arc::new(OnceLock::new());
                let normalize = Normalize { config, epilogue, statistics: statistics.clone() };
                let block = Block { convolution: Conv2d(windows), normalize, convolved: OnceLock::new() };
                // An operation of candle takes at most three tensors.
                let parameters = Tensor::stack(&[conv_bias, weight, bias], 0)?;
                Normalized::from_kernel(apply3(block, input, conv_weight, &parameters)?, &statistics)
            }
            _ => normalize_with_epilogue(&self.tensor()?, weight, bias, config, epilogue),
        }
    }
}

/// The fused kernel. Its inputs are those of the convolution, `[N, C, H, W]` and `[O, C, kh, kw]`, and `[3, O]`: the
/// convolution's bias, γ and β.
struct Block {
    convolution: Conv2d,
    normalize: Normalize,
    /// The output of the convolution and its shape, stored by the forward pass.
    convolved: OnceLock<(CpuStorage, Shape)>,
}

/// Returns the rows of `[3, O]`.
fn rows<'a, T>(parameters: Array<'a, T>) -> [Array<'a, T>; 3] {
    let outputs = parameters.values.len() / 3;
    [0, 1, 2].map(|row| Array { values: &parameters.values[row * outputs..][..outputs], dims: &parameters.dims[1..] })
}

impl Kernel<3> for Block {
    const NAME: &'static str = "block";

    fn forward<T: Element>(&self, [input, conv_weight, parameters]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let [conv_bias, weight, bias] = rows(parameters);
        let (values, shape) = self.convolution.forward([input, conv_weight, conv_bias])?;
        let convolved = Array { values: &values, dims: shape.dims() };
        let result = self.normalize.forward([convolved, weight, bias])?;
        self.convolved.get_or_init(|| (T::to_cpu_storage_owned(values), shape));
        Ok(result)
    }

    fn backward<T: Element>(
        &self,
        [input, conv_weight, parameters]: [Array<'_, T>; 3],
        output: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> Result<[Option<Vec<T>>; 3]> {
        let Some((values, shape)) = self.convolved.get() else {
            bail!("block: the backward pass came before the forward pass")
        };
        let convolved = Array { values: values.as_slice::<T>()?, dims: shape.dims() };
        let [conv_bias, weight, bias] = rows(parameters);
        let [grad_convolved, grad_weight, grad_bias] =
            self.normalize.backward([convolved, weight, bias], output, upstream, [true; 3])?;
        let grad_convolved = grad_convolved.unwrap_or_default();
        let wanted = [wanted[0], wanted[1], true];
        let [grad_input, grad_conv_weight, grad_conv_bias] =
            self.convolution.backward([input, conv_weight, conv_bias], &[], &grad_convolved, wanted)?;
        let grad_parameters = [grad_conv_bias, grad_weight, grad_bias].into_iter().flatten().flatten().collect();
        Ok([grad_input, grad_conv_weight, Some(grad_parameters)])
    }
}
