//! ℓp normalization over the batch (Santurkar et al. 2018, arXiv:1805.11604, §3.3): "normalize them by the average of
//! their ℓp-norm (before shifting the mean), for p = 1, 2, ∞".
//!
//! μ_c = mean over the batch and space
//! d_c = Σ |x| / M,  √(Σ x² / M)  or  max |x|, for p = 1, 2, ∞, of the M values of the channel
//! y   = γ_c (x − μ_c) / (d_c + ε) + β_c
//!
//! The paper gives no formula. d is taken before μ is subtracted, so ℓ2 is not BatchNorm: d² = σ² + μ². Gradients flow
//! through μ and d. Not in the paper: what the average over a batch is for ℓ∞, where we take the largest value;
//! evaluation, where moving averages replace μ and d, with BatchNorm's momentum and starts, 0 and 1; and ε, which is
//! BatchNorm's 10⁻⁵. PyTorch has no such layer.
//!
//! Where d has no derivative, `forward` takes 0 for the ℓ2 norm of zeros, and equal maxima share the gradient of ℓ∞.

use super::{
    Mode, Norm, Pass,
    per_channel::{
        divide_per_channel, mean_of_channels, normalize_with, rows_of_channels, scale_shift, subtract_per_channel,
    },
    running::MovingAverage,
};
use candle_core::{DType, Device, Result, Tensor, Var};
use normbook_ops::{
    block::BlockInput,
    normalize::{Axes, Epilogue, Normalization, ScaleStatistic},
};
use serde::{Deserialize, Serialize};

/// ε.
const EPSILON: f64 = 1e-5;

/// Weight of the newest batch in the moving averages.
const MOMENTUM: f64 = 0.1;

/// p.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    One,
    Two,
    Infinity,
}

/// The layer, for `[N, C, ..]`.
pub struct LpNorm {
    power: Power,
    /// γ, `[C]`, starts at 1.
    gamma: Var,
    /// β, `[C]`, starts at 0.
    beta: Var,
    /// Of μ, `[C]`, starts at 0.
    mean: MovingAverage,
    /// Of d, `[C]`, starts at 1.
    divisor: MovingAverage,
}

impl LpNorm {
    pub fn new(channels: usize, power: Power, dtype: DType, device: &Device) -> Result<Self> {
        let (zeros, ones) = (|| Var::zeros(channels, dtype, device), || Var::ones(channels, dtype, device));
        let (mean, divisor) = (MovingAverage::new(zeros()?), MovingAverage::new(ones()?));
        Ok(Self { power, gamma: ones()?, beta: zeros()?, mean, divisor })
    }

    // ANCHOR: definition
    /// Computes y with the batch's μ and d in training and their moving averages in evaluation,
    /// `[N, C, ..] -> [N, C, ..]`.
    pub fn definition(&self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        let (mean, divisor) = if pass.mode == Mode::Eval {
            (self.mean.value()?, self.divisor.value()?)
        } else {
            let rows = rows_of_channels(x)?; // [C, M]
            let sizes = (&rows * rows.sign()?.detach())?; // |x|, with slope 0 at 0
            let divisor = match self.power {
                Power::One => sizes.mean(1)?,                // Σ |x| / M
                Power::Two => sizes.sqr()?.mean(1)?.sqrt()?, // √(Σ x² / M)
                Power::Infinity => sizes.max(1)?,            // max |x|
            };
            let mean = mean_of_channels(x)?; // μ
            self.track(&mean, &divisor, pass.mode)?;
            (mean, divisor)
        };
        let normalized = divide_per_channel(&subtract_per_channel(x, &mean)?, &(divisor + EPSILON)?)?;
        scale_shift(&normalized, &self.gamma, &self.beta) // y
    }
    // ANCHOR_END: definition

