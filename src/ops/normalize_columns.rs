//! The fused kernel of [`normalize`](super::normalize) for the columns of a matrix: batch normalization of `[N, C]`, where
//! the values of a set lie a row apart. Row by row every column takes part in each vector instruction.

use super::{
    array::Array,
    element::{Element, vectorized},
    kernel::Kernel,
    matrix::Matrix,
    normalize::Statistics,
    normalize_fused::Normalize,
};
use candle_core::{Result, Shape, bail};

/// The kernel, for the divisor that is a deviation and nothing but ReLU behind.
pub(super) struct NormalizeColumns(pub Normalize);

/// Rows whose terms are added in T before they are added to what came before in f64.
const ROWS: usize = 64;

/// Of each column the sums of two terms over all rows. `terms` adds a row's to the partial sums.
fn sums<T: Element>(
    rows: usize,
    columns: usize,
    mut terms: impl FnMut(usize, &mut [T], &mut [T]),
) -> (Vec<f64>, Vec<f64>) {
    let mut totals = (vec![0.0; columns], vec![0.0; columns]);
    let (mut first, mut second) = (vec![T::zero(); columns], vec![T::zero(); columns]);
    for start in (0..rows).step_by(ROWS) {
        first.fill(T::zero());
        second.fill(T::zero());
        vectorized(|| (start..rows.min(start + ROWS)).for_each(|row| terms(row, &mut first, &mut second)));
        for (totals, partial) in [(&mut totals.0, &first), (&mut totals.1, &second)] {
            totals.iter_mut().zip(partial).for_each(|(total, &partial)| *total += partial.to_f64());
        }
    }
    totals
}

fn each<T: Element>(values: &[f64], number: impl Fn(usize, f64) -> f64) -> Vec<T> {
    values.iter().enumerate().map(|(column, value)| T::from_f64(number(column, *value))).collect()
}

impl Kernel<3> for NormalizeColumns {
    const NAME: &'static str = "normalize";

    fn forward<T: Element>(&self, [input, weight, bias]: [Array<'_, T>; 3]) -> Result<(Vec<T>, Shape)> {
        let Self(normalize) = self;
        let (rows, columns) = (input.dims[0], input.dims[1]);
        let row = |row: usize| &input.values[row * columns..][..columns];
        let count = rows as f64;
        let roughly = Matrix::new(input.values, rows, columns).sum_of_rows();
        let center: Vec<T> = roughly.iter().map(|&sum| T::from_f64(sum.to_f64() / count)).collect();
        let (rest, squares) = sums(rows, columns, |index, rest: &mut [T], squares: &mut [T]| {
            let sums = rest.iter_mut().zip(squares);
            for ((x, center), (rest, square)) in row(index).iter().zip(&center).zip(sums) {
                let deviation = *x - *center;
                *rest += deviation;
                *square += deviation * deviation;
            }
        });
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
        let (of_bias, products) = sums(rows, columns, |index, of_bias: &mut [T], products: &mut [T]| {
            let range = index * columns..(index + 1) * columns;
            let (x, y, upstream) = (&input.values[range.clone()], &output[range.clone()], &upstream[range.clone()]);
            let values = x.iter().zip(y).zip(upstream).zip(&center);
            let sums = out[range].iter_mut().zip(of_bias.iter_mut().zip(products));
            for ((((x, y), upstream), center), (g, (of_bias, product))) in values.zip(sums) {
                *g = if *y <= floor { T::zero() } else { *upstream };
                *of_bias += *g;
                *product += *g * (*x - *center);
            }
        });
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
