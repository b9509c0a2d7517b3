//! The fully connected layer: z = x Wᵀ + b, with W as in PyTorch, `[outputs, inputs]`.

use super::{
    array::Array,
    element::Element,
    kernel::{Kernel, apply3},
    kernels::Kernels,
    matrix::{Matrix, Output, multiply},
};
use candle_core::{Result, Shape, Tensor, bail};

/// `[N, inputs]`, `[outputs, inputs]`, `[outputs]` -> `[N, outputs]`. Errors on shapes that do not fit and on an
/// empty batch.
pub fn linear(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let ((examples, inputs), (outputs, of_weight), of_bias) = (input.dims2()?, weight.dims2()?, bias.dims1()?);
    if (inputs, outputs) != (of_weight, of_bias) {
        bail!("linear: input {:?}, weight {:?} and bias {:?} do not fit", input.dims(), weight.dims(), bias.dims());
    }
    if examples == 0 {
        bail!("linear: the batch is empty: {:?}", input.dims());
    }
    match Kernels::of(input)? {
        Kernels::Composed => linear_composed(input, weight, bias),
        Kernels::Fused => linear_fused(input, weight, bias),
    }
}

pub fn linear_composed(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    input.matmul(&weight.t()?)?.broadcast_add(bias)
}

pub fn linear_fused(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    apply3(Linear, input, weight, bias)
}

struct Linear;

impl Kernel<3> for Linear {
    const NAME: &'static str = "linear";

    fn forward<T: Element>(&self, [input, weight, bias]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let (examples, outputs) = (input.dims[0], weight.dims[0]);
        let mut out = Vec::with_capacity(examples * outputs);
        for _ in 0..examples {
            out.extend_from_slice(bias.values);
        }
        multiply(&mut out, matrix(input), matrix(weight).transposed(), Output::Add);
        Ok((out, (examples, outputs).into()))
    }

    /// With g upstream: ∂x = g W, ∂W = gᵀ x, ∂b = Σ g over the batch.
    fn backward<T: Element>(
        &self,
        [input, weight, _]: [Array<'_, T>; 3],
        _: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> Result<[Option<Vec<T>>; 3]> {
        let outputs = weight.dims[0];
        let upstream = Matrix::new(upstream, input.dims[0], outputs);
        let product = |like: &[T], left, right| {
            let mut out = vec![T::zero(); like.len()];
            multiply(&mut out, left, right, Output::Replace);
            out
        };
        Ok([
            wanted[0].then(|| product(input.values, upstream, matrix(weight))),
            wanted[1].then(|| product(weight.values, upstream.transposed(), matrix(input))),
            wanted[2].then(|| upstream.sum_of_rows()),
        ])
    }
}

fn matrix<'a, T>(array: Array<'a, T>) -> Matrix<'a, T> {
    Matrix::new(array.values, array.dims[0], array.dims[1])
}
