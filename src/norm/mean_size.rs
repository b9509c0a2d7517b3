//! The example of a norm of your own: each example divided by the mean size of its values. Copy this file, change the formula,
//! and name your norm in [`super::own::OWN`]: every flag that takes a norm then knows it, and
//! `cargo chapter 16 --norm mean-size` gives it a row in the table of chapter 16.
//!
//! y = γ x / (mean |x| + ε), for x of `[N, C, ..]`, the mean over all values of an example, ε = 10⁻⁵.

use super::{Norm, Pass, per_channel::per_channel};
use candle_core::{DType, Device, Result, Tensor, Var};

const EPSILON: f64 = 1e-5;

// ANCHOR: norm
/// The layer.
pub struct MeanSize {
    /// γ, `[C]`, starts at 1.
    weight: Var,
}

impl MeanSize {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        Ok(Self { weight: Var::ones(channels, dtype, device)? })
    }
}

impl Norm for MeanSize {
    fn forward(&self, input: &Tensor, _: Pass) -> Result<Tensor> {
        let sizes = (input.flatten_from(1)?.abs()?.mean(1)? + EPSILON)?;
        let mut per_example = vec![1; input.rank()];
        per_example[0] = input.dims()[0];
        let normalized = input.broadcast_div(&sizes.reshape(per_example)?)?;
        normalized.broadcast_mul(&per_channel(&self.weight, input.rank())?)
    }

    fn parameters(&self) -> Vec<Var> {
        vec![self.weight.clone()]
    }
}
// ANCHOR_END: norm

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{apart, assert_close, assert_gradients_of, normal, scatter, values};

    fn layer(channels: usize) -> MeanSize {
        MeanSize::new(channels, DType::F64, &Device::Cpu).unwrap()
    }

    #[test]
    fn the_definition() {
        let (layer, input) = (layer(3), normal(0, &[2, 3]));
        scatter(&layer.parameters());
        let weight = values(&layer.weight);
        let expected = input.to_vec2::<f64>().unwrap().into_iter().flat_map(|x| {
            let size = x.iter().map(|x| x.abs()).sum::<f64>() / 3.0;
            (0..3).map(|i| weight[i] * x[i] / (size + EPSILON)).collect::<Vec<_>>()
        });
        assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &expected.collect::<Vec<_>>(), 1e-12);
    }

    #[test]
    fn the_scale_of_an_example_does_not_matter() {
        let (layer, input) = (layer(3), normal(0, &[2, 3, 2, 2]));
        let of = |input: &Tensor| layer.forward(input, Pass::TRAIN).unwrap();
        assert!(apart(&of(&(&input * 2.5).unwrap()), &of(&input)) < 1e-4);
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&layer(5), &[3, 5], Pass::TRAIN);
        assert_gradients_of(&layer(3), &[2, 3, 2, 2], Pass::TRAIN);
    }
}
