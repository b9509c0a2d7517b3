//! Say here what your norm does, as a formula, and why you think that it helps.

use candle_core::{DType, Device, Result, Tensor, Var};
use normbook::norm::per_channel::per_channel;
use normbook::norm::{Norm, Pass};

/// The layer. It may hold more than this, or less.
pub struct Mine {
    /// γ, `[C]`.
    weight: Var,
    /// β, `[C]`.
    bias: Var,
}

impl Mine {
    /// The layer for activations of so many channels, of this type, on this device.
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        // SOLUTION the parameters as they begin, such as Var::ones(channels, dtype, device)?
        Ok(Self { weight: Var::ones(channels, dtype, device)?, bias: Var::zeros(channels, dtype, device)? })
        // END
    }
}

impl Norm for Mine {
    /// `[N, C, ..] -> [N, C, ..]`. `pass.mode` is training, evaluation, or a probe, which must change nothing.
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        // SOLUTION your formula; per_channel(&self.weight, input.rank())? has the shape to multiply by
        // Layer normalization with the mean absolute deviation instead of the standard deviation: an outlier counts
        // less.
        let _ = pass;
        let mut per_example = vec![1; input.rank()];
        per_example[0] = input.dims()[0];
        let mean = input.flatten_from(1)?.mean(1)?.reshape(per_example.clone())?;
        let centered = input.broadcast_sub(&mean)?;
        let deviation = (centered.flatten_from(1)?.abs()?.mean(1)? + 1e-5)?;
        let normalized = centered.broadcast_div(&deviation.reshape(per_example)?)?;
        let scaled = normalized.broadcast_mul(&per_channel(&self.weight, input.rank())?)?;
        scaled.broadcast_add(&per_channel(&self.bias, input.rank())?)
        // END
    }

    /// All that the optimizer shall train.
    fn parameters(&self) -> Vec<Var> {
        // SOLUTION your parameters
        vec![self.weight.clone(), self.bias.clone()]
        // END
    }
}
