//! What γ and β can undo and what they make redundant, on a whole network in f64.
//!
//! Ioffe & Szegedy 2015 (arXiv:1502.03167), §3: with γ = √Var[x] and β = E[x] the normalized layer gives its input
//! back; §3.2: a bias before the normalization is cancelled by the subtraction of the mean, and β takes its role.

use candle_core::{DType, Device, Result, Tensor, Var, bail};
use normbook::data::dataset::{CLASSES, Dataset};
use normbook::net::layer::Activation;
use normbook::probe::exact::{larger, largest_of};
use normbook_lab::seed::{Purpose, Seed, Stream};
use normbook_lab::trial::{RunContext, Trace, Trial};
use normbook_ops::cross_entropy::cross_entropy;
use normbook_ops::linear::linear;
use normbook_ops::normalize::{Axes, Normalization, ScaleStatistic, normalize};
use serde::Serialize;
use std::collections::BTreeMap;

/// ε of the paper's transform, as in [`normbook::norm::batch`].
const EPSILON: f64 = 1e-5;

/// The trial: exact, on one batch, with weights and biases drawn at random.
#[derive(Clone, Serialize)]
pub struct Recovery {
    pub data: Dataset,
    pub hidden: Vec<usize>,
    pub activation: Activation,
    pub batch_size: u64,
}

impl Recovery {
    /// A network with three hidden layers of 100 units.
    pub fn new(data: &Dataset, activation: Activation, batch_size: u64) -> Self {
        Self { data: data.clone(), hidden: vec![100; 3], activation, batch_size }
    }
}

impl Trial for Recovery {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.data.stamps()
    }

    /// Values, each the largest change of a logit over the largest logit: `recovered` of the network with every hidden
    /// layer normalized with γ = σ, β = μ and ε = 0, `recovered_with_epsilon` with ε = 10⁻⁵, `recovered_with_both` with
    /// that ε and γ = √(σ² + ε), `recovered_in_f32`; `moved_bias` of the normalized network when every bias moves by 1.
    /// And of the normalized network with γ and β drawn at random `bias_gradient`: the largest derivative of the loss
    /// by a hidden bias over the largest by a β.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let device = context.device;
        let train = self.data.train(device)?;
        if !(2..=train.len() as u64).contains(&self.batch_size) {
            bail!("a batch to normalize has from 2 to {} images, not {}", train.len(), self.batch_size);
        }
        let part = train.narrow(0, self.batch_size as usize)?;
        let images = part.inputs.flatten_from(1)?;
        let net = Affines::new(&[&[images.dim(1)?][..], &self.hidden, &[CLASSES]].concat(), device)?;
        let exact = images.to_dtype(DType::F64)?;
        let plain = net.forward(&exact, self.activation, |_, z| Ok(z))?;
        let recovered =
            |epsilon, kept| change(&plain, &net.forward(&exact, self.activation, |_, z| undone(&z, epsilon, kept))?);
        let (without_epsilon, with_epsilon, with_both) =
            (recovered(0.0, 0.0)?, recovered(EPSILON, 0.0)?, recovered(EPSILON, EPSILON)?);
        let single = net.to_dtype(DType::F32)?;
        let plain_in_f32 = single.forward(&images, self.activation, |_, z| Ok(z))?;
        let undone_in_f32 = single.forward(&images, self.activation, |_, z| undone(&z, 0.0, 0.0))?;
        let norms = Norms::new(&self.hidden, device)?;
        let normalized = |net: &Affines| net.forward(&exact, self.activation, |layer, z| norms.apply(layer, &z));
        let logits = normalized(&net)?;
        let gradients = cross_entropy(&logits, part.classes()?)?.backward()?;
        let largest_gradient = |of: &[Var]| -> Result<f64> {
            of.iter().try_fold(0.0, |most: f64, var| match gradients.get(var) {
                Some(gradient) => Ok(larger(most, largest_of(gradient)?)),
                None => bail!("a parameter without gradient"),
            })
        };
        let hidden_biases = &net.biases[..self.hidden.len()];
        let bias_gradient = largest_gradient(hidden_biases)? / largest_gradient(&norms.betas)?;
        for bias in hidden_biases {
            bias.set(&(bias.as_detached_tensor() + 1.0)?)?;
        }
        let mut trace = Trace::default();
        for (name, value) in [
            ("recovered", without_epsilon),
            ("recovered_with_epsilon", with_epsilon),
            ("recovered_with_both", with_both),
            ("recovered_in_f32", change(&plain_in_f32, &undone_in_f32)?),
            ("bias_gradient", bias_gradient),
            ("moved_bias", change(&logits, &normalized(&net)?)?),
        ] {
            trace.values.insert(name.into(), value);
        }
        Ok(trace)
    }
}

