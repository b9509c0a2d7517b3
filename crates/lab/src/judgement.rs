//! A claim after the run: its words, what was measured, and the verdict that its rule gives.

use crate::claim::{Claim, Measure};
use crate::statistics::{Interval, log_t_interval, t_interval};
use crate::trial::six_digits;
use crate::trials::Trials;
use crate::verdict::{Rule, Verdict};
use crate::words::Words;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The chance of a wrong "reproduced" that a chapter allows itself, over all its statistical claims.
const ERROR_RATE: f64 = 0.05;

/// What was measured under one condition. The rule must hold for each measurement of a claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Where or when it was measured.
    #[serde(rename = "at")]
    pub condition: String,
    /// One for an exact claim, one per seed for a statistical one.
    pub samples: Vec<f64>,
    /// Baselines that did not reach the target within the budget: their ratios are lower bounds.
    #[serde(default)]
    pub lower_bounds: usize,
    /// Treatments that did not reach the target: the claim fails.
    #[serde(default)]
    pub failed: usize,
    #[serde(default)]
    pub estimate: Option<f64>,
    #[serde(default)]
    pub low: Option<f64>,
    #[serde(default)]
    pub high: Option<f64>,
}

/// A claim as a record holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedClaim {
    pub id: String,
    pub statement: String,
    /// Where the statement comes from.
    pub source: String,
    /// What is measured, with its unit.
    pub measured: String,
    /// Each chapter has one headline claim.
    pub headline: bool,
    pub measure: Measure,
    pub rule: Rule,
    /// What an interval covers: what differs between seeds. Empty for an exact claim.
    pub covers: String,
    /// Seeds below which there is no verdict.
    pub fewest_seeds: usize,
    #[serde(rename = "parts")]
    pub measurements: Vec<Measurement>,
    /// The level of its intervals, after Bonferroni.
    pub level: Option<f64>,
    pub verdict: Verdict,
    /// Why a contradiction is not to be built on: no second implementation has found it, or one has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<String>,
}

impl JudgedClaim {
    /// The verdict as readers see it.
    pub fn outcome(&self) -> String {
        let caution = if self.caution().is_some() { ", unconfirmed" } else { "" };
        format!("{}{caution}", self.verdict.words())
    }

    /// Replaces the words that the record was written with by those of today. Errors if there are none.
    pub fn reword(&mut self, words: &Words) -> Result<()> {
        let said = words.find(&self.id, self.measure)?;
        (self.statement, self.source, self.measured) = (said.statement, said.source, said.measured);
        (self.covers, self.unconfirmed) = (said.covers, said.unconfirmed);
        Ok(())
    }

    /// Why a contradiction is unconfirmed, if it is one.
    pub fn caution(&self) -> Option<&str> {
        self.unconfirmed.as_deref().filter(|_| self.verdict == Verdict::Contradicted)
    }
}

/// Judges the claims of a chapter on its trials. Where the protocol allows no verdict, `may_judge` is false and every
/// claim is left open. Errors if a trial lacks what a claim measures, or a claim has no words.
pub fn judge(claims: &[Claim], words: &Words, trials: &Trials, may_judge: bool) -> Result<Vec<JudgedClaim>> {
    let measured = claims.iter().map(|claim| measure(claim, words, trials)).collect::<Result<_>>()?;
    Ok(judge_again(measured, may_judge))
}

/// Gives measured claims the verdicts of their rules. The statistical claims share the error rate (Bonferroni).
pub fn judge_again(claims: Vec<JudgedClaim>, may_judge: bool) -> Vec<JudgedClaim> {
    let statistical = claims.iter().filter(|claim| claim.measure != Measure::Exact).count();
    let level = 1.0 - ERROR_RATE / statistical.max(1) as f64;
    claims.into_iter().map(|claim| judge_one(claim, level, may_judge)).collect()
}

fn measure(claim: &Claim, words: &Words, trials: &Trials) -> Result<JudgedClaim> {
    let said = words.of(claim)?;
    let mut measurements = Vec::new();
    for (condition, quantity) in &claim.measurements {
        let samples = quantity.samples(trials).with_context(|| format!("claim {}, {condition}", claim.id))?;
        measurements.push(Measurement {
            condition: condition.clone(),
            samples: samples.iter().map(|sample| six_digits(sample.value)).collect(),
            lower_bounds: samples.iter().filter(|sample| sample.is_lower_bound).count(),
            failed: samples.iter().filter(|sample| sample.is_upper_bound).count(),
            estimate: None,
            low: None,
            high: None,
        });
    }
    Ok(JudgedClaim {
        id: claim.id.clone(),
        statement: said.statement,
        source: said.source,
        measured: said.measured,
        headline: claim.headline,
        measure: claim.measure,
        rule: claim.rule,
        covers: said.covers,
        fewest_seeds: claim.fewest_seeds,
        measurements,
        level: None,
        verdict: Verdict::NotJudged,
        unconfirmed: said.unconfirmed,
    })
}

