//! Batch renormalization (Ioffe 2017, arXiv:1702.03275), algorithm 1, in training:
//!
//! μ_B = Σ x_i / m,  σ_B = √(ε + Σ (x_i − μ_B)² / m)
//! r = clip(σ_B / σ, 1/r_max, r_max),  d = clip((μ_B − μ) / σ, −d_max, d_max), both without gradient
//! x̂_i = (x_i − μ_B) / σ_B · r + d,  y_i = γ x̂_i + β
//! μ ← μ + α (μ_B − μ),  σ ← σ + α (σ_B − σ)
//! and in inference y = γ (x − μ) / σ + β.
//!
//! Unclipped, training computes what inference does: x̂ = (x − μ) / σ. With r_max = 1 and d_max = 0 it is BatchNorm.
//! σ is a moving average of standard deviations, which contain ε, and not of variances. α is the paper's 0.01.
//!
//! Schedule (§4): BatchNorm for 5,000 steps, then r_max rises to 3 until step 40,000 and d_max to 5 until step
//! 25,000. Here these are fractions of a ramp that ends with r_max's rise: both begin after 1/8 of it, and d_max ends
//! after 5/8.
//!
//! Not in the paper: "gradually" is taken for linearly; μ and σ start at 0 and 1, as BatchNorm's averages; ε is 10⁻⁵.
//! PyTorch has no such layer; those of torchrl and Chainer keep a moving variance.

use super::{
    Mode, Norm, Pass,
    per_channel::{divide_per_channel, mean_of_channels, normalize_with, scale_shift, subtract_per_channel},
    running::MovingAverage,
};
use candle_core::{DType, Device, Result, Tensor, Var, bail};
use normbook_ops::{
    block::BlockInput,
    normalize::{Axes, Epilogue, Normalization, ScaleStatistic, normalize},
};
use serde::Serialize;

/// ε.
const EPSILON: f64 = 1e-5;

/// α: weight of the newest batch in the moving averages.
const MOMENTUM: f64 = 0.01;

/// The layer's settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Config {
    /// What r_max rises to from 1; at least 1.
    pub r_max: f64,
    /// What d_max rises to from 0; at least 0.
    pub d_max: f64,
    /// Training steps until both have risen; with 0 both are at their end from the first step.
    pub ramp_steps: u64,
}

impl Default for Config {
    /// The paper's schedule.
    fn default() -> Self {
        Self { r_max: 3.0, d_max: 5.0, ramp_steps: 40_000 }
    }
}

impl Config {
    /// Returns r_max and d_max at a step.
    pub fn limits(self, step: u64) -> [f64; 2] {
        let done = if self.ramp_steps == 0 { 1.0 } else { step as f64 / self.ramp_steps as f64 };
        let risen = |end: f64| ((done - 0.125) / (end - 0.125)).clamp(0.0, 1.0);
        [1.0 + (self.r_max - 1.0) * risen(1.0), self.d_max * risen(0.625)]
    }
}

/// The layer, for `[N, C, ..]`.
pub struct BatchRenorm {
    config: Config,
    /// γ, `[C]`, starts at 1.
    gamma: Var,
    /// β, `[C]`, starts at 0.
    beta: Var,
    /// μ, `[C]`, starts at 0.
    mean: MovingAverage,
    /// σ, `[C]`, starts at 1.
    standard_deviation: MovingAverage,
}

impl BatchRenorm {
    /// Errors on r_max below 1 and on d_max below 0.
    pub fn new(channels: usize, config: Config, dtype: DType, device: &Device) -> Result<Self> {
        let Config { r_max, d_max, .. } = config;
        if !(r_max >= 1.0 && d_max >= 0.0) {
            bail!("batch renormalization: r_max is {r_max}, d_max {d_max}; they must be at least 1 and at least 0");
        }
        let (zeros, ones) = (|| Var::zeros(channels, dtype, device), || Var::ones(channels, dtype, device));
        let (mean, standard_deviation) = (MovingAverage::new(zeros()?), MovingAverage::new(ones()?));
        Ok(Self { config, gamma: ones()?, beta: zeros()?, mean, standard_deviation })
    }

