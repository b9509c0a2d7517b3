//! An arm of a protocol: a trial with a name, run once or over seeds.

use crate::trial::{RunContext, Trace, Trial};
use candle_core::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

type Run = dyn Fn(&RunContext) -> Result<Trace> + Send + Sync;

/// A trial under the name that claims and figures know it by.
#[derive(Clone)]
pub struct Arm {
    pub name: String,
    /// Whether seeds matter; an exact arm runs once.
    pub seeded: bool,
    /// The trial's settings.
    pub spec: Value,
    /// The source file that implements the trial.
    pub source: String,
    /// Name and SHA-256 of each file the trial reads.
    pub data: BTreeMap<String, String>,
    run: Arc<Run>,
}

impl Arm {
    /// A trial with random init, split or order: run once per seed.
    pub fn seeded<T: Trial>(name: impl Into<String>, trial: T) -> Self {
        Self::new(name.into(), true, trial)
    }

    /// A deterministic computation: run once.
    pub fn exact<T: Trial>(name: impl Into<String>, trial: T) -> Self {
        Self::new(name.into(), false, trial)
    }

    fn new<T: Trial>(name: String, seeded: bool, trial: T) -> Self {
        Self {
            name,
            seeded,
            spec: serde_json::to_value(&trial).expect("settings are plain numbers and names"),
            source: T::SOURCE.replace('\\', "/"),
            data: trial.data(),
            run: Arc::new(move |context| trial.run(context)),
        }
    }

    /// Runs the trial. The trace comes back rounded, so that a fresh one and a stored one are the same.
    pub fn run(&self, context: &RunContext) -> Result<Trace> {
        Ok((self.run)(context)?.rounded())
    }
}
