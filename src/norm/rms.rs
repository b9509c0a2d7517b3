//! RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467), for the summed inputs a of the n units of a layer, of each
//! example alone.
//!
//! y_i = f(ā_i + b_i)                                eq. 2
//! ā_i = a_i / RMS(a) · g_i,  RMS(a) = √(Σ a_i² / n)  eq. 4, with gains g that start at 1
//!
//! f is the activation, which the network applies after this layer. The layer is layer normalization that subtracts no
//! mean: the two agree where the mean of a is 0.
//!
//! Differs from the paper, which has no ε: ours is 10⁻⁵ inside the root, and 0 for the exact claims. PyTorch's layer
//! returns ā, without b, and its default ε is the number type's machine epsilon. In a convolution the units of an
//! example are all its values, and gain and bias belong to a channel, as in our layer normalization. The paper's
//! partial RMSNorm is not implemented.

use super::{Norm, Pass, per_channel::scale_shift};
use candle_core::{DType, Device, Result, Tensor, Var};
use normbook_ops::{
    block::BlockInput,
    normalize::{Axes, Epilogue, Normalization, ScaleStatistic},
};

/// The usual ε.
pub const EPSILON: f64 = 1e-5;

/// The layer, for `[N, C, ..]`.
pub struct RmsNorm {
    epsilon: f64,
    /// g, `[C]`, starts at 1.
    gain: Var,
    /// b, `[C]`, starts at 0.
    bias: Var,
}

impl RmsNorm {
    pub fn new(channels: usize, epsilon: f64, dtype: DType, device: &Device) -> Result<Self> {
        Ok(Self { epsilon, gain: Var::ones(channels, dtype, device)?, bias: Var::zeros(channels, dtype, device)? })
    }

    // ANCHOR: definition
    /// Computes eq. 4 and 2 without f, `[N, C, ..] -> [N, C, ..]`.
    pub fn definition(&self, a: &Tensor) -> Result<Tensor> {
        let units = a.flatten_from(1)?; // [N, n]
        let rms = (units.sqr()?.mean_keepdim(1)? + self.epsilon)?.sqrt()?; // eq. 4
        let normalized = units.broadcast_div(&rms)?.reshape(a.shape())?;
        scale_shift(&normalized, &self.gain, &self.bias) // eq. 4, 2
    }
    // ANCHOR_END: definition
}

impl Norm for RmsNorm {
    fn forward(&self, a: &Tensor, pass: Pass) -> Result<Tensor> {
        self.forward_then(BlockInput::Tensor(a), pass, Epilogue::NOTHING)
    }

    /// Returns g and b.
    fn parameters(&self) -> Vec<Var> {
        vec![self.gain.clone(), self.bias.clone()]
    }

    fn forward_then(&self, source: BlockInput, _: Pass, epilogue: Epilogue) -> Result<Tensor> {
        let how = Normalization { axes: Axes::Groups(1), scale: ScaleStatistic::Uncentered, epsilon: self.epsilon };
        Ok(source.normalize(&self.gain, &self.bias, how, epilogue)?.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::{
        Norm, Pass,
        group::{self, GroupNorm},
        layer,
        testing::{
            apart, assert_close, assert_definition, assert_golden, assert_gradients_of, normal, scatter, values,
        },
    };

    fn rms(channels: usize, epsilon: f64) -> RmsNorm {
        RmsNorm::new(channels, epsilon, DType::F64, &Device::Cpu).unwrap()
    }

    /// Eq. 2 and 4 by loops.
    #[test]
    fn the_definition() {
        let (layer, input) = (rms(5, 0.0), normal(0, &[3, 5]));
        scatter(&layer.parameters());
        let [gain, bias] = [0, 1].map(|index| values(&layer.parameters()[index]));
        let expected = input.to_vec2::<f64>().unwrap().into_iter().flat_map(|a| {
            let rms = (a.iter().map(|a| a * a).sum::<f64>() / 5.0).sqrt();
            (0..5).map(|i| gain[i] * a[i] / rms + bias[i]).collect::<Vec<_>>()
        });
        let expected: Vec<f64> = expected.collect();
        assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &expected, 1e-12);
    }

    #[test]
    fn the_kernel_computes_the_definition() {
        let new = |dtype| RmsNorm::new(5, EPSILON, dtype, &Device::Cpu);
        assert_definition(&[&[3, 5], &[3, 5, 4], &[2, 5, 3, 4]], new, |layer, a, _| layer.definition(a));
    }

    /// Re-scaling does not matter, re-centering does, and on values of mean 0 it is layer normalization.
    #[test]
    fn the_invariances_of_the_paper() {
        let (rms, input) = (rms(6, 0.0), normal(0, &[3, 6]));
        let of = |input: &Tensor| rms.forward(input, Pass::TRAIN).unwrap();
        assert!(apart(&of(&(&input * 2.5).unwrap()), &of(&input)) < 1e-9);
        assert!(apart(&of(&(&input + 0.5).unwrap()), &of(&input)) > 1e-3);
        let centered = input.broadcast_sub(&input.mean_keepdim(1).unwrap()).unwrap();
        let config = group::Config { epsilon: 0.0, ..layer::CONFIG };
        let layer_norm = GroupNorm::new(6, config, DType::F64, &Device::Cpu).unwrap();
        assert!(apart(&of(&centered), &layer_norm.forward(&input, Pass::TRAIN).unwrap()) < 1e-9);
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&rms(5, EPSILON), &[3, 5], Pass::TRAIN);
        assert_gradients_of(&rms(3, EPSILON), &[2, 3, 2, 2], Pass::TRAIN);
    }

    #[test]
    fn pytorch_gives_the_same() {
        assert_golden("rms", &rms(5, EPSILON));
    }
}
