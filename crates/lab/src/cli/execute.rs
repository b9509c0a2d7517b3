//! Runs the stages of a chapter, pilots before arms, or checks a committed record against one seed of each arm.

use super::arguments::Arguments;
use super::assemble::{Stage, assemble};
use super::device;
use super::places::{Places, RECORD};
use super::progress::Progress;
use crate::provenance::Fingerprint;
use crate::record::Record;
use crate::runner::{Runner, Shard, count};
use crate::store::Store;
use crate::{Arm, Book, Chapter, Trials, claim};
use anyhow::{Context, Result, ensure};
use candle_core::Device;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What came of a run.
pub enum Outcome {
    Whole(Box<Record>, Fingerprint),
    /// This shard's pilots are there, and not all of the others', which decide what the trials are.
    PilotsMissing,
    TrialsMissing,
}

/// Runs pilots and arms and judges them, or refreshes the committed record.
pub fn execute<C: Chapter>(book: &Book, arguments: &Arguments<C>, places: &Places) -> Result<Outcome> {
    if arguments.refresh {
        return refresh(book, arguments, places);
    }
    let (started, protocol, chapter) = (Instant::now(), arguments.protocol(), &arguments.chapter);
    let mut stages = Stages::new(book, arguments, places)?;
    let arms = chapter.pilots(&protocol)?;
    let Some(trials) = stages.run::<C>("pilots", &arms, &protocol.pilot_seeds)? else {
        return Ok(Outcome::PilotsMissing);
    };
    let pilots = Stage { arms, trials };
    let arms = chapter.arms(&protocol, &pilots.trials)?;
    claim::check(&chapter.claims(), &arms.iter().map(|arm| arm.name.as_str()).collect())?;
    let Some(trials) = stages.run::<C>("trials", &arms, &protocol.seeds)? else {
        return Ok(Outcome::TrialsMissing);
    };
    let (mut record, fingerprint) = assemble(book, arguments, places, pilots, Stage { arms, trials })?;
    record.made_by.seconds = tenths(started.elapsed().as_secs_f64());
    record.made_by.trial_seconds = tenths(stages.seconds);
    Ok(Outcome::Whole(Box::new(record), fingerprint))
}

fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// The committed record with the fingerprint of this program, if one seed of each arm still gives the same trace.
fn refresh<C: Chapter>(book: &Book, arguments: &Arguments<C>, places: &Places) -> Result<Outcome> {
    let path = places.committed(C::ID).join(RECORD);
    let old = Record::read(&path).context("nothing to refresh: run the chapter without --refresh")?;
    let (protocol, chapter) = (arguments.protocol(), &arguments.chapter);
    ensure!(protocol == old.protocol, "the protocol has changed: run the chapter without --refresh");
    let first = |seeds: &[u64]| seeds[..seeds.len().min(1)].to_vec();
    let mut stages = Stages { fresh: true, ..Stages::new(book, arguments, places)? };
    let pilots = Stage { arms: chapter.pilots(&protocol)?, trials: old.pilots };
    let fresh = stages.run::<C>("pilots", &pilots.arms, &first(&protocol.pilot_seeds))?;
    same_traces(&pilots.trials, &fresh.unwrap_or_default())?;
    let trials = Stage { arms: chapter.arms(&protocol, &pilots.trials)?, trials: old.trials };
    let fresh = stages.run::<C>("trials", &trials.arms, &first(&protocol.seeds))?;
    same_traces(&trials.trials, &fresh.unwrap_or_default())?;
    same_arms(&pilots)?;
    same_arms(&trials)?;
    let (record, fingerprint) = assemble(book, arguments, places, pilots, trials)?;
    Ok(Outcome::Whole(Box::new(Record { made_by: old.made_by, ..record }), fingerprint))
}

/// Errors if the record holds other arms than the chapter now has.
fn same_arms(stage: &Stage) -> Result<()> {
    let now: BTreeSet<&str> = stage.arms.iter().map(|arm| arm.name.as_str()).collect();
    let then: BTreeSet<&str> = stage.trials.trials.iter().map(|trial| trial.arm.as_str()).collect();
    ensure!(now == then, "the arms are not those of the record: run the chapter without --refresh");
    Ok(())
}

/// Errors with the first trial that came out otherwise than recorded.
fn same_traces(old: &Trials, fresh: &Trials) -> Result<()> {
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

/// The environment variable that says how many seconds pass between two checkpoints of a trial.
const KEEP_SECONDS: &str = "NORMBOOK_KEEP_SECONDS";

fn save_every() -> Result<Duration> {
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
    fn new<C: Chapter>(book: &Book, arguments: &Arguments<C>, places: &Places) -> Result<Self> {
        let device = device::parse(&arguments.device)?;
        let kind = device::kind(&arguments.device);
        let store = Store::new(&places.trials(), kind, (book.kernels)(&device)?, &book.sources);
        store.sweep();
        Ok(Self { store, device, jobs: arguments.jobs(), fresh: arguments.fresh, shard: arguments.shard, seconds: 0.0 })
    }

    /// Runs the arms; returns what the chapter keeps of their trials, or none if trials of other shards are missing.
    fn run<C: Chapter>(&mut self, name: &'static str, arms: &[Arm], seeds: &[u64]) -> Result<Option<Trials>> {
        let progress = Progress::of(name, count(arms, seeds));
        let runner = Runner {
            store: &self.store,
            device: &self.device,
            jobs: self.jobs,
            fresh: self.fresh,
            shard: self.shard,
            save_every: save_every()?,
            on_parts: &|parts| progress.add(parts),
        };
        let results = runner.run(arms, seeds)?;
        progress.end();
        self.seconds += results.seconds;
        Ok((results.missing == 0).then(|| results.trials.filtered(C::record_filter)))
    }
}
