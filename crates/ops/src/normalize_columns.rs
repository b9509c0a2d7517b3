//! The fused kernel of [`normalize`](super::normalize) for the columns of a matrix: batch normalization of `[N, C]`, where
//! the values of a set lie a row apart. Row by row every column takes part in each vector instruction.

use super::{
    array::Array,
    element::{Blocks, Element, block_of, in_blocks, vectorized},
    kernel::Kernel,
    matrix::Matrix,
    normalize::Statistics,
    normalize_fused::Normalize,
};
use candle_core::{Result, Shape, bail};
use std::ops::Range;

/// The kernel, for the divisor that is a deviation and nothing but ReLU behind.
pub(super) struct NormalizeColumns(pub Normalize);

/// Rows whose terms are added in T before they are added to what came before in f64.
const ROWS: usize = 64;

/// Two terms of a value.
trait Terms<T> {
    /// Those of neighbouring values of a row, the first at `index`, in the columns from `column` on.
    fn of<const LANES: usize>(&mut self, index: usize, column: usize) -> [[T; LANES]; 2];
}

/// Of each column the sums of the two terms over all rows.
fn sums<T: Element>(rows: usize, columns: usize, terms: impl Terms<T>) -> [Vec<f64>; 2] {
    let mut totals = [vec![0.0; columns], vec![0.0; columns]];
    let mut partial =
        Partial { terms, columns, rows: 0..0, sums: [vec![T::zero(); columns], vec![T::zero(); columns]] };
    for start in (0..rows).step_by(ROWS) {
        partial.rows = start..rows.min(start + ROWS);
        vectorized(|| in_blocks(columns, &mut partial));
        for (total, &sum) in totals.iter_mut().flatten().zip(partial.sums.iter().flatten()) {
            *total += sum.to_f64();
        }
    }
    totals
}

/// The sums over some rows.
struct Partial<T, U> {
    terms: U,
    columns: usize,
    rows: Range<usize>,
    sums: [Vec<T>; 2],
}

impl<T: Element, U: Terms<T>> Blocks for Partial<T, U> {
    #[inline(always)]
    fn block<const LANES: usize>(&mut self, column: usize) {
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

/// Deviations from about the mean, and their squares.
struct Deviations<'a, T> {
    values: &'a [T],
    center: &'a [T],
}

impl<T: Element> Terms<T> for Deviations<'_, T> {
    #[inline(always)]
    fn of<const LANES: usize>(&mut self, index: usize, column: usize) -> [[T; LANES]; 2] {
        let (x, center) = (block_of::<T, LANES>(self.values, index), block_of::<T, LANES>(self.center, column));
        let deviations: [T; LANES] = std::array::from_fn(|lane| x[lane] - center[lane]);
        [deviations, deviations.map(|deviation| deviation * deviation)]
    }
}

/// Gradients g of what was normalized, and g (x − μ). Leaves g in `out`.
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
        let (x, center) = (block_of::<T, LANES>(self.values, index), block_of::<T, LANES>(self.center, column));
        let (y, upstream) = (block_of::<T, LANES>(self.output, index), block_of::<T, LANES>(self.upstream, index));
        let g = std::array::from_fn(|lane| if y[lane] <= self.floor { T::zero() } else { upstream[lane] });
        self.out[index..][..LANES].copy_from_slice(&g);
        [g, std::array::from_fn(|lane| g[lane] * (x[lane] - center[lane]))]
    }
}

fn each<T: Element>(values: &[f64], number: impl Fn(usize, f64) -> f64) -> Vec<T> {
    values.iter().enumerate().map(|(column, value)| T::from_f64(number(column, *value))).collect()
}

impl Kernel<3> for NormalizeColumns {
    const NAME: &'static str = "normalize";

    fn forward<T: Element>(&self, [input, weight, bias]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let Self(normalize) = self;
        let (rows, columns) = (input.dims[0], input.dims[1]);
        let count = rows as f64;
        let roughly = Matrix::new(input.values, rows, columns).sum_of_rows();
        let center: Vec<T> = roughly.iter().map(|&sum| T::from_f64(sum.to_f64() / count)).collect();
        let [rest, squares] = sums(rows, columns, Deviations { values: input.values, center: &center });
        let mean: Vec<f64> = rest.iter().zip(&center).map(|(rest, &center)| center.to_f64() + rest / count).collect();
        let spread: Vec<f64> =
            squares.iter().zip(&rest).map(|(square, rest)| square / count - (rest / count).powi(2)).collect();
        let center: Vec<T> = each(&mean, |_, mean| mean);
        let scale: Vec<T> = each(&spread, |column, spread| weight.values[column].to_f64() / normalize.divisor(spread));
        let floor = if normalize.then.relu { T::zero() } else { T::neg_infinity() };
        let mut out = vec![T::zero(); input.values.len()];
        vectorized(|| {
            for (out, x) in out.chunks_mut(columns).zip(input.values.chunks(columns)) {
                let constants = scale.iter().zip(&center).zip(bias.values);
                for ((out, x), ((scale, center), shift)) in out.iter_mut().zip(x).zip(constants) {
                    let y = *scale * (*x - *center) + *shift;
                    *out = if y <= floor { floor } else { y };
                }
            }
        });
        normalize.statistics.get_or_init(|| Statistics { values_of_set: rows, mean, spread });
        Ok((out, (rows, columns).into()))
    }

    /// As [`normalize_backward`](super::normalize_backward) has it.
    fn backward<T: Element>(
        &self,
        [input, weight, _]: [Array<'_, T>; 3],
        output: &[T],
        upstream: &[T],
        wanted: [bool; 3],
    ) -> Result<[Option<Vec<T>>; 3]> {
        let Self(normalize) = self;
        let Some(statistics) = normalize.statistics.get() else { bail!("normalize: backward before forward") };
        let (rows, columns) = (input.dims[0], input.dims[1]);
        let center: Vec<T> = each(&statistics.mean, |_, mean| mean);
        let floor = if normalize.then.relu { T::zero() } else { T::neg_infinity() };
        let mut out = vec![T::zero(); input.values.len()];
        let gradients = Gradients { values: input.values, center: &center, output, upstream, floor, out: &mut out };
        let [of_bias, products] = sums(rows, columns, gradients);
        let divisor: Vec<f64> = statistics.spread.iter().map(|spread| normalize.divisor(*spread)).collect();
        let weights: Vec<f64> = weight.values.iter().map(|&weight| weight.to_f64()).collect();
        let scale: Vec<T> = each(&weights, |column, weight| weight / divisor[column]);
        let constant: Vec<T> = each(&of_bias, |column, sum| weights[column] * sum / (rows as f64 * divisor[column]));
        let along: Vec<T> =
            each(&products, |column, sum| weights[column] * sum / (rows as f64 * divisor[column].powi(3)));
        vectorized(|| {
            for (out, x) in out.chunks_mut(columns).zip(input.values.chunks(columns)) {
                let constants = scale.iter().zip(&center).zip(constant.iter().zip(&along));
                for ((out, x), ((scale, center), (constant, along))) in out.iter_mut().zip(x).zip(constants) {
                    *out = *scale * *out - (*constant + *along * (*x - *center));
                }
            }
        });
        Ok([
            wanted[0].then_some(out),
            wanted[1].then(|| each(&products, |column, sum| sum / divisor[column])),
            wanted[2].then(|| each(&of_bias, |_, sum| sum)),
        ])
    }
}
