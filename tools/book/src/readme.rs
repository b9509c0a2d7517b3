//! README.md repeats the answer of the book's first page and counts the verdicts. `cargo book` writes both from the
//! records, `cargo book --check` compares.

use crate::evidence::Chapter;
use crate::render::{Shown, Sources};
use crate::{ledger, page};
use anyhow::{Context, Result};
use normbook_lab::atomic::write_atomically;
use regex::{Captures, Regex};
use std::path::Path;
use std::sync::LazyLock;

const FILE: &str = "README.md";
const BEGIN: &str = "<!-- `cargo book` writes this from book/src/index.md -->\n";
const END: &str = "<!-- end -->\n";
const FIRST_PAGE: &str = "book/src/index.md";
const ANSWER: &str = "<!-- ANCHOR: answer -->\n";
const ANSWER_END: &str = "<!-- ANCHOR_END: answer -->\n";

/// A link to a page of the book, whose source shows directives in the place of numbers.
static LINK_TO_PAGE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[([^\]]+)\]\([^):]+\.md[^)]*\)").expect("a valid pattern"));

/// Errors in what is written by hand, and a difference in what is not.
pub fn problems(root: &Path, chapters: &[Chapter]) -> Result<Vec<String>> {
    let readme = Readme::read(root)?;
    let sources = Sources { root, chapters };
    // Empty lines instead of the written part: what follows keeps its line numbers.
    let by_hand = format!("{}{}{}", readme.before, "\n".repeat(readme.written.lines().count()), readme.after);
    let mut problems = page::fill(&root.join(FILE), &by_hand, &sources, &mut Shown::default()).problems;
    if readme.written != written(root, chapters)? {
        problems
            .push(format!("{FILE}: its answer is not what {FIRST_PAGE} and the records give; `cargo book` renews it"));
    }
    Ok(problems)
}

/// Writes the answer where it differs.
pub fn renew(root: &Path, chapters: &[Chapter]) -> Result<()> {
    let readme = Readme::read(root)?;
    let new = written(root, chapters)?;
    if readme.written == new {
        return Ok(());
    }
    write_atomically(&root.join(FILE), format!("{}{new}{}", readme.before, readme.after).as_bytes())
}

/// README.md, its markers with the parts around them.
struct Readme {
    before: String,
    written: String,
    after: String,
}

impl Readme {
    fn read(root: &Path) -> Result<Self> {
        let text = read(root, FILE)?;
        let (start, end) = between(&text, BEGIN, END, FILE)?;
        Ok(Self { before: text[..start].into(), written: text[start..end].into(), after: text[end..].into() })
    }
}

/// The answer of the first page with its numbers, and the count of verdicts.
fn written(root: &Path, chapters: &[Chapter]) -> Result<String> {
    let sources = Sources { root, chapters };
    // What is wrong with the first page is found where all pages are checked.
    let page = page::fill(&root.join(FIRST_PAGE), &read(root, FIRST_PAGE)?, &sources, &mut Shown::default()).text;
    let (start, end) = between(&page, ANSWER, ANSWER_END, FIRST_PAGE)?;
    let answer = LINK_TO_PAGE.replace_all(page[start..end].trim(), |link: &Captures| link[1].to_owned());
    Ok(format!("\n{answer}\n\n{}.\n\n", ledger::score(chapters)))
}

fn read(root: &Path, file: &str) -> Result<String> {
    std::fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"))
}

/// Where the text between two markers starts and ends.
fn between(text: &str, begin: &str, end: &str, file: &str) -> Result<(usize, usize)> {
    let missing = |marker: &str| format!("{file} has no line {}", marker.trim());
    let start = text.find(begin).with_context(|| missing(begin))? + begin.len();
    let length = text[start..].find(end).with_context(|| missing(end))?;
    Ok((start, start + length))
}
