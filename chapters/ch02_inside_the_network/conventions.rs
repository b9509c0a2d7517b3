//! What libraries keep of a batch for evaluation, and how far it is from the variance of the data.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{BatchNorm, ModuleT, VarBuilder, VarMap};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is averaged over the batches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tracked {
    /// Σ (x − μ)² / (m − 1): the paper (Alg. 2), PyTorch, candle-nn.
    UnbiasedVariance,
    /// Σ (x − μ)² / m: Keras, burn.
    BiasedVariance,
    /// √(Σ (x − μ)² / m): the lecture, whose moving average is that of σ.
    Deviation,
    /// What candle-nn's own layer does, run.
    CandleNn,
}

/// The trial: exact, in f64 (candle-nn: f32), one channel of normal values with mean 2 and standard deviation 3.
#[derive(Clone, Debug, Serialize)]
pub struct Conventions {
    pub tracked: Tracked,
    pub batch_size: usize,
    pub epsilon: f64,
}

const MEAN: f64 = 2.0;
const DEVIATION: f64 = 3.0;
const BATCHES: u64 = 20_000;
/// Weight of the newest batch. It is small, which keeps the average near its expectation.
const MOMENTUM: f64 = 1e-3;
/// Standard deviation of a channel that varies little.
const QUIET: f64 = 0.01;

impl Trial for Conventions {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Values: `variance_over_true`, the moving average after 20,000 batches over the variance of the data;
    /// `deviation_in_evaluation`, that of the data once normalized by it (ε left out); `quiet_deviation`, that of a
    /// channel with standard deviation 0.01, normalized by its true variance and ε.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let device = context.device;
        let variance = match self.tracked {
            Tracked::CandleNn => self.of_candle_nn(device)?,
            tracked => self.of_batches(tracked),
        };
        let ratio = variance / (DEVIATION * DEVIATION);
        let mut trace = Trace::default();
        trace.values.extend([
            ("variance_over_true".into(), ratio),
            ("deviation_in_evaluation".into(), 1.0 / ratio.sqrt()),
            ("quiet_deviation".into(), QUIET / (QUIET * QUIET + self.epsilon).sqrt()),
        ]);
        Ok(trace)
    }
}

impl Conventions {
    fn batch(&self, step: u64) -> Vec<f64> {
        let mut stream = Seed(0).stream(Purpose::Probe, step);
        (0..self.batch_size).map(|_| MEAN + DEVIATION * stream.normal()).collect()
    }

    /// The moving average, as a variance.
    fn of_batches(&self, tracked: Tracked) -> f64 {
        let m = self.batch_size as f64;
        let of_batch = |step: u64| {
            let batch = self.batch(step);
            let mean = batch.iter().sum::<f64>() / m;
            let squares = batch.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            match tracked {
                Tracked::UnbiasedVariance | Tracked::CandleNn => squares / (m - 1.0),
                Tracked::BiasedVariance => squares / m,
                Tracked::Deviation => (squares / m).sqrt(),
            }
        };
        let average = (1..BATCHES).fold(of_batch(0), |average, step| average + MOMENTUM * (of_batch(step) - average));
        if tracked == Tracked::Deviation { average * average } else { average }
    }

    fn of_candle_nn(&self, device: &Device) -> Result<f64> {
        let variables = VarMap::new();
        let builder = VarBuilder::from_varmap(&variables, DType::F32, device);
        let config = candle_nn::BatchNormConfig { eps: self.epsilon, momentum: MOMENTUM, ..Default::default() };
        let layer: BatchNorm = candle_nn::batch_norm(1, config, builder)?;
        for step in 0..BATCHES {
            let batch: Vec<f32> = self.batch(step).into_iter().map(|x| x as f32).collect();
            layer.forward_t(&Tensor::from_vec(batch, (self.batch_size, 1), device)?, true)?;
        }
        Ok(f64::from(layer.running_var().to_vec1::<f32>()?[0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(tracked: Tracked, batch_size: usize) -> f64 {
        let trial = Conventions { tracked, batch_size, epsilon: 1e-5 };
        trial.run_alone(Seed(0), &Device::Cpu).unwrap().values["variance_over_true"]
    }

    /// Expectations for normal data: 1, (m − 1)/m, and for two values (E|x₁ − x₂| / 2)² = 1/π of the variance.
    #[test]
    fn the_averages_are_near_their_expectations() {
        assert!((ratio(Tracked::UnbiasedVariance, 2) - 1.0).abs() < 0.12);
        assert!((ratio(Tracked::BiasedVariance, 2) - 0.5).abs() < 0.06);
        assert!((ratio(Tracked::Deviation, 2) - std::f64::consts::FRAC_1_PI).abs() < 0.03);
        assert!((ratio(Tracked::BiasedVariance, 64) - 63.0 / 64.0).abs() < 0.02);
    }

    #[test]
    fn candle_nn_tracks_the_unbiased_variance() {
        let difference = ratio(Tracked::CandleNn, 2) / ratio(Tracked::UnbiasedVariance, 2) - 1.0;
        assert!(difference.abs() < 1e-3, "{difference}");
    }
}
