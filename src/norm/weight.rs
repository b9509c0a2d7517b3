//! Weight normalization (Salimans & Kingma 2016, arXiv:1602.07868), for each unit's weight vector w, trained as v
//! and g.
//!
//! y = φ(w · x + b)                                                    eq. 1
//! w = g v / ‖v‖                                                       eq. 2
//! ∇_g L = ∇_w L · v / ‖v‖,  ∇_v L = g/‖v‖ ∇_w L − g ∇_g L/‖v‖² v      eq. 3
//!       = g/‖v‖ M_w ∇_w L,  M_w = I − w wᵀ/‖w‖²                        eq. 4
//!
//! Eq. 4 gives v · ∇_v L = 0, so ‖v‖ grows under plain SGD.
//!
//! Data-dependent initialization (§3), on the first training batch, layer by layer, with t = v · x / ‖v‖:
//! g ← 1 / σ[t],  b ← −μ[t] / σ[t]
//! Each unit then begins with mean 0 and standard deviation 1 over that batch.
//!
//! Differs from the paper: v begins as the network's weights are drawn; the paper draws it with standard deviation
//! 0.05, which changes ‖v‖ alone. Until the first training batch, and with [`Start::Drawn`] always, g begins as ‖v‖,
//! as in PyTorch: w is as it was drawn. In a convolution w is a filter with all its channels. ε = 10⁻⁸ next to σ²
//! keeps a unit that is constant over the batch finite; eq. 2 has no ε. Mean-only batch normalization (§4) is
//! [`super::mean_only`].

use super::{
    Pass,
    per_channel::{lengths_of_units, mean_of_channels, subtract_per_channel},
    reparameterization::{Map, Reparameterization},
};
use candle_core::{Result, Tensor, Var};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};

/// ε next to the variance of the first batch.
const EPSILON: f64 = 1e-8;

/// Where g and b begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The data-dependent initialization of §3.
    #[default]
    Data,
    /// g = ‖v‖ and b = 0: the weight is as it was drawn.
    Drawn,
}

/// The normalization of activations that follows the layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterWeightNorm {
    #[default]
    Nothing,
    /// Mean-only batch normalization (§4).
    #[serde(rename = "mean_only")]
    MeanOnlyBatchNorm,
}

/// The settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Config {
    pub start: Start,
    #[serde(rename = "behind")]
    pub after: AfterWeightNorm,
}

/// The reparameterization, of v `[O, ..]`.
pub struct WeightNorm {
    start: Start,
    has_started: AtomicBool,
    /// g, `[O]`.
    scale: Var,
}

impl WeightNorm {
    /// Takes the v `[O, ..]` that a layer begins with.
    pub fn new(direction: &Tensor, start: Start) -> Result<Self> {
        let scale = Var::from_tensor(&lengths_of_units(&direction.detach())?)?;
        Ok(Self { start, has_started: AtomicBool::new(false), scale })
    }
}

impl Reparameterization for WeightNorm {
    // ANCHOR: definition
    /// Computes w of eq. 2, `[O, ..]`, from v.
    fn weight(&self, direction: &Tensor, _: Pass) -> Result<Tensor> {
        let lengths = lengths_of_units(direction)?; // ‖v‖ of each unit, [O]
        multiply_units(direction, &(self.scale.as_tensor() / lengths)?) // g v / ‖v‖
    }
    // ANCHOR_END: definition

    /// Returns g.
    fn parameters(&self) -> Vec<Var> {
        vec![self.scale.clone()]
    }

    // ANCHOR: initialization
    /// Sets g and b on the first training batch as §3 does.
    fn before_training(&self, direction: &Tensor, bias: &Var, map: Map, pass: Pass) -> Result<()> {
        // A training that resumes at a later step has its g and b already.
        if self.start == Start::Drawn || pass.step > 0 || self.has_started.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let direction = direction.detach();
        let units = multiply_units(&direction, &lengths_of_units(&direction)?.recip()?)?; // v / ‖v‖
        let t = map(&units, &bias.zeros_like()?)?.detach();
        let mean = mean_of_channels(&t)?; // μ[t]
        let variance = mean_of_channels(&subtract_per_channel(&t, &mean)?.sqr()?)?;
        let standard_deviation = (variance + EPSILON)?.sqrt()?; // σ[t]
        self.scale.set(&standard_deviation.recip()?)?;
        bias.set(&(mean.neg()? / standard_deviation)?)
    }
    // ANCHOR_END: initialization
}

