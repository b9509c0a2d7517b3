//! ℓp normalization over the batch (Santurkar et al. 2018, arXiv:1805.11604, §3.3): "normalize them by the average of their
//! ℓp-norm (before shifting the mean), for p = 1, 2, ∞".
//!
//! μ_c = mean over the batch and space
//! d_c = Σ |x| / M,  √(Σ x² / M)  or  max |x|,  of the M values of the channel, before μ is subtracted
//! y   = γ_c (x − μ_c) / (d_c + ε) + β_c
//!
//! The paper gives no formula, and does not say what average over a batch makes of ℓ∞: we take the largest value. As d is
//! taken before the mean is subtracted, ℓ2 is not BatchNorm: d² = σ² + μ². Gradients flow through μ and d. For evaluation, of
//! which the paper says nothing, moving averages of μ and d take their place, with BatchNorm's momentum; both start from
//! BatchNorm's 0 and 1.

use super::{
    Mode, Norm, Pass,
    per_channel::normalize_with,
    running::{Moments, Running},
};
use candle_core::{DType, Device, Result, Tensor, Var};
use normbook_ops::{
    block::BlockInput,
    normalize::{Axes, Epilogue, Normalization, ScaleStatistic},
};
use serde::{Deserialize, Serialize};

/// ε, as BatchNorm's.
const EPSILON: f64 = 1e-5;

/// What the newest batch weighs in the moving averages.
const MOMENTUM: f64 = 0.1;

/// p.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    One,
    Two,
    Infinity,
}

impl Power {
    fn scale(self) -> ScaleStatistic {
        match self {
            Self::One => ScaleStatistic::MeanAbsolute,
            Self::Two => ScaleStatistic::RootMeanSquare,
            Self::Infinity => ScaleStatistic::MaxAbsolute,
        }
    }
}

/// The layer, for `[N, C, ..]`.
pub struct LpNorm {
    power: Power,
    /// γ, `[C]`, starts at 1.
    weight: Var,
    /// β, `[C]`, starts at 0.
    bias: Var,
    /// Of μ and, in the place of a variance, of d: no one else may read it as one.
    running: Running,
}

impl LpNorm {
    pub fn new(channels: usize, power: Power, dtype: DType, device: &Device) -> Result<Self> {
        let (weight, bias) = (Var::ones(channels, dtype, device)?, Var::zeros(channels, dtype, device)?);
        Ok(Self { power, weight, bias, running: Running::new(channels, dtype, device)? })
    }

    /// With a mean and a divisor that do not depend on the input.
    fn with(&self, input: &Tensor, mean: &Tensor, divisor: &Tensor) -> Result<Tensor> {
        normalize_with(input, [&self.weight, &self.bias], mean, &(divisor + EPSILON)?)
    }
}

impl Norm for LpNorm {
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(input), pass, Epilogue::NOTHING)
    }

    fn forward_then(&self, source: BlockInput, pass: Pass, then: Epilogue) -> Result<Tensor> {
        if pass.mode == Mode::Eval {
            let Moments { mean, variance: divisor } = self.running.moments()?;
            return then.apply(&self.with(&source.tensor()?, &mean, &divisor)?);
        }
        let how = Normalization { axes: Axes::Batch, scale: self.power.scale(), epsilon: EPSILON };
        let normalized = source.normalize(&self.weight, &self.bias, how, then)?;
        if pass.mode == Mode::Train {
            self.running.track(Moments { mean: normalized.mean, variance: normalized.scale_stat }, MOMENTUM)?;
        }
        Ok(normalized.output)
    }

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
    use crate::norm::testing::assert_gradients_of;

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
            for (found, centred) in output.iter().zip([-1.0, -4.0, 1.0, 4.0]) {
                assert!((found - centred / divisor).abs() < 1e-4, "{power:?}: {output:?}");
            }
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
        let judged = || values(&layer.forward(&batch, Pass::EVAL).unwrap())[0];
        let before = judged();
        layer.forward(&batch, Pass::PROBE).unwrap();
        assert_eq!(judged(), before);
        layer.forward(&batch, Pass::TRAIN).unwrap();
        assert!((judged() - (1.0 - 0.2) / (0.9 + 0.3)).abs() < 1e-4, "{}", judged());
    }
}
