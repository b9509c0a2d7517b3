//! What a run prints at its end.

use crate::lab::claim::{Claim, Measure, Part};
use crate::lab::verdict::Verdict;
use crate::plot::number::number;

/// What was measured in one part: the value, or the estimate with its interval.
pub fn measurement(claim: &Claim, part: &Part) -> String {
    let Some(estimate) = part.estimate else { return "nothing".into() };
    let bound = if part.lower_bounds > 0 { "≥ " } else { "" };
    match (claim.measure, part.low, part.high) {
        (Measure::Ratio | Measure::Difference, Some(low), Some(high)) => {
            format!("{bound}{} [{}, {}]", number(estimate), number(low), number(high))
        }
        _ => format!("{bound}{}", number(estimate)),
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
pub fn claims(claims: &[Claim]) -> String {
    let mut text = String::new();
    for claim in claims {
        let headline = if claim.headline { " (headline)" } else { "" };
        text += &format!("\n{}{headline}: {}\n", claim.id, claim.statement);
        text += &format!("  measured  {}\n", claim.measured);
        text += &format!("  rule      {}\n", claim.holds_if());
        for part in &claim.parts {
            let failed = match part.failed {
                0 => String::new(),
                runs => format!("; {runs} of {} did not reach the target", part.samples.len()),
            };
            text +=
                &format!("  {:<9} {}{failed}\n", "found", format_args!("{}: {}", part.at, measurement(claim, part)));
        }
        let why = match claim.verdict {
            Verdict::NotJudged if claim.measure == Measure::Exact => " (not at the smoke scale)".into(),
            Verdict::NotJudged => format!(" (needs {} seeds, and not the smoke scale)", claim.fewest_seeds),
            _ => String::new(),
        };
        text += &format!("  verdict   {}{why}\n", claim.verdict.words().to_uppercase());
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
