//! A training of either kind, and its net at a step as the probes see it.

use super::objective::{Batch, Targets};
use crate::data::dataset::Split;
use crate::net::Net;
use crate::train::classifier::{Classifier, Manner, Moment};
use crate::train::deep_linear::{DeepLinear, LinearMoment};
use candle_core::Result;
use normbook_lab::seed::Seed;
use normbook_lab::trial::{RunContext, Trace, Trial};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// What is trained.
#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Classifier(Classifier),
    DeepLinear(DeepLinear),
}

/// Its net at a step.
pub enum Scene<'a> {
    Classifier(&'a Moment<'a>, &'a Classifier),
    DeepLinear(&'a LinearMoment<'a>, &'a DeepLinear),
}

impl Subject {
    pub fn data(&self) -> BTreeMap<String, String> {
        match self {
            Self::Classifier(classifier) => classifier.data(),
            Self::DeepLinear(net) => net.data(),
        }
    }

    pub fn steps(&self) -> u64 {
        match self {
            Self::Classifier(classifier) => classifier.steps,
            Self::DeepLinear(net) => net.steps,
        }
    }

    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Classifier(classifier) => classifier.learning_rate,
            Self::DeepLinear(net) => net.learning_rate,
        }
    }

    /// Trains it; `see` may look at every step, and leaves the net as it found it. All that it depends on is in what it has `seen`.
    pub fn run_watched<S: Serialize + DeserializeOwned>(
        &self,
        context: &RunContext,
        seen: &mut S,
        mut see: impl FnMut(&mut S, &Scene) -> Result<()>,
    ) -> Result<Trace> {
        match self {
            Self::Classifier(training) => training.run_watched(Manner::default(), context, seen, |seen, moment, _| {
                see(seen, &Scene::Classifier(moment, training))
            }),
            Self::DeepLinear(training) => {
                training.run_watched(context, seen, |seen, moment| see(seen, &Scene::DeepLinear(moment, training)))
            }
        }
    }
}

impl Scene<'_> {
    /// Steps taken.
    pub fn step(&self) -> u64 {
        match self {
            Self::Classifier(moment, _) => moment.step,
            Self::DeepLinear(moment, _) => moment.step,
        }
    }

    pub fn seed(&self) -> Seed {
        match self {
            Self::Classifier(moment, _) => moment.seed,
            Self::DeepLinear(moment, _) => moment.seed,
        }
    }

    pub fn net(&self) -> &dyn Net {
        match self {
            Self::Classifier(moment, _) => moment.net,
            Self::DeepLinear(moment, _) => moment.net,
        }
    }

    /// What the next step trains on; none after the last.
    pub fn batch(&self) -> Result<Option<Batch>> {
        Ok(match self {
            Self::Classifier(moment, _) if moment.batch.is_empty() => None,
            Self::Classifier(moment, _) => Some(labelled(moment.train.select(moment.batch)?)),
            Self::DeepLinear(moment, training) => (moment.step < training.steps).then(|| all(moment)),
        })
    }

    /// The first `examples` of the training set; of a deep linear net, which trains on all at once, all.
    pub fn fixed(&self, examples: usize) -> Result<Batch> {
        Ok(match self {
            Self::Classifier(moment, _) => labelled(moment.train.narrow(0, examples.min(moment.train.len()))?),
            Self::DeepLinear(moment, _) => all(moment),
        })
    }

    /// Examples of a training batch.
    pub fn batch_size(&self) -> usize {
        match self {
            Self::Classifier(_, training) => training.batch_size,
            Self::DeepLinear(_, training) => training.examples,
        }
    }
}

fn labelled(part: Split) -> Batch {
    Batch { inputs: part.images, targets: Targets::Classes(part.classes) }
}

fn all(moment: &LinearMoment) -> Batch {
    Batch { inputs: moment.inputs.clone(), targets: Targets::Values(moment.targets.clone()) }
}
