//! Gradient descent on least squares, step by step.

use nalgebra::{DMatrix, DVector};

/// f(w) = 1/(2N) ‖Xw − y‖².
pub fn loss(inputs: &DMatrix<f64>, targets: &DVector<f64>, weights: &DVector<f64>) -> f64 {
    (inputs * weights - targets).norm_squared() / (2.0 * targets.len() as f64)
}

/// Takes `steps` steps w ← w − η Xᵀ(Xw − y)/N and shows every w, the start included, to `visit`.
// ANCHOR: walk
pub fn walk(
    inputs: &DMatrix<f64>,
    targets: &DVector<f64>,
    mut weights: DVector<f64>,
    learning_rate: f64,
    steps: u64,
    mut visit: impl FnMut(u64, &DVector<f64>),
) {
    let examples = targets.len() as f64;
    visit(0, &weights);
    for step in 1..=steps {
        let residual = inputs * &weights - targets;
        let gradient = inputs.tr_mul(&residual) / examples;
        weights.axpy(-learning_rate, &gradient, 1.0);
        visit(step, &weights);
    }
}
// ANCHOR_END: walk

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The gradient of `walk` is the central difference of `loss`.
        #[test]
        fn a_step_follows_the_gradient(values in proptest::collection::vec(-2.0..2.0f64, 8 * 3 + 8 + 3)) {
            let inputs = DMatrix::from_row_slice(8, 3, &values[..24]);
            let targets = DVector::from_row_slice(&values[24..32]);
            let start = DVector::from_row_slice(&values[32..]);
            let mut end = start.clone();
            walk(&inputs, &targets, start.clone(), 1.0, 1, |_, weights| end = weights.clone());
            let gradient = &start - end;
            for index in 0..3 {
                let moved = |by: f64| {
                    let mut weights = start.clone();
                    weights[index] += by;
                    loss(&inputs, &targets, &weights)
                };
                let difference = (moved(1e-4) - moved(-1e-4)) / 2e-4;
                prop_assert!((gradient[index] - difference).abs() < 1e-8);
            }
        }
    }
}
