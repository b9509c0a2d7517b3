//! The folder that students are given: the same grader, the same tests, and starters in the place of reference solutions.

use crate::assignment::{self, Assignment};
use crate::submission::Sources;
use crate::{files, workspace};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

// `--package`: in the folder of an assignment, too, which is a package of its own.
const CARGO_CONFIG: &str = "[alias]\ngrade = \"run --quiet --release --package normbook-grade --\"\n";
const IGNORED: &str = "/target/\n.progress.json\nbackup-*/\n";
const README: &str = "\
# The assignments

You need Rust (<https://rustup.rs>). The pages of the book say what is asked; in this folder you work.

```console
cargo grade --list        # all assignments, and what you have reached
cargo grade a1            # each test with its points, what was expected and what came
cargo grade a1 --hint     # with a hint for each test that fails
cargo grade a1 --reset    # begin again; your files are kept
```

You change files in `assignments/a1/src`, and nothing else. The first `cargo grade` builds the grader and needs the network for it;
the first `cargo grade a6` builds the library of the book, `src`, and takes minutes.
";

pub fn write(root: &Path, to: &Path) -> Result<()> {
    let is_empty = !to.exists() || to.is_dir() && files::entries(to)?.is_empty();
    ensure!(is_empty, "{} is there already: name a folder that is not, or that is empty", to.display());
    let names = assignment::names(root)?;
    let members: Vec<String> = names.iter().map(|name| format!("assignments/{name}")).collect();
    workspace::write_with_library(root, to, &members)?;
    let book = files::read(&root.join("Cargo.toml"))?;
    for name in &names {
        let assignment = Assignment::open(root, name)?;
        ensure!(!assignment.is_handout(), "this is a handout already: make one in the repository of the book");
        write_assignment(&assignment, &book, &to.join("assignments").join(name))?;
    }
    files::write(&to.join(".cargo/config.toml"), CARGO_CONFIG)?;
    files::write(&to.join(".gitignore"), IGNORED)?;
    files::write(&to.join("README.md"), README)
}

/// An assignment as a student sees it; `book` is the manifest of the book.
fn write_assignment(assignment: &Assignment, book: &str, to: &Path) -> Result<()> {
    let starter = assignment.starter()?;
    write_sources(&starter, &to.join("src"))?;
    let name = &assignment.name;
    let mut manifest =
        format!("[package]\nname = {name:?}\nversion.workspace = true\nedition.workspace = true\npublish = false\n");
    if assignment.about.library {
        let candle = book.lines().find(|line| line.starts_with("candle-core = "));
        let candle = candle.context("Cargo.toml does not say which candle-core")?;
        manifest += &format!("\n[dependencies]\n{candle}\nnormbook.workspace = true\n");
    }
    files::write(&to.join("Cargo.toml"), &manifest)?;
    write_for_grader(assignment, to)
}

/// What the grader needs of an assignment.
pub fn write_for_grader(assignment: &Assignment, to: &Path) -> Result<()> {
    for file in ["assignment.toml", "harness.rs", "tests.json"] {
        files::copy(&assignment.folder.join(file), &to.join(file))?;
    }
    write_sources(&assignment.starter()?, &to.join("starter"))
}

fn write_sources(sources: &Sources, folder: &Path) -> Result<()> {
    sources.iter().try_for_each(|(path, text)| files::write(&folder.join(path), text))
}

/// The starter again. Gives the folder in which the student's files are kept.
pub fn reset(assignment: &Assignment) -> Result<PathBuf> {
    let name = &assignment.name;
    ensure!(assignment.is_handout(), "assignments/{name} holds the reference solution: --reset is for a handout");
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
