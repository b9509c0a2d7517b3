//! A claim: what is said, when it holds, what was measured.

use super::evidence::Evidence;
use super::statistics::{Interval, log_t_interval, t_interval};
use super::verdict::{Rule, Verdict};
use crate::trial::{Reach, six_digits};
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// The chance of a wrong "reproduced" that a chapter allows itself, over all its statistical claims.
const ERROR_RATE: f64 = 0.05;

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

/// One measurement of a claim. The rule must hold for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Where or when it was measured.
    pub at: String,
    /// One for an exact claim, one per seed for a statistical one.
    pub samples: Vec<f64>,
    /// Baselines that did not reach the target within the budget: their ratios are lower bounds.
    #[serde(default)]
    pub lower_bounds: usize,
    /// Treatments that did not reach the target: the claim fails.
    #[serde(default)]
    pub failed: usize,
    /// Filled in by [`judge`].
    #[serde(default)]
    pub estimate: Option<f64>,
    #[serde(default)]
    pub low: Option<f64>,
    #[serde(default)]
    pub high: Option<f64>,
}

/// A statement with its rule, its measurements and, once judged, its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    pub id: String,
    pub statement: String,
    /// Where it stands in the source.
    pub source: String,
    /// What is measured, with its unit.
    pub measured: String,
    /// Each chapter has one headline claim.
    pub headline: bool,
    pub measure: Measure,
    pub rule: Rule,
    /// What an interval covers: what differs between seeds.
    pub covers: String,
    /// Seeds below which there is no verdict: 10 where the measure is an accuracy.
    pub fewest_seeds: usize,
    pub parts: Vec<Part>,
    /// The level of its intervals, after Bonferroni.
    pub level: Option<f64>,
    pub verdict: Verdict,
    /// Why a contradiction is not to be built on: no second implementation has found it, or one has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<String>,
}

impl Claim {
    /// A deterministic claim: no seeds.
    pub fn exact(id: &str, rule: Rule) -> Self {
        Self::new(id, Measure::Exact, rule)
    }

    /// A claim on paired ratios over seeds.
    pub fn ratio(id: &str, rule: Rule) -> Self {
        Self::new(id, Measure::Ratio, rule)
    }

    /// A claim on paired differences over seeds.
    pub fn difference(id: &str, rule: Rule) -> Self {
        Self::new(id, Measure::Difference, rule)
    }

    /// A claim on paired differences of accuracies, which needs more seeds.
    pub fn accuracy(id: &str, rule: Rule) -> Self {
        Self { fewest_seeds: 10, ..Self::difference(id, rule) }
    }

    fn new(id: &str, measure: Measure, rule: Rule) -> Self {
        Self {
            id: id.into(),
            statement: String::new(),
            source: String::new(),
            measured: String::new(),
            headline: false,
            measure,
            rule,
            covers: String::new(),
            fewest_seeds: 5,
            parts: Vec::new(),
            level: None,
            verdict: Verdict::NotJudged,
            unconfirmed: None,
        }
    }

    pub fn headline(mut self) -> Self {
        self.headline = true;
        self
    }

    /// What is said, and where it stands in the source.
    pub fn says(mut self, statement: &str, source: &str) -> Self {
        self.statement = statement.into();
        self.source = source.into();
        self
    }

    /// What is measured, with its unit.
    pub fn measuring(mut self, measured: &str) -> Self {
        self.measured = measured.into();
        self
    }

    /// Why a contradiction, should it be one, would be ours alone.
    pub fn unconfirmed(mut self, why: &str) -> Self {
        self.unconfirmed = Some(why.into());
        self
    }

    /// The verdict as readers see it.
    pub fn outcome(&self) -> String {
        let caution = if self.caution().is_some() { ", unconfirmed" } else { "" };
        format!("{}{caution}", self.verdict.words())
    }

    /// Why a contradiction is unconfirmed, if it is one.
    pub fn caution(&self) -> Option<&str> {
        self.unconfirmed.as_deref().filter(|_| self.verdict == Verdict::Contradicted)
    }

    /// What differs between seeds; empty for an exact claim.
    pub fn covering(mut self, covers: &str) -> Self {
        self.covers = covers.into();
        self
    }

    /// Exact measurements: a value of each of these arms.
    pub fn values(self, trials: &Evidence, name: &str, arms: &[&str]) -> Result<Self> {
        arms.iter().try_fold(self, |claim, arm| Ok(claim.part(arm, vec![trials.value(arm, name)?])))
    }

