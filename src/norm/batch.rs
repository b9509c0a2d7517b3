//! Batch normalization (Ioffe & Szegedy 2015, arXiv:1502.03167).
//!
//! Algorithm 1, for the m values x of a channel in the batch, space included (§3.2):
//! μ_B  = Σ x_i / m                       line 1
//! σ²_B = Σ (x_i − μ_B)² / m              line 2
//! x̂_i  = (x_i − μ_B) / √(σ²_B + ε)       line 3
//! y_i  = γ x̂_i + β                       line 4
//!
//! Algorithm 2, for evaluation:
//! E[x] = E_B[μ_B],  Var[x] = m / (m − 1) · E_B[σ²_B]           line 10
//! y    = γ (x − E[x]) / √(Var[x] + ε) + β                      line 11
//!
//! Differs from the paper: moving averages over the training steps take the place of the expectations in line 10. As in
//! PyTorch, `momentum` weighs the new batch, ε is 10⁻⁵, and the variance of evaluation is unbiased while that of
//! training is not.

use super::{
    Mode, Norm, Pass,
    per_channel::{divide_per_channel, mean_of_channels, normalize_with, scale_shift, subtract_per_channel},
    running::{Moments, Running},
};
use candle_core::{DType, Device, Result, Tensor, Var, bail};
use normbook_ops::{
    block::BlockInput,
    normalize::{Axes, Epilogue, Normalization, Normalized, ScaleStatistic, normalize},
};
use serde::{Deserialize, Serialize};

/// ε of lines 3 and 11.
const EPSILON: f64 = 1e-5;

/// Weight of the newest batch in the moving averages.
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

/// Whether the gradient takes μ_B and σ_B for functions of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatisticsGradient {
    /// Yes: it flows through both, as in the paper.
    #[default]
    Through,
    /// No: it takes both for constants. This is the mistake that §2 of the paper warns of, not a layer to use.
    #[serde(rename = "held")]
    Detached,
}

impl StatisticsGradient {
    fn of(self, statistic: Tensor) -> Tensor {
        match self {
            Self::Through => statistic,
            Self::Detached => statistic.detach(),
        }
    }
}

/// The layer's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    pub affine: Affine,
    pub gradient: StatisticsGradient,
}

/// The layer, for `[N, C, ..]`.
pub struct BatchNorm {
    config: Config,
    /// γ, `[C]`, starts at 1.
    gamma: Tensor,
    /// β, `[C]`, starts at 0.
    beta: Tensor,
    /// Those of the two that are learned.
    learned: Vec<Var>,
    running: Running,
}

impl BatchNorm {
    pub fn new(channels: usize, config: Config, dtype: DType, device: &Device) -> Result<Self> {
        let (learns_gamma, learns_beta) = match config.affine {
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
        let gamma = parameter(Var::ones(channels, dtype, device)?, learns_gamma);
        let beta = parameter(Var::zeros(channels, dtype, device)?, learns_beta);
        Ok(Self { config, gamma, beta, learned, running: Running::new(channels, dtype, device)? })
    }

    // ANCHOR: definition
    /// Computes algorithm 1 in training and line 11 of algorithm 2 in evaluation, `[N, C, ..] -> [N, C, ..]`.
    pub fn definition(&self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        let (mean, variance) = if pass.mode == Mode::Eval {
            let Moments { mean, variance } = self.running.moments()?;
            (mean, variance)
        } else {
            let mean = mean_of_channels(x)?; // line 1
            let variance = mean_of_channels(&subtract_per_channel(x, &mean)?.sqr()?)?; // line 2
            self.track(&mean, &variance, x.elem_count() / x.dim(1)?, pass.mode)?; // line 10
            (self.config.gradient.of(mean), self.config.gradient.of(variance))
        };
        let centered = subtract_per_channel(x, &mean)?;
        let x_hat = divide_per_channel(&centered, &(variance + EPSILON)?.sqrt()?)?; // line 3
        scale_shift(&x_hat, &self.gamma, &self.beta) // lines 4 and 11
    }
    // ANCHOR_END: definition

    /// Moves the averages of line 10 towards a batch of `values` values per channel with this mean and biased
    /// variance; a probe only notes the batch as the newest. Errors on a single value, which has no unbiased variance.
    fn track(&self, mean: &Tensor, variance: &Tensor, values: usize, mode: Mode) -> Result<()> {
        if values < 2 {
            bail!("batch normalization: one value per channel; training needs at least two: use larger batches");
        }
        let values = values as f64;
        let batch = Moments { mean: mean.detach(), variance: (variance.detach() * (values / (values - 1.0)))? };
        match mode {
            Mode::Train => self.running.track(batch, MOMENTUM),
            Mode::Probe | Mode::Eval => {
                self.running.saw(batch);
                Ok(())
            }
        }
    }

    /// Normalizes with a mean and a variance that do not depend on the input.
    fn normalize_with(&self, x: &Tensor, mean: &Tensor, variance: &Tensor) -> Result<Tensor> {
        normalize_with(x, [&self.gamma, &self.beta], mean, &(variance + EPSILON)?.sqrt()?)
    }
}

impl Norm for BatchNorm {
    fn forward(&self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(x), pass, Epilogue::NOTHING)
    }

