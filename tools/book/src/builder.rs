//! Builds the HTML.

use crate::preprocess::{Normbook, Stale};
use crate::{evidence, readme};
use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use std::path::{Path, PathBuf};

/// Builds the book from evidence that must be fresh; returns the path of its first page.
pub fn build(root: &Path) -> Result<PathBuf> {
    let mut book = MDBook::load(root.join("book")).context("cannot load book/")?;
    // Takes the place of the command of the same name in book.toml.
    book.with_preprocessor(Normbook { root: root.to_owned(), stale: Stale::Refuse });
    book.build()?;
    readme::renew(root, &evidence::read(root)?)?;
    Ok(book.build_dir_for("html").join("index.html"))
}
