//! Reads a student's folder: its Rust source files, and nothing else.

use crate::files;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Largest size of all files together, in bytes.
const MAX_SIZE: u64 = 1024 * 1024;
const MAX_FILES: usize = 200;
/// Largest number of folders inside one another.
const MAX_DEPTH: usize = 8;

/// Source files by their path below `src`, with `/` on every system.
pub type Sources = BTreeMap<String, String>;

/// Reads the submission in a folder: `assignments/aN/src` in it (in a handout, whose own `src` is the library), or
/// `src`, or the files themselves, which some systems upload one by one. A folder that holds only another folder, as an
/// unpacked archive does, is opened.
pub fn read(folder: &Path, assignment: &str) -> Result<Sources> {
    let opened = opened(folder)?;
    let whole = opened.join("assignments").join(assignment).join("src");
    let source = [whole, opened.join("src")].into_iter().find(|source| is_plain_folder(source));
    let source = source.unwrap_or(opened);
    let mut found = Sources::new();
    let mut left = MAX_SIZE;
    collect(&source, "", 0, &mut left, &mut found)?;
    ensure!(!found.is_empty(), "{} holds no Rust file: name the folder that holds src", folder.display());
    Ok(found)
}

/// Descends through folders that hold a single folder. Hidden files and what macOS adds to archives do not count.
fn opened(folder: &Path) -> Result<PathBuf> {
    let mut folder = folder.to_owned();
    for _ in 0..MAX_DEPTH {
        let is_content = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            !name.starts_with('.') && name != "__MACOSX"
        };
        let content: Vec<PathBuf> = files::entries(&folder)?.into_iter().filter(is_content).collect();
        match content.as_slice() {
            [only] if is_plain_folder(only) && !["src", "assignments"].iter().any(|name| only.ends_with(name)) => {
                folder = only.clone();
            }
            _ => break,
        }
    }
    Ok(folder)
}

fn is_plain_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

fn collect(folder: &Path, below: &str, depth: usize, left: &mut u64, found: &mut Sources) -> Result<()> {
    ensure!(depth <= MAX_DEPTH, "{below} lies more than {MAX_DEPTH} folders deep: use fewer folders in src");
    for path in files::entries(folder)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let inner = format!("{below}{name}");
        // Metadata of a link itself, because it may point to a file that is not the student's.
        let metadata = std::fs::symlink_metadata(&path).with_context(|| format!("cannot read {inner}"))?;
        ensure!(
            !(metadata.is_dir() && name.ends_with(".rs")),
            "{inner} is a folder: rename it, because .rs is for Rust files"
        );
        if metadata.is_dir() && !name.starts_with('.') && name != "target" {
            collect(&path, &format!("{inner}/"), depth + 1, left, found)?;
        } else if name.ends_with(".rs") {
            ensure!(metadata.is_file(), "{inner} is not a plain file: hand in the file itself instead of a link");
            let Some(rest) = left.checked_sub(metadata.len()) else {
                bail!("the Rust files of the submission are larger than {} KiB in total", MAX_SIZE / 1024);
            };
            *left = rest;
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {inner}"))?;
            let text = String::from_utf8(bytes).ok().with_context(|| format!("{inner} is not text in UTF-8"))?;
            found.insert(inner, text);
            ensure!(found.len() <= MAX_FILES, "the submission has more than {MAX_FILES} Rust files");
        }
    }
    Ok(())
}
