//! Gradient descent on least squares. A bias is a feature that is 1 in every example: nothing here treats it
//! differently.

use super::Matrix;

/// Half the mean squared error of a model y ≈ Xw. X is `[N, D]`, y is `[N]`, w is `[D]`. This is written for you.
///
/// ```text
/// f(w) = 1/(2N) Σᵢ (xᵢ·w − yᵢ)²
/// ```
pub fn loss(inputs: &Matrix, targets: &[f64], weights: &[f64]) -> f64 {
    let squares: f64 = residuals(inputs, targets, weights).iter().map(|residual| residual * residual).sum();
    squares / (2.0 * inputs.rows as f64)
}

/// xᵢ·w − yᵢ for each example i. This is written for you.
fn residuals(inputs: &Matrix, targets: &[f64], weights: &[f64]) -> Vec<f64> {
    let output = |row: usize| inputs.row(row).iter().zip(weights).map(|(x, w)| x * w).sum::<f64>();
    targets.iter().enumerate().map(|(row, target)| output(row) - target).collect()
}

/// The gradient of `loss` with regard to w, `[D]`. With the residuals rᵢ = xᵢ·w − yᵢ:
///
/// ```text
/// ∂f/∂wⱼ = 1/N Σᵢ rᵢ xᵢⱼ
/// ```
///
/// (f is *half* the mean squared error: the 2 that comes down from the square is gone.)
pub fn gradient(inputs: &Matrix, targets: &[f64], weights: &[f64]) -> Vec<f64> {
    // SOLUTION the mean over the examples of residual times feature
    let residuals = residuals(inputs, targets, weights);
    let slope = |column: usize| {
        let products = residuals.iter().zip(inputs.column(column)).map(|(residual, x)| residual * x);
        products.sum::<f64>() / inputs.rows as f64
    };
    (0..inputs.columns).map(slope).collect()
    // END
}

/// How many steps of gradient descent from w = 0, w ← w − η ∇f(w), bring the loss down to `fraction` of what it is at w
/// = 0: the smallest t with
///
/// ```text
/// f(wₜ) ≤ fraction · f(w₀)
/// ```
///
/// So 0 if `fraction` is 1. None if no t up to and with `most` will do, because the target lies below the smallest
/// loss, because the rate is too small, or because it is too large and the loss grows without end.
pub fn steps_to(inputs: &Matrix, targets: &[f64], rate: f64, fraction: f64, most: usize) -> Option<usize> {
    // SOLUTION look at the loss, then take a step
    let mut weights = vec![0.0; inputs.columns];
    let target = fraction * loss(inputs, targets, &weights);
    for step in 0..=most {
        if loss(inputs, targets, &weights) <= target {
            return Some(step);
        }
        let slope = gradient(inputs, targets, &weights);
        weights.iter_mut().zip(slope).for_each(|(w, slope)| *w -= rate * slope);
    }
    None
    // END
}
