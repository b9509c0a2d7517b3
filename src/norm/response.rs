//! Filter response normalization (Singh & Krishnan 2020, arXiv:1911.09737), for the N = H · W values x of one filter
//! and one example.
//!
//! ν² = Σ x_i² / N
//! x̂ = x / √(ν² + ε)      eq. 1
//! y = γ x̂ + β            eq. 2
//! z = max(y, τ)          eq. 3, the thresholded linear unit (TLU), which replaces the layer's activation
//!
//! The layer subtracts no mean and needs no batch: training and evaluation are the same. τ starts at 0, where the TLU
//! is ReLU. ε is the paper's 10⁻⁶.
//!
//! Differs from the paper: where a filter has a single value, as after a fully connected layer, eq. 1 leaves only its
//! sign; the paper then learns ε, and here it is an error. At y = τ the gradient of `forward` goes to τ. PyTorch has
//! no such layer.

use super::{
    Norm, Pass,
    per_channel::{per_channel, scale_shift},
};
use candle_core::{DType, Device, Result, Tensor, Var, bail};
use normbook_ops::{
    activation::relu,
    normalize::{Axes, Normalization, ScaleStatistic, normalize},
};

/// ε.
const EPSILON: f64 = 1e-6;

/// The layer, for `[N, C, ..]` with more than one value of each channel and example.
pub struct FilterResponseNorm {
    /// γ, `[C]`, starts at 1.
    gamma: Var,
    /// β, `[C]`, starts at 0.
    beta: Var,
    /// τ, `[C]`, starts at 0.
    tau: Var,
}

impl FilterResponseNorm {
    pub fn new(channels: usize, dtype: DType, device: &Device) -> Result<Self> {
        let zeros = || Var::zeros(channels, dtype, device);
        Ok(Self { gamma: Var::ones(channels, dtype, device)?, beta: zeros()?, tau: zeros()? })
    }

    // ANCHOR: definition
    /// Computes eq. 1 to 3, `[N, C, ..] -> [N, C, ..]`.
    pub fn definition(&self, x: &Tensor) -> Result<Tensor> {
        let filters = x.reshape((x.dim(0)?, x.dim(1)?, ()))?; // [examples, C, N]
        let square = filters.sqr()?.mean_keepdim(2)?; // ν²
        let x_hat = filters.broadcast_div(&(square + EPSILON)?.sqrt()?)?.reshape(x.shape())?; // eq. 1
        let y = scale_shift(&x_hat, &self.gamma, &self.beta)?; // eq. 2
        y.broadcast_maximum(&per_channel(&self.tau, x.rank())?) // eq. 3
    }
    // ANCHOR_END: definition

    /// Computes eq. 1 and 2 by the fused kernel: groups of one channel, without a mean.
    fn scaled(&self, x: &Tensor) -> Result<Tensor> {
        let how = Normalization {
            axes: Axes::Groups(self.tau.elem_count()),
            scale: ScaleStatistic::Uncentered,
            epsilon: EPSILON,
        };
        Ok(normalize(x, &self.gamma, &self.beta, how)?.output)
    }
}

impl Norm for FilterResponseNorm {
    fn forward(&self, x: &Tensor, _: Pass) -> Result<Tensor> {
        if x.dims()[2..].iter().product::<usize>() < 2 {
            bail!("filter response normalization: {:?} has one value per map; give maps of at least two", x.dims());
        }
        // max(y, τ) = max(y − τ, 0) + τ.
        let tau = per_channel(&self.tau, x.rank())?;
        relu(&self.scaled(x)?.broadcast_sub(&tau)?)?.broadcast_add(&tau)
    }

    /// Returns γ, β and τ.
    fn parameters(&self) -> Vec<Var> {
        vec![self.gamma.clone(), self.beta.clone(), self.tau.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{apart, assert_close, assert_definition, assert_gradients_of, normal, scatter, values};

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

    #[test]
    fn the_kernel_computes_the_definition() {
        let new = |dtype| FilterResponseNorm::new(3, dtype, &Device::Cpu);
        assert_definition(&[&[2, 3, 6], &[4, 3, 4, 5]], new, |layer, x, _| layer.definition(x));
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
        let expected = relu(&layer.scaled(&input).unwrap()).unwrap();
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
