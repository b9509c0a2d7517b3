//! ReLU, max(0, z), and the sigmoid, 1 / (1 + e⁻ᶻ), element by element.
//!
//! The gradient of ReLU at exactly 0 is 0, as in PyTorch; candle's own `relu` gives 1.

use super::{
    array::Array,
    element::Element,
    implementation::Implementation,
    kernel::{Kernel, VALUES_PER_TASK, apply1},
    vector::vectorized,
};
use candle_core::{Result, Shape, Tensor};
use rayon::prelude::*;

/// Returns max(0, z), element by element, for any shape; NaN stays NaN.
pub fn relu(z: &Tensor) -> Result<Tensor> {
    match Implementation::of(z)? {
        Implementation::Composed => relu_composed(z),
        Implementation::Fused => relu_fused(z),
    }
}

/// Returns 0 where z ≤ 0, else z, which may be NaN.
pub fn relu_composed(z: &Tensor) -> Result<Tensor> {
    let zeros = z.zeros_like()?;
    z.le(&zeros)?.where_cond(&zeros, z)
}

/// Returns [`relu`] in one pass.
pub fn relu_fused(z: &Tensor) -> Result<Tensor> {
    apply1(Relu, z)
}

/// Returns 1 / (1 + e⁻ᶻ), element by element, for any shape.
pub fn sigmoid(z: &Tensor) -> Result<Tensor> {
    match Implementation::of(z)? {
        Implementation::Composed => sigmoid_composed(z),
        Implementation::Fused => sigmoid_fused(z),
    }
}

/// Returns candle's own sigmoid: composed from e⁻ᶻ, which overflows, it would lose the gradient.
pub fn sigmoid_composed(z: &Tensor) -> Result<Tensor> {
    candle_nn::ops::sigmoid(z)
}

/// Returns [`sigmoid`] in one pass.
pub fn sigmoid_fused(z: &Tensor) -> Result<Tensor> {
    apply1(Sigmoid, z)
}

struct Relu;

impl Kernel<1> for Relu {
    const NAME: &'static str = "relu";

    fn forward<T: Element>(&self, [z]: [Array<'_, T>; 1]) -> Result<(Vec<T>, Shape)> {
        let relu = |z: T| if z <= T::zero() { T::zero() } else { z };
        Ok((elementwise(z.values, z.values, |z, _| relu(z)), z.dims.into()))
    }

    fn backward<T: Element>(
        &self,
        [z]: [Array<'_, T>; 1],
        _: &[T],
        upstream: &[T],
        _: [bool; 1],
    ) -> Result<[Option<Vec<T>>; 1]> {
        Ok([Some(elementwise(z.values, upstream, |z, upstream| if z <= T::zero() { T::zero() } else { upstream }))])
    }
}

struct Sigmoid;

impl Kernel<1> for Sigmoid {
    const NAME: &'static str = "sigmoid";

    fn forward<T: Element>(&self, [z]: [Array<'_, T>; 1]) -> Result<(Vec<T>, Shape)> {
        let sigmoid = |z: T, _| T::one() / (T::one() + (-z).exponential());
        Ok((elementwise(z.values, z.values, sigmoid), z.dims.into()))
    }

    /// σ′ = σ (1 − σ).
    fn backward<T: Element>(
        &self,
        _: [Array<'_, T>; 1],
        output: &[T],
        upstream: &[T],
        _: [bool; 1],
    ) -> Result<[Option<Vec<T>>; 1]> {
        Ok([Some(elementwise(output, upstream, |a, upstream| upstream * a * (T::one() - a)))])
    }
}

/// Returns f(a, b) for each pair of values of two arrays of one length.
fn elementwise<T: Element>(first: &[T], second: &[T], f: impl Fn(T, T) -> T + Sync) -> Vec<T> {
    let mut out = vec![T::zero(); first.len()];
    let inputs = first.par_chunks(VALUES_PER_TASK).zip(second.par_chunks(VALUES_PER_TASK));
    out.par_chunks_mut(VALUES_PER_TASK).zip(inputs).for_each(|(out, (first, second))| {
        vectorized(|| {
            for ((out, first), second) in out.iter_mut().zip(first).zip(second) {
                *out = f(*first, *second);
            }
        });
    });
    out
}
