//! From arguments to a record and its figures.

use super::arguments::{Arguments, committed_protocol};
use super::places::{Places, record as record_in};
use super::{compare, device, progress, report};
use crate::lab::record::{Record, SCHEMA, derived_values, write_atomically};
use crate::lab::runner::{Runner, Stage, count};
use crate::lab::store::Store;
use crate::lab::{Arm, Chapter, Evidence, claim, provenance};
use crate::plot;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Does what the arguments say.
pub fn run<C: Chapter>(arguments: Arguments<C>) -> Result<ExitCode> {
    let places = Places::find()?;
    let folder = destination(&arguments, &places)?;
    if arguments.replot {
        let record =
            Record::read(&record_in(&folder)).context("nothing to draw: run the chapter without --replot first")?;
        return finish::<C>(&arguments, &places, &folder, &record);
    }
    let started = Instant::now();
    let Some(mut record) =
        (if arguments.refresh { refresh(&arguments, &places)? } else { run_all(&arguments, &places)? })
    else {
        println!("This part is done; other parts are not. When all are, run the same command without --shard.");
        return Ok(ExitCode::SUCCESS);
    };
    if !arguments.refresh {
        record.made_by.seconds = (started.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    }
    print!("{}", report::claims(&record.claims));
    println!(
        "\nThe run took {:.1} s, its trials {:.1} s of computing.",
        record.made_by.seconds, record.made_by.trial_seconds
    );
    let text = record.to_text();
    let figures = plot::draw_all(C::FIGURES, &record, committed_beside(&places, &folder, C::ID).as_ref())?;
    for (name, svg) in &figures {
        write_atomically(&folder.join(name), svg.as_bytes())?;
    }
    write_atomically(&record_in(&folder), text.as_bytes())?;
    finish::<C>(&arguments, &places, &folder, &record)
}

/// Where the record goes: figures/ is for the committed protocol alone.
fn destination<C: Chapter>(arguments: &Arguments<C>, places: &Places) -> Result<PathBuf> {
    let committed = places.committed(C::ID);
    let protocol = arguments.protocol();
    let is_committed = protocol == committed_protocol::<C>() && arguments.device == "cpu";
    match &arguments.out {
        Some(folder) if !is_committed && same_folder(folder, &committed) => {
            bail!("--out {}: only the committed protocol, without flags, may write there", folder.display())
        }
        Some(folder) => Ok(folder.clone()),
        None if is_committed => Ok(committed),
        None => Ok(places.run(C::ID, &protocol, &arguments.device)),
    }
}

fn same_folder(one: &Path, other: &Path) -> bool {
    let resolved = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
    resolved(one) == resolved(other)
}

/// The committed record, to be drawn and printed beside a run that is another.
fn committed_beside(places: &Places, folder: &Path, chapter: &str) -> Option<Record> {
    let committed = places.committed(chapter);
    if same_folder(folder, &committed) { None } else { Record::read(&record_in(&committed)).ok() }
}

/// Draws (where nothing was run), prints the comparison and the paths.
fn finish<C: Chapter>(arguments: &Arguments<C>, places: &Places, folder: &Path, record: &Record) -> Result<ExitCode> {
    let committed = committed_beside(places, folder, C::ID);
    let figures = plot::draw_all(C::FIGURES, record, committed.as_ref())?;
    if arguments.replot {
        for (name, svg) in &figures {
            write_atomically(&folder.join(name), svg.as_bytes())?;
        }
    }
    if let Some(committed) = committed {
        println!("\n{}", compare::side_by_side(&committed, record));
    }
    println!("\nrecord   {}", record_in(folder).display());
    for name in figures.keys() {
        println!("figure   {}", folder.join(name).display());
        if arguments.open {
            opener::open(folder.join(name)).context("--open: no program to show a figure was found")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs pilots and arms and judges them. None if other shards' trials are missing.
fn run_all<C: Chapter>(arguments: &Arguments<C>, places: &Places) -> Result<Option<Record>> {
    let protocol = arguments.protocol();
    let mut stages = Stages::new(arguments, places)?;
    let pilots = arguments.chapter.pilots(arguments.setting());
    let Some(pilot_trials) = stages.run("pilots", &pilots, &protocol.pilot_seeds)? else { return Ok(None) };
    let arms = arguments.chapter.arms(arguments.setting(), &pilot_trials)?;
    let Some(trials) = stages.run("trials", &arms, &protocol.seeds)? else { return Ok(None) };
    record(arguments, places, (pilots, pilot_trials), (arms, trials), stages.seconds).map(Some)
}

/// The committed record with the fingerprint of this program, if one seed of each arm still gives the same trace.
fn refresh<C: Chapter>(arguments: &Arguments<C>, places: &Places) -> Result<Option<Record>> {
    let path = record_in(&places.committed(C::ID));
    let old = Record::read(&path).context("nothing to refresh: run the chapter without --refresh")?;
    ensure!(arguments.protocol() == old.protocol, "the protocol has changed: run the chapter without --refresh");
    let one = |seeds: &[u64]| seeds.first().copied().into_iter().collect::<Vec<_>>();
    let mut stages = Stages::new(&Arguments { fresh: true, ..arguments.clone() }, places)?;
    let pilots = arguments.chapter.pilots(arguments.setting());
    let fresh = stages.run("pilots", &pilots, &one(&old.protocol.pilot_seeds))?.unwrap_or_default();
    same_traces(&old.pilots, &fresh)?;
    let arms = arguments.chapter.arms(arguments.setting(), &old.pilots)?;
    let fresh = stages.run("trials", &arms, &one(&old.protocol.seeds))?.unwrap_or_default();
    same_traces(&old.trials, &fresh)?;
    let mut new = record(arguments, places, (pilots, old.pilots), (arms, old.trials), 0.0)?;
    new.made_by = provenance::MadeBy { refreshed: Some(provenance::today()), ..old.made_by };
    Ok(Some(new))
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

type Ran = (Vec<Arm>, Evidence);

fn record<C: Chapter>(
    arguments: &Arguments<C>,
    places: &Places,
    (pilot_arms, pilots): Ran,
    (arms, trials): Ran,
    trial_seconds: f64,
) -> Result<Record> {
    let all = || pilot_arms.iter().chain(&arms);
    let source = C::SOURCE.replace('\\', "/");
    let entries: Vec<&str> = std::iter::once(source.as_str()).chain(all().map(|arm| arm.source.as_str())).collect();
    let data = all().flat_map(|arm| arm.data.clone()).collect();
    let specs: BTreeMap<String, serde_json::Value> = all().map(|arm| (arm.name.clone(), arm.spec.clone())).collect();
    let claims = claim::judge(arguments.chapter.judge(&trials)?, arguments.scale);
    let headlines = claims.iter().filter(|claim| claim.headline).count();
    ensure!(headlines == 1, "{} has {headlines} headline claims instead of one", C::ID);
    Ok(Record {
        schema: SCHEMA,
        chapter: C::ID.into(),
        title: C::TITLE.into(),
        protocol: arguments.protocol(),
        values: derived_values(&arguments.protocol().flags, &specs, pilots.trials.iter().chain(&trials.trials)),
        arms: specs,
        claims,
        fingerprint: provenance::Fingerprint::compiled(&entries, data)?,
        pilots,
        trials,
        made_by: provenance::MadeBy {
            normbook: env!("CARGO_PKG_VERSION").into(),
            command: command(),
            date: provenance::today(),
            commit: provenance::commit(&places.root),
            device: arguments.device.clone(),
            dtype: "f32".into(),
            kernels: "composed".into(),
            cpu: provenance::cpu(),
            instruction_set: provenance::instruction_set().into(),
            operating_system: std::env::consts::OS.into(),
            jobs: jobs(arguments),
            seconds: 0.0,
            trial_seconds: (trial_seconds * 10.0).round() / 10.0,
            refreshed: None,
            digest: String::new(),
        },
    })
}

/// The command that a reader would type.
fn command() -> String {
    let mut words = std::env::args();
    let program = words.next().unwrap_or_default();
    let name = Path::new(&program).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let flags: Vec<String> = words.collect();
    let run = format!("cargo run --release --bin {name}");
    if flags.is_empty() { run } else { format!("{run} -- {}", flags.join(" ")) }
}

fn jobs<C: Chapter>(arguments: &Arguments<C>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.jobs.map_or(cores, |jobs| jobs as usize)
}

/// Runs stage after stage with the same store, device and number of jobs.
struct Stages {
    store: Store,
    device: candle_core::Device,
    jobs: usize,
    fresh: bool,
    shard: Option<crate::lab::runner::Shard>,
    seconds: f64,
}

impl Stages {
    fn new<C: Chapter>(arguments: &Arguments<C>, places: &Places) -> Result<Self> {
        Ok(Self {
            store: Store::new(&places.trials(), &arguments.device),
            device: device::parse(&arguments.device)?,
            jobs: jobs(arguments),
            fresh: arguments.fresh,
            shard: arguments.shard,
            seconds: 0.0,
        })
    }

    /// None if trials of other shards are missing.
    fn run(&mut self, name: &'static str, arms: &[Arm], seeds: &[u64]) -> Result<Option<Evidence>> {
        let bar = progress::bar(name, count(arms, seeds));
        let runner = Runner {
            store: &self.store,
            device: &self.device,
            jobs: self.jobs,
            fresh: self.fresh,
            shard: self.shard,
            on_finished: &|| bar.inc(1),
        };
        let Stage { evidence, seconds, missing } = runner.run(arms, seeds)?;
        bar.finish_and_clear();
        self.seconds += seconds;
        Ok((missing == 0).then_some(evidence))
    }
}