    // ANCHOR: definition
    /// Computes algorithm 1 in training and inference in evaluation, `[N, C, ..] -> [N, C, ..]`.
    pub fn definition(&self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        let x_hat = if pass.mode == Mode::Eval {
            let centered = subtract_per_channel(x, &self.mean.value()?)?;
            divide_per_channel(&centered, &self.standard_deviation.value()?)? // (x − μ) / σ
        } else {
            let mean = mean_of_channels(x)?; // μ_B
            let centered = subtract_per_channel(x, &mean)?;
            let standard_deviation = (mean_of_channels(&centered.sqr()?)? + EPSILON)?.sqrt()?; // σ_B
            let [r, d] = self.correction(&mean.detach(), &standard_deviation.detach(), pass.step)?;
            self.track(&mean, &standard_deviation, pass.mode)?; // μ, σ
            scale_shift(&divide_per_channel(&centered, &standard_deviation)?, &r, &d)? // x̂
        };
        scale_shift(&x_hat, &self.gamma, &self.beta) // y
    }

    /// Computes r and d, `[C]` each, for a batch's μ_B and σ_B.
    fn correction(&self, batch_mean: &Tensor, batch_standard_deviation: &Tensor, step: u64) -> Result<[Tensor; 2]> {
        let (mean, standard_deviation) = (self.mean.value()?, self.standard_deviation.value()?);
        let [r_max, d_max] = self.config.limits(step);
        let r = (batch_standard_deviation / &standard_deviation)?.clamp(1.0 / r_max, r_max)?;
        let d = ((batch_mean - mean)? / standard_deviation)?.clamp(-d_max, d_max)?;
        Ok([r, d])
    }
    // ANCHOR_END: definition

    /// Moves μ and σ towards a batch in training.
    fn track(&self, batch_mean: &Tensor, batch_standard_deviation: &Tensor, mode: Mode) -> Result<()> {
        if mode == Mode::Train {
            self.mean.track(batch_mean, MOMENTUM)?;
            self.standard_deviation.track(batch_standard_deviation, MOMENTUM)?;
        }
        Ok(())
    }
}

