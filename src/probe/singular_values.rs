//! The singular values of a normalized layer's Jacobian at its start (arXiv:1502.03167, §3.3, a conjecture there).

use candle_core::Result;
use nalgebra::DMatrix;
use normbook_lab::seed::Purpose;
use normbook_lab::trial::{RunContext, Series, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: in f64, inputs and weights normal; the Jacobian of one example's x̂ by its own input.
#[derive(Clone, Debug, Serialize)]
pub struct SingularValues {
    /// Inputs, and as many units.
    pub width: usize,
    pub batch_size: usize,
}

impl Trial for SingularValues {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Series `singular_values` by rank; values `largest`, `smallest`, and `near_one`, the part within a factor of 2 of
    /// 1; the same with `_of_weights` behind it for W itself.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let seed = context.seed;
        let mut stream = seed.stream(Purpose::Init, 0);
        let weight = DMatrix::from_fn(self.width, self.width, |_, _| stream.normal() / (self.width as f64).sqrt());
        let inputs = DMatrix::from_fn(self.batch_size, self.width, |_, _| stream.normal());
        let mut trace = Trace::default();
        for (matrix, of) in [(jacobian(&weight, &inputs), ""), (weight, "_of_weights")] {
            let values = falling(&matrix);
            let near_one = values.iter().filter(|value| (0.5..=2.0).contains(*value)).count() as f64;
            trace.values.extend([
                (format!("largest{of}"), values[0]),
                (format!("smallest{of}"), values[values.len() - 1]),
                (format!("near_one{of}"), near_one / values.len() as f64),
            ]);
            let x = (1..=values.len()).map(|rank| rank as f64).collect();
            trace.series.insert(format!("singular_values{of}"), Series { x, y: values });
        }
        Ok(trace)
    }
}

/// The singular values, the largest first.
pub fn falling(matrix: &DMatrix<f64>) -> Vec<f64> {
    let mut values: Vec<f64> = matrix.singular_values().iter().copied().collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

/// With z = W u and x̂_k = (z_k − μ_k)/σ_k over the batch, for the first example:
/// ∂x̂_k/∂u = (1 − 1/m − x̂_k²/m) / σ_k · W_k.
fn jacobian(weight: &DMatrix<f64>, inputs: &DMatrix<f64>) -> DMatrix<f64> {
    let mapped = inputs * weight.transpose();
    let m = inputs.nrows() as f64;
    let mut jacobian = weight.clone();
    for (unit, mut row) in jacobian.row_iter_mut().enumerate() {
        let z = mapped.column(unit);
        let (mean, deviation) = (z.mean(), z.variance().sqrt());
        let normalized = (z[0] - mean) / deviation;
        row *= (1.0 - 1.0 / m - normalized * normalized / m) / deviation;
    }
    jacobian
}

#[cfg(test)]
mod tests {
    use super::*;
    use normbook_lab::seed::Seed;

    #[test]
    fn the_jacobian_is_the_central_difference() {
        let mut stream = Seed(0).stream(Purpose::Probe, 0);
        let weight = DMatrix::from_fn(3, 3, |_, _| stream.normal());
        let inputs = DMatrix::from_fn(6, 3, |_, _| stream.normal());
        let normalized = |inputs: &DMatrix<f64>, unit: usize| {
            let mapped = inputs * weight.transpose();
            let z = mapped.column(unit);
            (z[0] - z.mean()) / z.variance().sqrt()
        };
        let found = jacobian(&weight, &inputs);
        for (unit, input) in (0..3).flat_map(|unit| (0..3).map(move |input| (unit, input))) {
            let moved = |by: f64| {
                let mut inputs = inputs.clone();
                inputs[(0, input)] += by;
                normalized(&inputs, unit)
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((found[(unit, input)] - difference).abs() < 1e-8);
        }
    }
}
