//! Spectral norm regularization (Yoshida & Miyato 2017, arXiv:1705.10941): a penalty on the largest singular value σ of
//! each weight. The spectral normalization of GANs, which sets σ to 1, is another method: `norm::spectral`.
//!
//! minimize  loss + λ/2 Σ_l σ(W_l)²                       eq. 2
//! ∂/∂W ½ σ(W)² = σ u vᵀ, with the singular vectors u and v of length 1, by one step of power iteration for each
//! training step, from the v of the last one (Algorithm 1); a convolution's weight counts as the matrix `[O, C k k]`
//! (§3.3)
//!
//! The algorithm as printed has a slip: u ← W v, v ← Wᵀ u, σ ← ‖u‖ / ‖v‖ gives 1/σ, and u vᵀ is not of length 1. We
//! take unit vectors and σ = uᵀ W v. v starts as (1, …, 1)/√I and not at random, so that all arms of a claim draw the
//! same numbers. Biases, γ and β, which are vectors, have no penalty; the last layer has.

use candle_core::{Result, Tensor, Var};
use normbook_ops::power_iteration::{SingularTriplet, as_matrix, power_iteration, unit};

/// The penalty at work on some parameters.
pub struct SpectralPenalty {
    lambda: f64,
    /// v, `[I, 1]`, of each parameter that has a penalty.
    right: Vec<Option<Var>>,
}

impl SpectralPenalty {
    /// For parameters in their order, `[O, I, ..]` or vectors.
    pub fn new<'a>(lambda: f64, parameters: impl IntoIterator<Item = &'a Tensor>) -> Result<Self> {
        let start = |parameter: &Tensor| {
            if parameter.rank() < 2 {
                return Ok(None);
            }
            let inputs = parameter.elem_count() / parameter.dim(0)?;
            let ones = Tensor::ones((inputs, 1), parameter.dtype(), parameter.device())?;
            Var::from_tensor(&unit(&ones)?).map(Some)
        };
        Ok(Self { lambda, right: parameters.into_iter().map(start).collect::<Result<_>>()? })
    }

    /// Every v, as it moves.
    pub fn state(&self) -> Vec<Var> {
        self.right.iter().flatten().cloned().collect()
    }

    /// The gradient of loss and penalty from that of the loss, for the parameter at `index`: `weight` `[O, I, ..]`.
    /// Moves v.
    pub fn add(&self, index: usize, weight: &Tensor, gradient: Tensor) -> Result<Tensor> {
        let Some(kept) = &self.right[index] else { return Ok(gradient) };
        let matrix = as_matrix(&weight.detach())?;
        let SingularTriplet { value, left, right } = power_iteration(&matrix, &kept.as_detached_tensor())?;
        let of_penalty = (left.matmul(&right.t()?)? * (self.lambda * value))?;
        kept.set(&right)?;
        gradient + of_penalty.reshape(weight.shape())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};
    use nalgebra::DMatrix;
    use normbook_lab::seed::{Purpose, Seed};

    const LAMBDA: f64 = 0.1;

    fn weight(dims: &[usize]) -> Tensor {
        let mut stream = Seed(0).stream(Purpose::Probe, 0);
        stream.normal_tensor(dims, 1.0, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f64> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// The weight as a matrix of nalgebra's, `[O, C k k]`.
    fn matrix(weight: &Tensor) -> DMatrix<f64> {
        let (rows, columns) = as_matrix(weight).unwrap().dims2().unwrap();
        DMatrix::from_row_slice(rows, columns, &values(weight))
    }

    fn largest(matrix: DMatrix<f64>) -> f64 {
        matrix.singular_values().max()
    }

    /// After enough steps the gradient that is added is the central difference of λ/2 σ², with σ of a full
    /// decomposition.
    #[test]
    fn the_gradient_is_that_of_the_penalty() {
        for dims in [&[4, 6][..], &[3, 2, 2, 2]] {
            let weight = weight(dims);
            let penalty = SpectralPenalty::new(LAMBDA, [&weight]).unwrap();
            let zero = || weight.zeros_like().unwrap();
            for _ in 0..500 {
                penalty.add(0, &weight, zero()).unwrap();
            }
            let found = values(&penalty.add(0, &weight, zero()).unwrap());
            let at = |place: usize, by: f64| {
                let mut moved = values(&weight);
                moved[place] += by;
                let moved = Tensor::from_vec(moved, dims, &Device::Cpu).unwrap();
                0.5 * LAMBDA * largest(matrix(&moved)).powi(2)
            };
            for (place, found) in found.iter().enumerate() {
                let difference = (at(place, 1e-5) - at(place, -1e-5)) / 2e-5;
                assert!((found - difference).abs() < 1e-8, "{found} {difference}");
            }
        }
    }

    /// Algorithm 1 as it is printed, from the vector it converges to; ours has σ.
    #[test]
    fn the_printed_algorithm_gives_one_over_sigma() {
        let matrix = matrix(&weight(&[4, 6]));
        let decomposition = matrix.clone().svd(true, true);
        let (first, sigma) = decomposition.singular_values.argmax();
        let v = decomposition.v_t.unwrap().row(first).transpose();
        let u = &matrix * v;
        let v = matrix.tr_mul(&u);
        assert!((u.norm() / v.norm() - 1.0 / sigma).abs() < 1e-12);
        assert!(((u * v.transpose()).norm() - sigma.powi(3)).abs() < 1e-9 && (sigma - 1.0).abs() > 0.5);
    }

    #[test]
    fn vectors_have_no_penalty() {
        let bias = weight(&[5]);
        let gradient = SpectralPenalty::new(LAMBDA, [&bias]).unwrap().add(0, &bias, bias.clone()).unwrap();
        assert_eq!(values(&gradient), values(&bias));
    }

    /// Gradient descent on the penalty alone brings σ down towards the smallest singular value, which hardly moves.
    #[test]
    fn descent_flattens_the_spectrum() {
        let mut weight = weight(&[4, 6]);
        let sorted = |weight: &Tensor| {
            let mut values: Vec<f64> = matrix(weight).singular_values().iter().copied().collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let before = sorted(&weight);
        let penalty = SpectralPenalty::new(LAMBDA, [&weight]).unwrap();
        for _ in 0..300 {
            let gradient = penalty.add(0, &weight, weight.zeros_like().unwrap()).unwrap();
            weight = (weight - (gradient * 0.05).unwrap()).unwrap();
        }
        let after = sorted(&weight);
        assert!(after[3] / after[0] < 0.5 * before[3] / before[0], "{before:?} {after:?}");
        assert!((after[0] / before[0] - 1.0).abs() < 0.05, "{before:?} {after:?}");
    }
}
