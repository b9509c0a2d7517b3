//! Runs the chapters whose evidence is missing or stale.

use crate::evidence::{self, Chapter};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// Runs what must be run: what is missing or stale, and the chapters named in `rerun` (none named: all).
pub fn renew(root: &Path, rerun: Option<&[String]>, refresh: bool) -> Result<()> {
    let chapters = evidence::read(root)?;
    let named = match rerun {
        None => Vec::new(),
        Some([]) => chapters.iter().map(|chapter| chapter.id.clone()).collect(),
        Some(names) => names.iter().map(|name| find(&chapters, name)).collect::<Result<_>>()?,
    };
    // No stored trial is used; those that two of these chapters share are run once.
    let lab = tempfile::tempdir().context("cannot make a folder for the trials of --rerun")?;
    for chapter in &chapters {
        if named.contains(&chapter.id) {
            run_in(root, chapter, &[], Some(lab.path()))?;
        } else if chapter.must_run() {
            eprintln!("{}: stale or missing", chapter.id);
            chapter.stale.iter().for_each(|reason| eprintln!("  {reason}"));
            let renewed = refresh && chapter.record.is_ok() && run(root, chapter, &["--refresh"]).is_ok();
            if !renewed {
                run(root, chapter, &[])?;
            }
        } else if !chapter.outdated_figures.is_empty() {
            run(root, chapter, &["--replot"])?;
        }
    }
    Ok(())
}

/// The id of the chapter that a reader calls `1`, `ch01` or by its program's name.
fn find(chapters: &[Chapter], name: &str) -> Result<String> {
    let number = name.trim_start_matches("ch").trim_start_matches('0');
    let is_meant = |chapter: &&Chapter| {
        chapter.program == name || chapter.id.trim_start_matches("ch").trim_start_matches('0') == number
    };
    let found = chapters.iter().find(is_meant).map(|chapter| chapter.id.clone());
    let known = || chapters.iter().map(|chapter| chapter.id.as_str()).collect::<Vec<_>>().join(", ");
    found.with_context(|| format!("--rerun {name}: no such chapter; there are {}", known()))
}

fn run(root: &Path, chapter: &Chapter, flags: &[&str]) -> Result<()> {
    run_in(root, chapter, flags, None)
}

/// With a folder of its own for trials, if any.
fn run_in(root: &Path, chapter: &Chapter, flags: &[&str], lab: Option<&Path>) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["run", "--release", "--bin", &chapter.program]);
    command.envs(lab.map(|lab| ("NORMBOOK_LAB", lab)));
    let status = command.arg("--").args(flags).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("{} failed", chapter.program);
    }
    Ok(())
}
