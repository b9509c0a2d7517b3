//! A linear layer with one unit under a quadratic loss, whose best weights are known: plain, and with BatchNorm.

use super::hyper_dual::{Function, Real};
use super::net::normalized;
use nalgebra::{DMatrix, DVector};
use normbook_lab::seed::{Purpose, Seed};

const EXAMPLES: usize = 12;
pub const INPUTS: usize = 4;

/// Inputs X, targets t; the loss of outputs z is ‖z − t‖² / 2m.
pub struct Layer {
    pub inputs: DMatrix<f64>,
    targets: DVector<f64>,
    /// Weights to start from.
    pub start: DVector<f64>,
}

impl Layer {
    /// The layer of this number: normal inputs around a normal mean.
    pub fn draw(number: usize) -> Self {
        let mut stream = Seed(1).stream(Purpose::Probe, number as u64);
        let means = DVector::from_fn(INPUTS, |_, _| stream.normal());
        let inputs = DMatrix::from_fn(EXAMPLES, INPUTS, |_, input| means[input] + stream.normal());
        let targets = DVector::from_fn(EXAMPLES, |_, _| 1.0 + stream.normal());
        Self { inputs, targets, start: DVector::from_fn(INPUTS, |_, _| stream.normal()) }
    }

    /// W and b with the least loss.
    pub fn minimum(&self) -> (DVector<f64>, f64) {
        let with_ones = self.inputs.clone().insert_column(INPUTS, 1.0);
        let solution =
            with_ones.svd(true, true).solve(&self.targets, 0.0).unwrap_or_else(|_| unreachable!("both sides"));
        (solution.rows(0, INPUTS).into_owned(), solution[INPUTS])
    }

    /// W with the least loss where there is no b.
    pub fn minimum_without_bias(&self) -> DVector<f64> {
        self.inputs.clone().svd(true, true).solve(&self.targets, 0.0).unwrap_or_else(|_| unreachable!("both sides"))
    }

    fn loss<R: Real>(&self, z: &[R]) -> R {
        let squared = z.iter().zip(self.targets.iter()).map(|(z, t)| (*z - (*t).into()) * (*z - (*t).into()));
        squared.fold(R::from(0.0), R::add) / R::from(2.0 * z.len() as f64)
    }

    fn mapped<R: Real>(&self, weight: &[R]) -> Vec<R> {
        let row = |row: usize| (0..INPUTS).fold(R::from(0.0), |sum, i| sum + weight[i] * self.inputs[(row, i)].into());
        (0..self.inputs.nrows()).map(row).collect()
    }
}

/// (W, b) ↦ loss.
pub struct Plain<'a>(pub &'a Layer);

impl Function for Plain<'_> {
    fn at<R: Real>(&self, x: &[R]) -> R {
        let z: Vec<R> = self.0.mapped(x).into_iter().map(|y| y + x[INPUTS]).collect();
        self.0.loss(&z)
    }
}

/// (W, γ, β) ↦ loss behind BatchNorm.
pub struct WithNorm<'a>(pub &'a Layer);

impl WithNorm<'_> {
    pub fn outputs<R: Real>(&self, x: &[R]) -> Vec<R> {
        let normalized = normalized(&self.0.mapped(x)).into_iter();
        normalized.map(|y| y * x[INPUTS] + x[INPUTS + 1]).collect()
    }
}

impl Function for WithNorm<'_> {
    fn at<R: Real>(&self, x: &[R]) -> R {
        self.0.loss(&self.outputs(x))
    }
}

/// W, γ = σ and β = μ + b: the configuration that gives the outputs X W + b back.
// ANCHOR: configuration
pub fn configuration(layer: &Layer, weight: &DVector<f64>, bias: f64) -> Vec<f64> {
    let y = &layer.inputs * weight;
    weight.iter().copied().chain([y.variance().sqrt(), y.mean() + bias]).collect()
}
// ANCHOR_END: configuration

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_is_one() {
        let layer = Layer::draw(3);
        let (weight, bias) = layer.minimum();
        let at: Vec<f64> = weight.iter().copied().chain([bias]).collect();
        assert!(Plain(&layer).gradient(&at).norm() < 1e-13);
        let without: Vec<f64> = layer.minimum_without_bias().iter().copied().chain([0.0]).collect();
        let gradient = Plain(&layer).gradient(&without);
        assert!(gradient.rows(0, INPUTS).norm() < 1e-13 && gradient[INPUTS].abs() > 1e-3);
    }
}
