//! Trials of several trainings, one after another.

use candle_core::{Error, Result};
use ciborium::Value;
use normbook_lab::trial::{Checkpoint, RunContext};
use serde::{Serialize, de::DeserializeOwned};

/// What `run` gives for each item. Kept are the training under way and what those before it gave.
pub fn in_turn<I, R: Serialize + DeserializeOwned + Sync>(
    context: &RunContext,
    items: &[I],
    run: impl Fn(&I, &RunContext) -> Result<R>,
) -> Result<Vec<R>> {
    let kept = context.checkpoint.last().and_then(|bytes| ciborium::from_reader::<(Vec<R>, Value), _>(&*bytes).ok());
    let (mut done, mut state) = match kept {
        Some((done, Value::Bytes(state))) if done.len() < items.len() => (done, Some(state)),
        _ => (Vec::new(), None),
    };
    for item in &items[done.len()..] {
        let turn = Turn { of_all: context.checkpoint, count: items.len() as u64, done: &done, state: state.take() };
        let result = run(item, &RunContext { checkpoint: &turn, ..*context })?;
        done.push(result);
    }
    Ok(done)
}

/// Keeps one of the trainings.
struct Turn<'a, R> {
    of_all: &'a dyn Checkpoint,
    count: u64,
    done: &'a [R],
    /// Where it goes on.
    state: Option<Vec<u8>>,
}

impl<R: Serialize + Sync> Checkpoint for Turn<'_, R> {
    fn last(&self) -> Option<Vec<u8>> {
        self.state.clone()
    }

    fn is_due(&self, step: u64, steps: u64) -> bool {
        self.of_all.is_due(self.done.len() as u64 * steps + step, self.count * steps)
    }

    fn save(&self, state: &[u8]) -> Result<()> {
        let mut bytes = Vec::new();
        ciborium::into_writer(&(self.done, Value::Bytes(state.to_vec())), &mut bytes).map_err(Error::wrap)?;
        self.of_all.save(&bytes)
    }
}
