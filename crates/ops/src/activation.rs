//! ReLU, max(0, z), and the sigmoid, 1 / (1 + e⁻ᶻ), element by element.
//!
//! ReLU's gradient at exactly 0 is 0, as in PyTorch; candle's own `relu` has 1 there.

use super::{
    array::Array,
    element::{Element, vectorized},
    kernel::{Kernel, apply1},
    kernels::Kernels,
};
use candle_core::{Result, Shape, Tensor};
use rayon::prelude::*;

/// max(0, z); NaN stays NaN. Any shape.
pub fn relu(z: &Tensor) -> Result<Tensor> {
    match Kernels::of(z)? {
        Kernels::Composed => relu_composed(z),
        Kernels::Fused => relu_fused(z),
    }
}

/// Where z > 0 or z is NaN, z itself; else 0.
pub fn relu_composed(z: &Tensor) -> Result<Tensor> {
    let zeros = z.zeros_like()?;
    z.le(&zeros)?.where_cond(&zeros, z)
}

pub fn relu_fused(z: &Tensor) -> Result<Tensor> {
    apply1(Relu, z)
}

/// 1 / (1 + e⁻ᶻ). Any shape.
pub fn sigmoid(z: &Tensor) -> Result<Tensor> {
    match Kernels::of(z)? {
        Kernels::Composed => sigmoid_composed(z),
        Kernels::Fused => sigmoid_fused(z),
    }
}

/// candle's own: through e⁻ᶻ, which overflows, the gradient would be lost.
pub fn sigmoid_composed(z: &Tensor) -> Result<Tensor> {
    candle_nn::ops::sigmoid(z)
}

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

/// Values that one task works on.
const PIECE: usize = 1 << 15;

/// f of the values of two arrays, side by side.
fn elementwise<T: Element>(first: &[T], second: &[T], f: impl Fn(T, T) -> T + Sync) -> Vec<T> {
    let mut out = vec![T::zero(); first.len()];
    let pieces = out.par_chunks_mut(PIECE).zip(first.par_chunks(PIECE)).zip(second.par_chunks(PIECE));
    pieces.for_each(|((out, first), second)| {
        vectorized(|| {
            for ((out, first), second) in out.iter_mut().zip(first).zip(second) {
                *out = f(*first, *second);
            }
        });
    });
    out
}
