//! The largest singular value of a matrix M by power iteration: u ← M v / ‖M v‖, v ← Mᵀ u / ‖Mᵀ u‖, σ = uᵀ M v.
//!
//! Unless v is orthogonal to the right singular vector of σ₁, each step multiplies the errors of u and v by about
//! (σ₂ / σ₁)². The estimate σ never exceeds σ₁. No gradient flows through u, v and σ; that of σ₁ is ∂σ₁/∂M = u vᵀ.

use candle_core::{DType, Result, Tensor};

/// The least length that a vector is divided by, as in PyTorch. A matrix of zeros has σ = 0.
const LEAST_LENGTH: f64 = 1e-12;

/// An estimate of the largest singular value and its two vectors.
#[derive(Clone, Debug)]
pub struct SingularTriplet {
    /// σ ≥ 0.
    pub value: f64,
    /// u, `[rows, 1]`, of length 1.
    pub left: Tensor,
    /// v, `[columns, 1]`, of length 1.
    pub right: Tensor,
}

// ANCHOR: step
/// Makes one step for `matrix` `[rows, columns]` from v = `right` `[columns, 1]`. Errors on shapes that do not match.
pub fn power_iteration(matrix: &Tensor, right: &Tensor) -> Result<SingularTriplet> {
    let matrix = matrix.detach();
    let left = unit(&matrix.matmul(&right.detach())?)?;
    let back = matrix.t()?.matmul(&left)?;
    // With v = Mᵀ u / ‖Mᵀ u‖, uᵀ M v is ‖Mᵀ u‖.
    Ok(SingularTriplet { value: length(&back)?, right: unit(&back)?, left })
}
// ANCHOR_END: step

/// Returns a weight `[O, ..]` as a matrix with a row for each output: `[O, C, k, k]` as `[O, C · k · k]`.
pub fn as_matrix(weight: &Tensor) -> Result<Tensor> {
    weight.flatten_from(1)
}

/// Returns a vector of the same direction with length 1.
pub fn unit(vector: &Tensor) -> Result<Tensor> {
    vector / length(vector)?.max(LEAST_LENGTH)
}

fn length(vector: &Tensor) -> Result<f64> {
    Ok(vector.sqr()?.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use nalgebra::DMatrix;
    use normbook_lab::seed::{Purpose, Seed};

    /// Returns a matrix `[5, 7]` in f64, as a tensor and as a matrix of nalgebra.
    fn matrix() -> (Tensor, DMatrix<f64>) {
        let mut stream = Seed(0).stream(Purpose::Probe, 0);
        let tensor = stream.normal_tensor((5, 7), 1.0, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
        let values: Vec<f64> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        (tensor, DMatrix::from_row_slice(5, 7, &values))
    }

    fn ones(rows: usize) -> Tensor {
        Tensor::ones((rows, 1), DType::F64, &Device::Cpu).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f64> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn it_rises_to_the_largest_singular_value_of_a_full_decomposition() {
        let (matrix, of_nalgebra) = matrix();
        let svd = of_nalgebra.svd(true, true);
        let largest = svd.singular_values[0];
        let mut found = power_iteration(&matrix, &ones(7)).unwrap();
        for _ in 0..200 {
            let next = power_iteration(&matrix, &found.right).unwrap();
            assert!(next.value >= found.value - 1e-12 && next.value <= largest + 1e-12);
            found = next;
        }
        assert!((found.value / largest - 1.0).abs() < 1e-9, "{} {largest}", found.value);
        let (u, v) = (svd.u.unwrap(), svd.v_t.unwrap());
        for (found, expected) in [
            (values(&found.left), u.column(0).iter().copied().collect::<Vec<f64>>()),
            (values(&found.right), v.row(0).iter().copied().collect()),
        ] {
            let cosine = found.iter().zip(&expected).map(|(a, b)| a * b).sum::<f64>();
            assert!((cosine.abs() - 1.0).abs() < 1e-9, "{cosine}");
        }
    }

    #[test]
    fn a_matrix_of_zeros_has_no_value_and_no_nan() {
        let found = power_iteration(&matrix().0.zeros_like().unwrap(), &ones(7)).unwrap();
        assert_eq!((found.value, values(&found.right)), (0.0, vec![0.0; 7]));
    }
}
