//! What a directive puts on the page.

use crate::evidence::Chapter;
use crate::{costs, ledger, points, slides, speed};
use anyhow::{Context, Result, bail, ensure};
use normbook_lab::claim::Measure;
use normbook_lab::cli::report;
use normbook_lab::judgement::{JudgedClaim, Measurement};
use normbook_lab::plot::svg::escape;
use normbook_lab::plot::{self, number::number};
use normbook_lab::record::Record;
use std::path::Path;

/// A directive `{{name chapter | argument | …}}`.
pub struct Directive<'a> {
    pub name: &'a str,
    pub arguments: Vec<&'a str>,
}

/// What pages draw on.
pub struct Sources<'a> {
    pub root: &'a Path,
    pub chapters: &'a [Chapter],
}

/// The figures and claims that pages have shown, as `ch01/landscape-raw.svg` and `ch01 steps`.
#[derive(Default)]
pub struct Shown(pub std::collections::BTreeSet<String>);

impl Sources<'_> {
    /// The text in place of a directive. Errors name what does not exist.
    pub fn expand(&self, directive: &Directive, shown: &mut Shown) -> Result<String> {
        match (directive.name, &directive.arguments[..]) {
            ("ledger", []) => Ok(ledger::html(self.chapters)),
            ("verdicts", []) => Ok(ledger::bar(self.chapters)),
            ("slides", []) => {
                let text = std::fs::read_to_string(self.root.join("book/slides.toml")).context("book/slides.toml")?;
                slides::html(&text, self.chapters)
            }
            ("speed", arguments) => speed::expand(self.root, arguments),
            ("costs", arguments) => costs::expand(self.root, arguments),
            ("norms", [chapter]) => self.norms(chapter),
            ("points", [assignment]) => points::table(self.root, assignment),
            ("claim", [chapter, id]) => {
                let record = self.record(chapter)?;
                let claim = find_claim(record, id)?;
                let is_first = shown.0.insert(format!("{} {id}", record.chapter));
                ensure!(is_first, "claim {id} of {chapter} has a box already: links would not know which is meant");
                Ok(claim_box(record, claim))
            }
            ("verdict", [chapter, id]) => Ok(find_claim(self.record(chapter)?, id)?.outcome()),
            ("rule", [chapter, id]) => Ok(report::rule(find_claim(self.record(chapter)?, id)?)),
            ("measured", [chapter, id, at]) => {
                let (claim, part) = self.measured(chapter, id, at)?;
                Ok(report::measurement(claim, part))
            }
            ("measured", [chapter, id, at, unit]) => {
                let (claim, part) = self.measured(chapter, id, at)?;
                in_unit(claim, part, unit)
            }
            ("quoted", [number, source]) => Ok(format!("<span title=\"{}\">{}</span>", escape(source), escape(number))),
            ("value", [chapter, key]) => self.value(chapter, key).map(number),
            ("value", [chapter, key, format]) => formatted(self.value(chapter, key)?, format),
            ("ratio", [chapter, above, below]) => Ok(number(self.value(chapter, above)? / self.value(chapter, below)?)),
            ("seeds", [chapter]) => Ok(seeds(&self.record(chapter)?.protocol.seeds)),
            ("steps", [chapter]) => Ok(grouped(self.record(chapter)?.protocol.steps as f64)),
            ("figure", [chapter, names, caption]) => self.figure(chapter, names, caption, shown),
            (name, arguments) => bail!(
                "no directive {{{{{name}}}}} with {} arguments; there are: ledger, verdicts, slides, speed, costs, norms, points, claim, \
                 verdict, rule, measured, quoted, value, ratio, seeds, steps, figure",
                arguments.len()
            ),
        }
    }

    fn chapter(&self, id: &str) -> Result<&Chapter> {
        self.chapters.iter().find(|chapter| chapter.id == id).with_context(|| format!("no chapter {id}"))
    }

    fn record(&self, chapter: &str) -> Result<&Record> {
        let record = self.chapter(chapter)?.record.as_ref();
        record.map_err(|error| anyhow::anyhow!("no evidence of {chapter}: {error:#}"))
    }

    /// One measurement of a claim.
    fn measured(&self, chapter: &str, id: &str, at: &str) -> Result<(&JudgedClaim, &Measurement)> {
        let claim = find_claim(self.record(chapter)?, id)?;
        let part = claim.measurements.iter().find(|part| part.condition == at);
        Ok((claim, part.with_context(|| format!("claim {id} measured nothing at {at:?}"))?))
    }

    fn value(&self, chapter: &str, key: &str) -> Result<f64> {
        let record = self.record(chapter)?;
        let near = || {
            let stem = key.split('/').next().unwrap_or(key);
            let near: Vec<&str> = record.values.keys().filter(|k| k.starts_with(stem)).map(String::as_str).collect();
            if near.is_empty() { String::new() } else { format!("; near it: {}", near.join(", ")) }
        };
        record
            .values
            .get(key)
            .copied()
            .with_context(|| format!("the record of {chapter} has no value {key:?}{}", near()))
    }

    /// The tables among the chapter's figures, with what each row costs.
    fn norms(&self, chapter: &str) -> Result<String> {
        let described = self.root.join(&self.chapter(chapter)?.folder).join("figures.toml");
        let figures =
            std::fs::read_to_string(&described).with_context(|| format!("cannot read {}", described.display()))?;
        let tables = plot::tables(&figures, self.record(chapter)?)?;
        tables.iter().map(|table| costs::beside(self.root, table)).collect()
    }

    /// One figure, or several side by side, with a caption and where they come from.
    fn figure(&self, chapter: &str, names: &str, caption: &str, shown: &mut Shown) -> Result<String> {
        let (entry, record) = (self.chapter(chapter)?, self.record(chapter)?);
        let mut drawings = String::new();
        for name in names.split(',').map(str::trim) {
            let file = format!("{name}.svg");
            ensure!(entry.figures.contains_key(&file), "{chapter} has no figure {name:?}");
            let path = self.root.join("figures").join(chapter).join(&file);
            let svg = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            drawings += &format!("<div class=\"drawing\">{}</div>\n", svg.trim());
            shown.0.insert(format!("{chapter}/{file}"));
        }
        Ok(format!(
            "<figure class=\"evidence\">\n<div class=\"drawings\">\n{drawings}</div>\n<figcaption>{}<span \
             class=\"provenance\">{}</span></figcaption>\n</figure>\n",
            escape(caption),
            provenance(record)
        ))
    }
}