impl Norm for BatchRenorm {
    fn forward(&self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(x), pass, Epilogue::NOTHING)
    }

    fn parameters(&self) -> Vec<Var> {
        vec![self.gamma.clone(), self.beta.clone()]
    }

    fn state(&self) -> Vec<Var> {
        vec![self.mean.state(), self.standard_deviation.state()]
    }

    /// r and d need μ_B and σ_B first, so the kernel normalizes twice: once for them, without gradient, and then with
    /// γ r instead of γ and γ d + β instead of β.
    fn forward_then(&self, source: BlockInput, pass: Pass, epilogue: Epilogue) -> Result<Tensor> {
        let x = source.tensor()?;
        if pass.mode == Mode::Eval {
            let (mean, standard_deviation) = (self.mean.value()?, self.standard_deviation.value()?);
            return epilogue.apply(&normalize_with(&x, [&self.gamma, &self.beta], &mean, &standard_deviation)?);
        }
        let how = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: EPSILON };
        let batch = normalize(&x.detach(), &self.gamma.detach(), &self.beta.detach(), how)?;
        if batch.values_per_set < 2 {
            bail!("batch renormalization: one value per channel; training needs at least two: use larger batches");
        }
        let standard_deviation = (batch.scale_stat + EPSILON)?.sqrt()?;
        let [r, d] = self.correction(&batch.mean, &standard_deviation, pass.step)?;
        let gamma = (self.gamma.as_tensor() * r)?;
        let beta = ((self.gamma.as_tensor() * d)? + self.beta.as_tensor())?;
        self.track(&batch.mean, &standard_deviation, pass.mode)?;
        Ok(BlockInput::Tensor(&x).normalize(&gamma, &beta, how, epilogue)?.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::{
        batch::{self, BatchNorm},
        testing::{apart, assert_close, assert_definition, assert_gradients, normal, scatter, values, variable},
    };
    use normbook_lab::seed::Seed;

    const OPEN: Config = Config { r_max: 1e6, d_max: 1e6, ramp_steps: 0 };
    const CLIPPED: Config = Config { r_max: 1.2, d_max: 0.3, ramp_steps: 0 };

    /// With moving averages that are not those of the batches.
    fn layer(config: Config) -> BatchRenorm {
        let layer = BatchRenorm::new(3, config, DType::F64, &Device::Cpu).unwrap();
        scatter(&layer.parameters());
        let [mean, sigma] = [[0.1, -0.2, 1.0], [1.1, 0.5, 2.0]].map(|row| Tensor::new(&row, &Device::Cpu).unwrap());
        layer.mean.set(&mean).unwrap();
        layer.standard_deviation.set(&sigma).unwrap();
        layer
    }

    /// Algorithm 1 by loops for `[N, 3]`, with the r and d that belong to `at`: the output, the new μ and the new σ.
    fn by_loops(layer: &BatchRenorm, input: &Tensor, at: &Tensor, [r_max, d_max]: [f64; 2]) -> [Vec<f64>; 3] {
        let statistics = |input: &Tensor, channel: usize| {
            let x: Vec<f64> = values(&input.narrow(1, channel, 1).unwrap());
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            (mean, (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64 + 1e-5).sqrt())
        };
        let [mu, sigma] = [&layer.mean, &layer.standard_deviation].map(|average| values(&average.value().unwrap()));
        let (gamma, beta) = (values(&layer.gamma), values(&layer.beta));
        let of = |(index, x): (usize, f64)| {
            let c = index % 3;
            let (mean_at, sigma_at) = statistics(at, c);
            let r = (sigma_at / sigma[c]).min(r_max).max(1.0 / r_max);
            let d = ((mean_at - mu[c]) / sigma[c]).min(d_max).max(-d_max);
            let (mean, sigma) = statistics(input, c);
            gamma[c] * ((x - mean) / sigma * r + d) + beta[c]
        };
        let output = values(input).into_iter().enumerate().map(of).collect();
        let moved = |average: &[f64], of: fn((f64, f64)) -> f64| -> Vec<f64> {
            (0..3).map(|c| average[c] + 0.01 * (of(statistics(input, c)) - average[c])).collect()
        };
        [output, moved(&mu, |(mean, _)| mean), moved(&sigma, |(_, sigma)| sigma)]
    }

    #[test]
    fn the_definition_and_the_moving_averages() {
        let input = (normal(0, &[6, 3]) * 1.5).unwrap();
        for config in [OPEN, CLIPPED] {
            let layer = layer(config);
            let [output, mean, sigma] = by_loops(&layer, &input, &input, config.limits(0));
            assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &output, 1e-12);
            assert_close(&values(&layer.mean.value().unwrap()), &mean, 1e-12);
            assert_close(&values(&layer.standard_deviation.value().unwrap()), &sigma, 1e-12);
        }
    }

    #[test]
    fn the_kernel_computes_the_definition() {
        let ramp = Config { r_max: 1.5, d_max: 0.5, ramp_steps: 8 };
        for config in [OPEN, CLIPPED, ramp, Config::default()] {
            let new = |dtype| BatchRenorm::new(3, config, dtype, &Device::Cpu);
            assert_definition(&[&[5, 3], &[4, 3, 7], &[2, 3, 4, 5]], new, BatchRenorm::definition);
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
                let [output, ..] = by_loops(&layer, &input, &at, config.limits(0));
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
