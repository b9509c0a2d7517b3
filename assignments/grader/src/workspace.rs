//! The grader as a workspace of its own, with the same versions of the same dependencies: for handouts with the library
//! of the book, for packages without it.

use crate::files;
use anyhow::{Context, Result};
use std::path::Path;
use toml::{Table, Value};

/// The grader's folder in the repository, a handout and a package.
const GRADER: &str = "assignments/grader";
/// The files and folders that the package `normbook` is built from; the crates of the book that it needs are copied
/// too.
const LIBRARY: [&str; 2] = ["src", "data"];
/// The sections of its manifest that are left out: its programs, and what only tests need.
const LEFT_OUT: [&str; 4] = ["bin", "bench", "test", "dev-dependencies"];

/// Reads the manifest of the book.
pub fn book_manifest(root: &Path) -> Result<Table> {
    read_manifest(&root.join("Cargo.toml"))
}

/// Writes the grader and the harness.
pub fn write(root: &Path, to: &Path) -> Result<()> {
    write_grader(root, to)?;
    write_manifest(&without_library(book_manifest(root)?)?, to)
}

/// Writes the grader, the harness and the library of the book. `members` are further packages.
pub fn write_with_library(root: &Path, to: &Path, members: &[String]) -> Result<()> {
    write_grader(root, to)?;
    let book = book_manifest(root)?;
    let crates = crates_of_book(&book)?;
    for path in LIBRARY.into_iter().chain(crates.iter().map(String::as_str)) {
        let (from, to) = (root.join(path), to.join(path));
        if from.is_dir() { files::copy_folder(&from, &to)? } else { files::copy(&from, &to)? }
    }
    write_manifest(&with_library(book, members)?, to)
}

fn write_grader(root: &Path, to: &Path) -> Result<()> {
    let (from, grader) = (root.join(GRADER), to.join(GRADER));
    let mut manifest = read_manifest(&from.join("Cargo.toml"))?;
    manifest.remove("dev-dependencies");
    write_manifest(&manifest, &grader)?;
    files::copy_folder(&from.join("src"), &grader.join("src"))?;
    files::copy_folder(&root.join("assignments/harness"), &to.join("assignments/harness"))?;
    files::copy(&root.join("Cargo.lock"), &to.join("Cargo.lock"))
}

fn read_manifest(path: &Path) -> Result<Table> {
    toml::from_str(&files::read(path)?).with_context(|| format!("{} is not a valid manifest", path.display()))
}

/// Writes `Cargo.toml` in a folder.
pub fn write_manifest(manifest: &Table, folder: &Path) -> Result<()> {
    files::write(&folder.join("Cargo.toml"), &toml::to_string(manifest)?)
}

/// The folders of the crates of the book that share its workspace, besides the package `normbook` itself.
fn crates_of_book(book: &Table) -> Result<Vec<String>> {
    let dependencies = section(book, "workspace")?.get("dependencies").and_then(Value::as_table);
    let paths = dependencies.into_iter().flatten().filter_map(|(_, dependency)| dependency.get("path")?.as_str());
    Ok(paths.filter(|path| *path != ".").map(str::to_owned).collect())
}

/// The manifest of the book with the grader and `members` in its workspace. The crates of the book are members because
/// the package depends on them.
fn with_library(mut book: Table, members: &[String]) -> Result<Table> {
    for section in LEFT_OUT {
        book.remove(section);
    }
    let mut all = vec![".".to_owned(), GRADER.to_owned()];
    all.extend_from_slice(members);
    set_members(&mut book, all)?;
    Ok(book)
}

/// The manifest of a workspace that holds the grader alone.
fn without_library(mut book: Table) -> Result<Table> {
    book.retain(|name, _| name == "workspace");
    set_members(&mut book, vec![GRADER.to_owned()])?;
    Ok(book)
}

/// Replaces the members of the workspace; the grader is the one that cargo runs by default.
fn set_members(book: &mut Table, members: Vec<String>) -> Result<()> {
    let workspace = book.get_mut("workspace").and_then(Value::as_table_mut);
    let workspace = workspace.context("Cargo.toml has no [workspace]")?;
    workspace.insert("members".into(), members.into());
    workspace.insert("default-members".into(), vec![GRADER].into());
    Ok(())
}

/// A section of a manifest.
pub fn section<'a>(manifest: &'a Table, name: &str) -> Result<&'a Table> {
    manifest.get(name).and_then(Value::as_table).with_context(|| format!("Cargo.toml has no [{name}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: &str = "
        [workspace]
        members = ['.', 'tools/book']
        default-members = ['.', 'tools/book']
        [workspace.package]
        edition = '2024'
        [workspace.dependencies]
        anyhow = '1'
        normbook = { path = '.' }
        normbook-ops = { path = 'crates/ops' }
        [package]
        name = 'normbook'
        [dependencies]
        a = '1'
        [[bin]]
        name = 'ch01'
        [dev-dependencies]
        b = '1'
        [profile.dev]
        opt-level = 2
    ";

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_package_has_the_grader_alone() {
        let expected = "
            [workspace]
            members = ['assignments/grader']
            default-members = ['assignments/grader']
            [workspace.package]
            edition = '2024'
            [workspace.dependencies]
            anyhow = '1'
            normbook = { path = '.' }
            normbook-ops = { path = 'crates/ops' }
        ";
        assert_eq!(without_library(table(BOOK)).unwrap(), table(expected));
    }

    #[test]
    fn a_handout_has_the_library_without_its_programs() {
        let book = with_library(table(BOOK), &["assignments/a1".into()]).unwrap();
        let workspace = section(&book, "workspace").unwrap();
        assert_eq!(workspace["members"], Value::from(vec![".", "assignments/grader", "assignments/a1"]));
        assert_eq!(workspace["default-members"], Value::from(vec!["assignments/grader"]));
        let names: Vec<&str> = book.keys().map(String::as_str).collect();
        assert_eq!(names, ["dependencies", "package", "profile", "workspace"]);
        assert_eq!(crates_of_book(&book).unwrap(), ["crates/ops"]);
    }
}