/// Multiplies each unit of a weight `[O, ..]` by its factor of `[O]`.
fn multiply_units(weight: &Tensor, factors: &Tensor) -> Result<Tensor> {
    let shape: Vec<usize> = (0..weight.rank()).map(|axis| if axis == 0 { factors.elem_count() } else { 1 }).collect();
    weight.broadcast_mul(&factors.reshape(shape)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{
        Golden, apart, assert_close, assert_gradients, golden, normal, scatter, values, variable,
    };
    use candle_core::{DType, Device};
    use normbook_ops::{
        conv2d::{Windows, conv2d},
        linear::linear,
        sgd::{self, Hyperparameters},
    };

    fn norm(direction: &Tensor) -> WeightNorm {
        let norm = WeightNorm::new(direction, Start::Drawn).unwrap();
        scatter(&norm.parameters());
        norm
    }

    /// Eq. 2 by loops; and until g moves, w is v.
    #[test]
    fn the_definition() {
        for dims in [&[4, 6][..], &[3, 2, 3, 3]] {
            let direction = normal(0, dims);
            let drawn = WeightNorm::new(&direction, Start::Drawn).unwrap();
            assert!(apart(&drawn.weight(&direction, Pass::TRAIN).unwrap(), &direction) < 1e-12);
            let norm = norm(&direction);
            let (v, g, of_unit) = (values(&direction), values(&norm.scale), direction.elem_count() / dims[0]);
            let unit = |(v, g): (&[f64], &f64)| {
                let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
                v.iter().map(|v| g * v / length).collect::<Vec<_>>()
            };
            let expected: Vec<f64> = v.chunks(of_unit).zip(&g).flat_map(unit).collect();
            assert_close(&values(&norm.weight(&direction, Pass::EVAL).unwrap()), &expected, 1e-12);
        }
    }

    /// Eq. 3 and 4 for ⟨r, w⟩, whose ∇_w is r; the length of v does not matter to w.
    #[test]
    fn the_gradients_are_those_of_the_paper() {
        let direction = variable(0, &[4, 6]);
        let (norm, r) = (norm(&direction), normal(1, &[4, 6]));
        let weight = norm.weight(&direction, Pass::TRAIN).unwrap();
        assert!(apart(&norm.weight(&(direction.as_tensor() * 3.0).unwrap(), Pass::TRAIN).unwrap(), &weight) < 1e-12);
        let gradients = (&weight * &r).unwrap().sum_all().unwrap().backward().unwrap();
        let of = |variable: &Var| values(gradients.get(variable).unwrap());
        let rows = |tensor: &Tensor| tensor.to_vec2::<f64>().unwrap();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (v, w, r, g) = (rows(&direction), rows(&weight), rows(&r), values(&norm.scale));
        for unit in 0..4 {
            let (v, w, r, g) = (&v[unit], &w[unit], &r[unit], g[unit]);
            let (length, of_v) = (dot(v, v).sqrt(), &of(&direction)[6 * unit..][..6]);
            let of_g = dot(r, v) / length;
            assert_close(&of(&norm.scale)[unit..=unit], &[of_g], 1e-12);
            let third: Vec<f64> = (0..6).map(|i| g / length * r[i] - g * of_g / (length * length) * v[i]).collect();
            let fourth: Vec<f64> = (0..6).map(|i| g / length * (r[i] - w[i] * dot(w, r) / dot(w, w))).collect();
            assert_close(of_v, &third, 1e-12);
            assert_close(of_v, &fourth, 1e-12);
            assert!(dot(v, of_v).abs() < 1e-12);
        }
    }

    /// ‖v′‖ = √(1 + c²) ‖v‖ with c = ‖Δv‖ / ‖v‖, for a step of SGD without momentum and decay (§2.1).
    #[test]
    fn a_step_of_sgd_lengthens_v() {
        let direction = variable(0, &[4, 6]);
        let norm = norm(&direction);
        let loss = (norm.weight(&direction, Pass::TRAIN).unwrap() * normal(1, &[4, 6])).unwrap().sum_all().unwrap();
        let gradient = loss.backward().unwrap().remove(&direction).unwrap();
        let (before, step) =
            (values(&lengths_of_units(&direction).unwrap()), values(&lengths_of_units(&gradient).unwrap()));
        sgd::step(
            &direction,
            &gradient,
            None,
            Hyperparameters { learning_rate: 0.5, momentum: 0.0, weight_decay: 0.0 },
        )
        .unwrap();
        let expected: Vec<f64> = before.iter().zip(step).map(|(v, g)| v.hypot(0.5 * g)).collect();
        assert_close(&values(&lengths_of_units(&direction).unwrap()), &expected, 1e-12);
    }

    /// Each unit has mean 0 and standard deviation 1 over the first batch, and the next batch changes nothing.
    #[test]
    fn the_first_batch_decides_where_it_starts() {
        let windows = Windows { stride: 1, padding: 1 };
        for (dims, inputs) in [(&[5, 6][..], normal(1, &[20, 6])), (&[5, 2, 3, 3], normal(1, &[4, 2, 6, 6]))] {
            let direction = normal(0, dims);
            let bias = Var::zeros(5, DType::F64, &Device::Cpu).unwrap();
            let norm = WeightNorm::new(&direction, Start::Data).unwrap();
            let map = |inputs: &Tensor, weight: &Tensor, bias: &Tensor| match weight.rank() {
                2 => linear(inputs, weight, bias),
                _ => conv2d(inputs, weight, bias, windows),
            };
            let inputs = ((inputs * 3.0).unwrap() + 2.0).unwrap();
            norm.before_training(&direction, &bias, &|weight, bias| map(&inputs, weight, bias), Pass::TRAIN).unwrap();
            let y = map(&inputs, &norm.weight(&direction, Pass::TRAIN).unwrap(), &bias).unwrap();
            assert_close(&values(&mean_of_channels(&y).unwrap()), &[0.0; 5], 1e-9);
            assert_close(&values(&mean_of_channels(&y.sqr().unwrap()).unwrap()), &[1.0; 5], 1e-6);
            let started = values(&bias);
            norm.before_training(&direction, &bias, &|_, _| unreachable!("the first batch has been"), Pass::TRAIN)
                .unwrap();
            assert_eq!(values(&bias), started);
        }
    }

    #[test]
    fn the_gradients_are_central_differences() {
        for dims in [&[4, 6][..], &[3, 2, 2, 2]] {
            let direction = variable(0, dims);
            let norm = norm(&direction);
            let weight = || norm.weight(&direction, Pass::TRAIN);
            assert_gradients(&[vec![direction.clone()], norm.parameters()].concat(), weight, weight);
        }
    }

    #[test]
    fn pytorch_gives_the_same() {
        for name in ["weight", "weight of a convolution"] {
            let Golden { input, parameters, upstream, output, gradients, .. } = golden(name);
            let direction = input.variable();
            let norm = WeightNorm::new(&direction, Start::Drawn).unwrap();
            norm.scale.set(&parameters[0].tensor().flatten_all().unwrap()).unwrap();
            let weight = norm.weight(&direction, Pass::TRAIN).unwrap();
            assert_close(&values(&weight), &values(&output.tensor()), 1e-12);
            let found = (weight * upstream.tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            for (variable, expected) in [&direction, &norm.scale].into_iter().zip(&gradients) {
                assert_close(&values(found.get(variable).unwrap()), &values(&expected.tensor()), 1e-12);
            }
        }
    }
}
