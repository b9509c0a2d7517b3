//! Checks of A1's reference solution that do not depend on its code. `assignments/grader/tests/references.rs` runs
//! them; students do not get them.

use crate::a1::{
    Matrix, Scaler, best_rate, condition_number, eigenvalues, gradient, hessian, loss, prepare, raw_weights, steps_to,
};
use normbook_grade::rng::Rng;

fn table(rng: &mut Rng, rows: usize, columns: usize) -> Matrix {
    Matrix::new(rows, columns, rng.normals(&[rows, columns], 2.0, 1.0).values)
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn diagonal(entries: &[f64]) -> Matrix {
    Matrix::from_fn(entries.len(), entries.len(), |row, column| if row == column { entries[row] } else { 0.0 })
}

#[test]
fn standardized_features_have_mean_0_and_standard_deviation_1() {
    let train = table(&mut Rng::new(1), 11, 3);
    let (standardized, _) = prepare(&train, &train);
    let Scaler { mean, deviation } = Scaler::fit(&standardized);
    assert!(furthest(&mean, &[0.0; 3]) < 1e-14 && furthest(&deviation, &[1.0; 3]) < 1e-14);
}

#[test]
fn units_do_not_matter() {
    let mut rng = Rng::new(2);
    let (train, test) = (table(&mut rng, 9, 2), table(&mut rng, 4, 2));
    let moved = |data: &Matrix| {
        Matrix::from_fn(data.rows, data.columns, |row, column| [1e3, 1e-3][column] * data.at(row, column) + 5.0)
    };
    let (plain, other) = (prepare(&train, &test), prepare(&moved(&train), &moved(&test)));
    assert!(furthest(&plain.0.values, &other.0.values) < 1e-9 && furthest(&plain.1.values, &other.1.values) < 1e-9);
}

#[test]
fn a_constant_feature_is_0_for_every_constant() {
    let mut rng = Rng::new(3);
    for _ in 0..1000 {
        let (value, rows) = (rng.normals(&[1], 1000.0, 0.0).values[0], 2 + rng.below(30));
        let train = Matrix::new(rows, 1, vec![value; rows]);
        let scaler = Scaler::fit(&train);
        assert_eq!(scaler.deviation, [0.0]);
        assert_eq!(scaler.apply(&Matrix::new(1, 1, vec![value + 1.0])).values, [0.0]);
    }
    assert_eq!(Scaler::fit(&Matrix::new(3, 1, vec![0.0; 3])).deviation, [0.0]);
}

#[test]
fn raw_weights_give_the_same_model() {
    let mut rng = Rng::new(4);
    let train = Matrix::from_fn(
        8,
        3,
        |row, column| if column == 1 { 0.1 } else { table(&mut Rng::new(9), 8, 3).at(row, column) },
    );
    let scaler = Scaler::fit(&train);
    let (weights, bias) = (rng.normals(&[3], 1.0, 0.0).values, 0.7);
    let (raw, shift) = raw_weights(&weights, bias, &scaler);
    let standardized = scaler.apply(&train);
    for row in 0..8 {
        let of = |x: &[f64], w: &[f64], b: f64| x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>() + b;
        assert!((of(standardized.row(row), &weights, bias) - of(train.row(row), &raw, shift)).abs() < 1e-12);
    }
}

/// Sum and sum of squares of the eigenvalues are those of the matrix; a 2 × 2 matrix has a closed form.
#[test]
fn the_eigenvalues_are_right() {
    let mut rng = Rng::new(5);
    for size in 1..7 {
        let h = hessian(&table(&mut rng, size + 2, size));
        let found = eigenvalues(&h);
        let trace: f64 = (0..size).map(|index| h.at(index, index)).sum();
        let squares: f64 = h.values.iter().map(|value| value * value).sum();
        assert!((found.iter().sum::<f64>() / trace - 1.0).abs() < 1e-13);
        assert!((found.iter().map(|value| value * value).sum::<f64>() / squares - 1.0).abs() < 1e-13);
        // det(H − λ) is 0 for each eigenvalue λ.
        for value in found {
            let shifted = Matrix::from_fn(size, size, |r, c| h.at(r, c) - if r == c { value } else { 0.0 });
            assert!(smallest_pivot(shifted) < 1e-12 * trace, "{size}: {value}");
        }
    }
    let mut two = eigenvalues(&Matrix::new(2, 2, vec![3.0, 1.0, 1.0, 3.0]));
    two.sort_by(f64::total_cmp);
    assert!(furthest(&two, &[2.0, 4.0]) < 1e-15);
}

/// Gives the smallest pivot of an elimination with complete pivoting, which is 0 if the determinant is.
fn smallest_pivot(mut a: Matrix) -> f64 {
    let n = a.rows;
    let mut least = f64::INFINITY;
    for step in 0..n {
        let rest = || (step..n).flat_map(|r| (step..n).map(move |c| (r, c)));
        let (r, c) = rest().max_by(|x, y| a.at(x.0, x.1).abs().total_cmp(&a.at(y.0, y.1).abs())).unwrap();
        (0..n).for_each(|index| a.values.swap(r * n + index, step * n + index));
        (0..n).for_each(|index| a.values.swap(index * n + c, index * n + step));
        let pivot = a.at(step, step);
        least = least.min(pivot.abs());
        if pivot == 0.0 {
            return 0.0;
        }
        for row in step + 1..n {
            let factor = a.at(row, step) / pivot;
            (step..n).for_each(|column| a.values[row * n + column] -= factor * a.values[step * n + column]);
        }
    }
    least
}

#[test]
fn the_condition_number_grows_with_the_square_of_a_scale() {
    let kappa = |scale: f64| condition_number(&diagonal(&[1.0, scale * scale, 2.0]));
    assert!((kappa(100.0) / kappa(10.0) - 100.0).abs() < 1e-9);
    let sum = table(&mut Rng::new(6), 20, 3);
    let dependent =
        Matrix::from_fn(20, 4, |row, column| if column < 3 { sum.at(row, column) } else { sum.row(row).iter().sum() });
    assert_eq!(condition_number(&hessian(&dependent)), f64::INFINITY);
}

#[test]
fn the_gradient_is_that_of_central_differences() {
    let mut rng = Rng::new(7);
    let (inputs, targets) = (table(&mut rng, 7, 3), rng.normals(&[7], 1.0, 0.0).values);
    let weights = rng.normals(&[3], 1.0, 0.0).values;
    let slope = |index: usize| {
        let at = |by: f64| {
            let mut weights = weights.clone();
            weights[index] += by;
            loss(&inputs, &targets, &weights)
        };
        (at(1e-5) - at(-1e-5)) / 2e-5
    };
    let differences: Vec<f64> = (0..3).map(slope).collect();
    assert!(furthest(&gradient(&inputs, &targets, &weights), &differences) < 1e-8);
}

/// From the worst start each step multiplies the distance to the minimum by the factor, and no other learning rate has
/// a smaller factor.
#[test]
fn the_best_rate_is_the_best() {
    let eigenvalues = [4.0, 0.5, 9.0];
    // With targets of 0 the minimum is at 0. The factor √3 cancels the mean over 3 examples.
    let inputs = diagonal(&eigenvalues.map(|value: f64| (3.0 * value).sqrt()));
    let best = best_rate(&hessian(&inputs));
    let length = |w: &[f64]| w.iter().map(|w| w * w).sum::<f64>().sqrt();
    let mut weights = vec![0.0, 1.0, 1.0];
    for _ in 0..20 {
        let before = length(&weights);
        let slope = gradient(&inputs, &[0.0; 3], &weights);
        weights.iter_mut().zip(slope).for_each(|(w, slope)| *w -= best.rate * slope);
        assert!((length(&weights) / before / best.factor - 1.0).abs() < 1e-12);
    }
    let worst = |rate: f64| eigenvalues.map(|value| (1.0 - rate * value).abs()).into_iter().fold(0.0, f64::max);
    assert!((worst(best.rate) - best.factor).abs() < 1e-12);
    assert!((1..300).all(|index| worst(index as f64 * 1e-3) >= best.factor - 1e-12));
}

#[test]
fn descent_ends_where_the_rate_is_twice_the_inverse_of_the_steepest() {
    let inputs = diagonal(&[6.0f64.sqrt(), 1.0]);
    let targets = [1.0, 2.0];
    let limit = 2.0 / 3.0;
    assert_eq!(steps_to(&inputs, &targets, 1.001 * limit, 1e-3, 100_000), None);
    let steps = steps_to(&inputs, &targets, 0.5 * limit, 1e-3, 100_000).unwrap();
    assert_eq!(steps_to(&inputs, &targets, 0.5 * limit, 1e-3, steps), Some(steps));
    assert_eq!(steps_to(&inputs, &targets, 0.5 * limit, 1e-3, steps - 1), None);
    assert_eq!(steps_to(&inputs, &targets, 0.5 * limit, 1.0, 0), Some(0));
}
