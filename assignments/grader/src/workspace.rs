//! The grader as a workspace of its own, with the same versions of the same dependencies: for handouts, with the library of the
//! book, and for packages, without it.

use crate::files;
use anyhow::{Context, Result};
use std::path::Path;

/// What the library of the book is made of.
const LIBRARY: [&str; 4] = ["src", "chapters", "data", "fingerprint"];
/// What it has that is not copied: its programs, and what only its tests need.
const NOT_COPIED: [&str; 3] = ["[[bin]]", "[[bench]]", "[dev-dependencies]"];

/// Copies the grader and the harness.
pub fn write(root: &Path, to: &Path) -> Result<()> {
    let manifest = write_grader(root, to)?;
    files::write(&to.join("Cargo.toml"), &workspace(&files::read(&root.join("Cargo.toml"))?, &manifest)?)
}

/// The same and the library of the book, the root of the workspace. `members` are further packages.
pub fn write_with_library(root: &Path, to: &Path, members: &[String]) -> Result<()> {
    write_grader(root, to)?;
    for folder in LIBRARY {
        files::copy_folder(&root.join(folder), &to.join(folder))?;
    }
    files::copy(&root.join("build.rs"), &to.join("build.rs"))?;
    let book = files::read(&root.join("Cargo.toml"))?;
    files::write(&to.join("Cargo.toml"), &workspace_with_library(&book, members))
}

/// Gives the grader's manifest.
fn write_grader(root: &Path, to: &Path) -> Result<String> {
    let manifest = without_section(&files::read(&root.join("assignments/grader/Cargo.toml"))?, "[dev-dependencies]");
    files::write(&to.join("assignments/grader/Cargo.toml"), &manifest)?;
    files::copy_folder(&root.join("assignments/grader/src"), &to.join("assignments/grader/src"))?;
    files::copy_folder(&root.join("assignments/harness"), &to.join("assignments/harness"))?;
    files::copy(&root.join("Cargo.lock"), &to.join("Cargo.lock"))?;
    Ok(manifest)
}

/// The manifest of the book with other members and without the sections that are not copied.
fn workspace_with_library(book: &str, members: &[String]) -> String {
    let members: String = members.iter().map(|member| format!(", {member:?}")).collect();
    let others = book.split("\n\n").filter(|section| {
        let heading = section.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        heading != "[workspace]" && !NOT_COPIED.contains(&heading)
    });
    let others: Vec<&str> = others.collect();
    format!(
        "[workspace]\nmembers = [\".\", \"fingerprint\", \"assignments/grader\"{members}]\n\
         default-members = [\"assignments/grader\"]\nresolver = \"3\"\n\n{}\n",
        others.join("\n\n").trim_end()
    )
}

/// The manifest of the workspace: what the grader's own manifest takes from the workspace of the book.
fn workspace(book: &str, grader: &str) -> Result<String> {
    let of_book = |name| section(book, name).with_context(|| format!("Cargo.toml has no {name}"));
    let is_used = |line: &&str| {
        let name = line.split(['=', ' ']).next().unwrap_or_default();
        !name.is_empty() && grader.lines().any(|line| line == format!("{name}.workspace = true"))
    };
    let dependencies: Vec<&str> = of_book("[workspace.dependencies]")?.lines().filter(is_used).collect();
    Ok(format!(
        "[workspace]\nmembers = [\"assignments/grader\"]\nresolver = \"3\"\n\n\
         [workspace.package]\n{}\n\n[workspace.dependencies]\n{}\n",
        of_book("[workspace.package]")?.trim(),
        dependencies.join("\n")
    ))
}

/// The lines below a heading of a manifest.
fn section<'a>(manifest: &'a str, heading: &str) -> Option<&'a str> {
    let (_, below) = manifest.split_once(&format!("{heading}\n"))?;
    Some(below.split("\n[").next().unwrap_or(below))
}

fn without_section(manifest: &str, heading: &str) -> String {
    match section(manifest, heading) {
        Some(lines) => manifest.replace(&format!("{heading}\n{lines}"), ""),
        None => manifest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_holds_what_the_grader_takes_from_it() {
        let book = "[workspace]\nx = 1\n\n[workspace.package]\nedition = \"2024\"\n\n[workspace.dependencies]\nanyhow = \"1\"\nserde = { version = \"1\" }\nany = \"1\"\n\n[package]\n";
        let grader = "[package]\nedition.workspace = true\n[dependencies]\nanyhow.workspace = true\n[dev-dependencies]\nassert_cmd.workspace = true\n";
        let written = workspace(book, grader).unwrap();
        assert!(
            written.ends_with("[workspace.package]\nedition = \"2024\"\n\n[workspace.dependencies]\nanyhow = \"1\"\n"),
            "{written}"
        );
        assert!(!without_section(grader, "[dev-dependencies]").contains("assert_cmd"));
    }

    #[test]
    fn the_library_comes_without_its_programs() {
        let book = "[workspace]\nx = 1\n\n[package]\nname = \"normbook\"\n\n[dependencies]\n# Why.\na = \"1\"\n\n[[bin]]\nname = \"ch01\"\n\n[dev-dependencies]\nb = \"1\"\n\n# Fast.\n[profile.dev]\nopt-level = 2\n";
        assert_eq!(
            workspace_with_library(book, &["assignments/a1".into()]),
            "[workspace]\nmembers = [\".\", \"fingerprint\", \"assignments/grader\", \"assignments/a1\"]\ndefault-members = [\"assignments/grader\"]\nresolver = \"3\"\n\n\
             [package]\nname = \"normbook\"\n\n[dependencies]\n# Why.\na = \"1\"\n\n# Fast.\n[profile.dev]\nopt-level = 2\n"
        );
    }
}
