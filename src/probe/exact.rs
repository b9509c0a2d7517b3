//! What the exact claims have in common: random numbers in f64, and how far two results are apart.

use crate::seed::Stream;
use candle_core::{Device, Result, Shape, Tensor, Var};

/// Independent standard normal deviates, f64.
pub fn normal(stream: &mut Stream, shape: impl Into<Shape>) -> Result<Var> {
    let shape = shape.into();
    let values: Vec<f64> = (0..shape.elem_count()).map(|_| stream.normal()).collect();
    Var::from_vec(values, shape, &Device::Cpu)
}

/// All values, row by row.
pub fn values(tensor: &Tensor) -> Result<Vec<f64>> {
    tensor.flatten_all()?.to_vec1()
}

/// The largest |a − b| over the largest |b|.
pub fn relative_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "as many values on both sides");
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let difference = largest(&mut a.iter().zip(b).map(|(a, b)| (a - b).abs()));
    difference / largest(&mut b.iter().map(|b| b.abs()))
}

/// ⟨a, b⟩ / (‖a‖ ‖b‖).
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}
