//! The sources of all dependencies in a folder next to the grader: `cargo vendor`, without what only other systems
//! need.

use crate::{files, toolchain};
use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The systems of grading services.
const SYSTEMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Fills the folder `vendor` of a workspace and makes cargo use it.
pub fn write(folder: &Path) -> Result<()> {
    let config = cargo_vendor(folder)?;
    files::write(&folder.join(".cargo/config.toml"), &config)?;
    let mut needed = BTreeSet::new();
    for system in SYSTEMS {
        let options = ["--offline", "--filter-platform", system].map(str::to_owned);
        let metadata = MetadataCommand::new().current_dir(folder).other_options(options).exec();
        let packages = metadata.context("cannot list the packages of the grader")?.packages;
        needed.extend(packages.iter().map(|package| format!("{}-{}", package.name, package.version)));
    }
    for package in files::entries(&folder.join("vendor"))? {
        let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !needed.contains(&name) {
            remove_sources(&package)?;
        }
    }
    Ok(())
}

/// Keeps of a package what cargo reads to find that it is not needed.
fn remove_sources(package: &Path) -> Result<()> {
    for path in files::entries(package)? {
        let is_kept = path.file_name().is_some_and(|name| name == "Cargo.toml" || name == ".cargo-checksum.json");
        if path.is_dir() {
            std::fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        } else if !is_kept {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    files::write(&package.join("src/lib.rs"), "")?;
    // Cargo checks the files in this list; an empty list lets it accept the empty `lib.rs`.
    let list = package.join(".cargo-checksum.json");
    let mut checksums: Value = serde_json::from_str(&files::read(&list)?).context("not a list of checksums")?;
    checksums["files"] = Value::Object(serde_json::Map::new());
    files::write(&list, &checksums.to_string())
}

/// Gives the configuration that makes cargo use the folder.
fn cargo_vendor(folder: &Path) -> Result<String> {
    let arguments = ["vendor", "--versioned-dirs", "vendor"];
    let output = toolchain::cargo().args(arguments).current_dir(folder).output().context("cannot start cargo")?;
    let message = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo vendor fails: {}", message.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
