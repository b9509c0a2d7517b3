//! Numbers with their shape: arguments and outputs of a student's functions.

pub use crate::wire::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl Value {
    /// A matrix, given row by row.
    pub fn matrix(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix of {rows} × {columns} values");
        Self { shape: vec![rows, columns], values }
    }
}

/// Written as the same line of text as on the wire, because JSON has neither NaN nor infinity.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
