//! Dynamic Tanh (Zhu et al. 2025, arXiv:2503.10622), which replaces a normalization:
//!
//! DyT(x) = γ tanh(α x) + β, with one number α per layer, γ and β of a channel each
//!
//! It takes no statistics: it squashes extreme values and is nearly linear around 0. α starts at 0.5, γ at 1 and β at
//! 0, the paper's defaults. PyTorch has no such layer.

use super::{Norm, Pass, per_channel::scale_shift};
use candle_core::{DType, Device, Result, Tensor, Var};

/// Where α starts.
const ALPHA: f64 = 0.5;

/// The layer, for `[N, C, ..]`.
pub struct DynamicTanh {
    /// α, `[1]`.
    alpha: Var,
    /// γ, `[C]`, starts at 1.
    gamma: Var,
    /// β, `[C]`, starts at 0.
    beta: Var,
}

impl DynamicTanh {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        let alpha = Var::from_tensor(&Tensor::full(ALPHA, 1, device)?.to_dtype(dtype)?)?;
        Ok(Self { alpha, gamma: Var::ones(channels, dtype, device)?, beta: Var::zeros(channels, dtype, device)? })
    }
}

impl Norm for DynamicTanh {
    // ANCHOR: definition
    fn forward(&self, x: &Tensor, _: Pass) -> Result<Tensor> {
        let squashed = x.broadcast_mul(&self.alpha)?.tanh()?; // tanh(α x)
        scale_shift(&squashed, &self.gamma, &self.beta) // γ · + β
    }
    // ANCHOR_END: definition

    /// Returns α, γ and β.
    fn parameters(&self) -> Vec<Var> {
        vec![self.alpha.clone(), self.gamma.clone(), self.beta.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{assert_close, assert_gradients_of, normal, scatter, values};

    fn layer() -> DynamicTanh {
        let layer = DynamicTanh::new(3, DType::F64, &Device::Cpu).unwrap();
        assert_eq!(values(&layer.alpha), [0.5]);
        scatter(&layer.parameters());
        layer
    }

    #[test]
    fn the_definition() {
        let (layer, input) = (layer(), normal(0, &[4, 3, 2]));
        let (alpha, gamma, beta) = (values(&layer.alpha)[0], values(&layer.gamma), values(&layer.beta));
        let of = |(index, x): (usize, f64)| gamma[index / 2 % 3] * (alpha * x).tanh() + beta[index / 2 % 3];
        let expected: Vec<f64> = values(&input).into_iter().enumerate().map(of).collect();
        assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &expected, 1e-12);
    }

    /// As the paper says of normalizations: every output lies within |γ| of β, however large the input.
    #[test]
    fn extreme_values_are_squashed() {
        let (layer, input) = (layer(), (normal(0, &[4, 3]) * 1e6).unwrap());
        let (gamma, beta) = (values(&layer.gamma), values(&layer.beta));
        for (index, y) in values(&layer.forward(&input, Pass::EVAL).unwrap()).into_iter().enumerate() {
            assert!(((y - beta[index % 3]).abs() - gamma[index % 3].abs()).abs() < 1e-9);
        }
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&layer(), &[4, 3], Pass::TRAIN);
        assert_gradients_of(&layer(), &[2, 3, 2, 2], Pass::TRAIN);
    }
}
