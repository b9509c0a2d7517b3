//! A claim as it is declared before the run: when it holds, and what will be measured.

use crate::quantity::{Quantity, value};
use crate::verdict::Rule;
use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the numbers of a claim are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Deterministic values: no seeds, no interval.
    Exact,
    /// Paired ratios over seeds, averaged as logarithms.
    Ratio,
    /// Paired differences over seeds.
    Difference,
}

/// A claim's name, its rule and its measurements. Its words are a table of the chapter's `claims.toml`.
#[derive(Clone)]
pub struct Claim {
    pub id: String,
    /// Whether it is the chapter's one headline claim.
    pub headline: bool,
    pub measure: Measure,
    pub rule: Rule,
    /// Seeds below which there is no verdict: 10 where the measure is an accuracy.
    pub fewest_seeds: usize,
    /// What is measured under which condition. The rule must hold for each.
    pub measurements: Vec<(String, Quantity)>,
}

impl Claim {
    /// Declares a deterministic claim: no seeds.
    pub fn exact(id: &str, rule: Rule) -> Self {
        Self::new(id, Measure::Exact, rule)
    }

    /// Declares a claim on paired ratios over seeds.
    pub fn ratio(id: &str, rule: Rule) -> Self {
        Self::new(id, Measure::Ratio, rule)
    }

    /// Declares a claim on paired differences over seeds.
    pub fn difference(id: &str, rule: Rule) -> Self {
        Self::new(id, Measure::Difference, rule)
    }

    /// Declares a claim on paired differences of accuracies, which needs more seeds.
    pub fn accuracy(id: &str, rule: Rule) -> Self {
        Self { fewest_seeds: 10, ..Self::difference(id, rule) }
    }

    fn new(id: &str, measure: Measure, rule: Rule) -> Self {
        Self { id: id.into(), headline: false, measure, rule, fewest_seeds: 5, measurements: Vec::new() }
    }

    /// Makes it the chapter's headline.
    pub fn headline(self) -> Self {
        Self { headline: true, ..self }
    }

    /// Adds a measurement; `condition` says where or when.
    pub fn at(mut self, condition: impl Into<String>, quantity: Quantity) -> Self {
        self.measurements.push((condition.into(), quantity));
        self
    }

    /// Adds a measurement for each of these conditions.
    pub fn each<S: Into<String>>(self, measurements: impl IntoIterator<Item = (S, Quantity)>) -> Self {
        measurements.into_iter().fold(self, |claim, (condition, quantity)| claim.at(condition, quantity))
    }

    /// Adds a value of each of these arms; the condition is the arm.
    pub fn values(self, name: &str, arms: &[&str]) -> Self {
        self.each(arms.iter().map(|arm| (*arm, value(*arm, name))))
    }

    /// Adds each of these values of each of these arms.
    pub fn values_of(self, names: &[&str], arms: &[&str]) -> Self {
        let pairs = names.iter().flat_map(|name| arms.iter().map(move |arm| (*name, *arm)));
        self.each(pairs.map(|(name, arm)| (format!("{arm}: {}", name.replace('_', " ")), value(arm, name))))
    }

    /// The arms that its measurements read.
    pub fn arms(&self) -> BTreeSet<&str> {
        self.measurements.iter().flat_map(|(_, quantity)| quantity.arms()).map(String::as_str).collect()
    }
}

/// Errors where the claims of a chapter cannot be judged, before anything runs: not exactly one headline, a name used
/// twice, no measurement, or an arm that the protocol does not have.
pub fn check(claims: &[Claim], arms: &BTreeSet<&str>) -> Result<()> {
    let headlines = claims.iter().filter(|claim| claim.headline).count();
    ensure!(headlines == 1, "the chapter has {headlines} headline claims instead of one");
    let mut ids = BTreeSet::new();
    for claim in claims {
        ensure!(ids.insert(&claim.id), "two claims are named {}", claim.id);
        ensure!(!claim.measurements.is_empty(), "claim {} measures nothing", claim.id);
        for arm in claim.arms() {
            ensure!(
                arms.contains(arm),
                "claim {} reads an arm named {arm}, which the protocol does not have",
                claim.id
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at_least;

    fn claim(id: &str, arm: &str) -> Claim {
        Claim::ratio(id, at_least(2.0, 1.0)).at("the end", value(arm, "loss"))
    }

    #[test]
    fn claims_are_checked_before_a_run() {
        let arms = BTreeSet::from(["plain", "batch"]);
        let fault = |claims: &[Claim]| check(claims, &arms).unwrap_err().to_string();
        assert!(check(&[claim("a", "plain").headline(), claim("b", "batch")], &arms).is_ok());
        assert_eq!(fault(&[claim("a", "plain")]), "the chapter has 0 headline claims instead of one");
        assert_eq!(fault(&[claim("a", "plain").headline(), claim("a", "batch")]), "two claims are named a");
        let error = fault(&[claim("a", "bath").headline()]);
        assert_eq!(error, "claim a reads an arm named bath, which the protocol does not have");
        let empty = Claim::exact("a", at_least(2.0, 1.0)).headline();
        assert_eq!(fault(&[empty]), "claim a measures nothing");
    }
}
