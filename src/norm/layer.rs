//! Layer normalization (Ba, Kiros & Hinton 2016, arXiv:1607.06450), for the summed inputs a of the H units of a
//! layer, of each example alone.
//!
//! μ = Σ a_i / H,  σ = √(Σ (a_i − μ)² / H)     eq. 3
//! h_i = f(g_i / σ (a_i − μ) + b_i)            eq. 4, 5, with gains g that start at 1 and biases b that start at 0
//!
//! f is the activation, which the network applies after this layer. The layer is
//! [`GroupNorm`](super::group::GroupNorm) with one group: its γ is g, its β is b.
//!
//! Differs from the paper, which has no ε: ours is 10⁻⁵ inside the root, as in PyTorch, and 0 for the exact claims.
//! In a convolution the units of an example are all its values `[C, H, W]`; gain and bias belong to a channel, as in
//! Wu & He 2018, eq. 4, where PyTorch's `LayerNorm((C, H, W))` has them for each value.

use super::{group::Config, per_channel::scale_shift};
use candle_core::{Result, Tensor};

/// The settings.
pub const CONFIG: Config = Config::of_groups(1);

// ANCHOR: definition
/// Computes eq. 3 and 5 without f, `[N, C, ..] -> [N, C, ..]`, with gain and bias of `[C]`.
pub fn definition(a: &Tensor, gain: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let units = a.flatten_from(1)?; // [N, H]
    let centered = units.broadcast_sub(&units.mean_keepdim(1)?)?; // eq. 3: a − μ
    let sigma = (centered.sqr()?.mean_keepdim(1)? + CONFIG.epsilon)?.sqrt()?; // eq. 3: σ
    let normalized = centered.broadcast_div(&sigma)?.reshape(a.shape())?;
    scale_shift(&normalized, gain, bias) // eq. 5
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
        GroupNorm::new(channels, Config { epsilon, ..CONFIG }, DType::F64, &Device::Cpu).unwrap()
    }

    /// Eq. 3 and 4 by loops.
    #[test]
    fn the_definition() {
        let (layer, input) = (layer(5, 0.0), normal(0, &[3, 5]));
        scatter(&layer.parameters());
        let [gain, bias] = [0, 1].map(|index| values(&layer.parameters()[index]));
        let standardized = values(&input).chunks(5).flat_map(|a| standardized(a, 0.0)).collect::<Vec<_>>();
        let expected: Vec<f64> = standardized.iter().enumerate().map(|(i, a)| gain[i % 5] * a + bias[i % 5]).collect();
        assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &expected, 1e-12);
    }

    #[test]
    fn the_kernel_computes_the_definition() {
        let new = |dtype| GroupNorm::new(5, CONFIG, dtype, &Device::Cpu);
        assert_definition(&[&[3, 5], &[3, 5, 4], &[2, 5, 3, 4]], new, |layer, a, _| {
            let [gain, bias] = <[Var; 2]>::try_from(layer.parameters()).unwrap();
            definition(a, &gain, &bias)
        });
    }

    /// The row of LN in the paper's table 1: what a change of weights W `[6, 4]` or data x `[3, 4]` does to norm(x Wᵀ).
    #[test]
    fn the_invariances_of_table_1() {
        let (weight, data, layer) = (normal(0, &[6, 4]), normal(1, &[3, 4]), layer(6, 0.0));
        let normalized = |weight: &Tensor, data: &Tensor| {
            layer.forward(&data.matmul(&weight.t().unwrap()).unwrap(), Pass::TRAIN).unwrap()
        };
        let unchanged = normalized(&weight, &data);
        let changed = |weight: &Tensor, data: &Tensor| apart(&normalized(weight, data), &unchanged);
        // 1 for all rows but the first.
        let first = |rows: usize| {
            let factors: Vec<f64> = (0..rows).map(|row| if row == 0 { 2.5 } else { 1.0 }).collect();
            Tensor::from_vec(factors, (rows, 1), &Device::Cpu).unwrap()
        };
        let row = normal(2, &[1, 4]);
        let invariant = [
            ("weights re-scaled", changed(&(&weight * 2.5).unwrap(), &data)),
            ("weights re-centered", changed(&weight.broadcast_add(&row).unwrap(), &data)),
            ("data re-scaled", changed(&weight, &(&data * 2.5).unwrap())),
            ("one case re-scaled", changed(&weight, &data.broadcast_mul(&first(3)).unwrap())),
        ];
        let not = [
            ("one weight vector re-scaled", changed(&weight.broadcast_mul(&first(6)).unwrap(), &data)),
            ("data re-centered", changed(&weight, &data.broadcast_add(&row).unwrap())),
        ];
        assert!(invariant.iter().all(|(_, apart)| *apart < 1e-9), "{invariant:?}");
        assert!(not.iter().all(|(_, apart)| *apart > 1e-3), "{not:?}");
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&layer(5, 1e-5), &[3, 5], Pass::TRAIN);
        assert_gradients_of(&layer(3, 1e-5), &[2, 3, 2, 2], Pass::TRAIN);
    }

    #[test]
    fn pytorch_gives_the_same() {
        assert_golden("layer", &layer(5, CONFIG.epsilon));
        assert_golden("layer of images", &layer(3, CONFIG.epsilon));
    }
}
