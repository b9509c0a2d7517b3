//! The claim ledger: every claim of every chapter with its verdict, failed ones too.

use crate::evidence::Chapter;
use anyhow::{Context, Result};
use normbook_lab::atomic::write_atomically;
use normbook_lab::cli::report;
use normbook_lab::judgement::JudgedClaim;
use normbook_lab::plot::svg::escape;
use std::path::Path;

const BEGIN: &str = "<!-- ledger -->";
const END: &str = "<!-- end of ledger -->";

/// Each claim with its chapter, the headline of each chapter first.
fn claims(chapters: &[Chapter]) -> impl Iterator<Item = (&Chapter, &JudgedClaim)> {
    chapters.iter().flat_map(|chapter| {
        let claims = chapter.record.as_ref().map_or(&[][..], |record| &record.claims);
        let (headline, others): (Vec<&JudgedClaim>, Vec<&JudgedClaim>) =
            claims.iter().partition(|claim| claim.headline);
        headline.into_iter().chain(others).map(move |claim| (chapter, claim))
    })
}

/// What was found in each part.
fn found(claim: &JudgedClaim) -> Vec<String> {
    match &claim.measurements[..] {
        [only] => vec![report::measurement(claim, only)],
        parts => parts.iter().map(|part| format!("{}: {}", part.condition, report::measurement(claim, part))).collect(),
    }
}

/// For the terminal.
pub fn text(chapters: &[Chapter]) -> String {
    let row = |(chapter, claim): (&Chapter, &JudgedClaim)| {
        vec![chapter.id.clone(), claim.id.clone(), claim.outcome(), claim.statement.clone()]
    };
    report::table(&claims(chapters).map(row).collect::<Vec<_>>())
}

/// For a page: a table whose claims lead to their boxes.
pub fn html(chapters: &[Chapter]) -> String {
    let mut rows = String::new();
    for (chapter, claim) in claims(chapters) {
        let page = chapter.address_of(&claim.id);
        let (verdict, class) = (claim.outcome(), claim.verdict.words().replace(' ', "-"));
        rows += &format!(
            "<tr class=\"{}\"><td>{}</td><td><a href=\"{page}\">{}</a></td><td>{}<small>{}</small></td>\
             <td class=\"verdict {class}\">{verdict}</td></tr>\n",
            if claim.headline { "headline" } else { "supporting" },
            escape(chapter.id.trim_start_matches("ch").trim_start_matches('0')),
            escape(&claim.statement),
            found(claim).iter().map(|line| format!("{}<br>", escape(line))).collect::<String>(),
            escape(&claim.measured),
        );
    }
    format!(
        "<div class=\"table-wrapper\"><table class=\"ledger\">\n<thead><tr><th><abbr title=\"Chapter\">Ch.</abbr></th><th>Claim</th>\
         <th>Found</th><th>Verdict</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

fn markdown(chapters: &[Chapter]) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let row = |(chapter, claim): (&Chapter, &JudgedClaim)| {
        format!(
            "| {} | {} | {} | {} |\n",
            chapter.id,
            cell(&claim.statement),
            cell(&format!("{}: {}", claim.measured, found(claim).join("; "))),
            claim.outcome()
        )
    };
    let rows: String = claims(chapters).map(row).collect();
    format!("| Chapter | Claim | Found | Verdict |\n|---|---|---|---|\n{rows}")
}

/// README.md with the ledger as it now stands.
fn readme(root: &Path, chapters: &[Chapter]) -> Result<(String, String)> {
    let text = std::fs::read_to_string(root.join("README.md")).context("cannot read README.md")?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("README.md has no {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("README.md has no {END}"))?;
    let new = format!("{before}{BEGIN}\n{}{END}{after}", markdown(chapters));
    Ok((text, new))
}

/// Whether README.md shows the ledger as it now stands.
pub fn readme_is_current(root: &Path, chapters: &[Chapter]) -> Result<bool> {
    readme(root, chapters).map(|(old, new)| old == new)
}

/// Writes the ledger into README.md where it differs.
pub fn renew_readme(root: &Path, chapters: &[Chapter]) -> Result<()> {
    let (old, new) = readme(root, chapters)?;
    if old == new { Ok(()) } else { write_atomically(&root.join("README.md"), new.as_bytes()) }
}
