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

use super::{Mode, Norm};
use crate::ops::{
    block::Source,
    normalize::{Divisor, Normalization, Over, Then},
};
use candle_core::{DType, Device, Result, Tensor, Var, bail};

/// ε of line 3, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// What the newest batch weighs in the moving averages.
const MOMENTUM: f64 = 0.1;

/// The layer, for `[N, C, ..]`.
pub struct BatchNorm {
    /// γ, `[C]`, starts at 1.
    weight: Var,
    /// β, `[C]`, starts at 0.
    bias: Var,
    /// `[C]`, starts at 0.
    running_mean: Var,
    /// `[C]`, starts at 1.
    running_variance: Var,
}

impl BatchNorm {
    pub fn new(channels: usize, device: &Device) -> Result<Self> {
        Ok(Self {
            weight: Var::ones(channels, DType::F32, device)?,
            bias: Var::zeros(channels, DType::F32, device)?,
            running_mean: Var::zeros(channels, DType::F32, device)?,
            running_variance: Var::ones(channels, DType::F32, device)?,
        })
    }

    /// Normalizes with the statistics of this batch, tracks them, and does what follows.
    fn train(&self, source: Source, then: Then) -> Result<Tensor> {
        let how = Normalization { over: Over::Batch, divisor: Divisor::Deviation, epsilon: EPSILON };
        let normalized = source.normalize_then(&self.weight, &self.bias, how, then)?;
        let values = normalized.values_of_set as f64;
        if values < 2.0 {
            bail!("batch norm: one value per channel; training needs at least two");
        }
        track(&self.running_mean, &normalized.mean)?;
        track(&self.running_variance, &(normalized.spread * (values / (values - 1.0)))?)?;
        Ok(normalized.output)
    }

    /// Normalizes with the moving averages.
    fn evaluate(&self, input: &Tensor) -> Result<Tensor> {
        let shape: Vec<usize> =
            (0..input.rank()).map(|axis| if axis == 1 { self.weight.elem_count() } else { 1 }).collect();
        let scale = (self.weight.as_tensor() / (self.running_variance.as_tensor() + EPSILON)?.sqrt()?)?;
        let centred = input.broadcast_sub(&self.running_mean.reshape(&*shape)?)?;
        centred.broadcast_mul(&scale.reshape(&*shape)?)?.broadcast_add(&self.bias.reshape(&*shape)?)
    }
}

/// Moves a moving average towards a new value.
fn track(average: &Var, new: &Tensor) -> Result<()> {
    average.set(&((average.as_detached_tensor() * (1.0 - MOMENTUM))? + (new * MOMENTUM)?)?)
}

impl Norm for BatchNorm {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor> {
        self.forward_then(Source::Tensor(input), mode, Then::NOTHING)
    }

    fn forward_then(&self, source: Source, mode: Mode, then: Then) -> Result<Tensor> {
        match mode {
            Mode::Train => self.train(source, then),
            Mode::Eval => then.apply(&self.evaluate(&source.tensor()?)?),
        }
    }

    fn parameters(&self) -> Vec<Var> {
        vec![self.weight.clone(), self.bias.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// One channel, values 1, 2, 3, 6: mean 3, biased variance 3.5, unbiased 14/3.
    #[test]
    fn the_moving_averages_take_a_tenth_of_each_batch() {
        let layer = BatchNorm::new(1, &Device::Cpu).unwrap();
        let batch = Tensor::new(&[[1f32], [2.0], [3.0], [6.0]], &Device::Cpu).unwrap();
        let output = values(&layer.forward(&batch, Mode::Train).unwrap());
        assert!((output[3] - 3.0 / 3.5001f32.sqrt()).abs() < 1e-4);
        assert!((values(&layer.running_mean)[0] - 0.3).abs() < 1e-6);
        assert!((values(&layer.running_variance)[0] - (0.9 + 1.4 / 3.0)).abs() < 1e-6);
        let mean = Tensor::new(&[[0.3f32]], &Device::Cpu).unwrap();
        assert!(values(&layer.forward(&mean, Mode::Eval).unwrap())[0].abs() < 1e-6);
    }

    #[test]
    fn one_value_per_channel_cannot_train() {
        let layer = BatchNorm::new(2, &Device::Cpu).unwrap();
        let one = Tensor::ones((1, 2), DType::F32, &Device::Cpu).unwrap();
        assert!(layer.forward(&one, Mode::Train).unwrap_err().to_string().contains("at least two"));
        assert!(layer.forward(&one, Mode::Eval).is_ok());
    }
}
