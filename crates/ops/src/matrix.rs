//! Matrix products by the `gemm` crate, with checked bounds.

use super::{element::Element, vector::vectorized};
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
    /// Views `values` as rows that follow one another.
    pub fn new(values: &'a [T], rows: usize, columns: usize) -> Self {
        Self::spaced(values, rows, columns, columns)
    }

    /// Views `values` as rows whose starts are `row_stride` values apart. Panics if a row ends outside `values`.
    pub fn spaced(values: &'a [T], rows: usize, columns: usize, row_stride: usize) -> Self {
        let last = size(rows.saturating_sub(1), row_stride).checked_add(columns);
        let fits = rows == 0 || last.is_some_and(|end| end <= values.len());
        assert!(
            fits,
            "a matrix of {rows} rows of {columns}, {row_stride} apart, does not fit in {} values",
            values.len()
        );
        Self { values, rows, columns, row_stride, column_stride: 1 }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns the sum of the rows. Panics if they do not follow one another.
    pub fn sum_of_rows(self) -> Vec<T>
    where
        T: Element,
    {
        assert_eq!((self.row_stride, self.column_stride), (self.columns, 1), "the rows of a sum follow one another");
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

    /// Returns the transpose, a view of the same values.
    pub fn transposed(self) -> Self {
        let Self { values, rows, columns, row_stride, column_stride } = self;
        Self { values, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }
}

/// Returns the number of values of a matrix.
fn size(rows: usize, columns: usize) -> usize {
    rows.checked_mul(columns).expect("a matrix of fewer than 2⁶⁴ values")
}

/// How a product is written to its output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Overwrites the output.
    Replace,
    /// Adds to the output.
    Add,
}

/// Number of multiplications from which all threads of the pool share a product: about a millisecond of work.
const PARALLEL_FROM: usize = 1 << 25;

/// Writes `left` · `right` to `out`, row after row. A small product stays on one thread.
pub fn multiply<T: Element>(out: &mut [T], left: Matrix<'_, T>, right: Matrix<'_, T>, write: Write) {
    let work = left.rows * left.columns * right.columns;
    let threads = rayon::current_num_threads();
    let parallelism =
        if work < PARALLEL_FROM || threads == 1 { Parallelism::None } else { Parallelism::Rayon(threads) };
    product(out, left, right, write, parallelism);
}

/// Writes `left` · `right` to `out` on the calling thread.
pub fn multiply_alone<T: Element>(out: &mut [T], left: Matrix<'_, T>, right: Matrix<'_, T>, write: Write) {
    product(out, left, right, write, Parallelism::None);
}

#[allow(unsafe_code)]
fn product<T: Element>(
    out: &mut [T],
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
    write: Write,
    parallelism: Parallelism,
) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    assert_eq!(inner, right.rows, "a matrix of {rows} × {inner} cannot multiply one of {} × {columns}", right.rows);
    assert!(out.len() >= size(rows, columns), "a product of {rows} × {columns} does not fit in {} values", out.len());
    // SAFETY: `gemm` reads `left` and `right` and writes `out` at multiples of the strides below the given sizes. All
    // elements of a `Matrix` lie in its slice, as `Matrix::spaced` checks, and `out` was checked above. `out` is
    // borrowed mutably, so it overlaps neither input. A stride is used only between two rows or columns of a slice, so
    // it is less than the slice's length and fits in isize.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            columns as isize,
            write == Write::Add,
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
