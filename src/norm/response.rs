//! Filter response normalization (Singh & Krishnan 2020, arXiv:1911.09737), for the N = H · W values x of one filter and one
//! example.
//!
//! ν² = Σ x_i² / N
//! x̂ = x / √(ν² + ε)      eq. 1
//! y = γ x̂ + β            eq. 2
//! z = max(y, τ)          eq. 3, the thresholded linear unit (TLU), in the place of the layer's activation
//!
//! No mean is subtracted and no batch is needed, so that training and evaluation are the same. τ starts at 0, where the TLU
//! is ReLU.
//!
//! ε is the paper's 10⁻⁶. Differs from the paper: where a filter has one value, as behind a fully connected layer, only the
//! sign would be left; the paper then learns ε, and here it is an error. PyTorch has no such layer. At y = τ the gradient
//! goes to τ.

use super::{Norm, Pass, group, group::GroupNorm, per_channel::per_channel};
use candle_core::{DType, Device, Result, Tensor, Var, bail};
use normbook_ops::{activation::relu, normalize::ScaleStatistic};

/// ε.
const EPSILON: f64 = 1e-6;

/// The layer, for `[N, C, ..]` with more than one value behind each channel.
pub struct FilterResponseNorm {
    /// Eq. 1 and 2: the normalization of groups of one channel, without a mean.
    norm: GroupNorm,
    /// τ, `[C]`, starts at 0.
    threshold: Var,
}

impl FilterResponseNorm {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        let config = group::Config { groups: channels, scale: ScaleStatistic::Uncentered, epsilon: EPSILON };
        let threshold = Var::zeros(channels, dtype, device)?;
        Ok(Self { norm: GroupNorm::new(channels, config, dtype, device)?, threshold })
    }
}

impl Norm for FilterResponseNorm {
    fn forward(&self, input: &Tensor, pass: Pass) -> Result<Tensor> {
        if input.dims()[2..].iter().product::<usize>() < 2 {
            bail!(
                "filter response norm: one value of each channel and example, {:?}; it needs maps of at least two",
                input.dims()
            );
        }
        // max(y, τ) = max(y − τ, 0) + τ.
        let threshold = per_channel(&self.threshold, input.rank())?;
        relu(&self.norm.forward(input, pass)?.broadcast_sub(&threshold)?)?.broadcast_add(&threshold)
    }

    /// γ, β and τ.
    fn parameters(&self) -> Vec<Var> {
        [self.norm.parameters(), vec![self.threshold.clone()]].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{apart, assert_close, assert_gradients_of, normal, scatter, values};

    fn layer() -> FilterResponseNorm {
        let layer = FilterResponseNorm::new(3, DType::F64, &Device::Cpu).unwrap();
        scatter(&layer.parameters());
        layer
    }

    /// Eq. 1 to 3 by loops.
    #[test]
    fn the_definition() {
        let (layer, input) = (layer(), normal(0, &[2, 3, 6]));
        let parameters: Vec<Vec<f64>> = layer.parameters().iter().map(|parameter| values(parameter)).collect();
        let of_filter = |(index, x): (usize, &Vec<f64>)| {
            let [gamma, beta, tau] = [0, 1, 2].map(|of| parameters[of][index % 3]);
            let square = x.iter().map(|x| x * x).sum::<f64>() / 6.0;
            x.iter().map(|x| (gamma * x / (square + EPSILON).sqrt() + beta).max(tau)).collect::<Vec<_>>()
        };
        let filters: Vec<Vec<f64>> = input.to_vec3().unwrap().into_iter().flatten().collect();
        let expected: Vec<f64> = filters.iter().enumerate().flat_map(of_filter).collect();
        assert_close(&values(&layer.forward(&input, Pass::TRAIN).unwrap()), &expected, 1e-12);
    }

    /// Neither a filter's scale nor the other examples matter, up to ε; an offset does.
    #[test]
    fn the_scale_and_the_batch_do_not_matter() {
        let (layer, input) = (layer(), normal(0, &[4, 3, 5, 5]));
        let of = |input: &Tensor| layer.forward(input, Pass::TRAIN).unwrap();
        assert!(apart(&of(&(&input * 3.0).unwrap()), &of(&input)) < 1e-5);
        assert!(apart(&of(&(&input + 0.5).unwrap()), &of(&input)) > 1e-2);
        let alone = of(&input.narrow(0, 1, 1).unwrap());
        assert!(apart(&alone, &of(&input).narrow(0, 1, 1).unwrap()) < 1e-12);
    }

    #[test]
    fn it_starts_as_relu() {
        let layer = FilterResponseNorm::new(3, DType::F64, &Device::Cpu).unwrap();
        let input = normal(0, &[2, 3, 4]);
        let expected = relu(&layer.norm.forward(&input, Pass::TRAIN).unwrap()).unwrap();
        assert_eq!(values(&layer.forward(&input, Pass::TRAIN).unwrap()), values(&expected));
    }

    #[test]
    fn the_gradients_are_central_differences() {
        assert_gradients_of(&layer(), &[2, 3, 3, 2], Pass::TRAIN);
    }

    #[test]
    fn single_values_are_refused() {
        for dims in [&[4, 3][..], &[4, 3, 1, 1]] {
            let error = layer().forward(&normal(0, dims), Pass::TRAIN).unwrap_err();
            assert!(error.to_string().contains("at least two"));
        }
    }
}
