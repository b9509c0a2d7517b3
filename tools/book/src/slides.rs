//! The lecture's slides: slide → chapter → claim → verdict, from `book/slides.toml`.

use crate::evidence::Chapter;
use anyhow::{Context, Result, ensure};
use normbook::plot::svg::escape;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    slide: Vec<Slide>,
}

/// One slide, or several with the same title.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slide {
    title: String,
    /// What it says.
    says: String,
    /// `ch01`, or empty where no chapter is written yet.
    #[serde(default)]
    chapter: String,
    /// The ids of the claims that answer it.
    #[serde(default)]
    claims: Vec<String>,
}

/// The index as a table. Errors name a chapter or claim that does not exist.
pub fn html(toml: &str, chapters: &[Chapter]) -> Result<String> {
    let file: File = toml::from_str(toml).context("book/slides.toml")?;
    let mut rows = String::new();
    for slide in &file.slide {
        ensure!(
            !slide.chapter.is_empty() || slide.claims.is_empty(),
            "book/slides.toml: {:?} names claims but no chapter",
            slide.title
        );
        let answer = if slide.chapter.is_empty() { "not written yet".to_owned() } else { answer(slide, chapters)? };
        rows +=
            &format!("<tr><td>{}</td><td>{}</td><td>{answer}</td></tr>\n", escape(&slide.title), escape(&slide.says));
    }
    Ok(format!(
        "<div class=\"table-wrapper\"><table>\n<thead><tr><th>Slide</th><th>What it says</th><th>Claims and verdicts\
         </th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    ))
}

fn answer(slide: &Slide, chapters: &[Chapter]) -> Result<String> {
    let chapter = chapters.iter().find(|chapter| chapter.id == slide.chapter);
    let chapter = chapter.with_context(|| format!("book/slides.toml: no chapter {}", slide.chapter))?;
    let Ok(record) = &chapter.record else { return Ok("evidence missing".into()) };
    ensure!(!slide.claims.is_empty(), "book/slides.toml: {:?} names no claim of {}", slide.title, slide.chapter);
    let mut links = Vec::new();
    for id in &slide.claims {
        let claim = record.claims.iter().find(|claim| claim.id == *id);
        let claim = claim.with_context(|| format!("book/slides.toml: {} has no claim {id}", slide.chapter))?;
        let page = format!("{}.html#claim-{}-{id}", chapter.program.replace('-', "_"), chapter.id);
        links.push(format!("<a href=\"{page}\">{}, {id}</a>: {}", chapter.id, claim.verdict.words()));
    }
    Ok(links.join("<br>"))
}
