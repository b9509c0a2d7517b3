//! Builds the HTML.

use crate::preprocess::{Normbook, Stale};
use crate::{evidence, ledger};
use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use std::path::{Path, PathBuf};

/// Builds the book from evidence that must be fresh; returns the path of its first page.
pub fn build(root: &Path) -> Result<PathBuf> {
    ledger::renew_readme(root, &evidence::read(root)?)?;
    let mut book = MDBook::load(root.join("book")).context("cannot load book/")?;
    // Takes the place of the command of the same name in book.toml.
    book.with_preprocessor(Normbook { root: root.to_owned(), stale: Stale::Refuse });
    book.build()?;
    Ok(book.build_dir_for("html").join("index.html"))
}
