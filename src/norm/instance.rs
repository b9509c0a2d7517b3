//! Instance normalization (Ulyanov, Vedaldi & Lempitsky 2016, arXiv:1607.08022), for an image t, channel i
//! and place (j, k).
//!
//! y_tijk = x_tijk / Σ_lm x_tilm, the simple version that motivates it
//! y_tijk = (x_tijk − μ_ti) / √(σ²_ti + ε), instance normalization
//! μ_ti = Σ_lm x_tilm / HW,  σ²_ti = Σ_lm (x_tilm − μ_ti)² / HW
//!
//! Evaluation computes the same: the result does not depend on an image's contrast. The layer is
//! [`GroupNorm`](super::group::GroupNorm) with one group per channel.
//!
//! Differs from the paper, whose equation has no γ and β: ours start at 1 and 0 and are learned (PyTorch: only with
//! `affine=True`). A channel of one value, as in a 1 × 1 map or after a fully connected layer, equals its own mean: the
//! output is β for any input. PyTorch refuses such maps in training; here they give β in every mode.

use super::{group::Config, per_channel::scale_shift};
use candle_core::{Result, Tensor};

// ANCHOR: config
/// Returns the settings for this number of channels.
pub const fn config(channels: usize) -> Config {
    Config::of_groups(channels)
}
// ANCHOR_END: config

// ANCHOR: definition
/// Computes y, then γ y + β with γ and β of `[C]`, `[N, C, ..] -> [N, C, ..]`.
pub fn definition(x: &Tensor, gamma: &Tensor, beta: &Tensor) -> Result<Tensor> {
    let places = x.reshape((x.dim(0)?, x.dim(1)?, ()))?; // [N, C, HW]
    let mean = places.mean_keepdim(2)?; // μ_ti
    let centered = places.broadcast_sub(&mean)?;
    let variance = centered.sqr()?.mean_keepdim(2)?; // σ²_ti
    let y = centered.broadcast_div(&(variance + config(1).epsilon)?.sqrt()?)?; // y_tijk
    scale_shift(&y.reshape(x.shape())?, gamma, beta)
}
// ANCHOR_END: definition

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::{
        Norm, Pass,
        group::GroupNorm,
        testing::{
            apart, assert_close, assert_definition, assert_golden, assert_gradients_of, normal, scatter, standardized,
            values,
        },
    };
    use candle_core::{DType, Device, Var};

    fn layer(channels: usize, epsilon: f64) -> GroupNorm {
        GroupNorm::new(channels, Config { epsilon, ..config(channels) }, DType::F64, &Device::Cpu).unwrap()
    }

    /// By loops.
    #[test]
    fn the_definition() {
        let (layer, input) = (layer(3, 0.1), normal(0, &[2, 3, 6]));
        scatter(&layer.parameters());
        let [weight, bias] = [0, 1].map(|index| values(&layer.parameters()[index]));
        let standardized = values(&input).chunks(6).flat_map(|x| standardized(x, 0.1)).collect::<Vec<_>>();
        let channel = |i: usize| i / 6 % 3;
        let expected: Vec<f64> =
            standardized.iter().enumerate().map(|(i, x)| weight[channel(i)] * x + bias[channel(i)]).collect();
        assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &expected, 1e-12);
    }

    #[test]
    fn the_kernel_computes_the_definition() {
        let new = |dtype| GroupNorm::new(3, config(3), dtype, &Device::Cpu);
        assert_definition(&[&[2, 3, 5], &[2, 3, 4, 5]], new, |layer, x, _| {
            let [gamma, beta] = <[Var; 2]>::try_from(layer.parameters()).unwrap();
            definition(x, &gamma, &beta)
        });
    }

    /// Each image with a contrast a > 0 and an offset of its own; with a < 0 the sign turns.
    #[test]
    fn contrast_and_offset_do_not_matter() {
        let (layer, input) = (layer(3, 0.0), normal(0, &[2, 3, 4, 4]));
        let of = |input: &Tensor| layer.forward(input, Pass::EVAL).unwrap();
        let row = |values: [f64; 2]| Tensor::new(&values, &Device::Cpu).unwrap().reshape((2, 1, 1, 1)).unwrap();
        let changed =
            |contrast| of(&input.broadcast_mul(&row(contrast)).unwrap().broadcast_add(&row([3.0, -1.0])).unwrap());
        assert!(apart(&changed([0.25, 4.0]), &of(&input)) < 1e-9);
        assert!(apart(&changed([-0.25, -4.0]).neg().unwrap(), &of(&input)) < 1e-9);
    }

    #[test]
    fn a_single_value_gives_beta() {
        let layer = layer(3, 1e-5);
        scatter(&layer.parameters());
        let bias = values(&layer.parameters()[1]);
        for dims in [&[2, 3][..], &[2, 3, 1, 1]] {
            let output = values(&layer.forward(&normal(0, dims), Pass::TRAIN).unwrap());
            assert_close(&output, &[bias.clone(), bias.clone()].concat(), 1e-12);
        }
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&layer(3, 1e-5), &[2, 3, 2, 3], Pass::TRAIN);
    }

    #[test]
    fn pytorch_gives_the_same() {
        assert_golden("instance", &layer(3, 1e-5));
    }
}