// ANCHOR: undone
/// z `[N, C]` normalized with `epsilon`, and put back with γ = √(σ² + `kept`) and β = μ.
fn undone(z: &Tensor, epsilon: f64, kept: f64) -> Result<Tensor> {
    let how = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon };
    let one = Tensor::ones(z.dim(1)?, z.dtype(), z.device())?;
    let seen = normalize(z, &one, &one.zeros_like()?, how)?;
    let (gamma, beta) = ((seen.scale_stat + kept)?.sqrt()?, seen.mean);
    Ok(normalize(z, &gamma, &beta, how)?.output)
}
// ANCHOR_END: undone

/// Linear layers in f64.
struct Affines {
    /// `[outputs, inputs]`.
    weights: Vec<Tensor>,
    /// `[outputs]`.
    biases: Vec<Var>,
}

impl Affines {
    /// Weights of variance 1 / inputs, biases of variance 1.
    fn new(widths: &[usize], device: &Device) -> Result<Self> {
        let stream = &mut Seed(0).stream(Purpose::Init, 0);
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for pair in widths.windows(2) {
            weights.push(normal(stream, &[pair[1], pair[0]], (pair[0] as f64).sqrt().recip(), device)?);
            biases.push(Var::from_tensor(&normal(stream, &[pair[1]], 1.0, device)?)?);
        }
        Ok(Self { weights, biases })
    }

    /// `[N, inputs] -> [N, outputs]`, with `between` each hidden linear map and its activation.
    fn forward(
        &self,
        inputs: &Tensor,
        activation: Activation,
        between: impl Fn(usize, Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let last = self.weights.len() - 1;
        let mut values = inputs.clone();
        for (layer, (weight, bias)) in self.weights.iter().zip(&self.biases).enumerate() {
            values = linear(&values, weight, bias)?;
            if layer < last {
                values = activation.apply(&between(layer, values)?)?;
            }
        }
        Ok(values)
    }

    fn to_dtype(&self, dtype: DType) -> Result<Self> {
        let weights = self.weights.iter().map(|weight| weight.to_dtype(dtype)).collect::<Result<_>>()?;
        let biases = self.biases.iter().map(|bias| Var::from_tensor(&bias.to_dtype(dtype)?)).collect::<Result<_>>()?;
        Ok(Self { weights, biases })
    }
}

/// γ and β of each hidden layer, drawn at random.
struct Norms {
    gammas: Vec<Tensor>,
    betas: Vec<Var>,
}

impl Norms {
    fn new(hidden: &[usize], device: &Device) -> Result<Self> {
        let stream = &mut Seed(0).stream(Purpose::Init, 1);
        let (mut gammas, mut betas) = (Vec::new(), Vec::new());
        for units in hidden {
            gammas.push((normal(stream, &[*units], 0.2, device)? + 1.0)?);
            betas.push(Var::from_tensor(&normal(stream, &[*units], 0.5, device)?)?);
        }
        Ok(Self { gammas, betas })
    }

    fn apply(&self, layer: usize, z: &Tensor) -> Result<Tensor> {
        let how = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: EPSILON };
        Ok(normalize(z, &self.gammas[layer], &self.betas[layer], how)?.output)
    }
}

