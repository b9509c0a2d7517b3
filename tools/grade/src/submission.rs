//! What is taken from a student's folder: Rust source files, and nothing else.

use crate::files;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::Path;

const LARGEST: u64 = 1024 * 1024;
const MOST_FILES: usize = 200;
const DEEPEST: usize = 8;

/// Source files by their path below `src`, with `/` on every system.
pub type Sources = BTreeMap<String, String>;

/// The submission in a folder: `src` in it, or `assignments/aN/src` (a whole handout), or the files themselves, as systems
/// leave them that upload files one by one.
pub fn read(folder: &Path, assignment: &str) -> Result<Sources> {
    ensure!(folder.is_dir(), "there is no folder {}", folder.display());
    let whole = folder.join("assignments").join(assignment).join("src");
    let source = [folder.join("src"), whole].into_iter().find(|source| is_plain_folder(source));
    let source = source.unwrap_or_else(|| folder.to_owned());
    let mut found = Sources::new();
    let mut left = LARGEST;
    collect(&source, "", 0, &mut left, &mut found)?;
    ensure!(
        !found.is_empty(),
        "there is no Rust file in {}: the submission is the folder that holds src",
        folder.display()
    );
    Ok(found)
}

fn is_plain_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

fn collect(folder: &Path, below: &str, depth: usize, left: &mut u64, found: &mut Sources) -> Result<()> {
    ensure!(depth <= DEEPEST, "{below} lies more than {DEEPEST} folders deep: keep the files of src flat");
    for path in files::entries(folder)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let inner = format!("{below}{name}");
        // Of the link itself: what it points to is not the student's to hand in.
        let about = std::fs::symlink_metadata(&path).with_context(|| format!("cannot read {inner}"))?;
        if about.is_dir() && !name.starts_with('.') && name != "target" {
            collect(&path, &format!("{inner}/"), depth + 1, left, found)?;
        } else if name.ends_with(".rs") {
            ensure!(about.is_file(), "{inner} is no plain file: hand in the file itself, no link to it");
            let Some(rest) = left.checked_sub(about.len()) else {
                bail!("the submission's Rust files are larger than {} KiB together", LARGEST / 1024);
            };
            *left = rest;
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {inner}"))?;
            let text = String::from_utf8(bytes).ok().with_context(|| format!("{inner} is not text in UTF-8"))?;
            found.insert(inner, text);
            ensure!(found.len() <= MOST_FILES, "the submission has more than {MOST_FILES} Rust files");
        }
    }
    Ok(())
}
