//! Spectral normalization (Miyato, Kataoka, Koyama & Yoshida 2018, arXiv:1802.05957), for the discriminator of a GAN:
//! it *sets* a weight's largest singular value to 1. The penalty of Yoshida & Miyato 2017 (arXiv:1705.10941), which
//! only limits its growth, is another method: `train::spectral_penalty`.
//!
//! σ(A) = max ‖A h‖ / ‖h‖, the largest singular value
//! W̄_SN = W / σ(W)                                              eq. 8
//! ∂W̄_SN/∂W_ij = (E_ij − u_i v_j W̄_SN) / σ(W)                   eq. 9 to 11: ∂σ/∂W = u vᵀ, u and v count as constants
//! Algorithm 1, once in each training step, with ũ kept from step to step:
//! ṽ ← Wᵀ ũ / ‖Wᵀ ũ‖,  ũ ← W ṽ / ‖W ṽ‖                          step 1
//! W̄_SN = W / σ(W) with σ(W) ≈ ũᵀ W ṽ                           step 2
//!
//! Differs from the paper: ũ starts as (1, …, 1)/√O and not at random, so all arms of a claim draw the same weights.
//! As in PyTorch, evaluation takes the ũ and ṽ of the last training step. PyTorch's `nn.utils.spectral_norm` computes
//! the same; its newer `nn.utils.parametrizations.spectral_norm` takes the two halves of step 1 in the other order,
//! and begins with 15 power iterations, where the paper has none.
//!
//! A convolution's weight counts as the matrix `[O, C k k]`, as in the paper: its σ is not that of the convolution as
//! a map of images, which may be larger, by at most a factor of k for stride 1 and a window of k × k.

use super::{Mode, Pass, reparameterization::Reparameterization};
use candle_core::{Result, Tensor, Var};
use normbook_ops::power_iteration::{as_matrix, unit};

/// The reparameterization, of W `[O, ..]`.
pub struct SpectralNorm {
    /// ũ, `[O, 1]`.
    left: Var,
    /// ṽ, `[I, 1]`, with I values in a unit's weight.
    right: Var,
}

impl SpectralNorm {
    /// Takes the W `[O, ..]` that a layer begins with.
    pub fn new(weight: &Tensor) -> Result<Self> {
        let matrix = as_matrix(&weight.detach())?;
        let left = unit(&Tensor::ones((matrix.dim(0)?, 1), matrix.dtype(), matrix.device())?)?;
        let right = unit(&matrix.t()?.matmul(&left)?)?;
        Ok(Self { left: Var::from_tensor(&left)?, right: Var::from_tensor(&right)? })
    }
}

impl Reparameterization for SpectralNorm {
    // ANCHOR: definition
    /// Computes W / σ(W), `[O, ..]`; training keeps the ũ and ṽ that it finds.
    fn weight(&self, raw: &Tensor, pass: Pass) -> Result<Tensor> {
        let matrix = as_matrix(raw)?; // W, [O, I]
        let [left, right] = match pass.mode {
            Mode::Eval => [self.left.as_detached_tensor(), self.right.as_detached_tensor()],
            Mode::Train | Mode::Probe => {
                let (constant, left) = (matrix.detach(), self.left.as_detached_tensor());
                let right = unit(&constant.t()?.matmul(&left)?)?; // ṽ, step 1
                [unit(&constant.matmul(&right)?)?, right] // ũ, step 1
            }
        };
        if pass.mode == Mode::Train {
            self.left.set(&left)?;
            self.right.set(&right)?;
        }
        let sigma = (matrix * left.matmul(&right.t()?)?)?.sum_all()?; // ũᵀ W ṽ = ⟨W, ũ ṽᵀ⟩
        raw.broadcast_div(&sigma) // step 2
    }
    // ANCHOR_END: definition