fn normal(stream: &mut Stream, shape: &[usize], deviation: f64, device: &Device) -> Result<Tensor> {
    stream.normal_tensor(shape, deviation, device)?.to_dtype(DType::F64)
}

/// The largest change over the largest value before.
fn change(before: &Tensor, after: &Tensor) -> Result<f64> {
    Ok(largest_of(&(after - before)?)? / largest_of(before)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use normbook::data::fashion_mnist::Files;

    fn values(activation: Activation) -> BTreeMap<String, f64> {
        let data = Dataset::new(&Files::embedded()).unwrap();
        let trial = Recovery { data, hidden: vec![20, 20], activation, batch_size: 40 };
        trial.run_alone(Seed(0), &Device::Cpu).unwrap().values
    }

    /// With ε each standard deviation shrinks by √(σ² / (σ² + ε)), to first order ε / 2σ²: small but no rounding.
    #[test]
    fn epsilon_is_what_it_costs() {
        for activation in [Activation::Sigmoid, Activation::Relu] {
            let values = values(activation);
            assert!(values["recovered"] < 1e-12 && values["recovered_with_both"] < 1e-12, "{values:?}");
            assert!((1e-8..1e-3).contains(&values["recovered_with_epsilon"]), "{values:?}");
            assert!((1e-8..1e-4).contains(&values["recovered_in_f32"]), "{values:?}");
        }
    }

    /// One layer by plain loops.
    #[test]
    fn epsilon_shrinks_the_deviations() {
        let z = [1.0, 2.0, 3.0, 6.0];
        let (mean, variance, epsilon) = (3.0, 3.5, 0.5);
        let tensor = Tensor::from_slice(&z, (4, 1), &Device::Cpu).unwrap();
        let found = undone(&tensor, epsilon, 0.0).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for (z, found) in z.iter().zip(found) {
            let expected = mean + (z - mean) * (variance / (variance + epsilon)).sqrt();
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
    }

    /// The gradients are those of central differences: none for a bias, some for a β.
    #[test]
    fn moving_a_bias_does_nothing_and_moving_a_beta_does() {
        let values = values(Activation::Sigmoid);
        assert!(values["bias_gradient"] < 1e-12 && values["moved_bias"] < 1e-12, "{values:?}");
        let part = Dataset::new(&Files::embedded()).unwrap().train(&Device::Cpu).unwrap().narrow(0, 40).unwrap();
        let images = part.inputs.flatten_from(1).unwrap().to_dtype(DType::F64).unwrap();
        let net = Affines::new(&[784, 20, 20, 10], &Device::Cpu).unwrap();
        let norms = Norms::new(&[20, 20], &Device::Cpu).unwrap();
        let loss = || {
            let logits = net.forward(&images, Activation::Sigmoid, |layer, z| norms.apply(layer, &z)).unwrap();
            cross_entropy(&logits, part.classes().unwrap()).unwrap()
        };
        let gradients = loss().backward().unwrap();
        for (var, is_moved) in [(&net.biases[0], false), (&norms.betas[0], true)] {
            let before = var.as_detached_tensor().copy().unwrap();
            let direction = Seed(1).stream(Purpose::Probe, 0).normal_tensor(20, 1e-4, &Device::Cpu).unwrap();
            let direction = direction.to_dtype(DType::F64).unwrap();
            let at = |sign: f64| {
                var.set(&(&before + (&direction * sign).unwrap()).unwrap()).unwrap();
                loss().to_scalar::<f64>().unwrap()
            };
            let difference = (at(1.0) - at(-1.0)) / 2.0;
            let along = gradients.get(var).unwrap().mul(&direction).unwrap().sum_all().unwrap();
            let along = along.to_scalar::<f64>().unwrap();
            assert!((difference - along).abs() < 1e-4 * along.abs() + 1e-13, "{difference} {along}");
            assert_eq!(difference.abs() > 1e-8, is_moved, "{difference}");
        }
    }
}
