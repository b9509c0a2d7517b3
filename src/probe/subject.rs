//! A training of either kind, observed.

use super::probe_schedule::{ProbeSchedule, Probes};
use crate::train::classifier::{Classifier, TrainOptions};
use crate::train::deep_linear::DeepLinear;
use crate::train::training::Snapshot;
use candle_core::Result;
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

    /// When and where these probes look at it.
    pub fn schedule<'a>(&self, probes: &'a Probes) -> ProbeSchedule<'a> {
        let batch_size = match self {
            Self::Classifier(classifier) => classifier.batch_size,
            Self::DeepLinear(net) => net.examples,
        };
        ProbeSchedule::new(probes, self.steps(), self.learning_rate(), batch_size)
    }

    /// Trains it, observed as in [`Training::run`](crate::train::training::Training::run).
    pub fn train<S: Serialize + DeserializeOwned>(
        &self,
        context: &RunContext,
        state: &mut S,
        observe: impl FnMut(&mut S, &Snapshot, &mut Trace) -> Result<()>,
    ) -> Result<Trace> {
        match self {
            Self::Classifier(training) => training.train(TrainOptions::default(), context, state, observe),
            Self::DeepLinear(training) => training.train(context, state, observe),
        }
    }
}
