//! The record of what was run.

use super::arguments::{Arguments, is_committed};
use super::device;
use super::places::Places;
use crate::judgement::judge;
use crate::provenance::{self, Fingerprint, MadeBy};
use crate::record::{Record, SCHEMA, derived_values};
use crate::words::Words;
use crate::{Arm, Book, Chapter, Trials};
use anyhow::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Arms and the trials that they gave.
pub struct Stage {
    pub arms: Vec<Arm>,
    pub trials: Trials,
}

/// Judges the trials and puts everything together; the caller adds how long it took.
pub fn assemble<C: Chapter>(
    book: &Book,
    arguments: &Arguments<C>,
    places: &Places,
    pilots: Stage,
    judged: Stage,
) -> Result<(Record, Fingerprint)> {
    let arms = || pilots.arms.iter().chain(&judged.arms);
    let source = C::SOURCE.replace('\\', "/");
    let entries: Vec<&str> = std::iter::once(source.as_str()).chain(arms().map(|arm| arm.source.as_str())).collect();
    let data = arms().flat_map(|arm| arm.data.clone()).collect();
    let fingerprint = Fingerprint::of(&book.sources, &entries, data)?;
    let specs: BTreeMap<String, Value> = arms().map(|arm| (arm.name.clone(), arm.spec.clone())).collect();
    let (protocol, words) = (arguments.protocol(), Words::parse(C::WORDS)?);
    let claims = judge(&arguments.chapter.claims(), &words, &judged.trials, protocol.may_judge())?;
    let trials = pilots.trials.trials.iter().chain(&judged.trials.trials);
    let record = Record {
        schema: SCHEMA,
        chapter: C::ID.into(),
        title: C::TITLE.into(),
        committed: is_committed(book, arguments),
        values: derived_values(&protocol.flags, &specs, trials),
        protocol,
        arms: specs,
        claims,
        made_by: made_by(book, arguments, places)?,
        pilots: pilots.trials,
        trials: judged.trials,
    };
    Ok((record, fingerprint))
}

fn made_by<C: Chapter>(book: &Book, arguments: &Arguments<C>, places: &Places) -> Result<MadeBy> {
    let kernels = (book.kernels)(&device::parse(&arguments.device)?)?;
    Ok(MadeBy {
        normbook: book.version.into(),
        command: command(),
        date: provenance::today(),
        commit: provenance::commit(&places.root),
        device: arguments.device.clone(),
        dtype: "f32".into(),
        kernels: kernels.into(),
        cpu: provenance::cpu(),
        instruction_set: provenance::instruction_set().into(),
        operating_system: std::env::consts::OS.into(),
        rustc: provenance::RUSTC.into(),
        jobs: arguments.jobs(),
        seconds: 0.0,
        trial_seconds: 0.0,
        refreshed: None,
        digest: String::new(),
    })
}

/// The command that a reader would type.
fn command() -> String {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let program = words.next().unwrap_or_default();
    let name = Path::new(&program).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let flags: Vec<String> = words.collect();
    let run = format!("cargo run --release --bin {name}");
    if flags.is_empty() { run } else { format!("{run} -- {}", flags.join(" ")) }
}