    /// Exact measurements: each of these values of each of these arms.
    pub fn values_of(self, trials: &Evidence, names: &[&str], arms: &[&str]) -> Result<Self> {
        let pairs = names.iter().flat_map(|name| arms.iter().map(move |arm| (*name, *arm)));
        pairs.into_iter().try_fold(self, |claim, (name, arm)| {
            let at = format!("{arm}: {}", name.replace('_', " "));
            Ok(claim.part(&at, vec![trials.value(arm, name)?]))
        })
    }

    /// Exact measurements: a value of the arm `baseline` over that of each of these arms.
    pub fn ratios(self, trials: &Evidence, name: &str, baseline: &str, arms: &[&str]) -> Result<Self> {
        let before = trials.value(baseline, name)?;
        arms.iter().try_fold(self, |claim, arm| Ok(claim.part(arm, vec![before / trials.value(arm, name)?])))
    }

    /// A measurement: a value of one arm combined with one of another, seed by seed, as the measure says: their ratio or
    /// their difference. `at` says where or when.
    pub fn paired(self, trials: &Evidence, at: &str, one: (&str, &str), other: (&str, &str)) -> Result<Self> {
        let combine = if self.measure == Measure::Ratio { |a: f64, b: f64| a / b } else { |a: f64, b: f64| a - b };
        let (one, other) = (trials.samples(one.0, one.1)?, trials.samples(other.0, other.1)?);
        Ok(self.part(at, one.into_iter().zip(other).map(|(one, other)| combine(one, other)).collect()))
    }

    /// A measurement: one sample per seed.
    pub fn part(mut self, at: &str, samples: Vec<f64>) -> Self {
        let at = at.into();
        self.parts.push(Part { at, samples, lower_bounds: 0, failed: 0, estimate: None, low: None, high: None });
        self
    }

    /// A measurement: for each seed the product of the `above` steps over the product of those `below`, such as the
    /// baseline's over the treatment's. A censored run above gives a lower bound, one below a failure.
    pub fn ratio_of_steps(self, at: &str, above: &[&[Reach]], below: &[&[Reach]]) -> Self {
        let seeds = above.iter().chain(below).map(|reaches| reaches.len()).min().unwrap_or(0);
        // A net that starts at its target took no step: half a step keeps its ratio finite.
        let product = |side: &[&[Reach]], seed: usize| -> f64 {
            side.iter().map(|reaches| reaches[seed].at_least().max(0.5)).product()
        };
        let censored = |side: &[&[Reach]]| {
            let is_censored = |seed: &usize| side.iter().any(|reaches| reaches[*seed].step.is_none());
            (0..seeds).filter(is_censored).count()
        };
        let samples = (0..seeds).map(|seed| product(above, seed) / product(below, seed)).collect();
        let mut claim = self.part(at, samples);
        let part = claim.parts.last_mut().expect("just pushed");
        part.lower_bounds = censored(above);
        part.failed = censored(below);
        claim
    }
}

/// Judges the claims of a chapter together: its statistical claims share the error rate (Bonferroni).
///
/// Where the protocol does not allow a verdict, `may_judge` is false and every claim is left open.
pub fn judge(claims: Vec<Claim>, may_judge: bool) -> Vec<Claim> {
    let statistical = claims.iter().filter(|claim| claim.measure != Measure::Exact).count();
    let level = 1.0 - ERROR_RATE / statistical.max(1) as f64;
    claims.into_iter().map(|claim| judge_one(claim, level, may_judge)).collect()
}

fn judge_one(mut claim: Claim, level: f64, may_judge: bool) -> Claim {
    claim.level = (claim.measure != Measure::Exact).then_some(six_digits(level));
    let fewest = if claim.measure == Measure::Exact { 1 } else { claim.fewest_seeds };
    let mut verdicts = Vec::new();
    for part in &mut claim.parts {
        part.samples.iter_mut().for_each(|sample| *sample = six_digits(*sample));
        let interval = match claim.measure {
            Measure::Exact => {
                part.samples.first().map(|value| Interval { estimate: *value, low: *value, high: *value })
            }
            Measure::Ratio => log_t_interval(&part.samples, level),
            Measure::Difference => t_interval(&part.samples, level),
        };
        part.estimate = interval.map(|interval| six_digits(interval.estimate));
        part.low = interval.map(|interval| six_digits(interval.low));
        part.high = interval.map(|interval| six_digits(interval.high));
        let judged = interval.filter(|_| part.samples.len() >= fewest).map(|interval| claim.rule.judge(interval));
        verdicts.push(judged.map_or(Verdict::NotJudged, |verdict| after_censoring(verdict, part)));
    }
    let worst = verdicts.into_iter().max().filter(|_| may_judge);
    claim.verdict = worst.unwrap_or(Verdict::NotJudged);
    claim
}

