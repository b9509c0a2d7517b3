//! Runs the trials of a stage: arm × seed, as many at a time as there are jobs, one thread each.

use super::arm::Arm;
use super::checkpoint::{PARTS, StoredCheckpoint};
use super::store::{Kept, Store};
use super::trials::{TrialRecord, Trials};
use crate::seed::Seed;
use crate::trial::RunContext;
use anyhow::{Context, Result};
use candle_core::Device;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// One machine's part of the trials: those whose number leaves the remainder `index` when divided by `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub index: usize,
    pub count: usize,
}

/// How trials are run.
pub struct Runner<'a> {
    pub store: &'a Store,
    pub device: &'a Device,
    /// Trials at a time.
    pub jobs: usize,
    /// Use no stored trial (finished ones are stored all the same).
    pub fresh: bool,
    pub shard: Option<Shard>,
    /// The time from one checkpoint of a trial under way to the next.
    pub save_every: Duration,
    /// Told how many more of [`PARTS`] of a trial are done.
    pub on_parts: &'a (dyn Fn(u64) + Sync),
}

/// What a stage left behind.
pub struct Results {
    pub trials: Trials,
    /// Computing time of its trials.
    pub seconds: f64,
    /// Trials that belong to other shards and are not there yet; without any, the stage is whole.
    pub missing: usize,
}

/// How many trials these arms have.
pub fn count(arms: &[Arm], seeds: &[u64]) -> usize {
    arms.iter().map(|arm| if arm.seeded { seeds.len() } else { 1 }).sum()
}

impl Runner<'_> {
    /// Runs every arm on every seed; exact arms once. The order of the result does not depend on `jobs`. After an error
    /// no further trial is started; finished ones are kept.
    pub fn run(&self, arms: &[Arm], seeds: &[u64]) -> Result<Results> {
        let trials: Vec<(&Arm, Option<u64>)> = arms
            .iter()
            .flat_map(|arm| {
                let seeds: Vec<Option<u64>> =
                    if arm.seeded { seeds.iter().map(|seed| Some(*seed)).collect() } else { vec![None] };
                seeds.into_iter().map(move |seed| (arm, seed))
            })
            .collect();
        let results: Vec<Mutex<Option<Result<Kept>>>> = trials.iter().map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        std::thread::scope(|scope| -> Result<()> {
            for _ in 0..self.jobs.min(trials.len()) {
                // A pool of one thread: what candle runs in parallel stays on this trial's own.
                let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().context("cannot start a thread")?;
                let (trials, results, next, failed) = (&trials, &results, &next, &failed);
                scope.spawn(move || {
                    while !failed.load(Ordering::Relaxed) {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some((arm, seed)) = trials.get(index) else { return };
                        if let Some(result) = pool.install(|| self.trial(index, arm, *seed)).transpose() {
                            failed.fetch_or(result.is_err(), Ordering::Relaxed);
                            *results[index].lock().expect("no holder panics") = Some(result);
                        }
                    }
                });
            }
            Ok(())
        })?;
        let mut gathered = Results { trials: Trials::default(), seconds: 0.0, missing: 0 };
        for ((arm, seed), result) in trials.into_iter().zip(results) {
            match result.into_inner().expect("no holder panics").transpose()? {
                Some(kept) => {
                    gathered.seconds += kept.seconds;
                    gathered.trials.trials.push(TrialRecord { arm: arm.name.clone(), seed, trace: kept.trace });
                }
                None => gathered.missing += 1,
            }
        }
        Ok(gathered)
    }

    /// One trial, from the store or run. None if it is another shard's and not there.
    fn trial(&self, index: usize, arm: &Arm, seed: Option<u64>) -> Result<Option<Kept>> {
        let key = self.store.key(arm, seed)?;
        let ours = self.shard.is_none_or(|shard| index % shard.count == shard.index);
        if (!self.fresh || !ours)
            && let Some(kept) = self.store.find(&key)
        {
            // Another process may have kept its state after this one was finished.
            self.store.forget_state(&key);
            (self.on_parts)(PARTS);
            return Ok(Some(kept));
        }
        if !ours {
            return Ok(None);
        }
        let checkpoint = StoredCheckpoint::open(self.store, &key, self.save_every, self.fresh, self.on_parts);
        let context = RunContext { seed: Seed(seed.unwrap_or(0)), device: self.device, checkpoint: &checkpoint };
        let trace = arm.run(&context).with_context(|| {
            format!("arm {}, seed {}", arm.name, seed.map_or("none".into(), |seed| seed.to_string()))
        })?;
        let kept = Kept::new(key.clone(), trace, checkpoint.seconds());
        self.store.keep(&kept)?;
        checkpoint.finish();
        Ok(Some(kept))
    }
}
