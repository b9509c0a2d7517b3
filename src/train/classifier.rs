//! Training a classifier of images: the one loop that the chapters share.

use super::batches::{Batches, Microbatches};
use super::checkpoint::Checkpoint;
use super::optimizer::{Optimizer, OptimizerKind};
use crate::data::dataset::{CLASSES, Dataset, Split};
use crate::net::{
    Net,
    convolutional::{Convolutional, Stage, Task},
    layer::{Activation, BlockConfig, Init, Weights},
    mlp::Mlp,
    recurrent::Recurrent,
};
use crate::norm::{NormKind, Pass};
use candle_core::{Device, Result, Tensor};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{
    FINAL_LOSS, Outcome, RunContext, SAMPLES_PER_DECADE, Series, StepsToTarget, TARGET, Trace, Trial, sample_steps,
};
use normbook_ops::cross_entropy::cross_entropy;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// The accuracy on the test images at the end; of a diverged run, that of guessing.
pub const TEST_ACCURACY: &str = "test_accuracy";

/// Examples that are judged at a time.
const JUDGED: usize = 1000;

/// What is trained.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Widths of the hidden layers.
    Mlp(Vec<usize>),
    Convolutional(&'static [Stage]),
    /// Units; it reads the rows of an image.
    Recurrent(usize),
}

/// The trial: initial weights, data order and dropout come from the seed, the rest stands here.
#[derive(Clone, Serialize)]
pub struct Classifier {
    pub data: Dataset,
    pub architecture: Architecture,
    pub hidden: BlockConfig,
    pub weights: Weights,
    pub rule: OptimizerKind,
    pub learning_rate: f64,
    pub batch_size: usize,
    pub steps: u64,
    /// Test accuracy that counts as trained.
    pub target_accuracy: f64,
    /// The test images that are judged along the way; at the end all are.
    pub curve_examples: usize,
}

/// What a trial that trains a classifier chooses beside its settings.
#[derive(Clone, Copy)]
pub struct Manner {
    /// In which batches go through the net, if any.
    pub parts: Option<Microbatches>,
    /// ProbeSchedule at the trained net, at least 1, one after another, so that what takes long is kept on the way.
    pub last_looks: u64,
}

impl Default for Manner {
    fn default() -> Self {
        Self { parts: None, last_looks: 1 }
    }
}

/// A moment of the training, for who wants to look on.
pub struct Moment<'a> {
    /// Steps taken.
    pub step: u64,
    /// ProbeSchedule before this one at the same step, see [`Manner::last_looks`].
    pub look: u64,
    pub net: &'a dyn Net,
    pub train: &'a Split,
    pub test: &'a Split,
    /// The examples of the next step; empty after the last.
    pub batch: &'a [usize],
    pub seed: Seed,
}

impl Trial for Classifier {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.data.stamps()
    }

    /// Series `train_loss` (nats, of the batch) and `test_accuracy` over steps; `target` reached; values
    /// `final_train_loss` and `test_accuracy`.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        self.run_watched(Manner::default(), context, &mut (), |(), _, _| Ok(()))
    }
}

/// What a training has noted on the way.
#[derive(Serialize, Deserialize)]
struct Noted {
    trace: Trace,
    losses: Series,
    accuracies: Series,
    reached: StepsToTarget,
}

impl Classifier {
    /// The usual net of the book: ReLU, Glorot's weights, plain SGD, a target of 80 %, 500 test images along the way.
    pub fn sgd(
        data: &Dataset,
        architecture: Architecture,
        norm: NormKind,
        learning_rate: f64,
        batch_size: usize,
        steps: u64,
    ) -> Self {
        Self {
            data: data.clone(),
            architecture,
            hidden: BlockConfig::new(norm, Activation::Relu),
            weights: Weights::Glorot,
            rule: OptimizerKind::Sgd,
            learning_rate,
            batch_size,
            steps,
            target_accuracy: 0.8,
            curve_examples: 500,
        }
    }