/// A censored treatment cannot support the claim; a lower bound cannot contradict it.
fn after_censoring(verdict: Verdict, part: &Part) -> Verdict {
    match verdict {
        Verdict::Reproduced | Verdict::Weaker if part.failed > 0 => Verdict::Inconclusive,
        Verdict::Contradicted if part.lower_bounds > 0 => Verdict::Inconclusive,
        verdict => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Rule = Rule::AtLeast { floor: 2.0, no_effect: 1.0 };

    fn reached(steps: &[u64]) -> Vec<Reach> {
        steps.iter().map(|step| Reach { step: Some(*step), budget: 1000 }).collect()
    }

    fn verdict(claim: Claim) -> Verdict {
        judge(vec![claim], true).remove(0).verdict
    }

    fn speed_up(baseline: &[Reach], treatment: &[Reach]) -> Claim {
        Claim::new("fast", Measure::Ratio, FLOOR).ratio_of_steps("at the end", &[baseline], &[treatment])
    }

    #[test]
    fn seeds_decide_a_statistical_claim() {
        let slow = reached(&[90, 100, 110, 95, 105]);
        assert_eq!(verdict(speed_up(&slow, &reached(&[10, 11, 12, 9, 10]))), Verdict::Reproduced);
        assert_eq!(verdict(speed_up(&slow, &reached(&[60, 62, 61, 63, 60]))), Verdict::Weaker);
        assert_eq!(verdict(speed_up(&slow, &slow)), Verdict::Inconclusive);
        assert_eq!(verdict(speed_up(&reached(&[10, 11, 12, 9, 10]), &slow)), Verdict::Contradicted);
        assert_eq!(verdict(speed_up(&slow[..4], &reached(&[1, 1, 1, 1]))), Verdict::NotJudged);
    }

    #[test]
    fn a_censored_treatment_fails_and_a_censored_baseline_is_a_lower_bound() {
        let censored = Reach { step: None, budget: 1000 };
        let fast = reached(&[10, 11, 12, 9, 10]);
        let mut slow = reached(&[90, 100, 110, 95, 105]);
        slow[0] = censored;
        let claim = judge(vec![speed_up(&slow, &fast)], true).remove(0);
        assert_eq!((claim.verdict, claim.parts[0].lower_bounds), (Verdict::Reproduced, 1));
        let mut failing = fast.clone();
        failing[0] = censored;
        assert_eq!(verdict(speed_up(&reached(&[9_000_000; 5]), &failing)), Verdict::Inconclusive);
    }

    #[test]
    fn every_part_must_hold() {
        let claim = |second: f64| {
            Claim::new("exact", Measure::Exact, FLOOR).part("first", vec![5.0]).part("second", vec![second])
        };
        assert_eq!(verdict(claim(2.0)), Verdict::Reproduced);
        assert_eq!(verdict(claim(1.5)), Verdict::Weaker);
        assert_eq!(verdict(claim(0.5)), Verdict::Contradicted);
        assert_eq!(verdict(Claim::new("empty", Measure::Exact, FLOOR)), Verdict::NotJudged);
    }

    #[test]
    fn statistical_claims_share_the_error_rate_and_exact_ones_do_not_count() {
        let claim = |measure| Claim::new("one", measure, FLOOR).part("", vec![1.0, 2.0, 3.0, 4.0, 5.0]);
        let judged = judge(vec![claim(Measure::Ratio), claim(Measure::Exact), claim(Measure::Difference)], true);
        assert_eq!(judged.iter().map(|claim| claim.level).collect::<Vec<_>>(), [Some(0.975), None, Some(0.975)]);
    }

    #[test]
    fn without_leave_nothing_is_judged() {
        let claim = Claim::new("exact", Measure::Exact, FLOOR).part("", vec![5.0]);
        assert_eq!(judge(vec![claim], false)[0].verdict, Verdict::NotJudged);
    }
}
