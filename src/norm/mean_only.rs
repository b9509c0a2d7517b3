//! Mean-only batch normalization (Salimans & Kingma 2016, arXiv:1602.07868, §4), which goes with weight normalization:
//! the one keeps the scale of t = w · x, this its mean.
//!
//! t̃ = t − μ[t] + b, with μ[t] over the batch and space
//! ∇_t L = ∇_t̃ L − μ[∇_t̃ L]
//! and in evaluation a moving average in the place of μ[t].
//!
//! The paper gives no momentum: ours is 0.1, as BatchNorm's. PyTorch has no such layer.

use super::{Mode, Norm, Pass, per_channel::mean_of_channels, per_channel::per_channel};
use candle_core::{DType, Device, Result, Tensor, Var};

/// What the newest batch weighs in the moving average.
const MOMENTUM: f64 = 0.1;

/// The layer, for `[N, C, ..]`.
pub struct MeanOnly {
    /// b, `[C]`, starts at 0.
    bias: Var,
    /// The moving average of μ, `[C]`, starts at 0.
    mean: Var,
}

impl MeanOnly {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        Ok(Self { bias: Var::zeros(channels, dtype, device)?, mean: Var::zeros(channels, dtype, device)? })
    }

    fn track(&self, mean: &Tensor) -> Result<()> {
        let kept = (self.mean.as_detached_tensor() * (1.0 - MOMENTUM))?;
        self.mean.set(&(kept + (mean.detach() * MOMENTUM)?)?)
    }
}

impl Norm for MeanOnly {
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        let mean = match pass.mode {
            Mode::Train | Mode::Probe => mean_of_channels(input)?,
            Mode::Eval => self.mean.as_detached_tensor(),
        };
        if pass.mode == Mode::Train {
            self.track(&mean)?;
        }
        input.broadcast_add(&per_channel(&(self.bias.as_tensor() - mean)?, input.rank())?)
    }

    /// b.
    fn parameters(&self) -> Vec<Var> {
        vec![self.bias.clone()]
    }

    fn state(&self) -> Vec<Var> {
        vec![self.mean.clone()]
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

    /// As §4 has it: the gradient of the input has mean 0 in each channel.
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
