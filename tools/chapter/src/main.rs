//! `cargo chapter 1`: short for `cargo run --release --bin ch01-feature-normalization`.

use anyhow::{Context, Result, ensure};
use normbook_fingerprint::find_root;
use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo chapter NUMBER [-- OPTIONS]   (cargo chapter --list names the chapters)";

/// A chapter as its source file tells of it.
struct Chapter {
    number: u32,
    program: String,
    title: String,
}

fn main() -> ExitCode {
    run(std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: Vec<String>) -> Result<ExitCode> {
    let root = find_root(env!("CARGO_MANIFEST_DIR"))?;
    let chapters = chapters(&root)?;
    let Some((first, rest)) = arguments.split_first() else {
        eprintln!("{USAGE}");
        return Ok(ExitCode::from(2));
    };
    if first == "--help" || first == "-h" {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    if first == "--list" {
        for Chapter { number, title, program } in &chapters {
            println!("{number:>2}  {title}  ({program})");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let number: u32 =
        first.trim_start_matches("ch").parse().ok().with_context(|| format!("{first:?} is no number; {USAGE}"))?;
    let known = || chapters.iter().map(|chapter| chapter.number.to_string()).collect::<Vec<_>>().join(", ");
    let chapter = chapters.iter().find(|chapter| chapter.number == number);
    let chapter = chapter.with_context(|| format!("there is no chapter {number}; there are {}", known()))?;
    let options = rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--release", "--bin", &chapter.program]);
    let status = command.arg("--manifest-path").arg(root.join("Cargo.toml")).arg("--").args(options).status();
    let code = status.context("cannot start cargo")?.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// All chapters by number, from the names and the first lines of the files in chapters/.
fn chapters(root: &Path) -> Result<Vec<Chapter>> {
    let mut chapters = Vec::new();
    for entry in std::fs::read_dir(root.join("chapters")).context("cannot read chapters/")? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let number = stem.strip_prefix("ch").and_then(|rest| rest.split('_').next()?.parse().ok());
        let number = number.with_context(|| format!("{}: a chapter's file is named chNN_slug.rs", path.display()))?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let title = text.lines().next().and_then(|line| line.strip_prefix("//! # ")).unwrap_or_default().to_owned();
        ensure!(!title.is_empty(), "{}: its first line must be `//! # Chapter N: title`", path.display());
        chapters.push(Chapter { number, program: stem.replace('_', "-"), title });
    }
    chapters.sort_by_key(|chapter| chapter.number);
    Ok(chapters)
}
