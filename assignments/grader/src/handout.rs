//! The folder that students are given: the grader, the tests, and starters instead of reference solutions.

use crate::assignment::{self, Assignment};
use crate::submission::Sources;
use crate::{files, workspace};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use toml::{Table, toml};

// `--package`, because the folder of an assignment is a package of its own.
const CARGO_CONFIG: &str = "[alias]\ngrade = \"run --quiet --release --package normbook-grade --\"\n";
const IGNORED: &str = "/target/\n.progress.json\nbackup-*/\n";
const README: &str = "\
# The assignments

You need Rust (<https://rustup.rs>). The pages of the book describe the assignments; you work on them in this folder.

```console
cargo grade --list        # all assignments and your points
cargo grade a1            # each test with its points, the expected and the actual output
cargo grade a1 --hint     # with a hint for each test that fails
cargo grade a1 --reset    # start again; your files are kept
```

Change the files in `assignments/a1/src` that the page names, and nothing else. The first `cargo grade` builds the
grader and needs the network for it; the first `cargo grade a6` builds the library of the book, `src`, which takes
minutes.
";

/// Writes a handout of all assignments into a new or empty folder.
pub fn write(root: &Path, to: &Path) -> Result<()> {
    let is_empty = !to.exists() || to.is_dir() && files::entries(to)?.is_empty();
    ensure!(is_empty, "{} already exists: name a new or an empty folder", to.display());
    let names = assignment::names(root)?.into_iter();
    let assignments: Vec<Assignment> = names.map(|name| Assignment::open(root, &name)).collect::<Result<_>>()?;
    let is_handout = assignments.iter().any(Assignment::is_handout);
    ensure!(!is_handout, "this folder is a handout: run --handout in the repository of the book");
    let path = |assignment: &Assignment| format!("assignments/{}", assignment.name);
    workspace::write_with_library(root, to, &assignments.iter().map(path).collect::<Vec<_>>())?;
    let book = workspace::book_manifest(root)?;
    for assignment in &assignments {
        write_assignment(assignment, &book, &to.join(path(assignment)))?;
    }
    files::write(&to.join(".cargo/config.toml"), CARGO_CONFIG)?;
    files::write(&to.join(".gitignore"), IGNORED)?;
    files::write(&to.join("README.md"), README)
}

/// Writes an assignment for students; `book` is the manifest of the book.
fn write_assignment(assignment: &Assignment, book: &Table, to: &Path) -> Result<()> {
    write_sources(&assignment.starter()?, &to.join("src"))?;
    let mut manifest = toml! {
        [package]
        version.workspace = true
        edition.workspace = true
        publish = false
    };
    manifest["package"].as_table_mut().expect("a section").insert("name".into(), assignment.name.clone().into());
    if assignment.metadata.library {
        let candle = workspace::section(book, "dependencies")?.get("candle-core");
        let candle = candle.context("Cargo.toml does not say which candle-core")?;
        let mut dependencies = toml! { normbook.workspace = true };
        dependencies.insert("candle-core".into(), candle.clone());
        manifest.insert("dependencies".into(), dependencies.into());
    }
    workspace::write_manifest(&manifest, to)?;
    write_for_grader(assignment, to)
}

/// Writes what the grader needs of an assignment.
pub fn write_for_grader(assignment: &Assignment, to: &Path) -> Result<()> {
    for file in ["assignment.toml", "harness.rs", "tests.json"] {
        files::copy(&assignment.folder.join(file), &to.join(file))?;
    }
    write_sources(&assignment.starter()?, &to.join("starter"))
}

fn write_sources(sources: &Sources, folder: &Path) -> Result<()> {
    sources.iter().try_for_each(|(path, text)| files::write(&folder.join(path), text))
}

/// Restores the starter. Gives the folder that keeps the student's files.
pub fn reset(assignment: &Assignment) -> Result<PathBuf> {
    let name = &assignment.name;
    ensure!(
        assignment.is_handout(),
        "assignments/{name} holds the reference solution: run --reset in a handout, which cargo grade --handout writes"
    );
    let kept = (1..).map(|number| assignment.folder.join(format!("backup-{number}"))).find(|folder| !folder.exists());
    let kept = kept.context("there is always another number")?;
    let source = assignment.folder.join("src");
    if source.exists() {
        std::fs::rename(&source, &kept)
            .with_context(|| format!("cannot move {} to {}", source.display(), kept.display()))?;
    }
    write_sources(&assignment.starter()?, &source)?;
    let _ = std::fs::remove_file(assignment.folder.join(".progress.json"));
    Ok(kept)
}
