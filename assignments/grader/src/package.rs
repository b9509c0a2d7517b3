//! The file that a teacher uploads to Gradescope. It holds the grader, the tests and all dependencies, so Gradescope's
//! machine fetches nothing but Rust itself.

use crate::assignment::Assignment;
use crate::builder::Builder;
use crate::{files, handout, renew, vendor, workspace};
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

const SETUP: &str = include_str!("package/setup.sh");
const RUN: &str = include_str!("package/run_autograder");

/// Writes the package of an assignment. `hidden_seed` adds hidden tests, whose inputs are drawn from it.
pub fn gradescope(
    root: &Path,
    builder: &Builder,
    assignment: &Assignment,
    hidden_seed: Option<u64>,
    out: &Path,
) -> Result<()> {
    ensure!(
        !assignment.metadata.library,
        "a package cannot hold the library of the book, which {0} needs: grade it in the repository of the book, with \
         cargo grade {0} --submission DIR --format gradescope --out results.json",
        assignment.name
    );
    let temporary = tempfile::tempdir().context("cannot create a temporary folder")?;
    let folder = temporary.path();
    workspace::write(root, folder)?;
    handout::write_for_grader(assignment, &folder.join("assignments").join(&assignment.name))?;
    vendor::write(folder)?;
    if let Some(seed) = hidden_seed {
        let hidden = renew::renew(builder, assignment, seed).context("cannot make hidden tests")?;
        // Some inputs do not reveal every known mistake.
        let complaints = hidden.complaints();
        ensure!(complaints.is_empty(), "choose another --hidden-seed than {seed}: {}", complaints.join("; "));
        files::write(&folder.join("hidden.json"), &hidden.suite.text()?)?;
    }
    for (name, script) in [("setup.sh", SETUP), ("run_autograder", RUN)] {
        let script = script.replace("@ASSIGNMENT@", &assignment.name).replace("@RUST@", &rust_version()?);
        files::write(&folder.join(name), &script)?;
    }
    compress(folder, out)
}

/// The version of the compiler that ran the reference solution, as rustup names it.
fn rust_version() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output().context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().nth(1).map(str::to_owned).context("rustc --version prints no version")
}

/// Writes a zip archive of a folder. The same files give the same archive, because all files have the same date.
fn compress(folder: &Path, out: &Path) -> Result<()> {
    let write = || -> Result<()> {
        let mut archive = ZipWriter::new(File::create(out)?);
        add(&mut archive, folder, "")?;
        archive.finish()?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", out.display()))
}

fn add(archive: &mut ZipWriter<File>, folder: &Path, below: &str) -> Result<()> {
    for path in files::entries(folder)? {
        let name = format!("{below}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            add(archive, &path, &format!("{name}/"))?;
            continue;
        }
        let is_program = ["setup.sh", "run_autograder"].contains(&name.as_str());
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(if is_program { 0o755 } else { 0o644 });
        archive.start_file(name, options)?;
        archive.write_all(&std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?)?;
    }
    Ok(())
}
