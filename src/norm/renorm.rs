//! Batch renormalization (Ioffe 2017, arXiv:1702.03275), algorithm 1, in training:
//!
//! μ_B = Σ x_i / m,  σ_B = √(ε + Σ (x_i − μ_B)² / m)
//! r = clip(σ_B / σ, 1/r_max, r_max),  d = clip((μ_B − μ) / σ, −d_max, d_max), both without gradient
//! x̂_i = (x_i − μ_B) / σ_B · r + d,  y_i = γ x̂_i + β
//! μ ← μ + α (μ_B − μ),  σ ← σ + α (σ_B − σ)
//! and in inference y = γ (x − μ) / σ + β.
//!
//! Unclipped, the training output is that of inference: x̂ = (x − μ) / σ. With r_max = 1 and d_max = 0 it is BatchNorm's.
//! σ is a moving average of standard deviations, with ε in them, and not of variances.
//!
//! The paper (§4) begins as BatchNorm for 5,000 steps, then lets r_max rise to 3 until step 40,000 and d_max to 5 until step
//! 25,000. Here these are parts of a ramp, whose end is the end of r_max's rise: both begin after 1/8 of it, and d_max ends
//! after 5/8. "Gradually" is taken for linearly.
//!
//! α is the paper's 0.01. Not said in the paper: μ and σ start at 0 and 1, as BatchNorm's; ε is 10⁻⁵. PyTorch has no such layer;
//! torchrl's and Chainer's keep a moving variance.

use super::{
    Mode, Norm, Pass,
    per_channel::normalize_with,
    running::{Moments, Running},
};
use candle_core::{DType, Device, Result, Tensor, Var, bail};
use normbook_ops::{
    block::BlockInput,
    normalize::{Axes, Epilogue, Normalization, ScaleStatistic, normalize},
};
use serde::Serialize;

/// ε.
const EPSILON: f64 = 1e-5;

/// α: what the newest batch weighs in the moving averages.
const MOMENTUM: f64 = 0.01;

/// The layer's settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Config {
    /// What r_max rises to from 1; at least 1.
    pub r_max: f64,
    /// What d_max rises to from 0; at least 0.
    pub d_max: f64,
    /// Training steps until both have risen; with 0 they are there at once.
    pub ramp_steps: u64,
}

impl Default for Config {
    /// The paper's.
    fn default() -> Self {
        Self { r_max: 3.0, d_max: 5.0, ramp_steps: 40_000 }
    }
}

impl Config {
    /// r_max and d_max at a step.
    pub fn limits(self, step: u64) -> [f64; 2] {
        let part = if self.ramp_steps == 0 { 1.0 } else { step as f64 / self.ramp_steps as f64 };
        let risen = |end: f64| ((part - 0.125) / (end - 0.125)).clamp(0.0, 1.0);
        [1.0 + (self.r_max - 1.0) * risen(1.0), self.d_max * risen(0.625)]
    }
}

/// The layer, for `[N, C, ..]`.
pub struct BatchRenorm {
    config: Config,
    /// γ, `[C]`, starts at 1.
    weight: Var,
    /// β, `[C]`, starts at 0.
    bias: Var,
    /// Of μ and, in the place of a variance, of σ: no one else may read it as one.
    running: Running,
}

impl BatchRenorm {
    /// Errors on limits that leave no room.
    pub fn new(channels: usize, config: Config, dtype: DType, device: &Device) -> Result<Self> {
        let Config { r_max, d_max, .. } = config;
        if !(r_max >= 1.0 && d_max >= 0.0) {
            bail!("batch renorm: r_max {r_max}, d_max {d_max}; r_max is at least 1 and d_max at least 0");
        }
        let (weight, bias) = (Var::ones(channels, dtype, device)?, Var::zeros(channels, dtype, device)?);
        Ok(Self { config, weight, bias, running: Running::new(channels, dtype, device)? })
    }

