//! Matrix products by the `gemm` crate, behind bounds that are checked.

use super::element::{Element, vectorized};
use gemm::Parallelism;

/// A view of a matrix: element (i, j) is `values[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Row after row.
    pub fn new(values: &'a [T], rows: usize, columns: usize) -> Self {
        Self::spaced(values, rows, columns, columns)
    }

    /// Rows that lie `row_stride` values apart.
    pub fn spaced(values: &'a [T], rows: usize, columns: usize, row_stride: usize) -> Self {
        let last = size(rows.saturating_sub(1), row_stride).checked_add(columns);
        let fits = rows == 0 || last.is_some_and(|end| end <= values.len());
        assert!(fits, "{rows} rows of {columns}, {row_stride} apart, in {} values", values.len());
        Self { values, rows, columns, row_stride, column_stride: 1 }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The sum of the rows of a matrix that lies row after row.
    pub fn sum_of_rows(self) -> Vec<T>
    where
        T: Element,
    {
        assert_eq!((self.row_stride, self.column_stride), (self.columns, 1), "rows are not one after the other");
        let mut total = vec![T::zero(); self.columns];
        vectorized(|| {
            for row in self.values[..self.rows * self.columns].chunks(self.columns.max(1)) {
                for (total, value) in total.iter_mut().zip(row) {
                    *total += *value;
                }
            }
        });
        total
    }

    pub fn transposed(self) -> Self {
        let Self { values, rows, columns, row_stride, column_stride } = self;
        Self { values, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }
}

/// Values of a matrix.
fn size(rows: usize, columns: usize) -> usize {
    rows.checked_mul(columns).expect("a matrix of fewer than 2⁶⁴ values")
}

/// What a product does with what is in its output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Replace,
    Add,
}

/// Multiplications from which on a product is shared between the threads of the pool: about a millisecond's work.
const SHARED_FROM: usize = 1 << 25;

/// `out` = `left` · `right`, or plus it, row after row. A small product stays on one thread.
pub fn multiply<T: Element>(out: &mut [T], left: Matrix<'_, T>, right: Matrix<'_, T>, output: Output) {
    let work = left.rows * left.columns * right.columns;
    let threads = rayon::current_num_threads();
    let parallelism = if work < SHARED_FROM || threads == 1 { Parallelism::None } else { Parallelism::Rayon(threads) };
    product(out, left, right, output, parallelism);
}

/// The same on the calling thread.
pub fn multiply_alone<T: Element>(out: &mut [T], left: Matrix<'_, T>, right: Matrix<'_, T>, output: Output) {
    product(out, left, right, output, Parallelism::None);
}

#[allow(unsafe_code)]
fn product<T: Element>(
    out: &mut [T],
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
    output: Output,
    parallelism: Parallelism,
) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    assert_eq!(inner, right.rows, "{rows} × {inner} times {} × {columns}", right.rows);
    assert!(out.len() >= size(rows, columns), "a product of {rows} × {columns} in {} values", out.len());
    // SAFETY: `Matrix` holds only views whose elements all lie in their slices, and `out` is as
    // large as just checked. `out` is borrowed mutably, so that it overlaps neither. A stride is only used between rows
    // or columns that lie in a slice, and is then below isize::MAX as its length is.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            columns as isize,
            output == Output::Add,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            T::one(),
            T::one(),
            false,
            false,
            false,
            parallelism,
        );
    }
}
