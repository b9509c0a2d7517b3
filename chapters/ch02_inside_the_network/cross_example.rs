//! Does the output for one example depend on the others of its batch?

use candle_core::{Result, Tensor, Var};
use normbook::probe::exact::{largest, normal, values};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{Grid, RunContext, Trace, Trial};
use normbook_ops::{
    activation::sigmoid,
    linear::linear,
    normalize::{Axes, Normalization, ScaleStatistic, normalize},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The normalization between the linear map and the sigmoid.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    Nothing,
    /// z̃ = (z − μ) / σ over the batch.
    Batch,
    /// The same over the units of each example.
    Layer,
}

impl Between {
    fn normalized(self, z: &Tensor) -> Result<Tensor> {
        let axes = match self {
            Self::Nothing => return Ok(z.clone()),
            Self::Batch => Axes::Batch,
            Self::Layer => Axes::Groups(1),
        };
        let one = Tensor::ones(z.dim(1)?, z.dtype(), z.device())?;
        let how = Normalization { axes, scale: ScaleStatistic::StandardDeviation, epsilon: 0.0 };
        Ok(normalize(z, &one, &one.zeros_like()?, how)?.output)
    }
}

/// The trial: exact, in f64. One hidden layer, x → sigmoid(norm(W x)) → logits.
#[derive(Clone, Debug, Serialize)]
pub struct CrossExample {
    pub between: Between,
    pub batch_size: usize,
}

const INPUTS: usize = 5;
const UNITS: usize = 4;
const LOGITS: usize = 3;

impl Trial for CrossExample {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Grid `sensitivity`: ‖∂ logits of example i / ∂ inputs of example j‖ (Frobenius) over the largest of them. Values
    /// `largest_of_others` and `smallest_of_others`: those for i ≠ j.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let sensitivity = self.sensitivity()?;
        let examples: Vec<f64> = (1..=self.batch_size).map(|example| example as f64).collect();
        let others = |(index, _): &(usize, &f64)| index / self.batch_size != index % self.batch_size;
        let others: Vec<f64> = sensitivity.iter().enumerate().filter(others).map(|(_, value)| *value).collect();
        let mut trace = Trace::default();
        trace.values.insert("largest_of_others".into(), largest(others.iter().copied()));
        trace.values.insert("smallest_of_others".into(), others.iter().copied().fold(f64::INFINITY, f64::min));
        trace.grids.insert("sensitivity".into(), Grid { x: examples.clone(), y: examples, z: sensitivity });
        Ok(trace)
    }
}

impl CrossExample {
    fn sensitivity(&self) -> Result<Vec<f64>> {
        let mut stream = Seed(0).stream(Purpose::Probe, 0);
        let (first, second) = (normal(&mut stream, (UNITS, INPUTS))?, normal(&mut stream, (LOGITS, UNITS))?);
        let inputs = normal(&mut stream, (self.batch_size, INPUTS))?;
        let norms = jacobian_norms(self.between, [&first, &second], &inputs)?;
        let largest = largest(norms.iter().copied());
        Ok(norms.into_iter().map(|norm| norm / largest).collect())
    }
}

/// With weights W₁ `[units, inputs]` and W₂ `[logits, units]`, and inputs `[N, inputs]`: ‖∂ logits of example i / ∂
/// inputs of example j‖ (Frobenius), row i after row.
pub fn jacobian_norms(between: Between, [first, second]: [&Tensor; 2], inputs: &Var) -> Result<Vec<f64>> {
    let no_bias = |weight: &Tensor| Tensor::zeros(weight.dim(0)?, weight.dtype(), weight.device());
    let hidden = between.normalized(&linear(inputs, first, &no_bias(first)?)?)?;
    let logits = linear(&sigmoid(&hidden)?, second, &no_bias(second)?)?;
    let (examples, of_example) = inputs.dims2()?;
    let mut squares = vec![0.0; examples * examples];
    for example in 0..examples {
        for logit in 0..second.dim(0)? {
            let gradients = logits.get(example)?.get(logit)?.backward()?;
            let of_inputs = values(&gradients.get(inputs).cloned().unwrap_or(inputs.zeros_like()?))?;
            for (other, gradient) in of_inputs.chunks(of_example).enumerate() {
                squares[example * examples + other] += gradient.iter().map(|g| g * g).sum::<f64>();
            }
        }
    }
    Ok(squares.into_iter().map(f64::sqrt).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn value(between: Between, name: &str) -> f64 {
        CrossExample { between, batch_size: 6 }.run_alone(Seed(0), &Device::Cpu).unwrap().values[name]
    }

    #[test]
    fn only_the_batch_couples_examples() {
        assert!(value(Between::Batch, "smallest_of_others") > 1e-3);
        assert_eq!(value(Between::Nothing, "largest_of_others"), 0.0);
        assert_eq!(value(Between::Layer, "largest_of_others"), 0.0);
    }
}
