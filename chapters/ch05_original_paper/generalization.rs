//! How well a network does on test images at equal training loss.

use candle_core::Result;
use normbook::data::dataset::{CLASSES, Split};
use normbook::net::Net;
use normbook::norm::Pass;
use normbook::train::accuracy::{TEST_ACCURACY, accuracy};
use normbook::train::classifier::{Classifier, TrainOptions};
use normbook_lab::trial::{RunContext, Series, Trace, Trial, sample_steps};
use normbook_ops::cross_entropy::cross_entropy;
use serde::Serialize;
use std::collections::BTreeMap;

/// The training accuracy minus the test accuracy at the end, each on the same number of images.
pub const GAP: &str = "accuracy_gap";
/// The test accuracy at the first point of the curve from a tenth of the steps on, on the curve's examples.
pub const EARLY: &str = "early_test_accuracy";

/// Points of the curves in every factor of ten of the steps.
const LOOKS_PER_DECADE: u32 = 16;

/// The trial: trains a classifier and judges it, in evaluation, on training and test images.
#[derive(Clone, Serialize)]
pub struct Generalization {
    pub training: Classifier,
    /// Images of either kind that are judged.
    pub examples: usize,
    /// Training losses (nats), falling.
    pub levels: Vec<f64>,
}

/// The name of the test loss at the first look at which the training loss is at a level or below it.
pub fn test_loss_at(level: f64) -> String {
    format!("test_loss_at_{level}")
}

impl Trial for Generalization {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides the training's: series `test_loss_by_train_loss`, `fit_loss` and `test_loss` (nats) over steps; values
    /// [`test_loss_at`] each level, by a line between the looks before and after the crossing, or at the end where
    /// there is none; [`GAP`], [`EARLY`]. A run that diverges before has the accuracy of guessing and no gap.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let looks = sample_steps(self.training.steps, LOOKS_PER_DECADE);
        let mut seen: [Series; 2] = Default::default();
        let mut trace =
            self.training.train(TrainOptions::default(), context, &mut seen, |[fits, tests], snapshot, trace| {
                if looks.binary_search(&snapshot.step).is_err() {
                    return Ok(());
                }
                let seen = |part: &Split| part.narrow(0, self.examples.min(part.len()));
                let (train, test) = (seen(snapshot.train)?, seen(snapshot.test)?);
                for (series, part) in [(fits, &train), (tests, &test)] {
                    series.x.push(snapshot.step as f64);
                    series.y.push(loss(snapshot.net, part)?);
                }
                if snapshot.step == self.training.steps {
                    let gap = accuracy(snapshot.net, &train)? - accuracy(snapshot.net, &test)?;
                    trace.values.insert(GAP.into(), gap);
                }
                Ok(())
            })?;
        let [fits, tests] = seen;
        for level in &self.levels {
            trace.values.extend(crossing(&fits.y, &tests.y, *level).map(|loss| (test_loss_at(*level), loss)));
        }
        let path = Series { x: fits.y.clone(), y: tests.y.clone() };
        trace.series.extend([
            ("test_loss_by_train_loss".into(), path),
            ("fit_loss".into(), fits),
            ("test_loss".into(), tests),
        ]);
        let curve = &trace.series[TEST_ACCURACY];
        let index = curve.x.iter().position(|step| *step >= self.training.steps as f64 / 10.0);
        let early = index.map_or(1.0 / CLASSES as f64, |index| curve.y[index]);
        trace.values.insert(EARLY.into(), early);
        trace.values.entry(GAP.into()).or_insert(0.0);
        Ok(trace)
    }
}

/// What `tests` is where `fits` first comes down to `level`; its last where that never happens.
fn crossing(fits: &[f64], tests: &[f64], level: f64) -> Option<f64> {
    let Some(after) = fits.iter().position(|fit| *fit <= level) else { return tests.last().copied() };
    let Some(before) = after.checked_sub(1) else { return tests.first().copied() };
    let part = (fits[before] - level) / (fits[before] - fits[after]);
    Some(tests[before] + part * (tests[after] - tests[before]))
}

/// In evaluation, nats.
fn loss(net: &dyn Net, part: &Split) -> Result<f64> {
    Ok(f64::from(cross_entropy(&net.forward(&part.inputs, Pass::EVAL)?, part.classes()?)?.to_scalar::<f32>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use normbook::norm::NormKind;
    use normbook::testing::classifier;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::ended_and_resumed;

    #[test]
    fn a_crossing_lies_on_the_line_between_two_looks() {
        let (fits, tests) = ([4.0, 2.0, 3.0, 1.0], [5.0, 4.0, 9.0, 3.0]);
        assert_eq!(crossing(&fits, &tests, 3.0), Some(4.5));
        assert_eq!(crossing(&fits, &tests, 1.5), Some(4.5));
        assert_eq!(crossing(&fits, &tests, 9.0), Some(5.0));
        assert_eq!(crossing(&fits, &tests, 0.5), Some(3.0));
        assert_eq!(crossing(&[], &[], 0.5), None);
    }

    #[test]
    fn who_judges_changes_nothing() {
        let training = classifier(NormKind::BATCH);
        let plain = training.run_alone(Seed(1), &Device::Cpu).unwrap();
        let judged = Generalization { training, examples: 100, levels: vec![1.0] };
        let trace = judged.run_alone(Seed(1), &Device::Cpu).unwrap();
        assert_eq!(trace.series["train_loss"], plain.series["train_loss"]);
        assert_eq!(trace.values[TEST_ACCURACY], plain.values[TEST_ACCURACY]);
        assert_eq!(trace.series["fit_loss"].x, trace.series["test_loss"].x);
        assert_eq!(trace.values[EARLY], plain.series[TEST_ACCURACY].y[1]);
        assert!(trace.values[GAP].abs() < 0.5 && trace.values["test_loss_at_1"] > 0.0);
    }

    /// At the start both losses are those of guessing.
    #[test]
    fn at_the_start_there_is_no_difference() {
        let judged = Generalization { training: classifier(NormKind::None), examples: 2_000, levels: vec![] };
        let trace = judged.run_alone(Seed(0), &Device::Cpu).unwrap();
        let (fit, test) = (trace.series["fit_loss"].y[0], trace.series["test_loss"].y[0]);
        assert!((fit / test - 1.0).abs() < 0.05, "{fit} {test}");
    }

    #[test]
    fn it_goes_on_where_it_was_ended() {
        let probe = Generalization { training: classifier(NormKind::BATCH), examples: 100, levels: vec![2.0] };
        let whole = probe.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!([1, 2, 6].iter().all(|at| ended_and_resumed(&probe, Seed(0), *at) == whole));
    }
}
