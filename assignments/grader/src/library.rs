//! The library of the book, for the assignments that are built with it.

use crate::toolchain::cargo;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The crates that a submission may name.
const CRATES: [&str; 2] = ["normbook", "candle_core"];

/// The library as the compiler finds it.
pub struct Library {
    crates: Vec<(&'static str, PathBuf)>,
    /// Of these crates and of all that they need.
    pub folder: PathBuf,
}

impl Library {
    /// Built by cargo, which does it once and says on the way what it does.
    pub fn build(root: &Path) -> Result<Self> {
        let output = cargo()
            .args([
                "build",
                "--release",
                "--locked",
                "--package=normbook",
                "--lib",
                "--message-format=json-render-diagnostics",
            ])
            .current_dir(root)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start cargo")?;
        ensure!(output.status.success(), "the library of the book does not build");
        let messages = String::from_utf8_lossy(&output.stdout);
        let artifacts: Vec<Value> = messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let find = |name| Some((name, artifacts.iter().find_map(|artifact| rlib(artifact, name))?));
        let crates: Vec<(&str, PathBuf)> = CRATES.into_iter().filter_map(find).collect();
        ensure!(crates.len() == CRATES.len(), "cargo does not say where it has put the library of the book");
        // Of the library itself cargo names a second copy, one folder up.
        let folder = crates[1].1.parent().context("a library lies in a folder")?.to_owned();
        Ok(Self { crates, folder })
    }

    /// For the compiler.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![format!("-Ldependency={}", self.folder.display())];
        arguments.extend(self.crates.iter().map(|(name, path)| format!("--extern={name}={}", path.display())));
        arguments
    }

    /// What the compiler reads of it.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.crates.iter().map(|(_, path)| path.clone()).collect();
        files.push(self.folder.clone());
        files
    }
}

/// The file of a crate, if this is the message about it.
fn rlib(artifact: &Value, name: &str) -> Option<PathBuf> {
    let is_it = artifact["target"]["name"].as_str()?.replace('-', "_") == name;
    let mut files = artifact["filenames"].as_array()?.iter().filter_map(Value::as_str);
    is_it.then(|| files.find(|file| file.ends_with(".rlib")).map(PathBuf::from)).flatten()
}
