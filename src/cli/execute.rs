//! Runs the stages of a chapter, pilots before arms, or checks a committed record against one seed of each arm.

use super::arguments::Arguments;
use super::assemble::{Ran, record};
use super::device;
use super::places::{Places, record as record_in};
use super::progress::Progress;
use crate::lab::record::Record;
use crate::lab::runner::{Runner, Shard, Stage, count};
use crate::lab::store::Store;
use crate::lab::{Arm, Chapter, Evidence, provenance};
use crate::ops::kernels::Kernels;
use anyhow::{Context, Result, ensure};
use candle_core::Device;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What came of a run.
pub enum Run {
    Whole(Box<Record>),
    /// This shard's pilots are there, and not all of the others', which decide what the trials are.
    PilotsMissing,
    TrialsMissing,
}

/// Runs pilots and arms and judges them.
pub fn run_all<C: Chapter>(arguments: &Arguments<C>, places: &Places) -> Result<Run> {
    let started = Instant::now();
    let protocol = arguments.protocol();
    let mut stages = Stages::new(arguments, places)?;
    let arms = arguments.chapter.pilots(arguments.setting())?;
    let Some(trials) = stages.run::<C>("pilots", &arms, &protocol.pilot_seeds)? else {
        return Ok(Run::PilotsMissing);
    };
    let pilots = Ran { arms, trials };
    let arms = arguments.chapter.arms(arguments.setting(), &pilots.trials)?;
    let Some(trials) = stages.run::<C>("trials", &arms, &protocol.seeds)? else {
        return Ok(Run::TrialsMissing);
    };
    let mut record = record(arguments, places, pilots, Ran { arms, trials })?;
    record.made_by.seconds = tenths(started.elapsed().as_secs_f64());
    record.made_by.trial_seconds = tenths(stages.seconds);
    Ok(Run::Whole(Box::new(record)))
}

fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// The committed record with the fingerprint of this program, if one seed of each arm still gives the same trace.
pub fn refresh<C: Chapter>(arguments: &Arguments<C>, places: &Places) -> Result<Record> {
    let path = record_in(&places.committed(C::ID));
    let old = Record::read(&path).context("nothing to refresh: run the chapter without --refresh")?;
    ensure!(arguments.protocol() == old.protocol, "the protocol has changed: run the chapter without --refresh");
    let first = |seeds: &[u64]| seeds[..seeds.len().min(1)].to_vec();
    let mut stages = Stages::new(&Arguments { fresh: true, ..arguments.clone() }, places)?;
    let pilots = Ran { arms: arguments.chapter.pilots(arguments.setting())?, trials: old.pilots };
    let fresh = stages.run::<C>("pilots", &pilots.arms, &first(&old.protocol.pilot_seeds))?;
    same_traces(&pilots.trials, &fresh.unwrap_or_default())?;
    let trials = Ran { arms: arguments.chapter.arms(arguments.setting(), &pilots.trials)?, trials: old.trials };
    let fresh = stages.run::<C>("trials", &trials.arms, &first(&old.protocol.seeds))?;
    same_traces(&trials.trials, &fresh.unwrap_or_default())?;
    same_arms(&pilots)?;
    same_arms(&trials)?;
    let mut new = record(arguments, places, pilots, trials)?;
    new.made_by = provenance::MadeBy { refreshed: Some(provenance::today()), ..old.made_by };
    Ok(new)
}

/// Errors if the record holds other arms than the chapter now has.
fn same_arms(ran: &Ran) -> Result<()> {
    let now: BTreeSet<&str> = ran.arms.iter().map(|arm| arm.name.as_str()).collect();
    let then: BTreeSet<&str> = ran.trials.trials.iter().map(|trial| trial.arm.as_str()).collect();
    ensure!(now == then, "the arms are not those of the record: run the chapter without --refresh");
    Ok(())
}

/// Errors with the first trial that came out otherwise than recorded.
fn same_traces(old: &Evidence, fresh: &Evidence) -> Result<()> {
    for trial in &fresh.trials {
        ensure!(
            old.trials.contains(trial),
            "arm {}, seed {:?} no longer gives what is recorded: run the chapter without --refresh",
            trial.arm,
            trial.seed
        );
    }
    Ok(())
}

/// The environment variable that says after how many seconds the state of a trial under way is kept.
const KEEP_SECONDS: &str = "NORMBOOK_KEEP_SECONDS";

fn keep_every() -> Result<Duration> {
    let Ok(text) = std::env::var(KEEP_SECONDS) else { return Ok(Duration::from_secs(30)) };
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.with_context(|| format!("{KEEP_SECONDS}={text} is no number of seconds"))
}

/// Runs stage after stage with the same store, device and number of jobs.
struct Stages {
    store: Store,
    device: Device,
    jobs: usize,
    fresh: bool,
    shard: Option<Shard>,
    seconds: f64,
}

impl Stages {
    fn new<C: Chapter>(arguments: &Arguments<C>, places: &Places) -> Result<Self> {
        let device = device::parse(&arguments.device)?;
        let kind = device::kind(&arguments.device);
        let store = Store::new(&places.trials(), kind, Kernels::on(&device)?.name());
        store.sweep();
        Ok(Self { store, device, jobs: arguments.jobs(), fresh: arguments.fresh, shard: arguments.shard, seconds: 0.0 })
    }

    /// What the chapter keeps of the trials. None if trials of other shards are missing.
    fn run<C: Chapter>(&mut self, name: &'static str, arms: &[Arm], seeds: &[u64]) -> Result<Option<Evidence>> {
        let progress = Progress::of(name, count(arms, seeds));
        let runner = Runner {
            store: &self.store,
            device: &self.device,
            jobs: self.jobs,
            fresh: self.fresh,
            shard: self.shard,
            keep_every: keep_every()?,
            on_parts: &|parts| progress.add(parts),
        };
        let Stage { evidence, seconds, missing } = runner.run(arms, seeds)?;
        progress.end();
        self.seconds += seconds;
        Ok((missing == 0).then(|| evidence.keeping(C::keeps)))
    }
}
