//! Numbers with their shape, as they go in and out of a student's functions.

pub use crate::wire::Value;

impl Value {
    pub fn scalar(value: f64) -> Self {
        Self { shape: Vec::new(), values: vec![value] }
    }

    pub fn vector(values: &[f64]) -> Self {
        Self { shape: vec![values.len()], values: values.to_vec() }
    }

    /// Row by row.
    pub fn matrix(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix of {rows} × {columns} values");
        Self { shape: vec![rows, columns], values }
    }
}
