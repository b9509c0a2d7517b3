//! `--rules`: what is fixed before a run, printed without one.

use super::report::rule_of;
use crate::claim::{Claim, Measure};
use crate::plot::number::chosen;
use crate::verdict::Rule;
use crate::words::Words;
use crate::{Chapter, Scale};
use anyhow::Result;

/// Writes the protocol of each scale, and every claim with its rule and with how each number is computed.
pub fn rules<C: Chapter>(chapter: &C) -> Result<String> {
    let (claims, words) = (chapter.claims(), Words::parse(C::WORDS)?);
    words.check(&claims)?;
    let mut text = format!("{}: {}\n\n", C::ID, C::TITLE);
    for (name, scale) in [("book", Scale::Book), ("paper", Scale::Paper)] {
        let protocol = C::protocol(scale);
        let pilots = match protocol.pilot_seeds.len() {
            0 => String::new(),
            pilots => format!(", pilots on {pilots}"),
        };
        text += &format!("at the {name} scale: {} seeds{pilots}, {} steps\n", protocol.seeds.len(), protocol.steps);
    }
    for claim in &claims {
        text += &declared(claim, &words)?;
    }
    Ok(text)
}

fn declared(claim: &Claim, words: &Words) -> Result<String> {
    let said = words.of(claim)?;
    let headline = if claim.headline { " (headline)" } else { "" };
    let mut text = format!("\n{}{headline}: {}\n  source    {}\n", claim.id, said.statement, said.source);
    text += &format!("  measured  {}\n", said.measured);
    text += &format!("  rule      {}\n", rule_of(claim.measure, claim.rule, claim.measurements.len()));
    if let Rule::AtLeast { no_effect, .. } = claim.rule {
        text += &format!("            no effect would be {}\n", chosen(no_effect));
    }
    if claim.measure != Measure::Exact {
        let what = if claim.measure == Measure::Ratio { "t on logarithms" } else { "t" };
        text += &format!("  interval  {what}, over seeds ({}); at least {} seeds\n", said.covers, claim.fewest_seeds);
    }
    for (condition, quantity) in &claim.measurements {
        text += &format!("  compute   {condition}: {}\n", quantity.formula());
    }
    Ok(text)
}
