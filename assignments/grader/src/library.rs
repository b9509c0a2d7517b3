//! The library of the book, for the assignments that are built with it.

use crate::toolchain::cargo;
use anyhow::{Context, Result, ensure};
use cargo_metadata::Message;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The crates that a submission may name.
const CRATES: [&str; 3] = ["normbook", "normbook_lab", "candle_core"];

/// Where the compiler finds the library.
pub struct Library {
    crates: Vec<(&'static str, PathBuf)>,
    /// Holds these crates and all their dependencies.
    folder: PathBuf,
}

impl Library {
    /// Builds the library with cargo, which shows its progress and does nothing if the library is up to date.
    pub fn build(root: &Path) -> Result<Self> {
        let output = cargo()
            .args(["build", "--release", "--locked", "--package=normbook", "--lib"])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(root)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start cargo")?;
        ensure!(output.status.success(), "the library of the book does not build");
        let messages = Message::parse_stream(output.stdout.as_slice());
        let messages: Vec<Message> =
            messages.collect::<Result<_, _>>().context("cannot read the output of cargo build")?;
        let find = |name| Some((name, messages.iter().find_map(|message| rlib(message, name))?));
        let crates: Vec<(&str, PathBuf)> = CRATES.into_iter().filter_map(find).collect();
        ensure!(crates.len() == CRATES.len(), "cargo does not say where it has put the library of the book");
        // Taken from a dependency, because cargo names the copy of `normbook` that lies one folder higher.
        let folder = crates[2].1.parent().context("a library lies in a folder")?.to_owned();
        Ok(Self { crates, folder })
    }

    /// The compiler's arguments for it.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![format!("-Ldependency={}", self.folder.display())];
        arguments.extend(self.crates.iter().map(|(name, path)| format!("--extern={name}={}", path.display())));
        arguments
    }

    /// The files and folders that the compiler reads.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.crates.iter().map(|(_, path)| path.clone()).collect();
        files.push(self.folder.clone());
        files
    }
}

/// Gives the compiled library of a crate if the message reports it.
fn rlib(message: &Message, name: &str) -> Option<PathBuf> {
    let Message::CompilerArtifact(artifact) = message else { return None };
    if artifact.target.name.replace('-', "_") != name {
        return None;
    }
    let library = artifact.filenames.iter().find(|file| file.extension() == Some("rlib"))?;
    Some(library.clone().into_std_path_buf())
}
