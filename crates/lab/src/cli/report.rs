//! What a run prints at its end.

use crate::claim::Measure;
use crate::judgement::{JudgedClaim, Measurement};
use crate::plot::number::{chosen, number};
use crate::verdict::{Rule, Verdict};
use anyhow::{Context, Result};
use std::io::Write;

/// Writes to standard output. A reader who closes it (`| head`) has seen enough: that is no error.
pub fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Says when a claim with so many measurements holds.
pub fn rule_of(measure: Measure, rule: Rule, measurements: usize) -> String {
    let what = match (measure, measurements) {
        (Measure::Exact, 0 | 1) => "the value",
        (Measure::Exact, _) => "every value",
        (_, 0 | 1) => "the whole interval",
        (..) => "every whole interval",
    };
    match rule {
        Rule::AtLeast { floor, .. } => format!("holds if {what} is at least {}", chosen(floor)),
        Rule::Within { center, margin } => {
            format!("holds if {what} lies within {} of {}", chosen(margin), chosen(center))
        }
    }
}

/// Says when a judged claim holds.
pub fn rule(claim: &JudgedClaim) -> String {
    rule_of(claim.measure, claim.rule, claim.measurements.len())
}

/// What was measured in one part: the value, or the estimate with its interval. Censored runs above the ratio leave
/// only the lower end of its interval standing, those below it nothing.
pub fn measurement(claim: &JudgedClaim, part: &Measurement) -> String {
    let (Some(estimate), Some(low), Some(high)) = (part.estimate, part.low, part.high) else { return "nothing".into() };
    let runs = part.samples.len();
    match claim.measure {
        Measure::Exact => number(estimate),
        _ if part.failed > 0 => format!("no bound: {} of {runs} did not reach the target", part.failed),
        _ if part.lower_bounds > 0 => {
            format!("at least {} ({} of {runs} baselines did not reach the target)", number(low), part.lower_bounds)
        }
        _ => format!("{} [{}, {}]", number(estimate), number(low), number(high)),
    }
}

/// Lines of cells, each column as wide as its widest cell.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The claims: statement, rule, measured values, verdict.
pub fn claims(claims: &[JudgedClaim]) -> String {
    let mut text = String::new();
    for claim in claims {
        let headline = if claim.headline { " (headline)" } else { "" };
        text += &format!("\n{}{headline}: {}\n", claim.id, claim.statement);
        text += &format!("  measured  {}\n", claim.measured);
        text += &format!("  rule      {}\n", rule(claim));
        for part in &claim.measurements {
            text += &format!("  found     {}: {}\n", part.condition, measurement(claim, part));
        }
        let why = match claim.verdict {
            Verdict::NotJudged if claim.measure == Measure::Exact => {
                " (not at the smoke scale, nor on pilot seeds)".into()
            }
            Verdict::NotJudged => format!(" (needs {} seeds below 1000, and not the smoke scale)", claim.fewest_seeds),
            _ => String::new(),
        };
        text += &format!("  verdict   {}{why}\n", claim.outcome().to_uppercase());
        if let Some(why) = claim.caution() {
            text += &format!("            {why}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["κ".into(), "raw".into()], vec!["value".into(), "1".into()]];
        assert_eq!(table(&rows), "κ      raw\nvalue  1\n");
    }
}