    /// The training of the trial, and at each step `watch` may look at the net, note what it has `seen` and add to the trace. It must leave the
    /// net as it found it, and what it depends on must be in `seen` or the trace, which are kept on the way. Errors if parts do not
    /// fill a batch.
    pub fn run_watched<S: Serialize + DeserializeOwned>(
        &self,
        Manner { parts, last_looks }: Manner,
        context: &RunContext,
        seen: &mut S,
        mut watch: impl FnMut(&mut S, &Moment, &mut Trace) -> Result<()>,
    ) -> Result<Trace> {
        let RunContext { seed, device, .. } = *context;
        let (train, test) = (self.data.train(device)?, self.data.test(device)?);
        let net = self.net(seed, device)?;
        let mut optimizer = Optimizer::new(self.rule, net.parameters(), self.learning_rate)?;
        let mut batches = Batches::in_parts(seed, &train.classes.to_vec1()?, self.batch_size, parts)?;
        let judged = test.narrow(0, self.curve_examples.min(test.len()))?;
        let part = parts.map_or(train.len(), |parts| parts.size);
        let checkpoint = Checkpoint::new(context, &*net, &optimizer, self.steps);
        let (mut first, mut look, mut noted) = (0, 0, Noted::nothing(self.steps));
        if let Some((step, before)) = checkpoint.resume()? {
            (first, (look, noted, *seen)) = (step, before);
        }
        let samples = sample_steps(self.steps, SAMPLES_PER_DECADE);
        for step in first..=self.steps {
            let chosen = batches.at(step);
            let (batch, looks): (&[usize], _) = if step < self.steps { (&chosen, 1) } else { (&[], last_looks) };
            while look < looks {
                let moment = Moment { step, look, net: &*net, train: &train, test: &test, batch, seed };
                watch(seen, &moment, &mut noted.trace)?;
                look += 1;
                checkpoint.keep_if_time(step, &(look, &noted, &*seen))?;
            }
            look = 0;
            let is_sampled = samples.binary_search(&step).is_ok();
            if is_sampled {
                let right = accuracy(&*net, if step < self.steps { &judged } else { &test })?;
                noted.accuracies.x.push(step as f64);
                noted.accuracies.y.push(right);
                if noted.reached.step.is_none() && right >= self.target_accuracy {
                    noted.reached.step = Some(step);
                }
            }
            let loss = mean_loss(&*net, &train, chosen.chunks(part), Pass::train(step, seed))?;
            if is_sampled || step == self.steps {
                let value = f64::from(loss.to_scalar::<f32>()?);
                if !value.is_finite() {
                    noted.trace.outcome = Outcome::Diverged { step };
                    break;
                }
                noted.losses.x.push(step as f64);
                noted.losses.y.push(value);
            }
            if step < self.steps {
                optimizer.step(&loss.backward()?)?;
            }
        }
        Ok(noted.finish())
    }

    /// The net as a seed begins it.
    pub fn net(&self, seed: Seed, device: &Device) -> Result<Box<dyn Net>> {
        let stream = &mut seed.stream(Purpose::Init, 0);
        let init = Init { weights: self.weights, stream, device };
        let [channels, height, width] = self.data.shape();
        Ok(match &self.architecture {
            Architecture::Mlp(hidden) => {
                let widths = [&[channels * height * width][..], hidden, &[CLASSES]].concat();
                Box::new(Mlp::new(&widths, self.hidden, init)?)
            }
            Architecture::Convolutional(stages) => {
                let task = Task { channels, height, width, classes: CLASSES };
                Box::new(Convolutional::new(stages, self.hidden, task, init)?)
            }
            Architecture::Recurrent(units) => {
                Box::new(Recurrent::new(channels * width, *units, CLASSES, self.hidden, init)?)
            }
        })
    }
}

impl Noted {
    fn nothing(steps: u64) -> Self {
        let reached = StepsToTarget { step: None, budget: steps };
        Self { trace: Trace::default(), losses: Series::default(), accuracies: Series::default(), reached }
    }

    fn finish(self) -> Trace {
        let Self { mut trace, losses, accuracies, reached } = self;
        let (last_loss, last_accuracy) = (losses.y.last().copied(), accuracies.y.last().copied());
        if trace.outcome == Outcome::Finished {
            trace.values.extend(last_loss.map(|loss| (FINAL_LOSS.into(), loss)));
        }
        let finished = last_accuracy.filter(|_| trace.outcome == Outcome::Finished);
        trace.values.insert(TEST_ACCURACY.into(), finished.unwrap_or(1.0 / CLASSES as f64));
        trace.series.extend([("train_loss".into(), losses), (TEST_ACCURACY.into(), accuracies)]);
        trace.reached.insert(TARGET.into(), reached);
        trace
    }
}

/// The mean of the losses of a batch's parts, each of which goes through the net by itself.
fn mean_loss<'a>(
    net: &dyn Net,
    examples: &Split,
    parts: impl Iterator<Item = &'a [usize]>,
    pass: Pass,
) -> Result<Tensor> {
    let loss = |part| {
        let part = examples.select(part)?;
        cross_entropy(&net.forward(&part.images, pass)?, &part.classes)
    };
    Tensor::stack(&parts.map(loss).collect::<Result<Vec<_>>>()?, 0)?.mean(0)
}

/// The part of the examples that the net, in evaluation, gets right.
pub fn accuracy(net: &dyn Net, part: &Split) -> Result<f64> {
    accuracy_in_batches(net, part, JUDGED, Pass::EVAL)
}

