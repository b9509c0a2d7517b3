//! The fully connected layer: z = x Wᵀ + b, with W as in PyTorch, `[outputs, inputs]`.

use super::{
    array::Array,
    element::Element,
    implementation::Implementation,
    kernel::{Kernel, apply3},
    matrix::{Matrix, Write, multiply},
};
use candle_core::{Result, Shape, Tensor, bail};

/// Returns z, `[N, outputs]`, from x `[N, inputs]`, W `[outputs, inputs]` and b `[outputs]`. Errors on shapes that do
/// not match and on an empty batch.
///
/// ```
/// use candle_core::{Device::Cpu, Tensor};
///
/// let x = Tensor::new(&[[1f32, 2.0]], &Cpu)?;
/// let weight = Tensor::new(&[[3f32, 4.0], [5.0, 6.0]], &Cpu)?;
/// let bias = Tensor::new(&[0.5f32, -0.5], &Cpu)?;
/// let z = normbook_ops::linear::linear(&x, &weight, &bias)?;
/// assert_eq!(z.to_vec2::<f32>()?, [[11.5, 16.5]]); // 1 · 3 + 2 · 4 + 0.5 and 1 · 5 + 2 · 6 − 0.5
/// # candle_core::Result::Ok(())
/// ```
pub fn linear(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let ((examples, inputs), (outputs, weight_inputs), biases) = (input.dims2()?, weight.dims2()?, bias.dims1()?);
    if (inputs, outputs) != (weight_inputs, biases) {
        bail!(
            "linear: input {:?}, weight {:?} and bias {:?} do not match; they are [N, inputs], [outputs, inputs] and \
             [outputs]",
            input.dims(),
            weight.dims(),
            bias.dims()
        );
    }
    if examples == 0 {
        bail!("linear: the batch is empty: input {:?}", input.dims());
    }
    match Implementation::of(input)? {
        Implementation::Composed => linear_composed(input, weight, bias),
        Implementation::Fused => linear_fused(input, weight, bias),
    }
}

/// Returns [`linear`] by its definition.
pub fn linear_composed(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    input.matmul(&weight.t()?)?.broadcast_add(bias)
}

/// Returns [`linear`] as one matrix product onto the bias.
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
        multiply(&mut out, matrix(input), matrix(weight).transposed(), Write::Add);
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
            multiply(&mut out, left, right, Write::Replace);
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
