//! Which learning rates a net can be trained at: the same seed at each rate of a grid.

use crate::train::accuracy::TEST_ACCURACY;
use crate::train::classifier::Classifier;
use crate::train::in_turn::in_turn;
use candle_core::Result;
use normbook_lab::trial::{Outcome, RunContext, Series, StepsToTarget, TARGET, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The largest multiple that reaches the target; where none does, the smallest that was tried.
pub const LARGEST: &str = "largest_that_reaches_the_target";

/// The largest test accuracy over the multiples, and the mean over them; a diverged run guesses.
pub const BEST_ACCURACY: &str = "best_test_accuracy";
pub const MEAN_ACCURACY: &str = "mean_test_accuracy";

/// The trial: trains a classifier at each multiple of its learning rate.
#[derive(Clone, Serialize)]
pub struct RateSweep {
    pub training: Classifier,
    /// In growing order.
    pub multiples: Vec<f64>,
}

/// The name under which a multiple's steps to the target stand in [`Trace::reached`].
pub fn at(multiple: f64) -> String {
    format!("×{multiple}")
}

/// The steps of each seed at a multiple.
pub fn steps_at(traces: &[&Trace], multiple: f64) -> Vec<StepsToTarget> {
    traces.iter().filter_map(|trace| trace.reached.get(&at(multiple)).copied()).collect()
}

impl Trial for RateSweep {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Series `test_accuracy` and `steps` (to the target; those that reach it alone) over the multiples; `×5` …
    /// reached, a diverged run at its full budget; values `test_accuracy ×5` …, [`LARGEST`], [`BEST_ACCURACY`] and
    /// [`MEAN_ACCURACY`].
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let runs = in_turn(context, &self.multiples, |multiple, context| {
            let learning_rate = multiple * self.training.learning_rate;
            Classifier { learning_rate, ..self.training.clone() }.run(context)
        })?;
        let mut trace = Trace::default();
        let (mut accuracies, mut steps) = (Series::default(), Series::default());
        let mut largest = self.multiples.first().copied();
        for (multiple, run) in self.multiples.iter().copied().zip(runs) {
            let mut reached = run.reached[TARGET];
            if run.outcome != Outcome::Finished {
                reached.step = None;
            }
            if let Some(step) = reached.step {
                largest = Some(multiple);
                steps.x.push(multiple);
                steps.y.push(step as f64);
            }
            accuracies.x.push(multiple);
            accuracies.y.push(run.values[TEST_ACCURACY]);
            trace.values.insert(format!("{TEST_ACCURACY} {}", at(multiple)), run.values[TEST_ACCURACY]);
            trace.reached.insert(at(multiple), reached);
        }
        trace.values.extend(largest.map(|largest| (LARGEST.into(), largest)));
        let (best, sum) = accuracies.y.iter().fold((0.0, 0.0), |(best, sum), y| (f64::max(best, *y), sum + y));
        let mean = sum / accuracies.y.len() as f64;
        trace.values.extend([(BEST_ACCURACY.into(), best), (MEAN_ACCURACY.into(), mean)]);
        trace.series.extend([(TEST_ACCURACY.into(), accuracies), ("steps".into(), steps)]);
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::NormKind;
    use crate::testing::classifier;
    use candle_core::Device;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::{ended_and_resumed, resumed_from};

    /// Far too small a rate does not arrive, far too large a one diverges.
    #[test]
    fn the_largest_is_the_last_that_arrives() {
        let training = Classifier { steps: 60, target_accuracy: 0.5, ..classifier(NormKind::None) };
        let sweep = RateSweep { training: training.clone(), multiples: vec![1e-6, 1.0, 1e20] };
        let trace = sweep.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert_eq!(trace.outcome, Outcome::Finished);
        assert_eq!(trace.values[LARGEST], 1.0);
        assert_eq!(trace.values["test_accuracy ×100000000000000000000"], 0.1);
        let alone = training.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert_eq!(steps_at(&[&trace], 1.0), [alone.reached[TARGET]]);
        assert_eq!(trace.values["test_accuracy ×1"], alone.values[TEST_ACCURACY]);
        assert_eq!(steps_at(&[&trace], 1e20), [StepsToTarget { step: None, budget: 60 }]);
        assert_eq!(trace.series["steps"].x, [1.0]);
        let accuracies = &trace.series[TEST_ACCURACY].y;
        assert_eq!(trace.values[BEST_ACCURACY], alone.values[TEST_ACCURACY]);
        assert!((trace.values[MEAN_ACCURACY] - accuracies.iter().sum::<f64>() / 3.0).abs() < 1e-12);
    }

    #[test]
    fn where_none_arrives_the_smallest_counts() {
        let training = Classifier { target_accuracy: 1.0, ..classifier(NormKind::BATCH) };
        let trace = RateSweep { training, multiples: vec![0.5, 1.0] }.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert_eq!(trace.values[LARGEST], 0.5);
    }

    /// In the first training, at its end, in the others; and from the beginning if what is there is no state of it.
    #[test]
    fn it_goes_on_where_it_was_ended() {
        let sweep = RateSweep { training: classifier(NormKind::BATCH), multiples: vec![0.5, 1.0, 2.0] };
        let whole = sweep.run_alone(Seed(0), &Device::Cpu).unwrap();
        for at in [3, 10, 17, 29] {
            assert!(ended_and_resumed(&sweep, Seed(0), at) == whole, "ended at step {at}");
        }
        assert!(resumed_from(&sweep, Seed(0), b"anything") == whole);
    }
}
