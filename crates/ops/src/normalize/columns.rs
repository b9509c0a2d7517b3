//! The fused kernel for the columns of a matrix: batch normalization of `[N, C]`, where the values of a set are a row
//! apart. It goes row by row, so each vector instruction works on neighboring columns.

use super::{
    config::Normalization,
    statistics::{SetStatistics, Statistics},
};
use crate::{
    array::Array,
    element::Element,
    kernel::Kernel,
    matrix::Matrix,
    vector::{VectorWork, in_vectors, load, vectorized},
};
use candle_core::{Result, Shape, bail};
use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

/// The kernel, for the standard deviation as scale and an epilogue of at most ReLU. Its inputs are x `[N, C]`, γ `[C]`
/// and β `[C]`.
pub struct NormalizeColumns {
    pub config: Normalization,
    pub relu: bool,
    /// Stored by the forward pass.
    pub statistics: Arc<OnceLock<Statistics>>,
}

impl NormalizeColumns {
    /// Returns the least output: 0 with ReLU, else −∞.
    fn floor<T: Element>(&self) -> T {
        if self.relu { T::zero() } else { T::neg_infinity() }
    }
}

impl Kernel<3> for NormalizeColumns {
    const NAME: &'static str = "normalize";

    fn forward<T: Element>(&self, [input, weight, bias]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let (rows, columns) = (input.dims[0], input.dims[1]);
        let count = rows as f64;
        let totals = Matrix::new(input.values, rows, columns).sum_of_rows();
        let rough_mean: Vec<T> = totals.iter().map(|&total| T::from_f64(total.to_f64() / count)).collect();
        let [rest, squares] = sums(rows, columns, Deviations { values: input.values, center: &rough_mean });
        let set = |column: usize| SetStatistics {
            mean: rough_mean[column].to_f64() + rest[column] / count,
            scale_stat: squares[column] / count - (rest[column] / count).powi(2),
        };
        let sets: Vec<SetStatistics> = (0..columns).map(set).collect();
        let center: Vec<T> = per_column(columns, |column| sets[column].mean);
        let factor: Vec<T> =
            per_column(columns, |column| weight.values[column].to_f64() / self.config.divisor(sets[column].scale_stat));
        let floor = self.floor();
        let mut out = vec![T::zero(); input.values.len()];
        vectorized(|| {
            for (out, x) in out.chunks_mut(columns).zip(input.values.chunks(columns)) {
                let constants = factor.iter().zip(&center).zip(bias.values);
                for ((out, x), ((factor, center), shift)) in out.iter_mut().zip(x).zip(constants) {
                    let y = *factor * (*x - *center) + *shift;
                    *out = if y <= floor { floor } else { y };
                }
            }
        });
        self.statistics.get_or_init(|| Statistics { values_per_set: rows, sets });
        Ok((out, (rows, columns).into()))
    }

