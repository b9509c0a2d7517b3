//! Numbers with their shape, as they go in and out of a student's functions.

pub use crate::wire::Value;

impl Value {
    /// Row by row.
    pub fn matrix(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix of {rows} × {columns} values");
        Self { shape: vec![rows, columns], values }
    }
}
