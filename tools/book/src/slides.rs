//! The lecture's slides: slide → claims → verdicts, from `book/slides.toml`.

use crate::evidence::Chapter;
use anyhow::{Context, Result};
use normbook_lab::plot::svg::escape;
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
    /// The claims that answer it, such as `ch01/steps`; none where no chapter is written yet.
    #[serde(default)]
    claims: Vec<String>,
}

/// The index as a table. Errors name a chapter or claim that does not exist.
pub fn html(toml: &str, chapters: &[Chapter]) -> Result<String> {
    let file: File = toml::from_str(toml).context("book/slides.toml")?;
    let mut rows = String::new();
    for slide in &file.slide {
        let answers = slide.claims.iter().map(|claim| answer(claim, chapters)).collect::<Result<Vec<_>>>()?;
        let answers = if answers.is_empty() { "not written yet".to_owned() } else { answers.join("<br>") };
        rows +=
            &format!("<tr><td>{}</td><td>{}</td><td>{answers}</td></tr>\n", escape(&slide.title), escape(&slide.says));
    }
    Ok(format!(
        "<div class=\"table-wrapper\"><table>\n<thead><tr><th>Slide</th><th>What it says</th><th>Claims and verdicts\
         </th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    ))
}

/// A link to a claim, with its verdict.
fn answer(claim: &str, chapters: &[Chapter]) -> Result<String> {
    let (of, id) = claim
        .split_once('/')
        .with_context(|| format!("book/slides.toml: {claim:?} names no chapter; write it as ch01/{claim}"))?;
    let chapter = chapters.iter().find(|chapter| chapter.id == of);
    let chapter = chapter.with_context(|| format!("book/slides.toml: {claim:?}: there is no chapter {of}"))?;
    let Ok(record) = &chapter.record else { return Ok(format!("{of}, {id}: evidence missing")) };
    let claim = record.claims.iter().find(|claim| claim.id == id);
    let claim = claim.with_context(|| format!("book/slides.toml: {of} has no claim {id}"))?;
    Ok(format!("<a href=\"{}\">{of}, {id}</a>: {}", chapter.address_of(id), claim.outcome()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence;
    use std::path::Path;

    fn table(claims: &str) -> Result<String> {
        let chapters = evidence::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))?;
        html(&format!("[[slide]]\ntitle = \"A & B\"\nsays = \"x < y\"\nclaims = [{claims}]\n"), &chapters)
    }

    #[test]
    fn a_slide_is_answered_by_claims_of_several_chapters() {
        let html = table("\"ch01/steps\", \"ch08b/lipschitz\"").unwrap();
        assert!(html.contains("<td>A &amp; B</td><td>x &lt; y</td>"));
        let first =
            html.find("<a href=\"ch01_feature_normalization.html#claim-ch01-steps\">ch01, steps</a>: ").unwrap();
        let second = html.find("<br><a href=\"ch08b_theorems.html#claim-ch08b-lipschitz\">ch08b, lipschitz</a>: ");
        assert!(first < second.unwrap());
        assert!(table("").unwrap().contains("not written yet"));
    }

    #[test]
    fn what_does_not_exist_is_named() {
        for (claims, complaint) in [
            ("\"steps\"", "\"steps\" names no chapter; write it as ch01/steps"),
            ("\"ch99/steps\"", "there is no chapter ch99"),
            ("\"ch01/nonsense\"", "ch01 has no claim nonsense"),
        ] {
            let error = format!("{:#}", table(claims).unwrap_err());
            assert!(error.contains(complaint), "{error}");
        }
    }
}
