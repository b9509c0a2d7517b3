//! What is left of an example that is normalized with few others, or alone.

use candle_core::{DType, Device, Result, Tensor};
use normbook::probe::exact::{larger, largest_of};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use normbook_ops::{
    activation::relu,
    linear::linear,
    normalize::{Axes, Normalization, ScaleStatistic, normalize},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Different batches that are shown to the network.
const BATCHES: usize = 100;

/// The trial: exact, in f64; a ReLU network with random weights, normalized by its own batch in each hidden layer.
#[derive(Clone, Debug, Serialize)]
pub struct Alone {
    pub batch_size: usize,
    /// Inputs, hidden units, .., outputs.
    pub widths: Vec<usize>,
    /// ε.
    pub epsilon: f64,
}

impl Trial for Alone {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Value `largest_difference`: between the outputs for different batches, relative to the largest output. For a
    /// batch of two `distance_from_one` too, of the sizes of the first layer's normalized values, and
    /// `change_of_second_mean`, from one batch's mean after the second layer's linear map to another's, relative to
    /// the largest.
    fn run(&self, _: &RunContext) -> Result<Trace> {
        let mut stream = Seed(0).stream(Purpose::Probe, 0);
        let mut draw = |rows, columns, deviation| -> Result<Tensor> {
            let values = (0..rows * columns).map(|_| deviation * stream.normal()).collect::<Vec<f64>>();
            Tensor::from_vec(values, (rows, columns), &Device::Cpu)
        };
        let weights = self.widths.windows(2).map(|pair| draw(pair[1], pair[0], 1.0 / (pair[0] as f64).sqrt()));
        let weights = weights.collect::<Result<Vec<_>>>()?;
        // With β = 0 an example alone would give 0 in every layer.
        let biases = self.widths[1..].iter().map(|width| draw(1, *width, 1.0)?.flatten_all());
        let biases = biases.collect::<Result<Vec<_>>>()?;
        let mut outputs = Vec::new();
        let mut second_means = Vec::new();
        let mut from_one: f64 = 0.0;
        for _ in 0..BATCHES {
            let mut values = draw(self.batch_size, self.widths[0], 1.0)?;
            for (layer, (weight, bias)) in weights.iter().zip(&biases).enumerate() {
                let mapped = linear(&values, weight, bias)?;
                if layer == 0 {
                    let sizes = self.normalized(&mapped, &bias.zeros_like()?)?.abs()?;
                    from_one = larger(from_one, largest_of(&(sizes - 1.0)?)?);
                }
                if layer == 1 {
                    second_means.push(mapped.mean(0)?);
                }
                values = if layer + 1 == weights.len() { mapped } else { relu(&self.normalized(&mapped, bias)?)? };
            }
            outputs.push(values);
        }
        let mut trace = Trace::default();
        trace.values.insert("largest_difference".into(), change(&outputs)?);
        if self.batch_size == 2 {
            trace.values.insert("distance_from_one".into(), from_one);
            trace.values.insert("change_of_second_mean".into(), change(&second_means)?);
        }
        Ok(trace)
    }
}

impl Alone {
    /// With γ = 1.
    fn normalized(&self, mapped: &Tensor, bias: &Tensor) -> Result<Tensor> {
        let how = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: self.epsilon };
        let one = Tensor::ones(bias.dims(), DType::F64, &Device::Cpu)?;
        Ok(normalize(mapped, &one, bias, how)?.output)
    }
}

/// The largest difference from the first of these, relative to the largest value.
fn change(tensors: &[Tensor]) -> Result<f64> {
    let all = Tensor::stack(tensors, 0)?;
    Ok(largest_of(&all.broadcast_sub(&tensors[0])?)? / largest_of(&all)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(batch_size: usize, epsilon: f64) -> BTreeMap<String, f64> {
        let trial = Alone { batch_size, widths: vec![4, 3, 2], epsilon };
        trial.run_alone(Seed(7), &Device::Cpu).unwrap().values
    }

    #[test]
    fn one_example_is_forgotten_and_two_are_not() {
        assert_eq!(values(1, 1e-5)["largest_difference"], 0.0);
        assert!(values(2, 0.0)["largest_difference"] > 0.1);
        assert!(values(3, 0.0)["largest_difference"] > 0.1);
    }

    /// (a, b) has mean (a + b)/2 and standard deviation |a − b|/2; φ(γ + β) + φ(−γ + β) is the same for both orders.
    #[test]
    fn of_two_only_the_sign_is_left() {
        assert!(values(2, 0.0)["distance_from_one"] < 1e-9 && values(2, 0.0)["change_of_second_mean"] < 1e-9);
        assert!(values(2, 1.0)["change_of_second_mean"] > 0.1);
        assert!(values(2, 1.0)["distance_from_one"] > 0.1);
        assert!(!values(3, 0.0).contains_key("distance_from_one"));
    }
}