    /// Moves the averages towards a batch's μ and d in training.
    fn track(&self, mean: &Tensor, divisor: &Tensor, mode: Mode) -> Result<()> {
        if mode == Mode::Train {
            self.mean.track(mean, MOMENTUM)?;
            self.divisor.track(divisor, MOMENTUM)?;
        }
        Ok(())
    }
}

impl Norm for LpNorm {
    fn forward(&self, x: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(x), pass, Epilogue::NOTHING)
    }

    fn parameters(&self) -> Vec<Var> {
        vec![self.gamma.clone(), self.beta.clone()]
    }

    fn state(&self) -> Vec<Var> {
        vec![self.mean.state(), self.divisor.state()]
    }

    fn forward_then(&self, source: BlockInput, pass: Pass, epilogue: Epilogue) -> Result<Tensor> {
        if pass.mode == Mode::Eval {
            let (mean, divisor) = (self.mean.value()?, (self.divisor.value()? + EPSILON)?);
            return epilogue.apply(&normalize_with(&source.tensor()?, [&self.gamma, &self.beta], &mean, &divisor)?);
        }
        let scale = match self.power {
            Power::One => ScaleStatistic::MeanAbsolute,
            Power::Two => ScaleStatistic::RootMeanSquare,
            Power::Infinity => ScaleStatistic::MaxAbsolute,
        };
        let how = Normalization { axes: Axes::Batch, scale, epsilon: EPSILON };
        let batch = source.normalize(&self.gamma, &self.beta, how, epilogue)?;
        self.track(&batch.mean, &batch.scale_stat, pass.mode)?;
        Ok(batch.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{assert_definition, assert_gradients_of};

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Values 1, −2, 3, 6: mean 2; the divisors are 3, √12.5 and 6.
    #[test]
    fn the_divisor_is_taken_before_the_mean() {
        let batch = Tensor::new(&[[1f32], [-2.0], [3.0], [6.0]], &Device::Cpu).unwrap();
        for (power, divisor) in [(Power::One, 3.0), (Power::Two, 12.5f32.sqrt()), (Power::Infinity, 6.0)] {
            let layer = LpNorm::new(1, power, DType::F32, &Device::Cpu).unwrap();
            let output = values(&layer.forward(&batch, Pass::PROBE).unwrap());
            for (found, centered) in output.iter().zip([-1.0, -4.0, 1.0, 4.0]) {
                assert!((found - centered / divisor).abs() < 1e-4, "{power:?}: {output:?}");
            }
        }
    }

    #[test]
    fn the_kernel_computes_the_definition() {
        for power in [Power::One, Power::Two, Power::Infinity] {
            let new = |dtype| LpNorm::new(3, power, dtype, &Device::Cpu);
            assert_definition(&[&[5, 3], &[4, 3, 7], &[2, 3, 4, 5]], new, LpNorm::definition);
        }
    }

    #[test]
    fn the_gradients_are_central_differences() {
        for power in [Power::One, Power::Two, Power::Infinity] {
            let layer = LpNorm::new(3, power, DType::F64, &Device::Cpu).unwrap();
            assert_gradients_of(&layer, &[5, 3], Pass::PROBE);
            assert_gradients_of(&layer, &[2, 3, 2, 2], Pass::PROBE);
        }
    }

    #[test]
    fn evaluation_takes_the_moving_averages_and_a_probe_moves_nothing() {
        let batch = Tensor::new(&[[1f32], [-2.0], [3.0], [6.0]], &Device::Cpu).unwrap();
        let layer = LpNorm::new(1, Power::One, DType::F32, &Device::Cpu).unwrap();
        let evaluated = || values(&layer.forward(&batch, Pass::EVAL).unwrap())[0];
        let before = evaluated();
        layer.forward(&batch, Pass::PROBE).unwrap();
        assert_eq!(evaluated(), before);
        layer.forward(&batch, Pass::TRAIN).unwrap();
        assert!((evaluated() - (1.0 - 0.2) / (0.9 + 0.3)).abs() < 1e-4, "{}", evaluated());
    }
}
