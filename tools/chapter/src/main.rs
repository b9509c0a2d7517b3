//! `cargo chapter 1`: short for `cargo run --release --bin ch01-feature-normalization`.

use anyhow::{Context, Result, ensure};
use normbook_fingerprint::find_root;
use std::fmt;
use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo chapter NUMBER [-- OPTIONS]   (cargo chapter --list names the chapters)";

/// A chapter as its source file tells of it.
struct Chapter {
    number: Number,
    program: String,
    title: String,
}

/// What readers call a chapter, in the book's order: 8, then 8b, then 9.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Number {
    number: u32,
    letter: Option<char>,
}

impl Number {
    /// From `8b`, `08b` or `ch08b`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start_matches("ch");
        let letter = text.chars().last().filter(char::is_ascii_lowercase);
        let number = text.strip_suffix(|last| Some(last) == letter).unwrap_or(text).parse().ok()?;
        Some(Self { number, letter })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}", self.number)?;
        self.letter.map_or(Ok(()), |letter| write!(formatter, "{letter}"))
    }
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
            println!("{:>3}  {title}  ({program})", number.to_string());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let number = Number::parse(first).with_context(|| format!("{first:?} is no number; {USAGE}"))?;
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

/// Lists all chapters by number, from the names of the folders in chapters/ and the first line of each `main.rs`.
fn chapters(root: &Path) -> Result<Vec<Chapter>> {
    let mut chapters = Vec::new();
    for entry in std::fs::read_dir(root.join("chapters")).context("cannot read chapters/")? {
        let folder = entry?.path();
        let main = folder.join("main.rs");
        if !main.is_file() {
            continue;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = name.strip_prefix("ch").and_then(|rest| Number::parse(rest.split('_').next()?));
        let number = number.with_context(|| format!("{}: a chapter's folder is named chNN_slug", folder.display()))?;
        let text = std::fs::read_to_string(&main).with_context(|| format!("cannot read {}", main.display()))?;
        let title = text.lines().next().and_then(|line| line.strip_prefix("//! # ")).unwrap_or_default().to_owned();
        ensure!(!title.is_empty(), "{}: its first line must be `//! # Chapter N: title`", main.display());
        chapters.push(Chapter { number, program: name.replace('_', "-"), title });
    }
    chapters.sort_by_key(|chapter| chapter.number.clone());
    Ok(chapters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_may_end_in_a_letter() {
        let parse = |text| Number::parse(text).unwrap();
        let order = ["ch08", "8b", "ch09", "10"].map(parse);
        assert!(order.is_sorted() && parse("ch08b") == order[1] && parse("8") == order[0]);
        assert_eq!(order.map(|number| number.to_string()), ["8", "8b", "9", "10"]);
        assert!(["", "b", "one", "8bb", "8B", "b8"].iter().all(|text| Number::parse(text).is_none()));
    }
}
