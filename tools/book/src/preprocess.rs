//! The preprocessor: fills every page with the evidence.

use crate::evidence::{self, Chapter};
use crate::page;
use crate::render::{Shown, Sources};
use anyhow::{Context, Result, bail, ensure};
use mdbook_preprocessor::book::Book;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext, parse_input};
use normbook_lab::plot::svg::escape;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What is done about stale evidence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// The build fails.
    Refuse,
    /// The page says so: a reader may edit src/ freely.
    ShowBanner,
}

/// Fills pages from the evidence under `root`.
pub struct Normbook {
    pub root: PathBuf,
    pub stale: Stale,
}

impl Preprocessor for Normbook {
    fn name(&self) -> &str {
        "normbook"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let chapters = evidence::read(&self.root)?;
        let source = context.root.join(&context.config.book.src);
        let sources = Sources { root: &self.root, chapters: &chapters };
        let mut shown = Shown::default();
        let mut problems = Vec::new();
        book.for_each_chapter_mut(|item| {
            let Some(path) = &item.source_path else { return };
            let filled = page::fill(&source.join(path), &item.content, &sources, &mut shown);
            problems.extend(filled.problems);
            item.content = self.banner(&chapters, &item.content) + &filled.text;
        });
        if self.stale == Stale::Refuse {
            problems.extend(chapters.iter().flat_map(stale_problems));
        }
        if !problems.is_empty() {
            bail!("the book does not hold:\n  {}", problems.join("\n  "));
        }
        Ok(book)
    }
}

impl Normbook {
    /// A warning on top of a page that draws on stale evidence.
    fn banner(&self, chapters: &[Chapter], page: &str) -> String {
        let shows_all = ["{{ledger}}", "{{verdicts}}", "{{slides}}"].iter().any(|all| page.contains(all));
        let drawn_on = |chapter: &&Chapter| shows_all || page.contains(&format!(" {} |", chapter.id));
        let problems: Vec<String> = chapters.iter().filter(drawn_on).flat_map(stale_problems).collect();
        if self.stale == Stale::Refuse || problems.is_empty() {
            return String::new();
        }
        format!(
            "<div class=\"stale\" role=\"note\"><strong>Stale evidence.</strong> Numbers and figures on this page come from \
             other code than you have now: {}. <code>cargo book</code> renews them.</div>\n\n",
            escape(&problems.join("; "))
        )
    }
}

/// Why the evidence of a chapter cannot be shown as it is.
pub fn stale_problems(chapter: &Chapter) -> Vec<String> {
    let stale = chapter.stale.iter().map(|reason| format!("{}: {reason}", chapter.id));
    stale.chain(chapter.outdated_figures.iter().cloned()).collect()
}

/// Answers mdBook: the book from standard input, filled, on standard output.
pub fn answer(root: &Path) -> Result<()> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).context("cannot read the book from mdBook")?;
    check_version(&input)?;
    let (context, book) = parse_input(input.as_bytes())?;
    let book = Normbook { root: root.to_owned(), stale: Stale::ShowBanner }.run(&context, book)?;
    serde_json::to_writer(std::io::stdout(), &book).context("cannot hand the book back to mdBook")
}

/// mdBook 0.5 changed the format: an older one gets one sentence instead of a parse error.
fn check_version(input: &str) -> Result<()> {
    let value: serde_json::Value =
        serde_json::from_str(input).context("this is for mdBook to call: no book on standard input")?;
    let version = value.pointer("/0/mdbook_version").and_then(|version| version.as_str()).unwrap_or("unknown");
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    ensure!(
        major > 0 || minor >= 5,
        "this book needs mdBook 0.5 or newer, and you have {version}: run `cargo install mdbook --version 0.5.4 --locked`, \
         or build it without mdBook by `cargo book`"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_mdbook_is_told_in_one_sentence() {
        let input = |version: &str| format!("[{{\"mdbook_version\": \"{version}\"}}, {{}}]");
        assert!(check_version(&input("0.5.4")).is_ok() && check_version(&input("1.0.0")).is_ok());
        let error = check_version(&input("0.4.52")).unwrap_err().to_string();
        assert!(error.contains("needs mdBook 0.5 or newer, and you have 0.4.52"));
        assert!(check_version("").unwrap_err().to_string().contains("for mdBook to call"));
    }
}
