//! The lecture's toy ("Changing Landscape"): y = w₁x₁ + w₂x₂ + b with x₁ near 1 and x₂ near 100.

use nalgebra::{DMatrix, DVector};

/// Examples in the toy.
pub const EXAMPLES: usize = 25;

/// `[25, 2]`: x₁ runs over five values around 1, x₂ over five around `scale`, every pair once.
pub fn inputs(scale: f64) -> DMatrix<f64> {
    let level = |index: usize| 1.0 + 0.5 * (index as f64 - 2.0);
    DMatrix::from_fn(EXAMPLES, 2, |row, column| if column == 0 { level(row / 5) } else { scale * level(row % 5) })
}

/// `[25]`: each input contributes as much as the other: y = x₁ + x₂ / `scale`.
pub fn targets(scale: f64) -> DVector<f64> {
    inputs(scale) * DVector::from_row_slice(&[1.0, 1.0 / scale])
}
