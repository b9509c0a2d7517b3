//! The trials of a run, and the questions that a judgement asks them.

use crate::trial::{Outcome, StepsToTarget, TARGET, Trace};
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// One finished trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    pub arm: String,
    /// None for an exact arm.
    pub seed: Option<u64>,
    #[serde(flatten)]
    pub trace: Trace,
}

impl TrialRecord {
    /// The error says why there is none.
    fn value(&self, name: &str) -> Result<f64> {
        let Self { arm, seed, trace } = self;
        match (trace.values.get(name), trace.outcome, seed) {
            (Some(value), ..) => Ok(*value),
            (None, Outcome::Diverged { step }, Some(seed)) => bail!(
                "arm {arm}, seed {seed} diverged at step {step} and has no {name}: lower the learning rate, or undo what \
                 else was changed of the protocol"
            ),
            (None, Outcome::Diverged { .. }, None) => bail!("arm {arm} has no {name}: it became infinite or undefined"),
            (None, Outcome::Finished, Some(seed)) => {
                bail!(
                    "arm {arm}, seed {seed} has no value named {name}; a training of a few steps may have none: give \
                     more --steps"
                )
            }
            (None, Outcome::Finished, None) => bail!("arm {arm} has no value named {name}"),
        }
    }
}

/// All trials of a stage, ordered by arm as the protocol has them, then by seed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trials {
    pub trials: Vec<TrialRecord>,
}

impl Trials {
    /// Without the series and grids that `keeps` (by arm, seed and name) says no to.
    pub fn filtered(mut self, keeps: fn(&str, Option<u64>, &str) -> bool) -> Self {
        for TrialRecord { arm, seed, trace } in &mut self.trials {
            trace.series.retain(|name, _| keeps(arm, *seed, name));
            trace.grids.retain(|name, _| keeps(arm, *seed, name));
        }
        self
    }

    /// The trials of an arm, by seed. Errors if there are none.
    fn of_arm(&self, arm: &str) -> Result<Vec<&TrialRecord>> {
        let trials: Vec<&TrialRecord> = self.trials.iter().filter(|trial| trial.arm == arm).collect();
        ensure!(!trials.is_empty(), "no trial of an arm named {arm}");
        Ok(trials)
    }

    /// The traces of an arm, by seed. Errors if there are none.
    pub fn traces(&self, arm: &str) -> Result<Vec<&Trace>> {
        Ok(self.of_arm(arm)?.into_iter().map(|trial| &trial.trace).collect())
    }

    /// A value of an exact arm.
    pub fn value(&self, arm: &str, name: &str) -> Result<f64> {
        self.of_arm(arm)?[0].value(name)
    }

    /// A value of each seed of an arm. Errors where a seed has none, as a diverged run may; an accuracy it has.
    pub fn samples(&self, arm: &str, name: &str) -> Result<Vec<f64>> {
        self.of_arm(arm)?.into_iter().map(|trial| trial.value(name)).collect()
    }

    /// When each seed of an arm reached its [`TARGET`]. A diverged run counts at its full budget.
    pub fn steps(&self, arm: &str) -> Result<Vec<StepsToTarget>> {
        let reach = |trace: &&Trace| -> Result<StepsToTarget> {
            let reach = trace.reached.get(TARGET).with_context(|| format!("arm {arm} has no target"))?;
            let diverged = trace.outcome != Outcome::Finished;
            Ok(if diverged { StepsToTarget { step: None, ..*reach } } else { *reach })
        };
        self.traces(arm)?.iter().map(reach).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(outcome: Outcome) -> Trials {
        let mut trace = Trace { outcome, ..Trace::default() };
        trace.values.insert("loss".into(), 0.5);
        trace.reached.insert(TARGET.into(), StepsToTarget { step: Some(7), budget: 100 });
        Trials { trials: vec![TrialRecord { arm: "a".into(), seed: Some(0), trace }] }
    }

    #[test]
    fn a_diverged_run_counts_its_budget() {
        let reach = |outcome| trials(outcome).steps("a").unwrap()[0].step;
        assert_eq!(reach(Outcome::Finished), Some(7));
        assert_eq!(reach(Outcome::Diverged { step: 9 }), None);
    }

    #[test]
    fn what_a_chapter_does_not_keep_is_dropped() {
        let mut all = trials(Outcome::Finished);
        let series = &mut all.trials[0].trace.series;
        series.extend(["one", "other"].map(|name| (name.to_owned(), crate::trial::Series::default())));
        let kept = all.filtered(|arm, seed, name| arm == "a" && seed == Some(0) && name == "one");
        let trace = &kept.trials[0].trace;
        assert!(trace.series.contains_key("one") && trace.series.len() == 1 && trace.values.len() == 1);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let trials = trials(Outcome::Finished);
        assert_eq!(trials.value("a", "loss").unwrap(), 0.5);
        assert!(trials.traces("b").unwrap_err().to_string().contains("named b"));
        assert!(trials.value("a", "gain").unwrap_err().to_string().contains("no value named gain"));
    }

    #[test]
    fn a_diverged_run_says_so() {
        let mut trials = trials(Outcome::Diverged { step: 9 });
        assert_eq!(trials.samples("a", "loss").unwrap(), [0.5]);
        let error = trials.samples("a", "gain").unwrap_err().to_string();
        assert!(error.starts_with("arm a, seed 0 diverged at step 9 and has no gain: lower the learning"), "{error}");
        trials.trials[0].seed = None;
        let error = trials.value("a", "gain").unwrap_err().to_string();
        assert_eq!(error, "arm a has no gain: it became infinite or undefined");
    }
}
