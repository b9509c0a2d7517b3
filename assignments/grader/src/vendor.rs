//! The sources of all dependencies, beside the grader: `cargo vendor`, without what only other systems need.

use crate::{files, toolchain};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The machines of grading services.
const SYSTEMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Fills `vendor` in the folder of a workspace, and tells cargo of it.
pub fn write(folder: &Path) -> Result<()> {
    let config = cargo(folder, &["vendor", "--versioned-dirs", "vendor"])?;
    files::write(&folder.join(".cargo/config.toml"), &config)?;
    let mut needed = BTreeSet::new();
    for system in SYSTEMS {
        let listed = cargo(folder, &["metadata", "--format-version=1", "--offline", "--filter-platform", system])?;
        let metadata: Value = serde_json::from_str(&listed).context("cargo metadata cannot be understood")?;
        for package in metadata["packages"].as_array().into_iter().flatten() {
            let of = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
            needed.insert(format!("{}-{}", of("name"), of("version")));
        }
    }
    for package in files::entries(&folder.join("vendor"))? {
        let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !needed.contains(&name) {
            hollow(&package)?;
        }
    }
    Ok(())
}

/// Leaves of a package what cargo must see to know that it needs nothing of it.
fn hollow(package: &Path) -> Result<()> {
    for path in files::entries(package)? {
        let is_kept = path.file_name().is_some_and(|name| name == "Cargo.toml" || name == ".cargo-checksum.json");
        if path.is_dir() {
            std::fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        } else if !is_kept {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    files::write(&package.join("src/lib.rs"), "")?;
    // It checks the files that are listed, and none is.
    let list = package.join(".cargo-checksum.json");
    let mut sums: Value = serde_json::from_str(&files::read(&list)?).context("not a list of checksums")?;
    sums["files"] = Value::Object(serde_json::Map::new());
    files::write(&list, &sums.to_string())
}

fn cargo(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = toolchain::cargo().args(arguments).current_dir(folder).output().context("cannot start cargo")?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {} says: {}", arguments[0], words.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
