//! A classifier, trained in parts or not, and how far what it gives in evaluation is from what it gave in training.

use crate::data::dataset::CLASSES;
use crate::norm::Pass;
use crate::train::accuracy::accuracy;
use crate::train::batches::{Batches, Microbatches};
use crate::train::classifier::{Classifier, TrainOptions};
use crate::train::training::Snapshot;
use candle_core::{DType, Result, Tensor};
use normbook_lab::trial::{Outcome, RunContext, Trace, Trial};
use serde::Serialize;
use std::collections::BTreeMap;

/// The test accuracy after a fifth of the steps.
pub const ACCURACY_EARLY: &str = "test_accuracy_early";
/// The accuracy on test images that go through the net as training's do: in parts, by the parts' statistics.
pub const TRAIN_MODE_ACCURACY: &str = "train_mode_accuracy";
/// That less the accuracy in evaluation on the same images, 30 batches of the training's size: 1,920 images at batch
/// 64, 60 at batch 2.
pub const ACCURACY_GAP: &str = "accuracy_gap";
/// The root mean square difference of a logit between the two, over that of the logits in evaluation.
pub const LOGIT_GAP: &str = "logit_gap";

/// Batches of test images that the gaps are taken over.
const BATCHES: u64 = 30;

/// The trial.
#[derive(Clone, Serialize)]
pub struct TrainEval {
    pub training: Classifier,
    pub parts: Option<Microbatches>,
}

impl Trial for TrainEval {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.training.data()
    }

    /// Besides what the classifier leaves: values [`ACCURACY_EARLY`], and of the trained net
    /// [`TRAIN_MODE_ACCURACY`] and, unless it diverged, [`ACCURACY_GAP`] and [`LOGIT_GAP`].
    fn run(&self, context: &RunContext) -> Result<Trace> {
        let steps = self.training.steps;
        let options = TrainOptions { parts: self.parts, ..TrainOptions::default() };
        let mut trace = self.training.train(options, context, &mut (), |(), snapshot, trace| {
            if snapshot.step == steps.div_ceil(5) {
                trace.values.insert(ACCURACY_EARLY.into(), accuracy(snapshot.net, snapshot.test)?);
            }
            if snapshot.step == steps {
                trace.values.extend(gaps(&self.training, self.parts, snapshot)?);
            }
            Ok(())
        })?;
        if trace.outcome != Outcome::Finished {
            let guess = 1.0 / CLASSES as f64;
            trace.values.extend([(ACCURACY_EARLY.into(), guess), (TRAIN_MODE_ACCURACY.into(), guess)]);
        }
        Ok(trace)
    }
}

/// [`TRAIN_MODE_ACCURACY`], [`ACCURACY_GAP`] and [`LOGIT_GAP`] of a net that is trained so, on batches of test images.
pub fn gaps(training: &Classifier, parts: Option<Microbatches>, snapshot: &Snapshot) -> Result<[(String, f64); 3]> {
    let (size, test) = (training.batch_size, snapshot.test);
    let mut batches = Batches::in_parts(snapshot.seed, &test.classes()?.to_vec1()?, size, parts)?;
    let part = parts.map_or(size, |parts| parts.size);
    let (mut right, mut judged, mut moved, mut length) = ([0.0; 2], 0.0, 0.0, 0.0);
    for step in 0..BATCHES {
        for examples in batches.at(step).chunks(part) {
            let part = test.select(examples)?;
            let train = snapshot.net.forward(&part.inputs, Pass::probe(snapshot.step, snapshot.seed))?;
            let eval = snapshot.net.forward(&part.inputs, Pass::EVAL)?;
            right = [right[0] + part.right(&train)?, right[1] + part.right(&eval)?];
            judged += part.len() as f64;
            moved += squares(&(train - &eval)?)?;
            length += squares(&eval)?;
        }
    }
    Ok([
        (TRAIN_MODE_ACCURACY.into(), right[0] / judged),
        (ACCURACY_GAP.into(), (right[0] - right[1]) / judged),
        (LOGIT_GAP.into(), (moved / length).sqrt()),
    ])
}

fn squares(tensor: &Tensor) -> Result<f64> {
    tensor.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::NormKind;
    use crate::testing::classifier;
    use candle_core::Device;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::ended_and_resumed;

    fn trace(norm: NormKind, parts: Option<Microbatches>) -> Trace {
        let mut training = classifier(norm);
        (training.batch_size, training.steps) = (32, 20);
        TrainEval { training, parts }.run_alone(Seed(0), &Device::Cpu).unwrap()
    }

    /// The looks add to the trace and change nothing that was there.
    #[test]
    fn who_looks_changes_nothing() {
        let mut training = classifier(NormKind::BATCH);
        (training.batch_size, training.steps) = (32, 20);
        let plain = training.run_alone(Seed(0), &Device::Cpu).unwrap();
        let looked = trace(NormKind::BATCH, None);
        assert_eq!(plain.series, looked.series);
        assert!(plain.values.iter().all(|(name, value)| looked.values[name] == *value));
    }

    #[test]
    fn without_a_batch_norm_both_modes_are_the_same() {
        let few = Some(Microbatches { size: 8, classes: Some(2) });
        for norm in [NormKind::None, NormKind::Group(2)] {
            let trace = trace(norm, few);
            assert_eq!((trace.values[ACCURACY_GAP], trace.values[LOGIT_GAP]), (0.0, 0.0), "{norm}");
            assert!(trace.values[ACCURACY_EARLY] > 0.1);
        }
        assert!(trace(NormKind::BATCH, few).values[LOGIT_GAP] > trace(NormKind::BATCH, None).values[LOGIT_GAP]);
    }

    #[test]
    fn it_goes_on_where_it_was_ended() {
        let probe =
            TrainEval { training: classifier(NormKind::BATCH), parts: Some(Microbatches { size: 5, classes: None }) };
        let whole = probe.run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!([1, 2, 6].iter().all(|at| ended_and_resumed(&probe, Seed(0), *at) == whole));
    }
}
