//! Eigenvalues of a small symmetric matrix, by Jacobi's rotations. This file is written for you.

use super::Matrix;

/// The eigenvalues of a symmetric matrix, in no particular order. Of an eigenvalue that is 0 rounding leaves some 10⁻¹⁶
/// of the largest, with either sign.
pub fn eigenvalues(symmetric: &Matrix) -> Vec<f64> {
    let n = symmetric.rows;
    assert_eq!(n, symmetric.columns, "only a square matrix has eigenvalues");
    let mut a = symmetric.clone();
    // Each sweep squares what is left off the diagonal, so that few are needed.
    for _ in 0..60 {
        let before = a.clone();
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, p, q);
            }
        }
        if a == before {
            break;
        }
    }
    (0..n).map(|index| a.at(index, index)).collect()
}

/// Turns rows and columns p and q by the angle that makes their entry 0.
fn rotate(a: &mut Matrix, p: usize, q: usize) {
    let off = a.at(p, q);
    if off.abs() <= f64::EPSILON * 1e-3 * (a.at(p, p) * a.at(q, q)).abs().sqrt() {
        return;
    }
    let half = (a.at(q, q) - a.at(p, p)) / (2.0 * off);
    let tangent = half.signum() / (half.abs() + (half * half + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    let n = a.rows;
    for index in 0..n {
        let (x, y) = (a.at(index, p), a.at(index, q));
        a.values[index * n + p] = cosine * x - sine * y;
        a.values[index * n + q] = sine * x + cosine * y;
    }
    for index in 0..n {
        let (x, y) = (a.at(p, index), a.at(q, index));
        a.values[p * n + index] = cosine * x - sine * y;
        a.values[q * n + index] = sine * x + cosine * y;
    }
}
