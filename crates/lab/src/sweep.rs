//! Each arm at its own best learning rate: tried on the pilot seeds, judged on the others.

use super::arm::Arm;
use super::protocol::Scale;
use super::trials::Trials;
use crate::trial::{FINAL_LOSS, StepsToTarget, Trace, Trial};
use anyhow::{Context, Result, bail, ensure};
use std::cmp::Ordering;

const ADVICE: &str = "give more --steps, or another grid of learning rates in the chapter's file";

/// The learning rates that an arm may choose from, in growing order.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    pub arm: &'static str,
    pub learning_rates: &'static [f64],
}

impl Sweep {
    fn name(&self, learning_rate: f64) -> String {
        format!("{} at {learning_rate}", self.arm)
    }

    /// One arm for each learning rate.
    pub fn pilots<T: Trial>(&self, trial: impl Fn(f64) -> T) -> Vec<Arm> {
        self.learning_rates.iter().map(|rate| Arm::seeded(self.name(*rate), trial(*rate))).collect()
    }

    /// The learning rate whose pilots reach their target in the fewest steps (geometric mean over seeds; a run that
    /// does not counts its budget); of equals the one with the lowest final loss, diverged runs last. Errors where the
    /// best lies at the edge of the grid, which says that the best of all may lie beyond; the smoke scale lets it pass.
    pub fn best(&self, pilots: &Trials, scale: Scale) -> Result<f64> {
        Ok(best_of(&[*self], pilots, scale)?.1)
    }

    /// Of each learning rate, how well it does; less is better.
    fn scores(&self, pilots: &Trials) -> Result<Vec<Score>> {
        let score = |rate: &f64| {
            let arm = self.name(*rate);
            let log_steps = |reach: &StepsToTarget| reach.at_least().max(0.5).ln();
            let log_steps = pilots.steps(&arm)?.iter().map(log_steps).sum();
            let loss = |trace: &&Trace| trace.values.get(FINAL_LOSS).copied().unwrap_or(f64::INFINITY);
            Ok(Score { log_steps, loss: pilots.traces(&arm)?.iter().map(loss).sum() })
        };
        self.learning_rates.iter().map(score).collect()
    }
}

/// Sums over pilot seeds.
#[derive(Clone, Copy)]
struct Score {
    log_steps: f64,
    loss: f64,
}

impl Score {
    fn order(&self, other: &Self) -> Ordering {
        self.log_steps.total_cmp(&other.log_steps).then(self.loss.total_cmp(&other.loss))
    }
}

/// The best of several sweeps, say of several initial weights: which, and its learning rate. Errors as [`Sweep::best`].
pub fn best_of(sweeps: &[Sweep], pilots: &Trials, scale: Scale) -> Result<(usize, f64)> {
    let mut tried = Vec::new();
    for (sweep, of) in sweeps.iter().enumerate() {
        tried.extend(of.scores(pilots)?.into_iter().enumerate().map(|(rate, score)| (sweep, rate, score)));
    }
    let best = tried.iter().min_by(|(.., a), (.., b)| a.order(b)).context("the sweep is empty")?;
    let (sweep, rate, _) = *best;
    let Sweep { arm, learning_rates } = sweeps[sweep];
    let at_edge = rate == 0 || rate + 1 == learning_rates.len();
    if at_edge && scale != Scale::Smoke {
        let all_alike = tried.iter().all(|(.., score)| score.log_steps == tried[0].2.log_steps);
        ensure!(
            !all_alike,
            "{arm}: no learning rate is better than another: all reach the target at once, or none does; {ADVICE}"
        );
        bail!(
            "{arm}: the best learning rate, {}, lies at the edge of its grid, so a better one may lie beyond; {ADVICE}",
            learning_rates[rate]
        );
    }
    Ok((sweep, learning_rates[rate]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Outcome, TARGET};
    use crate::trials::TrialRecord;

    const SWEEP: Sweep = Sweep { arm: "net", learning_rates: &[0.1, 1.0, 10.0] };

    /// One trial per learning rate: the step that reached the target and the final loss (none: diverged).
    fn pilots(outcomes: [(Option<u64>, Option<f64>); 3]) -> Trials {
        let trial = |(rate, (step, loss)): (&f64, (Option<u64>, Option<f64>))| {
            let mut trace = Trace::default();
            trace.reached.insert(TARGET.into(), StepsToTarget { step, budget: 100 });
            match loss {
                Some(loss) => drop(trace.values.insert(FINAL_LOSS.into(), loss)),
                None => trace.outcome = Outcome::Diverged { step: 3 },
            }
            TrialRecord { arm: SWEEP.name(*rate), seed: Some(1000), trace }
        };
        Trials { trials: SWEEP.learning_rates.iter().zip(outcomes).map(trial).collect() }
    }

    #[test]
    fn the_fewest_steps_win_and_a_diverged_run_counts_its_budget() {
        let pilots = pilots([(Some(50), Some(1.0)), (Some(20), Some(2.0)), (Some(10), None)]);
        assert_eq!(SWEEP.best(&pilots, Scale::Book).unwrap(), 1.0);
    }

    #[test]
    fn of_censored_runs_the_lowest_loss_wins() {
        let pilots = pilots([(None, Some(0.9)), (None, Some(0.5)), (None, None)]);
        assert_eq!(SWEEP.best(&pilots, Scale::Book).unwrap(), 1.0);
    }

    #[test]
    fn of_several_sweeps_the_best_arm_wins() {
        const OTHER: Sweep = Sweep { arm: "other", learning_rates: &[0.1, 1.0, 10.0] };
        let mut both = pilots([(Some(50), Some(1.0)), (Some(20), Some(2.0)), (Some(90), Some(1.0))]);
        let better = pilots([(Some(50), Some(1.0)), (Some(10), Some(2.0)), (Some(90), Some(1.0))]).trials;
        both.trials
            .extend(better.into_iter().map(|trial| TrialRecord { arm: trial.arm.replace("net", "other"), ..trial }));
        assert_eq!(best_of(&[SWEEP, OTHER], &both, Scale::Book).unwrap(), (1, 1.0));
    }

    #[test]
    fn a_sweep_that_tells_nothing_says_so() {
        let pilots = pilots([(Some(0), Some(0.1)), (Some(0), Some(0.5)), (Some(0), Some(0.9))]);
        let error = SWEEP.best(&pilots, Scale::Book).unwrap_err().to_string();
        assert!(error.contains("net: no learning rate is better than another"), "{error}");
        assert!(error.ends_with("; give more --steps, or another grid of learning rates in the chapter's file"));
    }

    #[test]
    fn a_choice_at_the_edge_asks_for_a_wider_grid() {
        let pilots = pilots([(Some(5), Some(0.9)), (Some(20), Some(0.5)), (None, None)]);
        let error = SWEEP.best(&pilots, Scale::Book).unwrap_err().to_string();
        assert!(error.contains("net: the best learning rate, 0.1, lies at the edge of its grid"), "{error}");
        assert!(error.ends_with(ADVICE), "{error}");
        assert_eq!(SWEEP.best(&pilots, Scale::Smoke).unwrap(), 0.1);
    }
}