    /// r and d, `[C]`, of a batch's μ_B and σ_B.
    fn correction(&self, batch: &Moments, step: u64) -> Result<[Tensor; 2]> {
        let Moments { mean, variance: deviation } = self.running.moments()?;
        let [r_max, d_max] = self.config.limits(step);
        let r = (&batch.variance / &deviation)?.clamp(1.0 / r_max, r_max)?;
        let d = ((&batch.mean - mean)? / deviation)?.clamp(-d_max, d_max)?;
        Ok([r, d])
    }
}

impl Norm for BatchRenorm {
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(input), pass, Epilogue::NOTHING)
    }

    // ANCHOR: renorm
    /// r and d need μ_B and σ_B first, so that the batch is normalized twice: once for them, without gradient, and then with
    /// γ r and γ d + β in the place of γ and β.
    fn forward_then(&self, source: BlockInput, pass: Pass, then: Epilogue) -> Result<Tensor> {
        let input = source.tensor()?;
        if pass.mode == Mode::Eval {
            let Moments { mean, variance: deviation } = self.running.moments()?;
            return then.apply(&normalize_with(&input, [&self.weight, &self.bias], &mean, &deviation)?);
        }
        let how = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: EPSILON };
        let plain = normalize(&input.detach(), &self.weight.detach(), &self.bias.detach(), how)?;
        if plain.values_per_set < 2 {
            bail!("batch renorm: one value per channel; training needs at least two");
        }
        let batch = Moments { mean: plain.mean, variance: (plain.scale_stat + EPSILON)?.sqrt()? };
        let [r, d] = self.correction(&batch, pass.step)?;
        let weight = (self.weight.as_tensor() * r)?;
        let bias = ((self.weight.as_tensor() * d)? + self.bias.as_tensor())?;
        if pass.mode == Mode::Train {
            self.running.track(batch, MOMENTUM)?;
        }
        Ok(BlockInput::Tensor(&input).normalize(&weight, &bias, how, then)?.output)
    }
    // ANCHOR_END: renorm

    fn parameters(&self) -> Vec<Var> {
        vec![self.weight.clone(), self.bias.clone()]
    }

    fn state(&self) -> Vec<Var> {
        self.running.state()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::{
        batch::{self, BatchNorm},
        testing::{apart, assert_close, assert_gradients, normal, scatter, values, variable},
    };
    use normbook_lab::seed::Seed;

    const OPEN: Config = Config { r_max: 1e6, d_max: 1e6, ramp_steps: 0 };
    const CLIPPED: Config = Config { r_max: 1.2, d_max: 0.3, ramp_steps: 0 };

    /// With moving averages that are not those of the batches.
    fn layer(config: Config) -> BatchRenorm {
        let layer = BatchRenorm::new(3, config, DType::F64, &Device::Cpu).unwrap();
        scatter(&layer.parameters());
        let [mean, deviation] = [[0.1, -0.2, 1.0], [1.1, 0.5, 2.0]].map(|row| Tensor::new(&row, &Device::Cpu).unwrap());
        layer.running.set(&Moments { mean, variance: deviation }).unwrap();
        layer
    }

    /// Algorithm 1 by loops for `[N, 3]`, with the r and d that belong to `at`; the new μ and σ behind the output.
    fn definition(layer: &BatchRenorm, input: &Tensor, at: &Tensor, [r_max, d_max]: [f64; 2]) -> [Vec<f64>; 3] {
        let statistics = |input: &Tensor, channel: usize| {
            let x: Vec<f64> = values(&input.narrow(1, channel, 1).unwrap());
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            (mean, (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64 + 1e-5).sqrt())
        };
        let Moments { mean, variance } = layer.running.moments().unwrap();
        let (mu, sigma) = (values(&mean), values(&variance));
        let (gamma, beta) = (values(&layer.weight), values(&layer.bias));
        let of = |(index, x): (usize, f64)| {
            let c = index % 3;
            let (mean_at, deviation_at) = statistics(at, c);
            let r = (deviation_at / sigma[c]).min(r_max).max(1.0 / r_max);
            let d = ((mean_at - mu[c]) / sigma[c]).min(d_max).max(-d_max);
            let (mean, deviation) = statistics(input, c);
            gamma[c] * ((x - mean) / deviation * r + d) + beta[c]
        };
        let output = values(input).into_iter().enumerate().map(of).collect();
        let moved = |average: &[f64], of: fn((f64, f64)) -> f64| -> Vec<f64> {
            (0..3).map(|c| average[c] + 0.01 * (of(statistics(input, c)) - average[c])).collect()
        };
        [output, moved(&mu, |(mean, _)| mean), moved(&sigma, |(_, deviation)| deviation)]
    }

    #[test]
    fn the_definition_and_the_moving_averages() {
        let input = (normal(0, &[6, 3]) * 1.5).unwrap();
        for config in [OPEN, CLIPPED] {
            let layer = layer(config);
            let [output, mean, deviation] = definition(&layer, &input, &input, config.limits(0));
            assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &output, 1e-12);
            let moved = layer.running.moments().unwrap();
            assert_close(&values(&moved.mean), &mean, 1e-12);
            assert_close(&values(&moved.variance), &deviation, 1e-12);
        }
    }

    /// To the bit, and as long as the schedule says.
    #[test]
    fn with_r_1_and_d_0_it_is_batch_norm() {
        let input = normal(0, &[4, 3, 5, 5]);
        let batch = BatchNorm::new(3, batch::Config::default(), DType::F64, &Device::Cpu).unwrap();
        scatter(&batch.parameters());
        let expected = values(&batch.forward(&input, Pass::PROBE).unwrap());
        let at = |config, step| values(&layer(config).forward(&input, Pass::probe(step, Seed(0))).unwrap());
        assert_eq!(at(Config { r_max: 1.0, d_max: 0.0, ramp_steps: 0 }, 0), expected);
        assert_eq!(at(Config::default(), 5_000), expected);
        assert_ne!(at(Config::default(), 5_001), expected);
    }

    /// Without clipping for any averages; with it, once they are the batch's.
    #[test]
    fn training_gives_what_evaluation_gives() {
        let input = normal(0, &[6, 3, 2]);
        let both = |layer: &BatchRenorm| {
            let of = |pass| layer.forward(&input, pass).unwrap();
            apart(&of(Pass::PROBE), &of(Pass::EVAL))
        };
        assert!(both(&layer(OPEN)) < 1e-12);
        let layer = layer(CLIPPED);
        assert!(both(&layer) > 1e-2);
        for _ in 0..3_000 {
            layer.forward(&input, Pass::TRAIN).unwrap();
        }
        assert!(both(&layer) < 1e-10, "{}", both(&layer));
    }

    #[test]
    fn the_schedule_is_the_papers() {
        let paper = Config::default();
        for (step, limits) in [
            (0, [1.0, 0.0]),
            (5_000, [1.0, 0.0]),
            (15_000, [1.0 + 2.0 * 2.0 / 7.0, 2.5]),
            (25_000, [1.0 + 8.0 / 7.0, 5.0]),
        ] {
            assert_close(&paper.limits(step), &limits, 1e-12);
        }
        assert_eq!([paper.limits(40_000), paper.limits(1_000_000)], [[3.0, 5.0]; 2]);
        assert_eq!(CLIPPED.limits(0), [1.2, 0.3]);
    }

    /// Of the definition with r and d held where they are.
    #[test]
    fn the_gradients_are_central_differences() {
        for config in [OPEN, CLIPPED] {
            let (layer, input) = (layer(config), variable(0, &[5, 3]));
            let at = input.as_tensor().copy().unwrap();
            let definition = || {
                let [output, ..] = definition(&layer, &input, &at, config.limits(0));
                Tensor::from_vec(output, (5, 3), &Device::Cpu)
            };
            let variables = [vec![input.clone()], layer.parameters()].concat();
            assert_gradients(&variables, || layer.forward(&input, Pass::PROBE), definition);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (r_max, d_max) in [(0.9, 1.0), (2.0, -1.0), (f64::NAN, 1.0)] {
            let config = Config { r_max, d_max, ramp_steps: 0 };
            assert!(BatchRenorm::new(1, config, DType::F32, &Device::Cpu).is_err());
        }
        let error = layer(OPEN).forward(&normal(0, &[1, 3]), Pass::TRAIN).unwrap_err();
        assert!(error.to_string().contains("at least two"));
    }
}
