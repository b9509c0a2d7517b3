//! The trial that trains a classifier of images.

use super::batches::{Batches, Microbatches};
use super::optimizer::{Optimizer, OptimizerKind};
use super::training::{Order, Snapshot, Target, Training};
use crate::data::dataset::{CLASSES, Dataset};
use crate::net::{
    Net,
    convolutional::{Convolutional, Stage, Task},
    layer::{Activation, BlockConfig, Init, Weights},
    mlp::Mlp,
    recurrent::Recurrent,
};
use crate::norm::NormKind;
use candle_core::{Device, Result};
use normbook_lab::seed::{Purpose, Seed};
use normbook_lab::trial::{RunContext, SAMPLES_PER_DECADE, Trace, Trial};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

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

/// What a trial chooses of how a classifier is trained, besides its settings.
#[derive(Clone, Copy)]
pub struct TrainOptions {
    /// The parts in which a batch goes through the network, if any.
    pub parts: Option<Microbatches>,
    /// See [`Training::last_looks`].
    pub last_looks: u64,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self { parts: None, last_looks: 1 }
    }
}

impl Trial for Classifier {
    const SOURCE: &'static str = file!();

    fn data(&self) -> BTreeMap<String, String> {
        self.data.stamps()
    }

    /// Series `train_loss` (nats, of the batch) and `test_accuracy` over steps; `target` reached; values
    /// `final_train_loss` and `test_accuracy`.
    fn run(&self, context: &RunContext) -> Result<Trace> {
        self.train(TrainOptions::default(), context, &mut (), |(), _, _| Ok(()))
    }
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

    /// Trains the network, observed as in [`Training::run`]. Errors if parts do not fill a batch.
    pub fn train<S: Serialize + DeserializeOwned>(
        &self,
        options: TrainOptions,
        context: &RunContext,
        state: &mut S,
        observe: impl FnMut(&mut S, &Snapshot, &mut Trace) -> Result<()>,
    ) -> Result<Trace> {
        let RunContext { seed, device, .. } = *context;
        let (train, test) = (self.data.train(device)?, self.data.test(device)?);
        let net = self.net(seed, device)?;
        let batches = Batches::in_parts(seed, &train.classes()?.to_vec1()?, self.batch_size, options.parts)?;
        let part = options.parts.map_or(train.len(), |parts| parts.size);
        let judged = test.narrow(0, self.curve_examples.min(test.len()))?;
        let training = Training {
            net: &*net,
            optimizer: Optimizer::new(self.rule, net.parameters(), self.learning_rate)?,
            train,
            test,
            order: Order::Batches { batches, part },
            target: Target::Accuracy { at_least: self.target_accuracy, judged },
            steps: self.steps,
            samples_per_decade: SAMPLES_PER_DECADE,
            last_looks: options.last_looks,
        };
        training.run(context, state, observe)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fashion_mnist::Files;
    use crate::norm::Pass;
    use crate::train::accuracy::TEST_ACCURACY;
    use crate::train::loss::loss;
    use normbook_lab::trial::{FINAL_LOSS, Outcome, TARGET};

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
        let options = TrainOptions { parts, ..TrainOptions::default() };
        trial.train(options, context, &mut (), |(), _, _| Ok(())).unwrap().series["train_loss"].y.clone()
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
            let logits = net.forward(&part.inputs, Pass::PROBE).unwrap();
            f64::from(loss(&logits, &part.targets).unwrap().to_scalar::<f32>().unwrap())
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
        let watched = trial.train(TrainOptions::default(), context, &mut seen, |seen, snapshot, trace| {
            *seen += 1;
            let batch = snapshot.train.narrow(0, 30)?;
            snapshot.net.forward_watched(&batch.inputs, Pass::PROBE, &mut |_, _, _| Ok(()))?;
            trace.values.insert("looked".into(), snapshot.step as f64);
            Ok(())
        });
        let mut watched = watched.unwrap();
        assert_eq!((seen, watched.values.remove("looked")), (21, Some(20.0)));
        assert_eq!(watched, trial.run_alone(seed, &Device::Cpu).unwrap());
    }
}