    /// Returns ũ and ṽ.
    fn state(&self) -> Vec<Var> {
        vec![self.left.clone(), self.right.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::testing::{Golden, apart, assert_close, assert_gradients, golden, normal, values, variable};
    use nalgebra::DMatrix;

    fn singular_values(weight: &Tensor) -> Vec<f64> {
        let matrix = as_matrix(weight).unwrap();
        let (rows, columns) = matrix.dims2().unwrap();
        let svd = DMatrix::from_row_slice(rows, columns, &values(&matrix)).svd(false, false);
        svd.singular_values.iter().copied().collect()
    }

    /// After enough steps, W divided by the largest singular value of a full decomposition.
    #[test]
    fn the_definition() {
        for dims in [&[4, 6][..], &[3, 2, 3, 3]] {
            let weight = normal(0, dims);
            let norm = SpectralNorm::new(&weight).unwrap();
            for _ in 0..500 {
                norm.weight(&weight, Pass::TRAIN).unwrap();
            }
            let found = norm.weight(&weight, Pass::EVAL).unwrap();
            let largest = singular_values(&weight)[0];
            assert!(apart(&found, &(&weight / largest).unwrap()) < 1e-9);
            assert!((singular_values(&found)[0] - 1.0).abs() < 1e-9);
        }
    }

    /// Algorithm 1 by loops, one step.
    #[test]
    fn a_training_step_is_one_of_power_iteration() {
        let weight = normal(0, &[3, 4]);
        let norm = SpectralNorm::new(&weight).unwrap();
        let w = weight.to_vec2::<f64>().unwrap();
        let unit = |vector: Vec<f64>| {
            let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
            vector.into_iter().map(|x| x / length).collect::<Vec<_>>()
        };
        let u = values(&norm.left);
        let v = unit((0..4).map(|column| (0..3).map(|row| w[row][column] * u[row]).sum()).collect());
        let u = unit((0..3).map(|row| (0..4).map(|column| w[row][column] * v[column]).sum()).collect());
        let sigma: f64 = (0..3).map(|row| (0..4).map(|column| u[row] * w[row][column] * v[column]).sum::<f64>()).sum();
        let expected: Vec<f64> = w.iter().flatten().map(|w| w / sigma).collect();
        assert_close(&values(&norm.weight(&weight, Pass::TRAIN).unwrap()), &expected, 1e-12);
        assert_close(&values(&norm.left), &u, 1e-12);
        assert_close(&values(&norm.right), &v, 1e-12);
    }

    /// The scale of W does not matter, and only training moves ũ.
    #[test]
    fn a_probe_sees_what_training_does_and_moves_nothing() {
        let weight = normal(0, &[4, 6]);
        let norm = SpectralNorm::new(&weight).unwrap();
        let of = |weight: &Tensor, pass| norm.weight(weight, pass).unwrap();
        let (start, before) = (values(&norm.left), values(&of(&weight, Pass::EVAL)));
        let probed = of(&weight, Pass::PROBE);
        assert!(apart(&of(&(&weight * 7.0).unwrap(), Pass::PROBE), &probed) < 1e-12);
        assert_eq!((values(&norm.left), values(&of(&weight, Pass::EVAL))), (start.clone(), before));
        assert_eq!(values(&of(&weight, Pass::TRAIN)), values(&probed));
        assert_ne!(values(&norm.left), start);
    }

    /// u and v count as constants, as in eq. 10, and in evaluation they are; then the equation itself.
    #[test]
    fn the_gradients_are_central_differences() {
        for dims in [&[4, 6][..], &[3, 2, 2, 2]] {
            let weight = variable(0, dims);
            let norm = SpectralNorm::new(&weight).unwrap();
            norm.weight(&weight, Pass::TRAIN).unwrap();
            let evaluated = || norm.weight(&weight, Pass::EVAL);
            assert_gradients(std::slice::from_ref(&weight), evaluated, evaluated);
        }
        let (weight, upstream) = (variable(0, &[4, 6]), normal(1, &[4, 6]));
        let norm = SpectralNorm::new(&weight).unwrap();
        let normalized = norm.weight(&weight, Pass::TRAIN).unwrap();
        let loss = (&normalized * &upstream).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        let along = loss.to_scalar::<f64>().unwrap();
        let sigma = values(&weight)[0] / values(&normalized)[0];
        let outer = norm.left.matmul(&norm.right.t().unwrap()).unwrap();
        let expected = ((upstream - (outer * along).unwrap()).unwrap() / sigma).unwrap();
        assert_close(&values(gradients.get(&weight).unwrap()), &values(&expected), 1e-12);
    }

    #[test]
    fn pytorch_gives_the_same() {
        for name in ["spectral", "spectral of a convolution"] {
            let Golden { input, upstream, output, gradients, kept, evaluated, .. } = golden(name);
            let raw = input.variable();
            let norm = SpectralNorm::new(&raw).unwrap();
            norm.left.set(&kept[0].tensor().reshape(((), 1)).unwrap()).unwrap();
            let weight = norm.weight(&raw, Pass::TRAIN).unwrap();
            assert_close(&values(&weight), &values(&output.tensor()), 1e-12);
            for (found, expected) in [&norm.left, &norm.right].into_iter().zip(&kept[1..]) {
                assert_close(&values(found), &values(&expected.tensor()), 1e-12);
            }
            let found = (weight * upstream.tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            assert_close(&values(found.get(&raw).unwrap()), &values(&gradients[0].tensor()), 1e-12);
            let in_evaluation = norm.weight(&raw, Pass::EVAL).unwrap();
            assert_close(&values(&in_evaluation), &values(&evaluated.unwrap().tensor()), 1e-12);
        }
    }
}
