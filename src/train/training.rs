//! The training loop: the one that every trial that trains a network runs.

use super::accuracy::{TEST_ACCURACY, accuracy};
use super::batches::Batches;
use super::loss::loss;
use super::optimizer::Optimizer;
use crate::data::dataset::{CLASSES, Split};
use crate::net::Net;
use crate::norm::Pass;
use candle_core::{Error, Result, Tensor, Var};
use normbook_lab::seed::Seed;
use normbook_lab::trial::{FINAL_LOSS, Outcome, RunContext, Series, StepsToTarget, TARGET, Trace, sample_steps};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// When a network counts as trained, checked at the steps that its curve is sampled at.
pub enum Target {
    /// At this test accuracy, measured on `judged`, a part of the test images; at the end all are judged.
    Accuracy { at_least: f64, judged: Split },
    /// At this training loss, which is checked at every step.
    Loss { at_most: f64 },
}

/// Which examples a step trains on.
pub enum Order {
    /// All of them.
    All,
    /// A batch, each `part` examples of which go through the network by themselves; their gradients are averaged.
    Batches { batches: Batches, part: usize },
}

/// A network, what it learns from, and for how long.
pub struct Training<'a> {
    pub net: &'a dyn Net,
    pub optimizer: Optimizer,
    pub train: Split,
    pub test: Split,
    pub order: Order,
    pub target: Target,
    pub steps: u64,
    /// Points of a curve in every factor of ten of the steps.
    pub samples_per_decade: u32,
    /// How often the trained network is observed, at least once. Observations that take long are saved between two.
    pub last_looks: u64,
}

/// The state of a training before a step, for observers.
pub struct Snapshot<'a> {
    /// Steps taken.
    pub step: u64,
    /// Observations before this one at the same step, see [`Training::last_looks`].
    pub look: u64,
    pub net: &'a dyn Net,
    pub train: &'a Split,
    pub test: &'a Split,
    /// The training examples of the next step; empty after the last.
    pub batch: &'a [usize],
    pub seed: Seed,
}

/// What the loop has recorded so far; a checkpoint holds it.
#[derive(Serialize, Deserialize)]
struct Progress {
    trace: Trace,
    losses: Series,
    accuracies: Series,
    reached: StepsToTarget,
}

impl Training<'_> {
    /// Trains the network. Before each step, and after the last, `observe` may look at it, record in `state` what it
    /// needs later and add to the trace. It must leave the network as it found it, and what it depends on must be in
    /// `state` or in the trace: both are saved with each checkpoint, from which a killed trial goes on to the bit.
    ///
    /// Leaves series `train_loss` and, for a target accuracy, `test_accuracy` over steps; `target` reached; values
    /// `final_train_loss` and `test_accuracy`.
    pub fn run<S: Serialize + DeserializeOwned>(
        mut self,
        context: &RunContext,
        state: &mut S,
        mut observe: impl FnMut(&mut S, &Snapshot, &mut Trace) -> Result<()>,
    ) -> Result<Trace> {
        let (net, seed, steps) = (self.net, context.seed, self.steps);
        let moving = [net.state(), self.optimizer.state()].concat();
        let (mut first, mut look, mut progress) = (0, 0, Progress::new(steps));
        if let Some((step, saved)) = resume(context, &moving)? {
            (first, (look, progress, *state)) = (step, saved);
        }
        let samples = sample_steps(steps, self.samples_per_decade);
        for step in first..=steps {
            let chosen = self.order.at(step, self.train.len());
            let (batch, looks): (&[usize], _) = if step < steps { (&chosen, 1) } else { (&[], self.last_looks) };
            while look < looks {
                let snapshot = Snapshot { step, look, net, train: &self.train, test: &self.test, batch, seed };
                observe(state, &snapshot, &mut progress.trace)?;
                look += 1;
                if context.checkpoint.is_due(step, steps) {
                    save(context, &moving, step, &(look, &progress, &*state))?;
                }
            }
            look = 0;
            let is_sampled = samples.binary_search(&step).is_ok();
            if is_sampled && let Target::Accuracy { at_least, judged } = &self.target {
                let judged = if step < steps { judged } else { &self.test };
                progress.record_accuracy(step, accuracy(net, judged)?, *at_least);
            }
            let loss = self.order.loss(net, &self.train, &chosen, Pass::train(step, seed))?;
            if is_sampled || matches!(self.target, Target::Loss { .. }) {
                let value = f64::from(loss.to_scalar::<f32>()?);
                if !value.is_finite() {
                    progress.trace.outcome = Outcome::Diverged { step };
                    break;
                }
                progress.record_loss(step, value, is_sampled, &self.target);
            }
            if step < steps {
                self.optimizer.step(&loss.backward()?)?;
            }
        }
        Ok(progress.finish(&self.target))
    }
}

