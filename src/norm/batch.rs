//! Batch normalization (Ioffe & Szegedy 2015, arXiv:1502.03167).
//!
//! μ_c  = mean over the batch and space    Alg. 1, line 1
//! σ²_c = mean of (x − μ_c)², biased       line 2
//! x̂    = (x − μ_c) / √(σ²_c + ε)          line 3
//! y    = γ_c x̂ + β_c                      line 4
//!
//! Differs from the paper: in evaluation, moving averages take the place of population statistics (Alg. 2, line 10). As in
//! PyTorch the momentum weighs the *new* batch, and the running variance is unbiased (Alg. 2, line 10: m / (m − 1)) while
//! the one that normalizes is not.

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
use serde::{Deserialize, Serialize};

/// ε of line 3, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// What the newest batch weighs in the moving averages.
const MOMENTUM: f64 = 0.1;

/// Which of γ and β are learned; the others stay 1 and 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Affine {
    #[default]
    Both,
    /// γ alone.
    Weight,
    /// β alone.
    Bias,
    Neither,
}

/// What the gradient knows of μ and σ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gradient {
    /// That they depend on the batch.
    #[default]
    Through,
    /// Nothing: they are held constant, as if they were numbers. Not a norm to use, but what §2 of the paper warns of.
    Held,
}

/// The layer's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    pub affine: Affine,
    pub gradient: Gradient,
}

/// The layer, for `[N, C, ..]`.
pub struct BatchNorm {
    config: Config,
    /// γ, `[C]`, starts at 1.
    weight: Tensor,
    /// β, `[C]`, starts at 0.
    bias: Tensor,
    /// Those of the two that are learned.
    learned: Vec<Var>,
    running: Running,
}

impl BatchNorm {
    pub fn new(channels: usize, config: Config, dtype: DType, device: &Device) -> Result<Self> {
        let (of_weight, of_bias) = match config.affine {
            Affine::Both => (true, true),
            Affine::Weight => (true, false),
            Affine::Bias => (false, true),
            Affine::Neither => (false, false),
        };
        let mut learned = Vec::new();
        let mut parameter = |start: Var, is_learned: bool| {
            let tensor = if is_learned { start.as_tensor().clone() } else { start.as_detached_tensor() };
            learned.extend(is_learned.then_some(start));
            tensor
        };
        let weight = parameter(Var::ones(channels, dtype, device)?, of_weight);
        let bias = parameter(Var::zeros(channels, dtype, device)?, of_bias);
        Ok(Self { config, weight, bias, learned, running: Running::new(channels, dtype, device)? })
    }

    /// Normalizes with the statistics of this batch and does what follows; gives the statistics too.
    fn with_batch(&self, source: BlockInput, then: Epilogue) -> Result<(Tensor, Moments)> {
        let how = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: EPSILON };
        let (normalized, held) = match self.config.gradient {
            Gradient::Through => (source.normalize(&self.weight, &self.bias, how, then)?, None),
            Gradient::Held => {
                let input = source.tensor()?;
                (normalize(&input.detach(), &self.weight, &self.bias, how)?, Some(input))
            }
        };
        let values = normalized.values_per_set as f64;
        if values < 2.0 {
            bail!("batch norm: one value per channel; training needs at least two");
        }
        let output = match held {
            None => normalized.output,
            Some(input) => then.apply(&self.with(&input, &normalized.mean, &normalized.scale_stat)?)?,
        };
        let variance = (normalized.scale_stat * (values / (values - 1.0)))?;
        Ok((output, Moments { mean: normalized.mean, variance }))
    }

    /// Normalizes with a mean and a variance that do not depend on the input.
    fn with(&self, input: &Tensor, mean: &Tensor, variance: &Tensor) -> Result<Tensor> {
        normalize_with(input, [&self.weight, &self.bias], mean, &(variance + EPSILON)?.sqrt()?)
    }
}

