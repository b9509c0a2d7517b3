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

/// Name and locked version of each numeric crate in the text of a `Cargo.lock`, with the features that the package's
/// `Cargo.toml` asks for (a feature can switch to other kernels). Several versions are joined by `+`.
pub fn numeric_crates(cargo_lock: &str, cargo_toml: &str) -> Result<BTreeMap<String, String>> {
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
    let manifest: toml::Table = cargo_toml.parse().context("Cargo.toml is not TOML")?;
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    for (name, dependency) in dependencies.into_iter().flatten() {
        let features = dependency.get("features").and_then(toml::Value::as_array);
        if let (Some(version), Some(features)) = (versions.get_mut(name), features) {
            let mut names: Vec<&str> = features.iter().filter_map(toml::Value::as_str).collect();
            names.sort_unstable();
            *version = format!("{version} with {}", names.join(", "));
        }
    }
    Ok(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numeric_crates_are_kept() {
        let lock =
            [("candle-core", "0.11.1"), ("clap", "4.0.0"), ("gemm", "0.19.0"), ("rand", "0.9.5"), ("rand", "0.10.4")]
                .map(|(name, version)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n"))
                .concat();
        let manifest = "[dependencies]\nclap = { version = \"4\", features = [\"derive\"] }\n\
                        gemm = { version = \"0.19\", features = [\"x86-v4\", \"rayon\"] }\nrand = \"0.10\"\n";
        let versions = numeric_crates(&lock, manifest).unwrap();
        let expected = [("candle-core", "0.11.1"), ("gemm", "0.19.0 with rayon, x86-v4"), ("rand", "0.9.5+0.10.4")];
        assert_eq!(versions, expected.map(|(name, version)| (name.to_owned(), version.to_owned())).into());
    }
}
