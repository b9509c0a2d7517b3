//! The file that a teacher uploads to Gradescope: grader, tests and dependencies, so that nothing is fetched but Rust itself.

use crate::assignment::Assignment;
use crate::build::Workshop;
use crate::draw::PUBLIC_SEED;
use crate::zip::Zip;
use crate::{files, handout, renew, vendor, workspace};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

const SETUP: &str = include_str!("package/setup.sh");
const RUN: &str = include_str!("package/run_autograder");

pub fn gradescope(
    root: &Path,
    workshop: &Workshop,
    assignment: &Assignment,
    hidden_seed: Option<u64>,
    out: &Path,
) -> Result<()> {
    ensure!(
        hidden_seed != Some(PUBLIC_SEED),
        "--hidden-seed {PUBLIC_SEED} draws the public tests: take another number"
    );
    ensure!(
        !assignment.about.library,
        "{0} needs the library of the book, which no package holds: grade it in the folder of the book, by \
         cargo grade {0} --submission DIR --format gradescope --out results.json",
        assignment.name
    );
    let scratch = tempfile::tempdir().context("cannot make a folder")?;
    let folder = scratch.path();
    workspace::write(root, folder)?;
    handout::write_for_grader(assignment, &folder.join("assignments").join(&assignment.name))?;
    vendor::write(folder)?;
    if let Some(seed) = hidden_seed {
        let hidden = renew::renew(workshop, assignment, seed).context("cannot make hidden tests")?;
        let complaints = hidden.complaints();
        // Inputs by which a mistake cannot be seen.
        ensure!(complaints.is_empty(), "take another --hidden-seed: with {seed}, {}", complaints.join("; "));
        files::write(&folder.join("hidden.json"), &hidden.sheet.text()?)?;
    }
    for (name, script) in [("setup.sh", SETUP), ("run_autograder", RUN)] {
        let script = script.replace("@ASSIGNMENT@", &assignment.name).replace("@RUST@", &rust_version()?);
        files::write(&folder.join(name), &script)?;
    }
    pack(folder, out)
}

/// Of the compiler that has built this grader's answers, as rustup names it.
fn rust_version() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output().context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().nth(1).map(str::to_owned).context("rustc does not say its version")
}

fn pack(folder: &Path, out: &Path) -> Result<()> {
    let mut zip = Zip::default();
    add(&mut zip, folder, "")?;
    std::fs::write(out, zip.finish()?).with_context(|| format!("cannot write {}", out.display()))
}

fn add(zip: &mut Zip, folder: &Path, below: &str) -> Result<()> {
    for path in files::entries(folder)? {
        let name = format!("{below}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            add(zip, &path, &format!("{name}/"))?;
            continue;
        }
        let is_program = ["setup.sh", "run_autograder"].contains(&name.as_str());
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        zip.add(&name, if is_program { 0o755 } else { 0o644 }, &bytes)?;
    }
    Ok(())
}