impl Order {
    /// The training examples of a step, of so many.
    fn at(&mut self, step: u64, examples: usize) -> Vec<usize> {
        match self {
            Self::All => (0..examples).collect(),
            Self::Batches { batches, .. } => batches.at(step),
        }
    }

    /// The mean loss of the parts in which the chosen examples go through the network.
    fn loss(&self, net: &dyn Net, train: &Split, chosen: &[usize], pass: Pass) -> Result<Tensor> {
        let of = |examples: &Split| loss(&net.forward(&examples.inputs, pass)?, &examples.targets);
        match self {
            Self::All => of(train),
            Self::Batches { part, .. } => {
                let losses = chosen.chunks(*part).map(|part| of(&train.select(part)?)).collect::<Result<Vec<_>>>()?;
                Tensor::stack(&losses, 0)?.mean(0)
            }
        }
    }
}

impl Progress {
    fn new(steps: u64) -> Self {
        let reached = StepsToTarget { step: None, budget: steps };
        Self { trace: Trace::default(), losses: Series::default(), accuracies: Series::default(), reached }
    }

    fn record_accuracy(&mut self, step: u64, accuracy: f64, at_least: f64) {
        self.accuracies.x.push(step as f64);
        self.accuracies.y.push(accuracy);
        if self.reached.step.is_none() && accuracy >= at_least {
            self.reached.step = Some(step);
        }
    }

    fn record_loss(&mut self, step: u64, loss: f64, is_sampled: bool, target: &Target) {
        if is_sampled {
            self.losses.x.push(step as f64);
            self.losses.y.push(loss);
        }
        if let Target::Loss { at_most } = target
            && self.reached.step.is_none()
            && loss <= *at_most
        {
            self.reached.step = Some(step);
        }
    }

    fn finish(self, target: &Target) -> Trace {
        let Self { mut trace, losses, accuracies, reached } = self;
        let is_finished = trace.outcome == Outcome::Finished;
        if is_finished {
            trace.values.extend(losses.y.last().map(|loss| (FINAL_LOSS.into(), *loss)));
        }
        if let Target::Accuracy { .. } = target {
            let last = accuracies.y.last().copied().filter(|_| is_finished);
            trace.values.insert(TEST_ACCURACY.into(), last.unwrap_or(1.0 / CLASSES as f64));
            trace.series.insert(TEST_ACCURACY.into(), accuracies);
        }
        trace.series.insert("train_loss".into(), losses);
        trace.reached.insert(TARGET.into(), reached);
        trace
    }
}

/// Saves the training: the step that comes next, every tensor that moves, what was recorded.
fn save<R: Serialize>(context: &RunContext, moving: &[Var], step: u64, recorded: &R) -> Result<()> {
    let values = |variable: &Var| variable.flatten_all()?.to_vec1::<f32>();
    let values = moving.iter().map(values).collect::<Result<Vec<_>>>()?;
    let mut bytes = Vec::new();
    ciborium::into_writer(&(step, values, recorded), &mut bytes).map_err(Error::wrap)?;
    context.checkpoint.save(&bytes)
}

