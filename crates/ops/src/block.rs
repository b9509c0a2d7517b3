//! Convolution, normalization, maximum pooling and ReLU as one operation.
//!
//! Between operations candle's gradient store fills every gradient with zeros and adds to it, which on large activations
//! costs as much as the work itself. A block is one operation to candle; inside, the kernels hand each other their arrays.

use super::{
    array::Array,
    conv2d::{self, Conv2d, Windows, conv2d},
    element::Element,
    kernel::{Kernel, apply3},
    kernels::Kernels,
    normalize::{self, Epilogue, Normalization, Normalized, Statistics, normalize_then},
    normalize_fused::Normalize,
};
use candle_core::{CpuStorage, Result, Shape, Tensor, bail};
use std::sync::{Arc, OnceLock};

/// What a normalization is applied to: a tensor, or a convolution that it may do itself.
#[derive(Clone, Copy)]
pub enum BlockInput<'a> {
    /// `[N, C, ..]`.
    Tensor(&'a Tensor),
    /// As [`conv2d`] takes them.
    Convolution { input: &'a Tensor, weight: &'a Tensor, bias: &'a Tensor, windows: Windows },
}

impl BlockInput<'_> {
    /// `[N, C, ..]`.
    pub fn tensor(self) -> Result<Tensor> {
        match self {
            Self::Tensor(tensor) => Ok(tensor.clone()),
            Self::Convolution { input, weight, bias, windows } => conv2d(input, weight, bias, windows),
        }
    }

    /// Normalizes with weight γ `[C]` and bias β `[C]`, and does what follows. Errors as [`conv2d`] and
    /// [`normalize_then`].
    pub fn normalize_then(
        self,
        weight: &Tensor,
        bias: &Tensor,
        how: Normalization,
        then: Epilogue,
    ) -> Result<Normalized> {
        match self {
            Self::Convolution { input, .. } if Kernels::of(input)? == Kernels::Fused => {
                self.normalize_then_fused(weight, bias, how, then)
            }
            _ => normalize_then(&self.tensor()?, weight, bias, how, then),
        }
    }

    fn normalize_then_fused(
        self,
        weight: &Tensor,
        bias: &Tensor,
        how: Normalization,
        then: Epilogue,
    ) -> Result<Normalized> {
        let Self::Convolution { input, weight: kernel, bias: offset, windows } = self else {
            bail!("a block begins with a convolution");
        };
        let dims = conv2d::check(input, kernel, offset, windows)?;
        normalize::check(&dims, weight, bias, how, then)?;
        let statistics = Arc::new(OnceLock::new());
        let normalize = Normalize { how, then, statistics: statistics.clone() };
        let block = Block { convolution: Conv2d(windows), normalize, convolved: OnceLock::new() };
        // candle's operations take three tensors at most.
        let of_channels = Tensor::stack(&[offset, weight, bias], 0)?;
        let output = apply3(block, input, kernel, &of_channels)?;
        Statistics::of(&statistics, output)
    }
}

struct Block {
    convolution: Conv2d,
    normalize: Normalize,
    /// What the convolution gave, and its dimensions.
    convolved: OnceLock<(CpuStorage, Shape)>,
}

/// The rows of `[3, C]`: the convolution's bias, γ and β.
fn rows<'a, T>(of_channels: Array<'a, T>) -> [Array<'a, T>; 3] {
    let channels = of_channels.values.len() / 3;
    [0, 1, 2]
        .map(|row| Array { values: &of_channels.values[row * channels..][..channels], dims: &of_channels.dims[1..] })
}

impl Kernel<3> for Block {
    const NAME: &'static str = "block";

    fn forward<T: Element>(&self, [input, kernel, of_channels]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let [offset, weight, bias] = rows(of_channels);
        let (values, shape) = self.convolution.forward([input, kernel, offset])?;
        let convolved = Array { values: &values, dims: shape.dims() };
        let result = self.normalize.forward([convolved, weight, bias])?;
        self.convolved.get_or_init(|| (T::to_cpu_storage_owned(values), shape));
        Ok(result)
    }

    fn backward<T: Element>(
        &self,
        [input, kernel, of_channels]: [Array<'_, T>; 3],
        output: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> Result<[Option<Vec<T>>; 3]> {
        let Some((values, shape)) = self.convolved.get() else { bail!("block: backward before forward") };
        let convolved = Array { values: values.as_slice::<T>()?, dims: shape.dims() };
        let [offset, weight, bias] = rows(of_channels);
        let [of_convolved, of_weight, of_bias] =
            self.normalize.backward([convolved, weight, bias], output, upstream, [true; 3])?;
        let of_convolved = of_convolved.unwrap_or_default();
        let wanted = [wanted[0], wanted[1], true];
        let [of_input, of_kernel, of_offset] =
            self.convolution.backward([input, kernel, offset], &[], &of_convolved, wanted)?;
        let of_channels = [of_offset, of_weight, of_bias].into_iter().flatten().flatten().collect();
        Ok([of_input, of_kernel, Some(of_channels)])
    }
}