    /// With the equations of [`backward`](super::backward).
    fn backward<T: Element>(
        &self,
        [input, weight, _]: [Array<'_, T>; 3],
        output: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> Result<[Option<Vec<T>>; 3]> {
        let Some(Statistics { sets, .. }) = self.statistics.get() else {
            bail!("normalize: the backward pass came before the forward pass")
        };
        let (rows, columns) = (input.dims[0], input.dims[1]);
        let center: Vec<T> = per_column(columns, |column| sets[column].mean);
        let mut out = vec![T::zero(); input.values.len()];
        let gradients =
            Gradients { values: input.values, center: &center, output, upstream, floor: self.floor(), out: &mut out };
        let [g, gc] = sums(rows, columns, gradients);
        let divisor: Vec<f64> = sets.iter().map(|set| self.config.divisor(set.scale_stat)).collect();
        let weights: Vec<f64> = weight.values.iter().map(|&weight| weight.to_f64()).collect();
        let factor: Vec<T> = per_column(columns, |column| weights[column] / divisor[column]);
        let constant: Vec<T> =
            per_column(columns, |column| weights[column] * g[column] / (rows as f64 * divisor[column]));
        let slope: Vec<T> =
            per_column(columns, |column| weights[column] * gc[column] / (rows as f64 * divisor[column].powi(3)));
        vectorized(|| {
            for (out, x) in out.chunks_mut(columns).zip(input.values.chunks(columns)) {
                let constants = factor.iter().zip(&center).zip(constant.iter().zip(&slope));
                for ((out, x), ((factor, center), (constant, slope))) in out.iter_mut().zip(x).zip(constants) {
                    *out = *factor * *out - (*constant + *slope * (*x - *center));
                }
            }
        });
        Ok([
            wanted[0].then_some(out),
            wanted[1].then(|| per_column(columns, |column| gc[column] / divisor[column])),
            wanted[2].then(|| per_column(columns, |column| g[column])),
        ])
    }
}

/// Returns a number of each column.
fn per_column<T: Element>(columns: usize, number: impl Fn(usize) -> f64) -> Vec<T> {
    (0..columns).map(|column| T::from_f64(number(column))).collect()
}

/// Two terms of each value of a matrix.
trait Terms<T> {
    /// Returns the terms of the neighboring values from `index` on, which lie in the columns from `column` on.
    fn of<const LANES: usize>(&mut self, index: usize, column: usize) -> [[T; LANES]; 2];
}

/// Deviations from a rough mean, and their squares.
struct Deviations<'a, T> {
    values: &'a [T],
    center: &'a [T],
}

impl<T: Element> Terms<T> for Deviations<'_, T> {
    #[inline(always)]
    fn of<const LANES: usize>(&mut self, index: usize, column: usize) -> [[T; LANES]; 2] {
        let (x, center) = (load::<T, LANES>(self.values, index), load::<T, LANES>(self.center, column));
        let deviations: [T; LANES] = std::array::from_fn(|lane| x[lane] - center[lane]);
        [deviations, deviations.map(|deviation| deviation * deviation)]
    }
}

/// The gradients g of the normalized values, and g (x − μ). Leaves g in `out`.
struct Gradients<'a, T> {
    values: &'a [T],
    center: &'a [T],
    output: &'a [T],
    upstream: &'a [T],
    floor: T,
    out: &'a mut [T],
}

impl<T: Element> Terms<T> for Gradients<'_, T> {
    #[inline(always)]
    fn of<const LANES: usize>(&mut self, index: usize, column: usize) -> [[T; LANES]; 2] {
        let (x, center) = (load::<T, LANES>(self.values, index), load::<T, LANES>(self.center, column));
        let (y, upstream) = (load::<T, LANES>(self.output, index), load::<T, LANES>(self.upstream, index));
        let g = std::array::from_fn(|lane| if y[lane] <= self.floor { T::zero() } else { upstream[lane] });
        self.out[index..][..LANES].copy_from_slice(&g);
        [g, std::array::from_fn(|lane| g[lane] * (x[lane] - center[lane]))]
    }
}

/// Number of rows whose terms are added in T before their sum is added in f64.
const ROWS: usize = 64;

/// Returns the sums of the two terms of each column over all rows.
fn sums<T: Element>(rows: usize, columns: usize, terms: impl Terms<T>) -> [Vec<f64>; 2] {
    let mut totals = [vec![0.0; columns], vec![0.0; columns]];
    let mut partial =
        PartialSums { terms, columns, rows: 0..0, sums: [vec![T::zero(); columns], vec![T::zero(); columns]] };
    for start in (0..rows).step_by(ROWS) {
        partial.rows = start..rows.min(start + ROWS);
        vectorized(|| in_vectors(columns, &mut partial));
        for (total, &sum) in totals.iter_mut().flatten().zip(partial.sums.iter().flatten()) {
            *total += sum.to_f64();
        }
    }
    totals
}

/// The sums over some rows.
struct PartialSums<T, U> {
    terms: U,
    columns: usize,
    rows: Range<usize>,
    sums: [Vec<T>; 2],
}

impl<T: Element, U: Terms<T>> VectorWork for PartialSums<T, U> {
    #[inline(always)]
    fn apply<const LANES: usize>(&mut self, column: usize) {
        let mut sums = [[T::zero(); LANES]; 2];
        for row in self.rows.clone() {
            let terms = self.terms.of::<LANES>(row * self.columns + column, column);
            for (sum, term) in sums.as_flattened_mut().iter_mut().zip(terms.as_flattened()) {
                *sum += *term;
            }
        }
        for (all, sums) in self.sums.iter_mut().zip(sums) {
            all[column..][..LANES].copy_from_slice(&sums);
        }
    }
}
