//! What gradient descent can reach, read from the Hessian alone.
//!
//! LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", §5.1, where learning rates and eigenvalues meet.

use super::{Matrix, eigenvalues};

/// The Hessian of the loss 1/(2N) ‖Xw − y‖² with regard to w, `[N, D] -> [D, D]`. It does not depend on y.
///
/// ```text
/// H = 1/N XᵀX          Hⱼₖ = 1/N Σᵢ xᵢⱼ xᵢₖ
/// ```
pub fn hessian(inputs: &Matrix) -> Matrix {
    // SOLUTION the mean over the examples of the products of two features
    Matrix::from_fn(inputs.columns, inputs.columns, |row, column| {
        let products = (0..inputs.rows).map(|example| inputs.at(example, row) * inputs.at(example, column));
        products.sum::<f64>() / inputs.rows as f64
    })
    // END
}

/// κ = λmax / λmin, of the eigenvalues of a Hessian `[D, D]`.
///
/// Infinite if features are linearly dependent. With rounding, that is if λmin is at most 10⁻¹² λmax; it may be below 0
/// then.
pub fn condition_number(hessian: &Matrix) -> f64 {
    // SOLUTION take the extremes of `eigenvalues`, which come in no particular order
    let (smallest, largest) = extremes(hessian);
    if smallest <= 1e-12 * largest { f64::INFINITY } else { largest / smallest }
    // END
}

/// What gradient descent with a fixed learning rate can do at best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// η.
    pub rate: f64,
    /// By what the distance to the minimum, ‖wₜ − w*‖, is multiplied in a step from the worst start.
    pub factor: f64,
}

/// One step multiplies the error along the eigenvector of λ by 1 − ηλ. The best fixed η is the one for which the worst
/// of these factors, over all eigenvalues of the Hessian, is nearest to 0:
///
/// ```text
/// η = 2 / (λmin + λmax)          |1 − ηλmin| = |1 − ηλmax| = (κ − 1) / (κ + 1)
/// ```
///
/// Linearly dependent features (λmin = 0) are not asked for here.
pub fn best_rate(hessian: &Matrix) -> Best {
    // SOLUTION the rate from both extremes, and the factor that it leaves
    let (smallest, largest) = extremes(hessian);
    let kappa = condition_number(hessian);
    Best { rate: 2.0 / (smallest + largest), factor: (kappa - 1.0) / (kappa + 1.0) }
    // END
}

/// The smallest and the largest eigenvalue. For both functions above; write it, or leave it out.
fn extremes(hessian: &Matrix) -> (f64, f64) {
    // SOLUTION the smallest and the largest of `eigenvalues`
    let found = eigenvalues(hessian);
    let fold = |start: f64, choose: fn(f64, f64) -> f64| found.iter().copied().fold(start, choose);
    (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max))
    // END
}
