//! Group normalization (Wu & He 2018, arXiv:1803.08494): eq. 1 with the sets of eq. 7, the values of one example in a group
//! of neighbouring channels. The same in training and evaluation.

use super::{Norm, Pass};
use crate::ops::{
    block::Source,
    normalize::{Divisor, Normalization, Over, Then},
};
use candle_core::{DType, Device, Result, Tensor, Var, bail};

/// ε, as in PyTorch and the paper's listing.
const EPSILON: f64 = 1e-5;

/// The layer, for `[N, C, ..]`.
pub struct GroupNorm {
    /// γ, `[C]`, starts at 1.
    weight: Var,
    /// β, `[C]`, starts at 0.
    bias: Var,
    groups: usize,
}

impl GroupNorm {
    /// Errors if `groups` does not divide `channels`.
    pub fn new(channels: usize, groups: usize, device: &Device) -> Result<Self> {
        if !channels.is_multiple_of(groups) {
            bail!("group norm: {groups} groups of {channels} channels; the number of groups must divide the channels");
        }
        let (weight, bias) = (Var::ones(channels, DType::F32, device)?, Var::zeros(channels, DType::F32, device)?);
        Ok(Self { weight, bias, groups })
    }
}

impl Norm for GroupNorm {
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(Source::Tensor(input), pass, Then::NOTHING)
    }

    fn forward_then(&self, source: Source, _: Pass, then: Then) -> Result<Tensor> {
        let how = Normalization { over: Over::Groups(self.groups), divisor: Divisor::Deviation, epsilon: EPSILON };
        Ok(source.normalize_then(&self.weight, &self.bias, how, then)?.output)
    }

    fn parameters(&self) -> Vec<Var> {
        vec![self.weight.clone(), self.bias.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_example_and_group_stands_alone() {
        let layer = GroupNorm::new(4, 2, &Device::Cpu).unwrap();
        let input = Tensor::new(&[[0f32, 2.0, 5.0, 5.5]], &Device::Cpu).unwrap();
        let output = layer.forward(&input, Pass::TRAIN).unwrap().to_vec2::<f32>().unwrap();
        for (found, expected) in output[0].iter().zip([-1.0, 1.0, -1.0, 1.0]) {
            assert!((found - expected).abs() < 1e-3, "{output:?}");
        }
        assert!(GroupNorm::new(4, 3, &Device::Cpu).is_err());
    }
}