/// Goes back to the last checkpoint: the step that comes next, and what was recorded. Without one that fits, no tensor
/// moves.
fn resume<R: DeserializeOwned>(context: &RunContext, moving: &[Var]) -> Result<Option<(u64, R)>> {
    let Some(bytes) = context.checkpoint.last() else { return Ok(None) };
    let Ok((step, values, recorded)) = ciborium::from_reader::<(u64, Vec<Vec<f32>>, R), _>(&*bytes) else {
        return Ok(None);
    };
    let fits = |(variable, values): (&Var, &Vec<f32>)| variable.elem_count() == values.len();
    if moving.len() != values.len() || !moving.iter().zip(&values).all(fits) {
        return Ok(None);
    }
    for (variable, values) in moving.iter().zip(values) {
        variable.set(&Tensor::from_vec(values, variable.shape(), variable.device())?)?;
    }
    Ok(Some((step, recorded)))
}

#[cfg(test)]
mod tests {
    use crate::net::convolutional::Stage::{Convolution, Pool};
    use crate::norm::{NormKind, name::named};
    use crate::testing::classifier;
    use crate::train::classifier::{Architecture, Classifier};
    use crate::train::deep_linear::DeepLinear;
    use crate::train::optimizer::OptimizerKind;
    use candle_core::Device;
    use normbook_lab::seed::Seed;
    use normbook_lab::testing::{ended_and_resumed, resumed_from};
    use normbook_lab::trial::{Outcome, Trial};

    const SEED: Seed = Seed(3);

    fn goes_on(what: &str, trial: &impl Trial) {
        let whole = trial.run_alone(SEED, &Device::Cpu).unwrap();
        for at in [1, 5] {
            assert!(ended_and_resumed(trial, SEED, at) == whole, "{what}, ended at step {at}");
        }
    }

    /// Whatever a norm keeps besides its parameters is kept.
    #[test]
    fn every_norm_goes_on_as_if_nothing_had_been() {
        for norm in named() {
            let mut cnn = classifier(norm);
            (cnn.architecture, cnn.steps, cnn.batch_size) =
                (Architecture::Convolutional(&[Convolution(3), Pool]), 7, 10);
            goes_on(&norm.to_string(), &cnn);
        }
    }

    #[test]
    fn so_does_every_rule() {
        for rule in [
            OptimizerKind::Sgd,
            OptimizerKind::Adam,
            OptimizerKind::Decay(0.1),
            OptimizerKind::SpectralPenalty(0.1),
            OptimizerKind::Clipped(0.1),
        ] {
            goes_on(&format!("{rule:?}"), &Classifier { rule, ..classifier(NormKind::BATCH) });
        }
    }

    #[test]
    fn so_do_other_nets() {
        goes_on("recurrent", &Classifier { architecture: Architecture::Recurrent(6), ..classifier(NormKind::Layer) });
        let (layers, width, examples, learning_rate) = (4, 5, 30, 1e-4);
        for norm in [NormKind::None, NormKind::BATCH] {
            let net = DeepLinear { layers, width, examples, norm, learning_rate, steps: 10, target_loss: 1.0 };
            goes_on("deep linear", &net);
        }
    }

    /// Which may be a while after it was ended.
    #[test]
    fn a_run_that_diverges_diverges_at_the_same_step() {
        let trial = Classifier { learning_rate: 1e8, ..classifier(NormKind::None) };
        let whole = trial.run_alone(SEED, &Device::Cpu).unwrap();
        assert!(matches!(whole.outcome, Outcome::Diverged { .. }));
        assert!(ended_and_resumed(&trial, SEED, 1) == whole);
    }

    #[test]
    fn a_state_that_does_not_fit_is_not_taken() {
        let trial = classifier(NormKind::BATCH);
        let whole = trial.run_alone(SEED, &Device::Cpu).unwrap();
        let mut of_another = Vec::new();
        ciborium::into_writer(&(5u64, vec![vec![0.0f32; 3]], ()), &mut of_another).unwrap();
        for bytes in [&b""[..], b"anything", &of_another] {
            assert!(resumed_from(&trial, SEED, bytes) == whole);
        }
    }
}
