//! RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467), for the summed inputs a of the n units of a layer, of each example
//! alone.
//!
//! y_i = f(ā_i + b_i)                          eq. 2
//! ā_i = g_i a_i / RMS(a),  RMS(a) = √(Σ a_i² / n)   eq. 4, with gains g that start at 1
//!
//! Layer normalization without the mean: the two are the same where the mean is 0. It is
//! [`GroupNorm`](super::group::GroupNorm) of one group that subtracts no mean: g is its γ, b its β.
//!
//! Differs from the paper, which has no ε: ours is 10⁻⁵, inside the root. PyTorch's layer stops at ā, without b, and its
//! default ε is the number type's smallest step. Of images the units of an example are all its values, and gain and bias
//! belong to a channel, as in our layer normalization. The paper's partial RMSNorm is not here.

use super::{group::Config, layer};
use normbook_ops::normalize::ScaleStatistic;

/// The settings.
pub const CONFIG: Config = Config { scale: ScaleStatistic::Uncentered, ..layer::CONFIG };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::{
        Norm, Pass,
        group::GroupNorm,
        testing::{apart, assert_close, assert_golden, assert_gradients_of, normal, scatter, values},
    };
    use candle_core::{DType, Device, Tensor};

    fn layer(channels: usize, config: Config) -> GroupNorm {
        GroupNorm::new(channels, config, DType::F64, &Device::Cpu).unwrap()
    }

    const EXACT: Config = Config { epsilon: 0.0, ..CONFIG };

    /// Eq. 2 and 4 by loops.
    #[test]
    fn the_definition() {
        let (layer, input) = (layer(5, EXACT), normal(0, &[3, 5]));
        scatter(&layer.parameters());
        let [gain, bias] = [0, 1].map(|index| values(&layer.parameters()[index]));
        let expected = input.to_vec2::<f64>().unwrap().into_iter().flat_map(|a| {
            let rms = (a.iter().map(|a| a * a).sum::<f64>() / 5.0).sqrt();
            (0..5).map(|i| gain[i] * a[i] / rms + bias[i]).collect::<Vec<_>>()
        });
        let expected: Vec<f64> = expected.collect();
        assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &expected, 1e-12);
    }

    /// Re-scaling does not matter, re-centring does, and without a mean it is layer normalization.
    #[test]
    fn the_invariances_of_the_paper() {
        let (rms, input) = (layer(6, EXACT), normal(0, &[3, 6]));
        let of = |input: &Tensor| rms.forward(input, Pass::TRAIN).unwrap();
        assert!(apart(&of(&(&input * 2.5).unwrap()), &of(&input)) < 1e-9);
        assert!(apart(&of(&(&input + 0.5).unwrap()), &of(&input)) > 1e-3);
        let centred = input.broadcast_sub(&input.mean_keepdim(1).unwrap()).unwrap();
        let of_layer = layer(6, Config { epsilon: 0.0, ..super::layer::CONFIG });
        assert!(apart(&of(&centred), &of_layer.forward(&input, Pass::TRAIN).unwrap()) < 1e-9);
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&layer(5, CONFIG), &[3, 5], Pass::TRAIN);
        assert_gradients_of(&layer(3, CONFIG), &[2, 3, 2, 2], Pass::TRAIN);
    }

    #[test]
    fn pytorch_gives_the_same() {
        assert_golden("rms", &layer(5, CONFIG));
    }
}
