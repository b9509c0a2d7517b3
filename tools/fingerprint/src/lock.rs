//! The versions of the dependencies that can change a number.

use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// The crates that compute, draw or decode numbers: tensors, matrix products, random numbers, linear algebra,
/// statistics, data files.
const NUMERIC: [&str; 13] = [
    "candle-core",
    "candle-nn",
    "csv",
    "flate2",
    "gemm",
    "gemm-common",
    "gemm-f32",
    "gemm-f64",
    "libm",
    "nalgebra",
    "rand",
    "rand_chacha",
    "statrs",
];

/// Name and locked version of each numeric crate in the text of a `Cargo.lock`; several versions are joined by `+`.
pub fn numeric_crates(cargo_lock: &str) -> Result<BTreeMap<String, String>> {
    let lock: toml::Table = cargo_lock.parse().context("Cargo.lock is not TOML")?;
    let packages = lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock lists no package")?;
    let mut versions = BTreeMap::<String, String>::new();
    for package in packages {
        let text =
            |key: &str| package.get(key).and_then(toml::Value::as_str).context("a package without name or version");
        let name = text("name")?;
        if NUMERIC.contains(&name) {
            let version = text("version")?;
            versions
                .entry(name.to_owned())
                .and_modify(|known| *known = format!("{known}+{version}"))
                .or_insert_with(|| version.to_owned());
        }
    }
    Ok(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numeric_crates_are_kept() {
        let lock = "[[package]]\nname = \"candle-core\"\nversion = \"0.11.1\"\n\n[[package]]\nname = \"clap\"\nversion = \"4.0.0\"\n\n[[package]]\nname = \"rand\"\nversion = \"0.9.5\"\n\n[[package]]\nname = \"rand\"\nversion = \"0.10.4\"\n";
        let versions = numeric_crates(lock).unwrap();
        let expected = [("candle-core", "0.11.1"), ("rand", "0.9.5+0.10.4")];
        assert_eq!(versions, expected.map(|(name, version)| (name.to_owned(), version.to_owned())).into());
    }
}
