//! How the gradient grows from layer to layer of a deep net at its start, by the library's own layers.

use candle_core::{DType, Device, Result, Tensor, Var};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Series, Trace, Trial};
use normbook_ops::{
    activation::relu,
    linear::linear,
    normalize::{Axes, Normalization, ScaleStatistic, normalize},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    Identity,
    Relu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layers {
    Plain,
    Normalized,
}

/// The trial: a net of equal layers h = W x, ŷ = BN(h), x = φ(ŷ), without training; inputs normal; the loss is a random
/// linear function of the last outputs.
#[derive(Clone, Debug, Serialize)]
pub struct Explosion {
    pub activation: Activation,
    pub layers: Layers,
    pub width: usize,
    pub depth: usize,
    pub batch_sizes: Vec<usize>,
    /// Initial weights over those that keep a plain net's gradient.
    pub weight_scale: f64,
}

/// Of one layer: ‖∂L/∂h‖², ‖∂L/∂ŷ‖², and the part of the latter that BatchNorm lets through.
struct Layer {
    before: f64,
    behind: f64,
    kept: f64,
}

impl Trial for Explosion {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Series `gradient`, ‖∂L/∂h‖² by layers below the output for the last batch size, over that at the output, and
    /// `growth` by batch size. Values `growth_at_B`: the growth of ‖∂L/∂h‖² a layer; of nets with BatchNorm `kept_at_B`
    /// and `stretched_at_B` too, whose product is what one BatchNorm does to the squared gradient.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let RunContext { seed, device, .. } = *context;
        let gain = if self.activation == Activation::Relu { 2.0 } else { 1.0 };
        let deviation = self.weight_scale * (gain / self.width as f64).sqrt();
        let weight =
            |layer: u64| seed.stream(Purpose::Init, layer).normal_tensor((self.width, self.width), deviation, device);
        let weights = (0..self.depth as u64).map(weight).collect::<Result<Vec<_>>>()?;
        let mut trace = Trace::default();
        let mut growths = Vec::new();
        for size in &self.batch_sizes {
            let found = self.gradients(&weights, *size, seed, device)?;
            // A quarter of the layers, on the side of the input, and an eighth, on that of the output, are on their way
            // to the mean field.
            let (first, last) = (self.depth / 4, self.depth - 1 - self.depth / 8);
            let growth = libm::pow(found[first].before / found[last].before, 1.0 / (last - first) as f64);
            trace.values.insert(format!("growth_at_{size}"), growth);
            growths.push(growth);
            if self.layers == Layers::Normalized {
                let mean = |of: &dyn Fn(&Layer) -> f64| {
                    let logarithms = found[first..last].iter().map(|layer| libm::log(of(layer)));
                    libm::exp(logarithms.sum::<f64>() / (last - first) as f64)
                };
                trace.values.insert(format!("kept_at_{size}"), mean(&|layer| layer.kept));
                let stretched = mean(&|layer| layer.before / (layer.behind * layer.kept));
                // For weights of the plain net's scale.
                trace.values.insert(format!("stretched_at_{size}"), stretched * self.weight_scale.powi(2));
            }
            let output = found[self.depth - 1].before;
            let y = found.iter().rev().map(|layer| layer.before / output).collect();
            let x = (0..self.depth).map(|layer| layer as f64).collect();
            trace.series.insert("gradient".into(), Series { x, y });
        }
        let x = self.batch_sizes.iter().map(|size| *size as f64).collect();
        trace.series.insert("growth".into(), Series { x, y: growths });
        Ok(trace)
    }
}

impl Explosion {
    fn gradients(&self, weights: &[Tensor], batch: usize, seed: Seed, device: &Device) -> Result<Vec<Layer>> {
        let mut stream = seed.stream(Purpose::Probe, batch as u64);
        let shape = (batch, self.width);
        let (ones, zeros) =
            (Tensor::ones(self.width, DType::F32, device)?, Tensor::zeros(self.width, DType::F32, device)?);
        let how = Normalization { over: Axes::Batch, divisor: ScaleStatistic::Deviation, epsilon: 0.0 };
        // Zeros added to h and to ŷ: their gradients are those of h and of ŷ.
        let probe = || Var::zeros(shape, DType::F32, device);
        let (mut probes, mut normalized) = (Vec::new(), Vec::new());
        let mut x = stream.normal_tensor(shape, 1.0, device)?;
        for weight in weights {
            let (before, behind) = (probe()?, probe()?);
            let h = (linear(&x, weight, &zeros)? + before.as_tensor())?;
            let y = match self.layers {
                Layers::Plain => h,
                Layers::Normalized => normalize(&h, &ones, &zeros, how)?.output,
            };
            normalized.push(y.detach());
            let y = (y + behind.as_tensor())?;
            x = if self.activation == Activation::Relu { relu(&y)? } else { y };
            probes.push((before, behind));
        }
        let gradients = (x * stream.normal_tensor(shape, 1.0, device)?)?.sum_all()?.backward()?;
        let of = |probe: &Var| match gradients.get(probe) {
            Some(gradient) => gradient.to_dtype(DType::F64),
            None => candle_core::bail!("a layer without gradient"),
        };
        let layer = |((before, behind), y): (&(Var, Var), &Tensor)| -> Result<Layer> {
            let (g, y) = (of(behind)?, y.to_dtype(DType::F64)?);
            let square = |of: &Tensor| of.sqr()?.sum_all()?.to_scalar::<f64>();
            let all = square(&g)?;
            let gone = (square(&g.sum(0)?)? + square(&(&g * y)?.sum(0)?)?) / batch as f64;
            Ok(Layer { before: square(&of(before)?)?, behind: all, kept: 1.0 - gone / all })
        };
        probes.iter().zip(&normalized).map(layer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(activation: Activation, layers: Layers, weight_scale: f64) -> Trace {
        let explosion = Explosion { activation, layers, width: 64, depth: 16, batch_sizes: vec![8], weight_scale };
        explosion.run_alone(Seed(7), &Device::Cpu).unwrap()
    }

    #[test]
    fn batch_norm_makes_it_grow() {
        for activation in [Activation::Identity, Activation::Relu] {
            let growth = |layers| run(activation, layers, 1.0).values["growth_at_8"];
            assert!(growth(Layers::Normalized) > 1.1 && (growth(Layers::Plain) - 1.0).abs() < 0.2, "{activation:?}");
        }
    }

    /// Theorem 4.1 says what BatchNorm does to the gradient; the linear map and ReLU keep its size on average.
    #[test]
    fn the_growth_is_what_is_kept_times_its_stretching() {
        let values = run(Activation::Identity, Layers::Normalized, 1.0).values;
        let product = values["kept_at_8"] * values["stretched_at_8"];
        assert!((product / values["growth_at_8"] - 1.0).abs() < 0.1, "{values:?}");
    }

    #[test]
    fn the_size_of_the_weights_is_of_no_avail() {
        let [one, ten] = [1.0, 10.0].map(|scale| run(Activation::Relu, Layers::Normalized, scale).values);
        for name in ["growth_at_8", "kept_at_8", "stretched_at_8"] {
            assert!((ten[name] / one[name] - 1.0).abs() < 1e-3, "{name}");
        }
    }
}
