//! The example of a normalization layer of your own: it divides each example by the mean size of its values.
//!
//! y = γ x / (mean |x| + ε), for x of `[N, C, ..]`, the mean over all values of an example, ε = 10⁻⁵.
//!
//! Copy this file, change the formula, and name your layer in [`super::own::OWN`]: every flag that takes a
//! normalization then knows the name; `cargo chapter 16 --norm mean-size` gives it a row in that chapter's table.

// ANCHOR: norm
use super::{Norm, Pass, per_channel::per_channel};
use candle_core::{DType, Device, Result, Tensor, Var};

const EPSILON: f64 = 1e-5;

/// The layer, for `[N, C, ..]`.
pub struct MeanSize {
    /// γ, `[C]`, starts at 1.
    gamma: Var,
}

impl MeanSize {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        Ok(Self { gamma: Var::ones(channels, dtype, device)? })
    }
}

impl Norm for MeanSize {
    // ANCHOR: definition
    fn forward(&self, x: &Tensor, _: Pass) -> Result<Tensor> {
        let examples = x.flatten_from(1)?; // [N, all values of an example]
        let sizes = (examples.abs()?.mean_keepdim(1)? + EPSILON)?; // mean |x| + ε, [N, 1]
        let normalized = examples.broadcast_div(&sizes)?.reshape(x.shape())?;
        normalized.broadcast_mul(&per_channel(&self.gamma, x.rank())?) // γ is one number per channel
    }
    // ANCHOR_END: definition

    fn parameters(&self) -> Vec<Var> {
        vec![self.gamma.clone()]
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
        let gamma = values(&layer.gamma);
        let expected = input.to_vec2::<f64>().unwrap().into_iter().flat_map(|x| {
            let size = x.iter().map(|x| x.abs()).sum::<f64>() / 3.0;
            (0..3).map(|i| gamma[i] * x[i] / (size + EPSILON)).collect::<Vec<_>>()
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
