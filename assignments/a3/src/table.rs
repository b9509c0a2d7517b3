//! A table of numbers: a batch has a row for each example. There is no bug in this file.

/// `rows` × `columns` values, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f64>,
}

impl Table {
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * columns, "a table of {rows} × {columns} values");
        Self { rows, columns, values }
    }

    /// Row `index`, of `columns` values.
    pub fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.columns..(index + 1) * self.columns]
    }

    /// The rows from `start` up to but without `end`.
    pub fn slice(&self, start: usize, end: usize) -> Self {
        Self::new(end - start, self.columns, self.values[start * self.columns..end * self.columns].to_vec())
    }

    /// The matrix product: `[rows, columns] × [columns, k]` is `[rows, k]`.
    pub fn times(&self, right: &Self) -> Self {
        assert_eq!(self.columns, right.rows, "columns on the left, rows on the right");
        let value = |row: usize, column: usize| {
            self.row(row).iter().enumerate().map(|(inner, left)| left * right.row(inner)[column]).sum()
        };
        let values = (0..self.rows)
            .flat_map(|row| (0..right.columns).map(move |column| value(row, column)))
            .collect::<Vec<f64>>();
        Self::new(self.rows, right.columns, values)
    }

    /// The product with a vector of `columns` values: one number for each row.
    pub fn times_vector(&self, right: &[f64]) -> Vec<f64> {
        (0..self.rows).map(|row| self.row(row).iter().zip(right).map(|(x, y)| x * y).sum()).collect()
    }

    /// Each value becomes `function(its column, the value)`.
    pub fn map(&self, function: impl Fn(usize, f64) -> f64) -> Self {
        let values =
            self.values.iter().enumerate().map(|(index, value)| function(index % self.columns, *value)).collect();
        Self::new(self.rows, self.columns, values)
    }

    /// The mean of each column.
    pub fn means(&self) -> Vec<f64> {
        (0..self.columns).map(|column| self.column(column).sum::<f64>() / self.rows as f64).collect()
    }

    /// The biased variance of each column (the sum of squares is divided by the number of rows) around `means`.
    pub fn variances(&self, means: &[f64]) -> Vec<f64> {
        let squares = |column: usize| self.column(column).map(|value| (value - means[column]).powi(2)).sum::<f64>();
        (0..self.columns).map(|column| squares(column) / self.rows as f64).collect()
    }

    fn column(&self, column: usize) -> impl Iterator<Item = f64> {
        self.values.iter().skip(column).step_by(self.columns).copied()
    }
}
