//! The claim ledger: every claim of every chapter with its verdict, failed ones too, and how many there are of each.

use crate::evidence::Chapter;
use normbook_lab::claim::Measure;
use normbook_lab::cli::report;
use normbook_lab::judgement::{JudgedClaim, Measurement};
use normbook_lab::plot::svg::escape;
use normbook_lab::verdict::Verdict;

const VERDICTS: [Verdict; 5] =
    [Verdict::Reproduced, Verdict::Weaker, Verdict::Inconclusive, Verdict::Contradicted, Verdict::NotJudged];
/// A claim with more measurements than this shows them on demand.
const MOST_SHOWN: usize = 3;

/// For the terminal: each chapter's headline first.
pub fn text(chapters: &[Chapter]) -> String {
    let row = |chapter: &Chapter, claim: &JudgedClaim| {
        vec![chapter.id.clone(), claim.id.clone(), claim.outcome(), claim.statement.clone()]
    };
    let rows = chapters.iter().flat_map(|chapter| {
        let (headline, others): (Vec<&JudgedClaim>, Vec<&JudgedClaim>) =
            claims(chapter).iter().partition(|claim| claim.headline);
        headline.into_iter().chain(others).map(move |claim| row(chapter, claim))
    });
    report::table(&rows.collect::<Vec<_>>())
}

/// In one line: how many claims there are, and how many of them got each verdict.
pub fn score(chapters: &[Chapter]) -> String {
    let counts = tally(all(chapters)).into_iter().map(|(_, text)| text);
    format!("{} claims: {}", all(chapters).count(), counts.collect::<Vec<_>>().join(", "))
}

/// The same as a bar that leads to the ledger.
pub fn bar(chapters: &[Chapter]) -> String {
    let (mut segments, mut legend) = (String::new(), Vec::new());
    for (verdict, text) in tally(all(chapters)) {
        let (class, count) = (class(verdict), all(chapters).filter(|claim| claim.verdict == verdict).count());
        segments += &format!("<span class=\"{class}\" style=\"flex-grow: {count}\">{count}</span>");
        legend.push(format!("<span class=\"{class}\">{text}</span>"));
    }
    format!(
        "<div class=\"verdicts\">\n<div class=\"bar\" aria-hidden=\"true\">{segments}</div>\n<p><a \
         href=\"ledger.html\">{} claims</a>: {}.</p>\n</div>\n",
        all(chapters).count(),
        legend.join(", ")
    )
}

/// For its page: a choice of verdicts, the headlines, and a table for each chapter.
pub fn html(chapters: &[Chapter]) -> String {
    let mut choices = choice("every", "", &format!("all {}", all(chapters).count()), true);
    for (verdict, text) in tally(all(chapters)) {
        choices += &choice(&class(verdict), &class(verdict), &text, false);
    }
    let mut page =
        format!("<fieldset class=\"choice\"><legend>Show</legend>\n{choices}</fieldset>\n\n## The headlines\n\n");
    let headlines: String = chapters
        .iter()
        .flat_map(|chapter| claims(chapter).iter().map(move |claim| (chapter, claim)))
        .filter(|(_, claim)| claim.headline)
        .map(|(chapter, claim)| row(chapter, claim, &format!("<td>{}</td>", short(chapter)), ""))
        .collect();
    page += &table("<th><abbr title=\"Chapter\">Ch.</abbr></th>", &headlines);
    page += "\n## All claims, by chapter\n\n";
    for chapter in chapters {
        let rows: String = claims(chapter)
            .iter()
            .map(|claim| row(chapter, claim, "", &format!(" id=\"{}-{}\"", chapter.id, escape(&claim.id))))
            .collect();
        let counts: Vec<String> = tally(claims(chapter).iter()).into_iter().map(|(_, text)| text).collect();
        page += &format!(
            "<details class=\"chapter\" open>\n<summary><strong>{}. {}</strong>: {}</summary>\n{}</details>\n\n",
            short(chapter),
            escape(chapter.record.as_ref().map_or(&chapter.program, |record| &record.title)),
            counts.join(", "),
            table("", &rows),
        );
    }
    page
}