fn judge_one(mut claim: JudgedClaim, level: f64, may_judge: bool) -> JudgedClaim {
    claim.level = (claim.measure != Measure::Exact).then_some(six_digits(level));
    let fewest = if claim.measure == Measure::Exact { 1 } else { claim.fewest_seeds };
    let mut verdicts = Vec::new();
    for measurement in &mut claim.measurements {
        let interval = match claim.measure {
            Measure::Exact => {
                measurement.samples.first().map(|value| Interval { estimate: *value, low: *value, high: *value })
            }
            Measure::Ratio => log_t_interval(&measurement.samples, level),
            Measure::Difference => t_interval(&measurement.samples, level),
        };
        measurement.estimate = interval.map(|interval| six_digits(interval.estimate));
        measurement.low = interval.map(|interval| six_digits(interval.low));
        measurement.high = interval.map(|interval| six_digits(interval.high));
        let judged =
            interval.filter(|_| measurement.samples.len() >= fewest).map(|interval| claim.rule.judge(interval));
        verdicts.push(judged.map_or(Verdict::NotJudged, |verdict| after_censoring(verdict, measurement)));
    }
    let worst = verdicts.into_iter().max().filter(|_| may_judge);
    claim.verdict = worst.unwrap_or(Verdict::NotJudged);
    claim
}

/// A censored treatment cannot support the claim; a lower bound cannot contradict it.
fn after_censoring(verdict: Verdict, measurement: &Measurement) -> Verdict {
    match verdict {
        Verdict::Reproduced | Verdict::Weaker if measurement.failed > 0 => Verdict::Inconclusive,
        Verdict::Contradicted if measurement.lower_bounds > 0 => Verdict::Inconclusive,
        verdict => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::{steps, value};
    use crate::testing::World;

    const FLOOR: Rule = Rule::AtLeast { floor: 2.0, no_effect: 1.0 };

    fn judged(claims: &[Claim], world: &World) -> Vec<JudgedClaim> {
        let words = Words::of_ids(claims.iter().map(|claim| claim.id.as_str()));
        judge(claims, &words, &world.trials(), true).unwrap()
    }

    fn reached(steps: &[u64]) -> Vec<Option<u64>> {
        steps.iter().map(|step| Some(*step)).collect()
    }

    fn speed_up(baseline: &[Option<u64>], treatment: &[Option<u64>]) -> JudgedClaim {
        let world = World::new(baseline.len()).steps("slow", baseline).steps("fast", treatment);
        let claim = Claim::ratio("fast", FLOOR).at("at the end", steps("slow") / steps("fast"));
        judged(&[claim], &world).remove(0)
    }

    #[test]
    fn seeds_decide_a_statistical_claim() {
        let slow = reached(&[90, 100, 110, 95, 105]);
        let verdict = |baseline: &[_], treatment: &[u64]| speed_up(baseline, &reached(treatment)).verdict;
        assert_eq!(verdict(&slow, &[10, 11, 12, 9, 10]), Verdict::Reproduced);
        assert_eq!(verdict(&slow, &[60, 62, 61, 63, 60]), Verdict::Weaker);
        assert_eq!(verdict(&slow, &[90, 100, 110, 95, 105]), Verdict::Inconclusive);
        assert_eq!(verdict(&reached(&[10, 11, 12, 9, 10]), &[90, 100, 110, 95, 105]), Verdict::Contradicted);
        assert_eq!(verdict(&slow[..4], &[1, 1, 1, 1]), Verdict::NotJudged);
    }

    #[test]
    fn a_censored_treatment_fails_and_a_censored_baseline_is_a_lower_bound() {
        let fast = reached(&[10, 11, 12, 9, 10]);
        let mut slow = reached(&[90, 100, 110, 95, 105]);
        slow[0] = None;
        let claim = speed_up(&slow, &fast);
        assert_eq!((claim.verdict, claim.measurements[0].lower_bounds), (Verdict::Reproduced, 1));
        let mut failing = fast.clone();
        failing[0] = None;
        assert_eq!(speed_up(&reached(&[9_000_000; 5]), &failing).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn every_measurement_must_hold() {
        let verdict = |second: f64| {
            let world = World::new(0).exact("first", "kappa", 5.0).exact("second", "kappa", second);
            judged(&[Claim::exact("exact", FLOOR).values("kappa", &["first", "second"])], &world)[0].verdict
        };
        assert_eq!(verdict(2.0), Verdict::Reproduced);
        assert_eq!(verdict(1.5), Verdict::Weaker);
        assert_eq!(verdict(0.5), Verdict::Contradicted);
    }

    #[test]
    fn statistical_claims_share_the_error_rate_and_exact_ones_do_not_count() {
        let world = World::new(5).values("a", "loss", &[1.0, 2.0, 3.0, 4.0, 5.0]);
        let claims = [Claim::ratio("one", FLOOR), Claim::exact("two", FLOOR), Claim::difference("three", FLOOR)];
        let judged = judged(&claims.map(|claim| claim.at("", value("a", "loss"))), &world);
        assert_eq!(judged.iter().map(|claim| claim.level).collect::<Vec<_>>(), [Some(0.975), None, Some(0.975)]);
    }

    #[test]
    fn without_leave_nothing_is_judged() {
        let (claim, world) = (Claim::exact("exact", FLOOR), World::new(0).exact("a", "kappa", 5.0));
        let words = Words::of_ids(["exact"].into_iter());
        let judged = judge(&[claim.values("kappa", &["a"])], &words, &world.trials(), false).unwrap();
        assert_eq!(judged[0].verdict, Verdict::NotJudged);
    }

    #[test]
    fn a_missing_value_names_the_claim() {
        let (claim, world) = (Claim::exact("exact", FLOOR), World::new(0).exact("a", "kappa", 5.0));
        let words = Words::of_ids(["exact"].into_iter());
        let error = judge(&[claim.values("lambda", &["a"])], &words, &world.trials(), true).unwrap_err();
        assert_eq!(format!("{error:#}"), "claim exact, a: arm a has no value named lambda");
    }
}