fn find_claim<'a>(record: &'a Record, id: &str) -> Result<&'a JudgedClaim> {
    let known = || record.claims.iter().map(|claim| claim.id.as_str()).collect::<Vec<_>>().join(", ");
    let claim = record.claims.iter().find(|claim| claim.id == id);
    claim.with_context(|| format!("{} has no claim {id:?}; it has {}", record.chapter, known()))
}

/// `0 to 9`, or a list.
fn seeds(seeds: &[u64]) -> String {
    match seeds {
        [first, .., last] if last - first + 1 == seeds.len() as u64 => format!("{first} to {last}"),
        seeds => seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Command, seeds, device, date and commit.
fn provenance(record: &Record) -> String {
    let made = &record.made_by;
    let commit = made.commit.as_deref().map_or(String::new(), |commit| {
        let (hash, changes) = commit.split_once('+').unwrap_or((commit, ""));
        let with = if changes.is_empty() { "" } else { " and the changes that came with it" };
        format!(" · on commit {}{with}", &hash[..hash.len().min(8)])
    });
    let refreshed = made.refreshed.as_ref().map_or(String::new(), |date| format!(" · verified again {date}"));
    format!(
        "<code>{}</code> · seeds {} · {} ({}, {}) · {}{commit}{refreshed}",
        escape(&made.command),
        seeds(&record.protocol.seeds),
        escape(&made.device),
        escape(&made.cpu),
        escape(&made.instruction_set),
        escape(&made.date)
    )
}

fn claim_box(record: &Record, claim: &JudgedClaim) -> String {
    let (verdict, class) = (claim.outcome(), ledger::class(claim.verdict));
    let caution =
        claim.caution().map_or(String::new(), |why| format!("<dt>Unconfirmed</dt><dd>{}</dd>\n", escape(why)));
    let found: Vec<String> = claim
        .measurements
        .iter()
        .map(|part| {
            let at = if claim.measurements.len() == 1 { String::new() } else { format!("{}: ", part.condition) };
            escape(&format!("{at}{}", report::measurement(claim, part)))
        })
        .collect();
    let interval = match (claim.measure, claim.level) {
        (Measure::Exact, _) | (_, None) => "exact: a deterministic computation, no seeds".to_owned(),
        (_, Some(level)) => format!(
            "{} % t interval over seeds {}, paired; it covers {}",
            number(100.0 * level),
            seeds(&record.protocol.seeds),
            claim.covers
        ),
    };
    let bound = if claim.measurements.iter().any(|part| part.lower_bounds > 0 && part.failed == 0) {
        "<p class=\"note\">A baseline that does not reach the target within the budget counts its budget: its ratio is a \
         lower bound, and only the lower end of the interval stands.</p>\n"
    } else {
        ""
    };
    format!(
        "<div class=\"claim {class}\" id=\"claim-{}-{}\" role=\"group\" aria-label=\"Claim: {}\">\n<p class=\"verdict\"><span>{verdict}</span>{}</p>\n\
         <p class=\"statement\">{}</p>\n<dl>\n<dt>Source</dt><dd>{}</dd>\n<dt>Measured</dt><dd>{}</dd>\n\
         <dt>Rule</dt><dd>{}</dd>\n<dt>Found</dt><dd>{}</dd>\n<dt>NormKind</dt><dd>{}</dd>\n{caution}</dl>\n{bound}</div>\n",
        record.chapter,
        claim.id,
        escape(&claim.id),
        if claim.headline { " · headline claim" } else { "" },
        escape(&claim.statement),
        escape(&claim.source),
        escape(&claim.measured),
        escape(&report::rule(claim)),
        found.join("<br>"),
        escape(&interval),
    )
}

/// A measurement as a sentence needs it: two digits and a unit, as in `2.6× (1.7 to 3.8)`.
fn in_unit(claim: &JudgedClaim, part: &Measurement, unit: &str) -> Result<String> {
    ensure!(
        part.lower_bounds + part.failed == 0,
        "claim {} at {:?} has runs that did not reach the target: leave {unit:?} out, and the page says so",
        claim.id,
        part.condition
    );
    let (factor, unit) = match unit {
        "times" => (1.0, "×"),
        "points" => (100.0, " points"),
        other => bail!("no unit {other:?}; there are times and points"),
    };
    let two_digits = |value: Option<f64>| {
        let value = factor * value.context("nothing was measured")?;
        let rounded: f64 = format!("{value:.1e}").parse().expect("a formatted number parses");
        let text = if (1.0..10.0).contains(&rounded.abs()) { format!("{rounded:.1}") } else { number(rounded) };
        Ok::<_, anyhow::Error>(text.replace('-', "−"))
    };
    let estimate = two_digits(part.estimate)?;
    if claim.measure == Measure::Exact {
        return Ok(format!("{estimate}{unit}"));
    }
    Ok(format!("{estimate}{unit} ({} to {})", two_digits(part.low)?, two_digits(part.high)?))
}

/// A number in the form that a page asks for.
fn formatted(value: f64, format: &str) -> Result<String> {
    Ok(match format {
        "count" => grouped(value),
        "percent" => format!("{} %", number(100.0 * value)),
        "rounded percent" => format!("{:.0} %", 100.0 * value),
        "power" => {
            let text = format!("{value:.1e}");
            let (digits, power) = text.split_once('e').expect("scientific notation has an e");
            format!("{digits}·10{}", normbook_lab::plot::number::superscript(power))
        }
        other => bail!("no format {other:?}; there are count, percent, rounded percent and power"),
    })
}

/// A whole number with its thousands apart.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use normbook_lab::verdict::{Verdict, at_least};

    #[test]
    fn numbers_take_the_form_that_is_asked_for() {
        assert_eq!(formatted(25_220_400.0, "count").unwrap(), "25,220,400");
        assert_eq!(formatted(273.0, "count").unwrap(), "273");
        assert_eq!(formatted(0.975, "percent").unwrap(), "97.5 %");
        assert_eq!(formatted(0.82345, "rounded percent").unwrap(), "82 %");
        assert_eq!(formatted(458_868_917.0, "power").unwrap(), "4.6·10⁸");
        assert!(formatted(1.0, "roman").is_err());
    }

    #[test]
    fn a_measurement_has_two_digits_and_its_unit() {
        let part = |estimate: f64, low: f64, high: f64| {
            let claim = JudgedClaim {
                id: "id".into(),
                statement: String::new(),
                source: String::new(),
                measured: String::new(),
                headline: true,
                measure: Measure::Difference,
                rule: at_least(0.0, 0.0),
                covers: String::new(),
                fewest_seeds: 1,
                measurements: Vec::new(),
                level: None,
                verdict: Verdict::NotJudged,
                unconfirmed: None,
            };
            let part = Measurement {
                condition: "here".into(),
                samples: vec![estimate],
                lower_bounds: 0,
                failed: 0,
                estimate: Some(estimate),
                low: Some(low),
                high: Some(high),
            };
            (claim, part)
        };
        let (claim, found) = part(2.55852, 1.00267, 13.78327);
        assert_eq!(in_unit(&claim, &found, "times").unwrap(), "2.6× (1.0 to 14)");
        let (claim, found) = part(-0.00715, -0.0127, 0.303);
        assert_eq!(in_unit(&claim, &found, "points").unwrap(), "−0.71 points (−1.3 to 30)");
        assert!(in_unit(&claim, &found, "miles").is_err());
        let censored = Measurement { lower_bounds: 1, ..found };
        assert!(in_unit(&claim, &censored, "times").unwrap_err().to_string().contains("did not reach the target"));
        let exact = JudgedClaim { measure: Measure::Exact, ..claim };
        assert_eq!(in_unit(&exact, &Measurement { lower_bounds: 0, ..censored }, "points").unwrap(), "−0.71 points");
    }

    #[test]
    fn seeds_are_listed_shortly() {
        assert_eq!(seeds(&[0, 1, 2, 3]), "0 to 3");
        assert_eq!(seeds(&[0, 2, 3]), "0, 2, 3");
        assert_eq!(seeds(&[7]), "7");
    }
}
