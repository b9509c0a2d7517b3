//! Two small tables of real measurements, embedded: their features differ in scale by factors of a thousand and more.
//!
//! - Wine (Aeberhard & Forina 1991, UCI): 178 wines of three cultivars, 13 chemical measurements.
//! - Breast Cancer Wisconsin, diagnostic (Wolberg et al. 1995, UCI): 569 tumours, 30 measurements of cell nuclei.

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// An embedded table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Table {
    Wine,
    BreastCancer,
}

/// Features and classes, as measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    pub names: Vec<String>,
    /// `[N, D]`: one example a row.
    pub values: DMatrix<f64>,
    /// `[N]`: 0, 1, …
    pub classes: Vec<usize>,
}

impl Table {
    /// The file's path in the repository.
    pub fn path(self) -> &'static str {
        match self {
            Self::Wine => "data/tabular/wine.csv",
            Self::BreastCancer => "data/tabular/breast_cancer.csv",
        }
    }

    /// The file's bytes.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Wine => include_bytes!("../../data/tabular/wine.csv"),
            Self::BreastCancer => include_bytes!("../../data/tabular/breast_cancer.csv"),
        }
    }

    /// The whole table.
    pub fn load(self) -> Features {
        parse(self.bytes()).expect("the embedded tables are checked by the tests")
    }
}

/// Reads a table whose last column is `class`. Errors name the line.
pub fn parse(bytes: &[u8]) -> Result<Features> {
    let mut reader = csv::Reader::from_reader(bytes);
    let mut names: Vec<String> = reader.headers().context("line 1")?.iter().map(String::from).collect();
    ensure!(
        names.len() > 1 && names.last().is_some_and(|name| name == "class"),
        "line 1: the last column must be class"
    );
    names.pop();
    let (mut values, mut classes) = (Vec::new(), Vec::new());
    for (row, record) in reader.records().enumerate() {
        let line = row + 2;
        let record = record.with_context(|| format!("line {line}"))?;
        for (name, cell) in names.iter().zip(&record) {
            let value: f64 =
                cell.trim().parse().with_context(|| format!("line {line}, {name}: {cell:?} is not a number"))?;
            ensure!(value.is_finite(), "line {line}, {name}: {value} is not finite");
            values.push(value);
        }
        let class = &record[names.len()];
        classes.push(class.trim().parse().with_context(|| format!("line {line}: class {class:?} is not 0, 1, …"))?);
    }
    ensure!(!classes.is_empty(), "the table has no rows");
    Ok(Features { values: DMatrix::from_row_slice(classes.len(), names.len(), &values), names, classes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_tables_are_what_their_authors_describe() {
        let wine = Table::Wine.load();
        assert_eq!(wine.values.shape(), (178, 13));
        assert_eq!(count(&wine.classes), [59, 71, 48]);
        let proline = wine.names.iter().position(|name| name == "proline").unwrap();
        assert_eq!((wine.values.column(proline).min(), wine.values.column(proline).max()), (278.0, 1680.0));
        let cancer = Table::BreastCancer.load();
        assert_eq!(cancer.values.shape(), (569, 30));
        assert_eq!(count(&cancer.classes), [212, 357]);
    }

    fn count(classes: &[usize]) -> Vec<usize> {
        let kinds = classes.iter().max().unwrap() + 1;
        (0..kinds).map(|kind| classes.iter().filter(|class| **class == kind).count()).collect()
    }

    #[test]
    fn damage_is_named_with_its_line() {
        for (text, complaint) in [
            ("", "line 1: the last column must be class"),
            ("a,b\n1,2\n", "line 1: the last column must be class"),
            ("a,class\n", "the table has no rows"),
            ("a,class\n1,0\nx,0\n", "line 3, a: \"x\" is not a number"),
            ("a,class\n1,0\nnan,0\n", "line 3, a: NaN is not finite"),
            ("a,class\n1,red\n", "line 2: class \"red\" is not 0, 1, …"),
            ("a,class\n1\n", "line 2"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(complaint), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"a,class\n", bytes.as_slice()].concat());
        }
    }
}
