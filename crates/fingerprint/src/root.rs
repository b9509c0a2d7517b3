//! Where the repository is.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The nearest folder, from the current one upwards, that holds the repository; else the one that the calling program
/// was built from (`built_in` is its `CARGO_MANIFEST_DIR`).
pub fn find_root(built_in: &str) -> Result<PathBuf> {
    let here = std::env::current_dir().context("the current folder is gone")?;
    let is_root = |folder: &&Path| folder.join("chapters").is_dir() && folder.join("figures").is_dir();
    let found = here.ancestors().chain(Path::new(built_in).ancestors()).find(is_root);
    found.map(Path::to_owned).context("no folder of normbook from here upwards: start this program in the repository")
}
