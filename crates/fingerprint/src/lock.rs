//! The versions of the dependencies that can change a number.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The crates that compute, draw or decode numbers; what they depend on is taken along.
const NUMERIC: [&str; 10] =
    ["candle-core", "candle-nn", "csv", "flate2", "gemm", "libm", "nalgebra", "rand", "rand_chacha", "statrs"];

/// Name and locked version of each numeric crate in the text of a `Cargo.lock` and of all that it depends on, with the
/// features that the workspace's `Cargo.toml` asks for (a feature can switch to other kernels). Several versions are
/// joined by `+`.
pub fn numeric_crates(cargo_lock: &str, cargo_toml: &str) -> Result<BTreeMap<String, String>> {
    let lock: Lock = toml::from_str(cargo_lock).context("Cargo.lock cannot be read")?;
    let manifest: Manifest = toml::from_str(cargo_toml).context("Cargo.toml cannot be read")?;
    let mut waiting: Vec<&str> = NUMERIC.to_vec();
    let mut versions = BTreeMap::new();
    while let Some(name) = waiting.pop() {
        let locked: Vec<&Package> = lock.package.iter().filter(|package| package.name == name).collect();
        if locked.is_empty() || versions.contains_key(name) {
            continue;
        }
        let version = locked.iter().map(|package| package.version.as_str()).collect::<Vec<_>>().join("+");
        versions.insert(name.to_owned(), version);
        // An entry reads `name`, or `name version` where several are locked.
        let needs = locked.iter().flat_map(|package| &package.dependencies);
        waiting.extend(needs.filter_map(|need| need.split(' ').next()));
    }
    for (name, dependency) in &manifest.workspace.dependencies {
        let features = dependency.get("features").and_then(toml::Value::as_array);
        if let (Some(version), Some(features)) = (versions.get_mut(name), features) {
            let mut names: Vec<&str> = features.iter().filter_map(toml::Value::as_str).collect();
            names.sort_unstable();
            *version = format!("{version} with {}", names.join(", "));
        }
    }
    Ok(versions)
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Workspace {
    dependencies: BTreeMap<String, toml::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_crates_are_kept_with_what_they_need() {
        let locked = [
            ("candle-core", "0.11.1", ""),
            ("clap", "4.0.0", ""),
            ("gemm", "0.19.0", ""),
            ("matrixmultiply", "0.3.9", ""),
            ("nalgebra", "0.35.0", "matrixmultiply"),
            ("rand", "0.9.5", ""),
            ("rand", "0.10.4", ""),
        ];
        let package = |(name, version, need): (&str, &str, &str)| {
            let needs = if need.is_empty() { String::new() } else { format!("dependencies = [\"{need}\"]\n") };
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{needs}")
        };
        let lock = locked.map(package).concat();
        let manifest = "[workspace.dependencies]\nclap = { version = \"4\", features = [\"derive\"] }\n\
                        gemm = { version = \"0.19\", features = [\"x86-v4\", \"rayon\"] }\nrand = \"0.10\"\n";
        let versions = numeric_crates(&lock, manifest).unwrap();
        let expected = [
            ("candle-core", "0.11.1"),
            ("gemm", "0.19.0 with rayon, x86-v4"),
            ("matrixmultiply", "0.3.9"),
            ("nalgebra", "0.35.0"),
            ("rand", "0.9.5+0.10.4"),
        ];
        assert_eq!(versions, expected.map(|(name, version)| (name.to_owned(), version.to_owned())).into());
    }
}
