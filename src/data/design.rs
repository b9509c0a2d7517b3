//! A least-squares problem: which features, prepared how, and what they should predict.

use super::standardize::{Preparation, Preparer};
use super::tabular::Table;
use super::toy;
use nalgebra::{DMatrix, DVector};
use normbook_fingerprint::sha256;
use serde::Serialize;
use std::collections::BTreeMap;

/// Where the features come from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The target is the number of the class.
    Table(Table),
    /// The lecture's toy; its second input lies near `scale`.
    Toy { scale: f64 },
}

/// Features and what is done to them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Design {
    pub source: Source,
    pub preparation: Preparation,
}

impl Design {
    /// The prepared features `[N, D]` and the targets `[N]`.
    pub fn features(&self) -> (DMatrix<f64>, DVector<f64>) {
        let (values, targets) = match self.source {
            Source::Table(table) => {
                let features = table.load();
                let targets = features.classes.iter().map(|class| *class as f64);
                (features.values, DVector::from_iterator(features.classes.len(), targets))
            }
            Source::Toy { scale } => (toy::inputs(scale), toy::targets(scale)),
        };
        (Preparer::fit(self.preparation, &values).apply(&values), targets)
    }

    /// The same with a column of ones for the bias: `[N, D + 1]` and `[N]`.
    pub fn with_bias(&self) -> (DMatrix<f64>, DVector<f64>) {
        let (features, targets) = self.features();
        let column = features.ncols();
        (features.insert_column(column, 1.0), targets)
    }

    /// Name and SHA-256 of the file behind it, if there is one.
    pub fn data(&self) -> BTreeMap<String, String> {
        match self.source {
            Source::Table(table) => [(table.path().to_owned(), sha256(table.bytes()))].into(),
            Source::Toy { .. } => BTreeMap::new(),
        }
    }
}
