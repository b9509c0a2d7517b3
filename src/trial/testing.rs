//! Trials that are ended on the way, for the tests of whatever keeps a state.

use super::*;
use candle_core::bail;
use std::sync::Mutex;

/// Ends a trial before the step `at`, once its state is kept.
struct Ending {
    at: u64,
    state: Mutex<Option<Vec<u8>>>,
}

impl Keeper for Ending {
    fn last(&self) -> Option<Vec<u8>> {
        None
    }

    fn is_time(&self, step: u64, _: u64) -> bool {
        step == self.at
    }

    fn keep(&self, state: &[u8]) -> Result<()> {
        *self.state.lock().unwrap() = Some(state.to_vec());
        bail!("ended")
    }
}

/// Has a state, and notes the steps that it is told of.
struct GoingOn {
    state: Vec<u8>,
    steps: Mutex<Vec<u64>>,
}

impl Keeper for GoingOn {
    fn last(&self) -> Option<Vec<u8>> {
        Some(self.state.clone())
    }

    fn is_time(&self, step: u64, _: u64) -> bool {
        self.steps.lock().unwrap().push(step);
        false
    }

    fn keep(&self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// The trace of a trial that is ended before the step `at` and goes on in another process: with nothing but what was kept.
pub fn ended_and_resumed(trial: &impl Trial, seed: Seed, at: u64) -> Trace {
    let device = &Device::Cpu;
    let ending = Ending { at, state: Mutex::new(None) };
    let ended = trial.run_kept(&Session { seed, device, keeper: &ending });
    assert!(ended.is_err(), "the trial was not to be ended at step {at}");
    let state = ending.state.into_inner().unwrap().unwrap();
    let going_on = GoingOn { state, steps: Mutex::new(Vec::new()) };
    let trace = trial.run_kept(&Session { seed, device, keeper: &going_on }).unwrap();
    assert!(going_on.steps.into_inner().unwrap().iter().all(|step| *step >= at), "it begins again");
    trace
}

/// The trace of a trial that finds such bytes where its state would be.
pub fn resumed_from(trial: &impl Trial, seed: Seed, bytes: &[u8]) -> Trace {
    let going_on = GoingOn { state: bytes.to_vec(), steps: Mutex::new(Vec::new()) };
    trial.run_kept(&Session { seed, device: &Device::Cpu, keeper: &going_on }).unwrap()
}
