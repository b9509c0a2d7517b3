//! The grader as a workspace of its own, with the same versions of the same dependencies: for handouts and for packages.

use crate::files;
use anyhow::{Context, Result};
use std::path::Path;

/// Copies the grader and the harness. `members` are further packages of the workspace.
pub fn write(root: &Path, to: &Path, members: &[String]) -> Result<()> {
    let manifest = without_section(&files::read(&root.join("tools/grade/Cargo.toml"))?, "[dev-dependencies]");
    files::write(&to.join("tools/grade/Cargo.toml"), &manifest)?;
    files::copy_folder(&root.join("tools/grade/src"), &to.join("tools/grade/src"))?;
    files::copy_folder(&root.join("assignments/harness"), &to.join("assignments/harness"))?;
    files::write(&to.join("Cargo.toml"), &workspace(&files::read(&root.join("Cargo.toml"))?, &manifest, members)?)?;
    files::copy(&root.join("Cargo.lock"), &to.join("Cargo.lock"))
}

/// The manifest of the workspace: what the grader's own manifest takes from the workspace of the book.
fn workspace(book: &str, grader: &str, members: &[String]) -> Result<String> {
    let of_book = |name| section(book, name).with_context(|| format!("Cargo.toml has no {name}"));
    let is_used = |line: &&str| {
        let name = line.split(['=', ' ']).next().unwrap_or_default();
        !name.is_empty() && grader.lines().any(|line| line == format!("{name}.workspace = true"))
    };
    let dependencies: Vec<&str> = of_book("[workspace.dependencies]")?.lines().filter(is_used).collect();
    let members: String = members.iter().map(|member| format!(", {member:?}")).collect();
    Ok(format!(
        "[workspace]\nmembers = [\"tools/grade\"{members}]\ndefault-members = [\"tools/grade\"]\nresolver = \"3\"\n\n\
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
        let written = workspace(book, grader, &["assignments/a1".into()]).unwrap();
        assert!(written.contains("members = [\"tools/grade\", \"assignments/a1\"]"), "{written}");
        assert!(
            written.ends_with("[workspace.package]\nedition = \"2024\"\n\n[workspace.dependencies]\nanyhow = \"1\"\n"),
            "{written}"
        );
        assert!(!without_section(grader, "[dev-dependencies]").contains("assert_cmd"));
    }
}
