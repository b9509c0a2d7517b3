//! Mean-only batch normalization (Salimans & Kingma 2016, arXiv:1602.07868, §4), for use with weight normalization:
//! that method fixes the scale of t = w · x, this layer its mean.
//!
//! t̃ = t − μ[t] + b, with μ[t] over the batch and space
//! ∇_t L = ∇_t̃ L − μ[∇_t̃ L]
//! In evaluation a moving average replaces μ[t].
//!
//! Not in the paper: the momentum, for which we take BatchNorm's 0.1. PyTorch has no such layer.

use super::{
    Mode, Norm, Pass,
    per_channel::{mean_of_channels, per_channel},
    running::MovingAverage,
};
use candle_core::{DType, Device, Result, Tensor, Var};

/// Weight of the newest batch in the moving average.
const MOMENTUM: f64 = 0.1;

/// The layer, for `[N, C, ..]`.
pub struct MeanOnly {
    /// b, `[C]`, starts at 0.
    bias: Var,
    /// Of μ[t], `[C]`, starts at 0.
    mean: MovingAverage,
}

impl MeanOnly {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        let zeros = || Var::zeros(channels, dtype, device);
        Ok(Self { bias: zeros()?, mean: MovingAverage::new(zeros()?) })
    }
}

impl Norm for MeanOnly {
    // ANCHOR: definition
    fn forward(&self, t: &Tensor, pass: Pass) -> Result<Tensor> {
        let mean = match pass.mode {
            Mode::Train | Mode::Probe => mean_of_channels(t)?, // μ[t]
            Mode::Eval => self.mean.value()?,
        };
        if pass.mode == Mode::Train {
            self.mean.track(&mean, MOMENTUM)?;
        }
        t.broadcast_add(&per_channel(&(self.bias.as_tensor() - mean)?, t.rank())?) // t − μ[t] + b
    }
    // ANCHOR_END: definition

    /// Returns b.
    fn parameters(&self) -> Vec<Var> {
        vec![self.bias.clone()]
    }

    fn state(&self) -> Vec<Var> {
        vec![self.mean.state()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{assert_close, assert_gradients_of, normal, scatter, values, variable};

    fn layer() -> MeanOnly {
        let layer = MeanOnly::new(2, DType::F64, &Device::Cpu).unwrap();
        scatter(&layer.parameters());
        layer
    }

    /// t̃ by loops, and the moving average.
    #[test]
    fn the_definition() {
        let (layer, input) = (layer(), normal(0, &[3, 2, 4]));
        let (t, bias) = (values(&input), values(&layer.bias));
        let mean = [0, 1]
            .map(|channel| (0..24).filter(|index| index / 4 % 2 == channel).map(|index| t[index]).sum::<f64>() / 12.0);
        let expected = |mean: [f64; 2]| -> Vec<f64> {
            t.iter().enumerate().map(|(index, t)| t - mean[index / 4 % 2] + bias[index / 4 % 2]).collect()
        };
        assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &expected(mean), 1e-12);
        let evaluated = values(&layer.forward(&input, Pass::EVAL).unwrap());
        assert_close(&evaluated, &expected(mean.map(|mean| 0.1 * mean)), 1e-12);
        layer.forward(&(&input + 5.0).unwrap(), Pass::PROBE).unwrap();
        assert_eq!(values(&layer.forward(&input, Pass::EVAL).unwrap()), evaluated);
    }

    /// As §4 says: the gradient of the input has mean 0 in each channel.
    #[test]
    fn the_gradient_is_centred() {
        let (layer, input) = (layer(), variable(0, &[5, 2]));
        let upstream = normal(1, &[5, 2]);
        let output = layer.forward(&input, Pass::PROBE).unwrap();
        let gradients = (output * &upstream).unwrap().sum_all().unwrap().backward().unwrap();
        let expected = upstream.broadcast_sub(&upstream.mean_keepdim(0).unwrap()).unwrap();
        assert_close(&values(gradients.get(&input).unwrap()), &values(&expected), 1e-12);
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&layer(), &[4, 2], Pass::PROBE);
        assert_gradients_of(&layer(), &[3, 2, 2, 2], Pass::PROBE);
    }
}
