//! Dynamic Tanh (Zhu et al. 2025, arXiv:2503.10622), in the place of a normalization:
//!
//! DyT(x) = γ tanh(α x) + β, with α one number of the layer, γ and β of a channel each
//!
//! No statistics: it squashes extreme values and is nearly linear around 0. α starts at 0.5, γ at 1 and β at 0, the paper's
//! defaults. PyTorch has no such layer.

use super::{Norm, Pass, per_channel::per_channel};
use candle_core::{DType, Device, Result, Tensor, Var};

/// Where α starts.
const ALPHA: f64 = 0.5;

/// The layer, for `[N, C, ..]`.
pub struct DynamicTanh {
    /// α, `[1]`.
    scale: Var,
    /// γ, `[C]`, starts at 1.
    weight: Var,
    /// β, `[C]`, starts at 0.
    bias: Var,
}

impl DynamicTanh {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        let scale = Var::from_tensor(&Tensor::full(ALPHA, 1, device)?.to_dtype(dtype)?)?;
        Ok(Self { scale, weight: Var::ones(channels, dtype, device)?, bias: Var::zeros(channels, dtype, device)? })
    }
}

impl Norm for DynamicTanh {
    fn forward(&self, input: &Tensor, _: Pass) -> Result<Tensor> {
        let of_channel = |values: &Var| per_channel(values, input.rank());
        let squashed = input.broadcast_mul(&self.scale)?.tanh()?;
        squashed.broadcast_mul(&of_channel(&self.weight)?)?.broadcast_add(&of_channel(&self.bias)?)
    }

    /// α, γ and β.
    fn parameters(&self) -> Vec<Var> {
        vec![self.scale.clone(), self.weight.clone(), self.bias.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{assert_close, assert_gradients_of, normal, scatter, values};

    fn layer() -> DynamicTanh {
        let layer = DynamicTanh::new(3, DType::F64, &Device::Cpu).unwrap();
        assert_eq!(values(&layer.scale), [0.5]);
        scatter(&layer.parameters());
        layer
    }

    #[test]
    fn the_definition() {
        let (layer, input) = (layer(), normal(0, &[4, 3, 2]));
        let (alpha, weight, bias) = (values(&layer.scale)[0], values(&layer.weight), values(&layer.bias));
        let of = |(index, x): (usize, f64)| weight[index / 2 % 3] * (alpha * x).tanh() + bias[index / 2 % 3];
        let expected: Vec<f64> = values(&input).into_iter().enumerate().map(of).collect();
        assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &expected, 1e-12);
    }

    /// What the paper has of normalizations: no output beyond |γ| of β, however large the input.
    #[test]
    fn extreme_values_are_squashed() {
        let (layer, input) = (layer(), (normal(0, &[4, 3]) * 1e6).unwrap());
        let (weight, bias) = (values(&layer.weight), values(&layer.bias));
        for (index, y) in values(&layer.forward(&input, Pass::EVAL).unwrap()).into_iter().enumerate() {
            assert!(((y - bias[index % 3]).abs() - weight[index % 3].abs()).abs() < 1e-9);
        }
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&layer(), &[4, 3], Pass::TRAIN);
        assert_gradients_of(&layer(), &[2, 3, 2, 2], Pass::TRAIN);
    }
}