fn claims(chapter: &Chapter) -> &[JudgedClaim] {
    chapter.record.as_ref().map_or(&[][..], |record| &record.claims)
}

fn all(chapters: &[Chapter]) -> impl Iterator<Item = &JudgedClaim> {
    chapters.iter().flat_map(claims)
}

/// How many claims got each verdict that occurs, in words.
fn tally<'a>(claims: impl Iterator<Item = &'a JudgedClaim>) -> Vec<(Verdict, String)> {
    let claims: Vec<&JudgedClaim> = claims.collect();
    let count = |verdict: Verdict| {
        let found: Vec<&&JudgedClaim> = claims.iter().filter(|claim| claim.verdict == verdict).collect();
        let exact = found.iter().filter(|claim| claim.measure == Measure::Exact).count();
        let of_them = if exact > 0 { format!(" ({exact} exact)") } else { String::new() };
        (!found.is_empty()).then(|| (verdict, format!("{} {}{of_them}", found.len(), verdict.words())))
    };
    VERDICTS.into_iter().filter_map(count).collect()
}

/// The CSS class of a verdict.
pub fn class(verdict: Verdict) -> String {
    verdict.words().replace(' ', "-")
}

/// `8b` for `ch08b`.
fn short(chapter: &Chapter) -> &str {
    chapter.id.trim_start_matches("ch").trim_start_matches('0')
}

/// One of several, of which a reader chooses one: the style sheet then hides the rows of other verdicts.
fn choice(id: &str, class: &str, text: &str, is_chosen: bool) -> String {
    let chosen = if is_chosen { " checked" } else { "" };
    format!(
        "<label class=\"{class}\"><input type=\"radio\" name=\"verdict\" id=\"show-{id}\"{chosen}> {text}</label>\n"
    )
}

fn table(first_heading: &str, rows: &str) -> String {
    format!(
        "<div class=\"table-wrapper\"><table class=\"ledger\">\n<thead><tr>{first_heading}<th>Claim</th><th>Found</th>\
         <th>Verdict</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

/// A claim, leading to its box.
fn row(chapter: &Chapter, claim: &JudgedClaim, first_cell: &str, id: &str) -> String {
    format!(
        "<tr class=\"{}\"{id}>{first_cell}<td><a href=\"{}\">{}</a></td><td>{}<small>{}</small></td><td \
         class=\"verdict\">{}</td></tr>\n",
        class(claim.verdict),
        chapter.address_of(&claim.id),
        escape(&claim.statement),
        found(claim),
        escape(&claim.measured),
        claim.outcome(),
    )
}

/// The measurements of a claim; many of them fold.
fn found(claim: &JudgedClaim) -> String {
    if let [only] = &claim.measurements[..] {
        return escape(&report::measurement(claim, only));
    }
    let line = |part: &Measurement| {
        format!("{}<br>", escape(&format!("{}: {}", part.condition, report::measurement(claim, part))))
    };
    let lines: String = claim.measurements.iter().map(line).collect();
    match claim.measurements.len() {
        0..=MOST_SHOWN => lines,
        count => format!("<details><summary>{count} measurements</summary>{lines}</details>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The choice of a verdict is the style sheet's alone.
    #[test]
    fn the_style_sheet_hides_the_rows_of_other_verdicts() {
        let style = include_str!("../../../book/theme/normbook.css");
        for verdict in VERDICTS.into_iter().filter(|verdict| *verdict != Verdict::NotJudged) {
            let rule = format!("main:has(#show-{0}:checked) :is(.ledger tbody tr:not(.{0})", class(verdict));
            assert!(style.contains(&rule), "normbook.css has no {rule}");
        }
    }
}