    fn parameters(&self) -> Vec<Var> {
        self.learned.clone()
    }

    fn running(&self) -> Option<&Running> {
        Some(&self.running)
    }

    fn forward_then(&self, source: BlockInput, pass: Pass, epilogue: Epilogue) -> Result<Tensor> {
        if pass.mode == Mode::Eval {
            let Moments { mean, variance } = self.running.moments()?;
            return epilogue.apply(&self.normalize_with(&source.tensor()?, &mean, &variance)?);
        }
        let how = Normalization { axes: Axes::Batch, scale: ScaleStatistic::StandardDeviation, epsilon: EPSILON };
        let batch = match self.config.gradient {
            StatisticsGradient::Through => source.normalize(&self.gamma, &self.beta, how, epilogue)?,
            StatisticsGradient::Detached => {
                let x = source.tensor()?;
                let batch = normalize(&x.detach(), &self.gamma, &self.beta, how)?;
                let output = epilogue.apply(&self.normalize_with(&x, &batch.mean, &batch.scale_stat)?)?;
                Normalized { output, ..batch }
            }
        };
        self.track(&batch.mean, &batch.scale_stat, batch.values_per_set, pass.mode)?;
        Ok(batch.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{assert_definition, assert_golden, assert_gradients_of};

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
    fn the_kernel_computes_the_definition() {
        for affine in [Affine::Both, Affine::Weight, Affine::Bias, Affine::Neither] {
            for gradient in [StatisticsGradient::Through, StatisticsGradient::Detached] {
                let new = |dtype| BatchNorm::new(3, Config { affine, gradient }, dtype, &Device::Cpu);
                assert_definition(&[&[5, 3], &[4, 3, 7], &[2, 3, 4, 5]], new, BatchNorm::definition);
            }
        }
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

    /// The output is the same; the gradient of a batch's sum, which is 0 through the mean, is not.
    #[test]
    fn detached_statistics_change_the_gradient_alone() {
        let of = |gradient| {
            let layer = layer(Config { gradient, ..Config::default() });
            let input = Var::from_tensor(&batch()).unwrap();
            let output = layer.forward(&input, Pass::TRAIN).unwrap();
            let gradients = output.sum_all().unwrap().backward().unwrap();
            (values(&output), values(gradients.get(&input).unwrap()))
        };
        let ((through, no_gradient), (detached, gradient)) =
            (of(StatisticsGradient::Through), of(StatisticsGradient::Detached));
        for (one, other) in through.iter().zip(&detached) {
            assert!((one - other).abs() < 1e-6);
        }
        assert!(no_gradient.iter().all(|value| value.abs() < 1e-6));
        assert!(gradient.iter().all(|value| (value - 1.0 / 3.5001f32.sqrt()).abs() < 1e-4), "{gradient:?}");
    }
}