/// The same for batches of one size, in another mode. The last, smaller batch counts too.
pub fn accuracy_in_batches(net: &dyn Net, part: &Split, size: usize, pass: Pass) -> Result<f64> {
    let mut right = 0.0;
    for start in (0..part.len()).step_by(size) {
        let batch = part.narrow(start, size.min(part.len() - start))?;
        right += batch.right(&net.forward(&batch.images, pass)?)?;
    }
    Ok(right / part.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fashion_mnist::Files;

    fn trial(norm: NormKind, learning_rate: f64, steps: u64) -> Classifier {
        let (data, mlp) = (Dataset::new(&Files::embedded()).unwrap(), Architecture::Mlp(vec![20]));
        Classifier { target_accuracy: 0.6, ..Classifier::sgd(&data, mlp, norm, learning_rate, 50, steps) }
    }

    #[test]
    fn it_learns_the_clothes() {
        for norm in [NormKind::None, NormKind::BATCH, NormKind::Group(4)] {
            let trace = trial(norm, 0.1, 200).run_alone(Seed(0), &Device::Cpu).unwrap();
            assert_eq!(trace.outcome, Outcome::Finished);
            assert!(trace.values[TEST_ACCURACY] > 0.7, "{norm}: {:?}", trace.values);
            assert!(trace.reached[TARGET].step.is_some_and(|step| 0 < step && step < 200));
            let curve = &trace.series[TEST_ACCURACY];
            assert_eq!((curve.x[0], curve.x.last().copied()), (0.0, Some(200.0)));
            assert!(curve.y[0] < 0.4, "{norm} starts as a guess: {}", curve.y[0]);
        }
    }

    fn losses_in(parts: Option<Microbatches>, trial: &Classifier, seed: Seed) -> Vec<f64> {
        let context = &RunContext::alone(seed, &Device::Cpu);
        let manner = Manner { parts, ..Manner::default() };
        trial.run_watched(manner, context, &mut (), |(), _, _| Ok(())).unwrap().series["train_loss"].y.clone()
    }

    /// Without a norm it does not matter which examples go through the net together.
    #[test]
    fn gradients_of_parts_are_averaged() {
        let (seed, whole) = (Seed(0), trial(NormKind::None, 0.1, 30));
        let in_parts = |size| {
            let parts = Some(Microbatches { size, classes: None });
            losses_in(parts, &whole, seed)
        };
        let loss = &whole.run_alone(seed, &Device::Cpu).unwrap().series["train_loss"].y;
        assert_eq!(&in_parts(50), loss);
        for (parts, whole) in in_parts(10).iter().zip(loss) {
            assert!((parts / whole - 1.0).abs() < 1e-3, "{parts}, {whole}");
        }
    }

    /// With BatchNorm it does: the first loss is the mean of those of the parts, each by its own statistics.
    #[test]
    fn parts_are_normalized_by_themselves() {
        let (seed, device, trial) = (Seed(0), &Device::Cpu, trial(NormKind::BATCH, 0.1, 1));
        let first = |parts| losses_in(parts, &trial, seed)[0];
        let (net, train) = (trial.net(seed, device).unwrap(), trial.data.train(device).unwrap());
        let loss = |examples: &[usize]| {
            let part = train.select(examples).unwrap();
            let logits = net.forward(&part.images, Pass::PROBE).unwrap();
            f64::from(cross_entropy(&logits, &part.classes).unwrap().to_scalar::<f32>().unwrap())
        };
        let batch = Batches::new(seed, train.len(), 50).at(0);
        let expected = batch.chunks(10).map(loss).sum::<f64>() / 5.0;
        let found = first(Some(Microbatches { size: 10, classes: None }));
        assert!((found / expected - 1.0).abs() < 1e-6, "{found}, the mean of the parts {expected}");
        assert!((found - first(None)).abs() > 1e-3 && (first(None) / loss(&batch) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_diverged_run_counts_as_a_guess() {
        let trace = trial(NormKind::None, 1e20, 50).run_alone(Seed(0), &Device::Cpu).unwrap();
        assert!(matches!(trace.outcome, Outcome::Diverged { .. }));
        assert_eq!(trace.values[TEST_ACCURACY], 0.1);
        assert!(!trace.values.contains_key(FINAL_LOSS));
    }

    #[test]
    fn who_watches_changes_nothing() {
        let (trial, seed) = (trial(NormKind::BATCH, 0.1, 20), Seed(1));
        let mut seen = 0;
        let context = &RunContext::alone(seed, &Device::Cpu);
        let watched = trial.run_watched(Manner::default(), context, &mut seen, |seen, moment, trace| {
            *seen += 1;
            let batch = moment.train.narrow(0, 30)?;
            moment.net.forward_watched(&batch.images, Pass::PROBE, &mut |_, _, _| Ok(()))?;
            trace.values.insert("looked".into(), moment.step as f64);
            Ok(())
        });
        let mut watched = watched.unwrap();
        assert_eq!((seen, watched.values.remove("looked")), (21, Some(20.0)));
        assert_eq!(watched, trial.run_alone(seed, &Device::Cpu).unwrap());
    }
}
