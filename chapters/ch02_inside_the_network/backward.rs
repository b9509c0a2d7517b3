//! The backward equations of batch normalization, as the paper writes them, against autograd and finite differences
//! (arXiv:1502.03167, §3, the display after Alg. 1).

use candle_core::{Device, Result, Tensor, Var};
use normbook::probe::exact::{largest, normal, relative_difference, values};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use normbook_ops::normalize::{Axes, Normalization, ScaleStatistic, normalize_composed, normalize_fused};
use serde::Serialize;
use std::collections::BTreeMap;

/// The trial: exact, in f64, one unit.
#[derive(Clone, Debug, Serialize)]
pub struct Backward {
    pub batch_size: usize,
}

/// ε.
const EPSILON: f64 = 1e-5;

/// Step of the central differences.
const STEP: f64 = 1e-5;

/// The gradients of a batch of one unit.
struct Gradients {
    of_input: Vec<f64>,
    of_gamma: f64,
    of_beta: f64,
}

impl Gradients {
    fn all(&self) -> Vec<f64> {
        [&self.of_input[..], &[self.of_gamma, self.of_beta]].concat()
    }
}

/// The equations in the paper's order: ℓ is the loss, `upstream` is ∂ℓ/∂y.
// ANCHOR: equations
fn by_the_paper(x: &[f64], gamma: f64, upstream: &[f64]) -> Gradients {
    let m = x.len() as f64;
    let mean = x.iter().sum::<f64>() / m;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / m;
    let root = (variance + EPSILON).sqrt();
    let centred: Vec<f64> = x.iter().map(|x| x - mean).collect();
    let sum = |term: &dyn Fn(usize) -> f64| (0..x.len()).map(term).sum::<f64>();

    let of_normalized: Vec<f64> = upstream.iter().map(|dy| dy * gamma).collect();
    let of_variance = sum(&|i| of_normalized[i] * centred[i] * -0.5 * root.powi(-3));
    let of_mean = sum(&|i| -of_normalized[i] / root) + of_variance * sum(&|i| -2.0 * centred[i]) / m;
    let of_input = |i: usize| of_normalized[i] / root + of_variance * 2.0 * centred[i] / m + of_mean / m;
    Gradients {
        of_input: (0..x.len()).map(of_input).collect(),
        of_gamma: sum(&|i| upstream[i] * centred[i] / root),
        of_beta: sum(&|i| upstream[i]),
    }
}
// ANCHOR_END: equations

/// ℓ = ⟨upstream, y⟩.
fn loss(x: &[f64], gamma: f64, beta: f64, upstream: &[f64]) -> f64 {
    let m = x.len() as f64;
    let mean = x.iter().sum::<f64>() / m;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / m;
    let y = |x: &f64| gamma * (x - mean) / (variance + EPSILON).sqrt() + beta;
    x.iter().zip(upstream).map(|(x, upstream)| y(x) * upstream).sum()
}

fn by_differences(x: &[f64], gamma: f64, beta: f64, upstream: &[f64]) -> Gradients {
    let slope = |at: &dyn Fn(f64) -> f64| (at(STEP) - at(-STEP)) / (2.0 * STEP);
    let moved = |index: usize, by: f64| {
        let mut x = x.to_vec();
        x[index] += by;
        loss(&x, gamma, beta, upstream)
    };
    Gradients {
        of_input: (0..x.len()).map(|index| slope(&|by| moved(index, by))).collect(),
        of_gamma: slope(&|by| loss(x, gamma + by, beta, upstream)),
        of_beta: slope(&|by| loss(x, gamma, beta + by, upstream)),
    }
}

type Operation = fn(&Tensor, &Tensor, &Tensor, Normalization) -> Result<normbook_ops::normalize::Normalized>;

fn by_autograd(operation: Operation, [x, gamma, beta, upstream]: [&Var; 4]) -> Result<Gradients> {
    let how = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: EPSILON };
    let output = operation(x, gamma, beta, how)?.output;
    let gradients = (output * upstream.as_tensor())?.sum_all()?.backward()?;
    let of = |var: &Var| gradients.get(var).map_or_else(|| Ok(Vec::new()), values);
    Ok(Gradients { of_input: of(x)?, of_gamma: of(gamma)?[0], of_beta: of(beta)?[0] })
}

impl Trial for Backward {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values: how far `fused`, `composed` and `finite_differences` are from the paper's equations, relative to the
    /// largest gradient; `of_ones`: the largest input gradient for an upstream gradient of ones, over that for a random
    /// one.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let mut stream = Seed(0).stream(Purpose::Probe, 0);
        let mut draw = |shape: (usize, usize)| normal(&mut stream, shape);
        let (x, upstream) = (draw((self.batch_size, 1))?, draw((self.batch_size, 1))?);
        let [gamma, beta] = [Var::new(&[1.5], &Device::Cpu)?, Var::new(&[-0.5], &Device::Cpu)?];
        let (inputs, random) = (values(&x)?, values(&upstream)?);
        let paper = by_the_paper(&inputs, 1.5, &random);
        let ones = by_the_paper(&inputs, 1.5, &vec![1.0; inputs.len()]);
        let against = |other: &Gradients| relative_difference(&other.all(), &paper.all());
        let all = [&x, &gamma, &beta, &upstream];
        let mut trace = Trace::default();
        trace.values.extend([
            ("fused".into(), against(&by_autograd(normalize_fused, all)?)),
            ("composed".into(), against(&by_autograd(normalize_composed, all)?)),
            ("finite_differences".into(), against(&by_differences(&inputs, 1.5, -0.5, &random))),
            ("of_ones".into(), largest(ones.of_input) / largest(paper.of_input)),
        ]);
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two values give x̂ = ±1 whatever they are: almost no gradient is left.
    #[test]
    fn two_values_leave_no_gradient() {
        let gradients = by_the_paper(&[1.0, 5.0], 1.0, &[0.3, -0.8]);
        assert!(largest(gradients.of_input.clone()) < 1e-5, "{:?}", gradients.of_input);
        assert!((gradients.of_gamma + 1.1).abs() < 1e-5);
        assert!((gradients.of_beta + 0.5).abs() < 1e-12);
    }

    #[test]
    fn all_four_agree() {
        let trace = Backward { batch_size: 12 }.run_alone(Seed(0), &Device::Cpu).unwrap();
        for (name, bound) in [("fused", 1e-12), ("composed", 1e-12), ("finite_differences", 1e-7), ("of_ones", 1e-12)] {
            assert!(trace.values[name] < bound, "{name}: {:?}", trace.values);
        }
    }
}
