//! What is taken from a student's folder: Rust source files, and nothing else.

use crate::files;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const LARGEST: u64 = 1024 * 1024;
const MOST_FILES: usize = 200;
const DEEPEST: usize = 8;

/// Source files by their path below `src`, with `/` on every system.
pub type Sources = BTreeMap<String, String>;

/// The submission in a folder: `assignments/aN/src` in it (a whole handout, whose own `src` is the library), or `src`, or the
/// files themselves, as systems leave them that upload files one by one. A folder that holds nothing but another one, as archives do, is opened.
pub fn read(folder: &Path, assignment: &str) -> Result<Sources> {
    let opened = opened(folder)?;
    let whole = opened.join("assignments").join(assignment).join("src");
    let source = [whole, opened.join("src")].into_iter().find(|source| is_plain_folder(source));
    let source = source.unwrap_or(opened);
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

/// The folder without those around it that hold nothing else, but for hidden files and what macOS adds to archives.
fn opened(folder: &Path) -> Result<PathBuf> {
    let mut folder = folder.to_owned();
    for _ in 0..DEEPEST {
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
    ensure!(depth <= DEEPEST, "{below} lies more than {DEEPEST} folders deep: keep the files of src flat");
    for path in files::entries(folder)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let inner = format!("{below}{name}");
        // Of the link itself: what it points to is not the student's to hand in.
        let about = std::fs::symlink_metadata(&path).with_context(|| format!("cannot read {inner}"))?;
        ensure!(!(about.is_dir() && name.ends_with(".rs")), "{inner} is a folder, and no Rust file");
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
