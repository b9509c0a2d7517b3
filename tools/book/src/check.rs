//! `cargo book --check`: everything that would make the book say what its evidence does not.

use crate::evidence::{self, Chapter};
use crate::preprocess::stale_problems;
use crate::render::{Shown, Sources};
use crate::{page, readme};
use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use normbook_lab::cli::report;
use std::path::Path;
use std::process::ExitCode;

/// Prints what is wrong; fails if anything is.
pub fn check(root: &Path) -> Result<ExitCode> {
    let chapters = evidence::read(root)?;
    let mut problems: Vec<String> = chapters.iter().flat_map(stale_problems).collect();
    problems.extend(evidence::strays(root, &chapters));
    problems.extend(pages(root, &chapters)?);
    problems.extend(readme::problems(root, &chapters)?);
    if problems.is_empty() {
        let claims =
            chapters.iter().filter_map(|chapter| chapter.record.as_ref().ok()).map(|record| record.claims.len());
        let count = claims.sum::<usize>();
        report::print(&format!("{} chapters, {count} claims: all evidence is fresh\n", chapters.len()))?;
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("the book does not hold:");
    problems.iter().for_each(|problem| eprintln!("  {problem}"));
    Ok(ExitCode::FAILURE)
}

/// What is wrong with the pages, and what of the evidence they do not show.
fn pages(root: &Path, chapters: &[Chapter]) -> Result<Vec<String>> {
    let book = MDBook::load(root.join("book")).context("cannot load book/")?;
    let source = book.source_dir();
    let sources = Sources { root, chapters };
    let mut shown = Shown::default();
    let mut problems = Vec::new();
    for item in book.iter() {
        if let BookItem::Chapter(item) = item
            && let Some(path) = &item.source_path
        {
            problems.extend(page::fill(&source.join(path), &item.content, &sources, &mut shown).problems);
        }
    }
    for chapter in chapters {
        let figures = chapter.figures.keys().map(|name| format!("{}/{name}", chapter.id));
        let claims = chapter.record.iter().flat_map(|record| &record.claims);
        let claims = claims.map(|claim| format!("{} {}", chapter.id, claim.id));
        for evidence in figures.chain(claims).filter(|evidence| !shown.0.contains(evidence)) {
            problems.push(format!("{evidence} is on no page"));
        }
    }
    Ok(problems)
}
