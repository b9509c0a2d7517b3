//! Theorem 4.4: the gradient by the weights, in the worst case over inputs of bounded norm.

use super::hyper_dual::Function;
use super::net::{Net, decade, statistics};
use candle_core::Result;
use nalgebra::{DMatrix, DVector};
use normbook::probe::exact::{larger, relative_difference};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: exact, over so many random nets.
#[derive(Clone, Debug, Serialize)]
pub struct WeightSpace {
    pub nets: usize,
}

/// What the theorem speaks of.
pub struct Bound {
    /// g = max ‖∂L/∂W‖² over inputs X with ‖X‖ ≤ λ.
    pub plain: f64,
    pub lambda: f64,
    /// μ_g, the mean of ∂L/∂z, and ⟨∂L/∂z, ŷ⟩.
    pub mean: f64,
    pub along: f64,
    pub examples: f64,
    /// γ²/σ².
    pub scale: f64,
}

impl Bound {
    /// As the appendix has it.
    // ANCHOR: forms
    pub fn appendix(&self) -> f64 {
        let square = self.lambda * self.lambda;
        self.scale
            * (self.plain - square * self.examples * self.mean.powi(2) - square / self.examples * self.along.powi(2))
    }

    /// As the main text prints it, with g squared once more.
    pub fn printed(&self) -> f64 {
        self.printed_with(self.plain.powi(2))
    }

    /// As it is printed, g and ĝ read as norms: then g² is what the appendix calls g.
    pub fn printed_of_norms(&self) -> f64 {
        self.printed_with(self.plain)
    }

    fn printed_with(&self, plain: f64) -> f64 {
        self.scale * (plain - self.examples * self.mean.powi(2) - self.lambda.powi(2) * self.along.powi(2))
    }
    // ANCHOR_END: forms
}

impl Trial for WeightSpace {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values, the largest over all nets: `same_outputs`, how far the worst inputs' outputs X W are from y, and
    /// `norm_excess`, how far their norm is above λ, both relative; `appendix`, how far its form is from an equality,
    /// in parts of (γ²/σ²) g. The part of the nets in which the printed form does not hold: `printed_fails`,
    /// `printed_of_norms_fails`.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let (mut outputs, mut excess, mut appendix) = (0.0_f64, 0.0_f64, 0.0_f64);
        let (mut fails, mut of_norms_fails) = (0.0, 0.0);
        for number in 0..self.nets {
            let net = Net::draw(number);
            let mut stream = Seed(2).stream(Purpose::Probe, number as u64);
            let y = DVector::from_column_slice(&net.y);
            let weight = DVector::from_fn(y.len() + 1, |_, _| stream.normal());
            // Inputs of norm ‖y‖/‖W‖ are the smallest that give y.
            let lambda = y.norm() / weight.norm() * (1.0 + decade(&mut stream));
            let inputs = worst_inputs(&y, &weight, lambda);
            outputs = larger(outputs, relative_difference((&inputs * &weight).as_slice(), y.as_slice()));
            excess = larger(excess, inputs.singular_values().max() / lambda - 1.0);
            let (sigma, normalized) = statistics(&net.y);
            let z: Vec<f64> = normalized.iter().map(|y| net.gamma * y + net.beta).collect();
            let (g, v) = (net.upper.gradient(&z), net.behind().gradient(&net.y));
            let by_weight = |gradient: &DVector<f64>| (inputs.transpose() * gradient).norm_squared();
            let bound = Bound {
                plain: by_weight(&g),
                lambda,
                mean: g.mean(),
                along: g.dot(&normalized),
                examples: g.len() as f64,
                scale: (net.gamma / sigma).powi(2),
            };
            let (left, size) = (by_weight(&v), bound.scale * bound.plain);
            appendix = larger(appendix, (left - bound.appendix()).abs() / size);
            fails += f64::from(left > bound.printed() + 1e-9 * size);
            of_norms_fails += f64::from(left > bound.printed_of_norms() + 1e-9 * size);
        }
        let nets = self.nets as f64;
        let mut trace = Trace::default();
        trace.values.extend([
            ("same_outputs".into(), outputs),
            ("norm_excess".into(), excess),
            ("appendix".into(), appendix),
            ("printed_fails".into(), fails / nets),
            ("printed_of_norms_fails".into(), of_norms_fails / nets),
        ]);
        Ok(trace)
    }
}

/// X with X W = y and X Xᵀ = λ² I: of spectral norm λ, and ‖Xᵀ a‖ = λ ‖a‖ for every a, which is as much as that norm
/// allows. With w = W/‖W‖ it is X = y wᵀ/‖W‖ + R Qᵀ, where R Rᵀ = λ² I − y yᵀ/‖W‖² and Q spans what is orthogonal to w.
// ANCHOR: worst_inputs
fn worst_inputs(y: &DVector<f64>, weight: &DVector<f64>, lambda: f64) -> DMatrix<f64> {
    let m = y.len();
    let left = DMatrix::identity(m, m) * lambda.powi(2) - y * y.transpose() / weight.norm_squared();
    let eigen = left.symmetric_eigen();
    let roots = DMatrix::from_diagonal(&eigen.eigenvalues.map(|value| value.max(0.0).sqrt()));
    let root = &eigen.eigenvectors * roots;
    // The reflection that takes w to the first axis: its other columns span the rest.
    let mut normal = weight / weight.norm();
    normal[0] -= 1.0;
    let square = normal.norm_squared();
    let reflection = DMatrix::identity(m + 1, m + 1) - (&normal * normal.transpose()) * (2.0 / square);
    y * weight.transpose() / weight.norm_squared() + root * reflection.columns(1, m).transpose()
}
// ANCHOR_END: worst_inputs

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_appendix_holds_and_the_main_text_does_not() {
        let values = WeightSpace { nets: 20 }.run_alone(Seed(0), &Device::Cpu).unwrap().values;
        for name in ["same_outputs", "norm_excess", "appendix"] {
            assert!(values[name] < 1e-9, "{name}: {values:?}");
        }
        assert!(values["printed_fails"] > 0.1, "{values:?}");
    }
}