impl Norm for BatchNorm {
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(input), pass, Epilogue::NOTHING)
    }

    fn forward_then(&self, source: BlockInput, pass: Pass, then: Epilogue) -> Result<Tensor> {
        if pass.mode == Mode::Eval {
            let Moments { mean, variance } = self.running.moments()?;
            return then.apply(&self.with(&source.tensor()?, &mean, &variance)?);
        }
        let (output, batch) = self.with_batch(source, then)?;
        match pass.mode {
            Mode::Train => self.running.track(batch, MOMENTUM)?,
            Mode::Probe | Mode::Eval => self.running.saw(batch),
        }
        Ok(output)
    }

    fn parameters(&self) -> Vec<Var> {
        self.learned.clone()
    }

    fn running(&self) -> Option<&Running> {
        Some(&self.running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{assert_golden, assert_gradients_of};

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn layer(config: Config) -> BatchNorm {
        BatchNorm::new(1, config, DType::F32, &Device::Cpu).unwrap()
    }

    /// One channel, values 1, 2, 3, 6: mean 3, biased variance 3.5, unbiased 14/3.
    fn batch() -> Tensor {
        Tensor::new(&[[1f32], [2.0], [3.0], [6.0]], &Device::Cpu).unwrap()
    }

    #[test]
    fn the_moving_averages_take_a_tenth_of_each_batch() {
        let layer = layer(Config::default());
        let output = values(&layer.forward(&batch(), Pass::TRAIN).unwrap());
        assert!((output[3] - 3.0 / 3.5001f32.sqrt()).abs() < 1e-4);
        let Moments { mean, variance } = layer.running.moments().unwrap();
        assert!((values(&mean)[0] - 0.3).abs() < 1e-6);
        assert!((values(&variance)[0] - (0.9 + 1.4 / 3.0)).abs() < 1e-6);
        let mean = Tensor::new(&[[0.3f32]], &Device::Cpu).unwrap();
        assert!(values(&layer.forward(&mean, Pass::EVAL).unwrap())[0].abs() < 1e-6);
    }

    #[test]
    fn a_probe_moves_nothing() {
        let layer = layer(Config::default());
        let trained = values(&layer.forward(&batch(), Pass::PROBE).unwrap());
        let Moments { mean, variance } = layer.running.moments().unwrap();
        assert_eq!((values(&mean), values(&variance)), (vec![0.0], vec![1.0]));
        let newest = layer.running.newest().unwrap();
        assert!((values(&newest.variance)[0] - 14.0 / 3.0).abs() < 1e-5);
        assert_eq!(trained, values(&layer.forward(&batch(), Pass::TRAIN).unwrap()));
    }

    #[test]
    fn moments_that_were_taken_do_not_move_with_the_layer() {
        let layer = layer(Config::default());
        let before = layer.running.moments().unwrap();
        layer.forward(&batch(), Pass::TRAIN).unwrap();
        assert_eq!(values(&before.mean), [0.0]);
        layer.running.set(&before).unwrap();
        assert_eq!(values(&layer.running.moments().unwrap().mean), [0.0]);
    }

    #[test]
    fn one_value_per_channel_cannot_train() {
        let layer = BatchNorm::new(2, Config::default(), DType::F32, &Device::Cpu).unwrap();
        let one = Tensor::ones((1, 2), DType::F32, &Device::Cpu).unwrap();
        assert!(layer.forward(&one, Pass::TRAIN).unwrap_err().to_string().contains("at least two"));
        assert!(layer.forward(&one, Pass::EVAL).is_ok());
    }

    #[test]
    fn the_gradients_are_central_differences_and_pytorchs() {
        let layer = || BatchNorm::new(3, Config::default(), DType::F64, &Device::Cpu).unwrap();
        assert_gradients_of(&layer(), &[5, 3], Pass::PROBE);
        assert_gradients_of(&layer(), &[2, 3, 2, 3], Pass::PROBE);
        assert_golden("batch", &layer());
    }

    #[test]
    fn what_is_not_learned_is_no_parameter_and_gets_no_gradient() {
        for (affine, learned) in [(Affine::Both, 2), (Affine::Weight, 1), (Affine::Bias, 1), (Affine::Neither, 0)] {
            let layer = layer(Config { affine, ..Config::default() });
            let output = layer.forward(&batch(), Pass::TRAIN).unwrap();
            let gradients = output.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            assert_eq!(layer.parameters().len(), learned);
            assert!(layer.parameters().iter().all(|parameter| gradients.get(parameter).is_some()), "{affine:?}");
        }
    }

    /// The same output, but the gradient of a batch's sum, which is 0 through the mean.
    #[test]
    fn held_statistics_change_the_gradient_alone() {
        let of = |gradient| {
            let layer = layer(Config { gradient, ..Config::default() });
            let input = Var::from_tensor(&batch()).unwrap();
            let output = layer.forward(&input, Pass::TRAIN).unwrap();
            let gradients = output.sum_all().unwrap().backward().unwrap();
            (values(&output), values(gradients.get(&input).unwrap()))
        };
        let ((through, no_gradient), (held, gradient)) = (of(Gradient::Through), of(Gradient::Held));
        for (one, other) in through.iter().zip(&held) {
            assert!((one - other).abs() < 1e-6);
        }
        assert!(no_gradient.iter().all(|value| value.abs() < 1e-6));
        assert!(gradient.iter().all(|value| (value - 1.0 / 3.5001f32.sqrt()).abs() < 1e-4), "{gradient:?}");
    }
}
