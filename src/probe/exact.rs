//! What the exact claims have in common: random numbers in f64, and how far two results are apart.

use candle_core::{DType, Device, Result, Shape, Tensor, Var};
use normbook_lab::seed::Stream;

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

/// The larger of two; NaN if either is: [`f64::max`] would let it pass for agreement.
pub fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}

/// The largest |value|, 0 of none; NaN if one is.
pub fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(f64::abs).fold(0.0, larger)
}

/// The same of a tensor.
pub fn largest_of(tensor: &Tensor) -> Result<f64> {
    Ok(largest(values(&tensor.to_dtype(DType::F64)?)?))
}

/// The largest |a − b| over the largest |b|.
pub fn relative_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "as many values on both sides");
    largest(a.iter().zip(b).map(|(a, b)| a - b)) / largest(b.iter().copied())
}

/// ⟨a, b⟩ / (‖a‖ ‖b‖).
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_in_parts_of_the_largest_value() {
        assert_eq!(relative_difference(&[1.0, -5.0], &[2.0, -4.0]), 0.25);
        assert_eq!((largest([1.0, -3.0, 2.0]), largest([])), (3.0, 0.0));
    }

    #[test]
    fn what_is_undefined_is_no_agreement() {
        for place in 0..3 {
            let mut broken = [1.0, 2.0, 3.0];
            broken[place] = f64::NAN;
            assert!(relative_difference(&broken, &[1.0, 2.0, 3.0]).is_nan(), "{place}");
            assert!(relative_difference(&[1.0, 2.0, 3.0], &broken).is_nan(), "{place}");
            assert!(largest_of(&Tensor::new(&broken, &Device::Cpu).unwrap()).unwrap().is_nan(), "{place}");
        }
    }
}
