//! The record of what was run.

use super::arguments::{Arguments, is_committed};
use super::device;
use super::places::Places;
use crate::lab::provenance::{self, Fingerprint, MadeBy};
use crate::lab::record::{Record, SCHEMA, derived_values};
use crate::lab::{Arm, Chapter, Evidence, claim};
use crate::ops::kernels::Kernels;
use anyhow::{Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Arms and the trials that they gave.
pub struct Ran {
    pub arms: Vec<Arm>,
    pub trials: Evidence,
}

/// Judges the trials and puts everything together; the caller adds how long it took. Errors if the chapter has not
/// exactly one headline claim.
pub fn record<C: Chapter>(arguments: &Arguments<C>, places: &Places, pilots: Ran, ran: Ran) -> Result<Record> {
    let arms = || pilots.arms.iter().chain(&ran.arms);
    let source = C::SOURCE.replace('\\', "/");
    let entries: Vec<&str> = std::iter::once(source.as_str()).chain(arms().map(|arm| arm.source.as_str())).collect();
    let data = arms().flat_map(|arm| arm.data.clone()).collect();
    let specs: BTreeMap<String, Value> = arms().map(|arm| (arm.name.clone(), arm.spec.clone())).collect();
    let claims = claim::judge(arguments.chapter.judge(&ran.trials)?, arguments.protocol().may_judge());
    let headlines = claims.iter().filter(|claim| claim.headline).count();
    ensure!(headlines == 1, "{} has {headlines} headline claims instead of one", C::ID);
    let protocol = arguments.protocol();
    let trials = pilots.trials.trials.iter().chain(&ran.trials.trials);
    Ok(Record {
        schema: SCHEMA,
        chapter: C::ID.into(),
        title: C::TITLE.into(),
        committed: is_committed(arguments),
        values: derived_values(&protocol.flags, &specs, trials),
        protocol,
        arms: specs,
        claims,
        fingerprint: Fingerprint::compiled(&entries, data)?,
        made_by: made_by(arguments, places)?,
        pilots: pilots.trials,
        trials: ran.trials,
    })
}

fn made_by<C: Chapter>(arguments: &Arguments<C>, places: &Places) -> Result<MadeBy> {
    let kernels = Kernels::on(&device::parse(&arguments.device)?)?;
    Ok(MadeBy {
        normbook: env!("CARGO_PKG_VERSION").into(),
        command: command(),
        date: provenance::today(),
        commit: provenance::commit(&places.root),
        device: arguments.device.clone(),
        dtype: "f32".into(),
        kernels: kernels.name().into(),
        cpu: provenance::cpu(),
        instruction_set: provenance::instruction_set().into(),
        operating_system: std::env::consts::OS.into(),
        rustc: env!("NORMBOOK_RUSTC").into(),
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
