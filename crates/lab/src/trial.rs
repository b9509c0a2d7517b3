//! A trial and what it leaves behind: the contract between the rooms that compute and the lab that keeps.

use crate::seed::Seed;
use candle_core::{Device, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the target whose step a trial that trains reports in [`Trace::reached`].
pub const TARGET: &str = "target";
/// The name under which it reports its last training loss.
pub const FINAL_LOSS: &str = "final_train_loss";

/// What one run of one arm does. Whatever its numbers depend on, besides code and the seed, is in the serialized
/// trial (settings, with units in the names) and in [`Trial::data`], so that a stored trace is never taken for another.
pub trait Trial: Serialize + Send + Sync + 'static {
    /// The source file that implements it: `file!()`.
    const SOURCE: &'static str;

    /// Name and SHA-256 of each file of data it reads.
    fn data(&self) -> BTreeMap<String, String>;

    /// Runs the trial. Deterministic trials ignore the seed; long ones save checkpoints and go on from the last one, to
    /// the bit. Divergence is not an error but an [`Outcome`].
    fn run(&self, context: &RunContext) -> Result<Trace>;

    /// Runs the trial from beginning to end without checkpoints.
    fn run_alone(&self, seed: Seed, device: &Device) -> Result<Trace> {
        self.run(&RunContext::alone(seed, device))
    }
}

/// What a trial is given to run with.
#[derive(Clone, Copy)]
pub struct RunContext<'a> {
    pub seed: Seed,
    pub device: &'a Device,
    pub checkpoint: &'a dyn Checkpoint,
}

impl<'a> RunContext<'a> {
    /// Makes a context that saves no checkpoint.
    pub fn alone(seed: Seed, device: &'a Device) -> Self {
        Self { seed, device, checkpoint: &NoCheckpoint }
    }
}

/// Saves the state of a trial under way, from which a killed trial goes on.
pub trait Checkpoint: Sync {
    /// Returns the state that was saved last; none if the trial begins.
    fn last(&self) -> Option<Vec<u8>>;

    /// Records that `step` of `steps` steps are done; returns whether a save is due.
    fn is_due(&self, step: u64, steps: u64) -> bool;

    /// Saves the state. Errors if it cannot be written.
    fn save(&self, state: &[u8]) -> Result<()>;
}

struct NoCheckpoint;

impl Checkpoint for NoCheckpoint {
    fn last(&self) -> Option<Vec<u8>> {
        None
    }

    fn is_due(&self, _: u64, _: u64) -> bool {
        false
    }

    fn save(&self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Finished,
    /// A number became infinite or undefined at this step.
    Diverged {
        step: u64,
    },
}

/// Points of a curve, or of a path in the plane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
}

/// Values over a rectangle: `z[row * x.len() + column]` is the value at `(x[column], y[row])`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub z: Vec<f64>,
}

/// When a curve first came down to a target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepsToTarget {
    /// The first step at the target; none if the budget ended before (the run is *censored*).
    pub step: Option<u64>,
    /// How many steps there were.
    pub budget: u64,
}

impl StepsToTarget {
    /// The step, or the budget of a censored run: a lower bound.
    pub fn at_least(&self) -> f64 {
        self.step.unwrap_or(self.budget) as f64
    }
}

/// What a trial leaves behind: raw series, never only their means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reached: BTreeMap<String, StepsToTarget>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub series: BTreeMap<String, Series>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grids: BTreeMap<String, Grid>,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            outcome: Outcome::Finished,
            values: BTreeMap::new(),
            reached: BTreeMap::new(),
            series: BTreeMap::new(),
            grids: BTreeMap::new(),
        }
    }
}

impl Trace {
    /// The trace as it is kept: every number with six significant digits. JSON has no infinities, so a number that is
    /// not finite marks the trace as diverged (at step 0 if nothing else told when) and is dropped.
    pub fn rounded(mut self) -> Self {
        let mut all_finite = true;
        self.values.retain(|_, value| {
            *value = six_digits(*value);
            all_finite &= value.is_finite();
            value.is_finite()
        });
        for series in self.series.values_mut() {
            let finite = series.x.iter().zip(&series.y).take_while(|(x, y)| x.is_finite() && y.is_finite()).count();
            all_finite &= finite == series.x.len();
            series.x.truncate(finite);
            series.y.truncate(finite);
            series.x.iter_mut().chain(&mut series.y).for_each(|value| *value = six_digits(*value));
        }
        self.grids.retain(|_, grid| {
            let mut numbers = grid.x.iter_mut().chain(&mut grid.y).chain(&mut grid.z);
            numbers.all(|value| {
                *value = six_digits(*value);
                value.is_finite()
            }) || {
                all_finite = false;
                false
            }
        });
        if !all_finite && self.outcome == Outcome::Finished {
            self.outcome = Outcome::Diverged { step: 0 };
        }
        self
    }
}

/// `value` rounded to six significant digits, which is how numbers are kept.
pub fn six_digits(value: f64) -> f64 {
    if value.is_finite() { format!("{value:.5e}").parse().expect("a formatted number parses") } else { value }
}

/// The middle value, or the mean of the two middle ones. None for no samples.
pub fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// Points of most curves in every factor of ten of the steps.
pub const SAMPLES_PER_DECADE: u32 = 12;

/// The steps at which a curve of `steps` steps is sampled: all of the first ones, then `per_decade` in every factor of
/// ten, and the last.
pub fn sample_steps(steps: u64, per_decade: u32) -> Vec<u64> {
    let factor = libm::pow(10.0, 1.0 / f64::from(per_decade));
    let mut samples = vec![0];
    let mut next = 1.0;
    while next < steps as f64 {
        let step = next.round() as u64;
        if samples.last() != Some(&step) {
            samples.push(step);
        }
        next *= factor;
    }
    if samples.last() != Some(&steps) {
        samples.push(steps);
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_kept() {
        assert_eq!(six_digits(1.0 / 3.0), 0.333333);
        assert_eq!(six_digits(-123_456_789.0), -123_457_000.0);
        assert_eq!(six_digits(0.0), 0.0);
        assert!(six_digits(f64::NAN).is_nan());
    }

    #[test]
    fn what_is_not_finite_is_divergence_and_not_a_number() {
        let mut trace = Trace::default();
        trace.values.insert("loss".into(), f64::NAN);
        trace.series.insert("loss".into(), Series { x: vec![0.0, 1.0, 2.0], y: vec![1.0, f64::INFINITY, 3.0] });
        trace.grids.insert("loss".into(), Grid { x: vec![0.0], y: vec![0.0], z: vec![f64::NAN] });
        let rounded = trace.rounded();
        assert_eq!(rounded.outcome, Outcome::Diverged { step: 0 });
        assert!(rounded.values.is_empty() && rounded.grids.is_empty());
        assert_eq!(rounded.series["loss"], Series { x: vec![0.0], y: vec![1.0] });
    }

    #[test]
    fn sealing_twice_changes_nothing() {
        let mut trace = Trace { outcome: Outcome::Diverged { step: 7 }, ..Trace::default() };
        trace.values.insert("loss".into(), 2.0 / 3.0);
        let once = trace.rounded();
        assert_eq!(once.clone().rounded(), once);
        assert_eq!(once.outcome, Outcome::Diverged { step: 7 });
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn curves_are_sampled_finely_at_the_start() {
        assert_eq!(sample_steps(0, 10), [0]);
        assert_eq!(sample_steps(20, 4), [0, 1, 2, 3, 6, 10, 18, 20]);
        assert_eq!(sample_steps(100, 1), [0, 1, 10, 100]);
    }
}
