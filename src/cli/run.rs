//! From arguments to a record, its figures and what is printed.

use super::arguments::{Arguments, is_committed};
use super::execute::{self, Run};
use super::places::{Places, record as record_in};
use super::{compare, report};
use crate::lab::Chapter;
use crate::lab::record::{Record, write_atomically};
use crate::plot;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Does what the arguments say. Evidence is written before anything is printed.
pub fn run<C: Chapter>(arguments: Arguments<C>) -> Result<ExitCode> {
    let places = Places::find()?;
    let folder = destination(&arguments, &places)?;
    let of_another = Record::read(&record_in(&folder)).ok().filter(|record| record.chapter != C::ID);
    if let Some(Record { chapter, .. }) = of_another {
        bail!("{} holds the evidence of {chapter}: give another folder to --out", folder.display());
    }
    let mut record = if arguments.replot {
        let stored = Record::read(&record_in(&folder));
        stored.context("nothing to draw: run the chapter without --replot first")?
    } else if arguments.refresh {
        execute::refresh(&arguments, &places)?
    } else {
        if arguments.shard.is_none() {
            try_writing(&folder)?;
        }
        match execute::run_all(&arguments, &places)? {
            Run::Whole(record) => *record,
            Run::PilotsMissing => return said(PILOTS_MISSING),
            Run::TrialsMissing => return said(TRIALS_MISSING),
        }
    };
    let (committed, mut text) = match committed_beside(&places, &folder, C::ID).transpose() {
        Ok(committed) => (committed, String::new()),
        Err(error) => (None, format!("Nothing is set beside this run: {error:#}\n\n")),
    };
    let figures = plot::draw_all(C::FIGURES, &record, committed.as_ref())?;
    let news = if arguments.replot { "" } else { write_if_new(&mut record, &record_in(&folder))? };
    for (name, svg) in &figures {
        write_atomically(&folder.join(name), svg.as_bytes())?;
    }
    if !arguments.replot {
        let made = &record.made_by;
        for table in plot::tables(C::FIGURES, &record)? {
            text += &format!("{}\n", report::table(&table));
        }
        text += &report::claims(&record.claims);
        text +=
            &format!("\nThe run took {:.1} s, its trials {:.1} s of computing.\n", made.seconds, made.trial_seconds);
        text += news;
    }
    if let Some(committed) = committed {
        text += &format!("\n{}", compare::side_by_side(&committed, &record));
    }
    text += &format!("\nrecord   {}\n", record_in(&folder).display());
    for name in figures.keys() {
        text += &format!("figure   {}\n", folder.join(name).display());
    }
    report::print(&text)?;
    for name in figures.keys().filter(|_| arguments.open) {
        opener::open(folder.join(name)).context("--open: no program to show a figure was found")?;
    }
    Ok(ExitCode::SUCCESS)
}

const PILOTS_MISSING: &str = "The pilots of this part are done; those of other parts are not, and they decide what is run. \
                              When they are, run the same command again.\n";
const TRIALS_MISSING: &str =
    "This part is done; other parts are not. When all are, run the same command without --shard.\n";

fn said(text: &str) -> Result<ExitCode> {
    report::print(text).map(|()| ExitCode::SUCCESS)
}

/// Writes the record, unless the one that is there differs only in who made it.
fn write_if_new(record: &mut Record, path: &Path) -> Result<&'static str> {
    let same = |there: Record| there == Record { made_by: there.made_by.clone(), ..record.clone() };
    if Record::read(path).is_ok_and(same) {
        return Ok("The record that was there says the same, to the byte; it stays.\n");
    }
    record.write(path).map(|()| "")
}

/// Fails before the run, not after it, where its results cannot be kept.
fn try_writing(folder: &Path) -> Result<()> {
    ensure!(!folder.is_file(), "--out {}: this is a file; give a folder", folder.display());
    let record = record_in(folder);
    ensure!(!record.is_dir(), "--out {}: {} is a folder; give another", folder.display(), record.display());
    let probe = folder.join(".writing-probe");
    write_atomically(&probe, b"")?;
    std::fs::remove_file(&probe).with_context(|| format!("cannot write {}", folder.display()))
}

/// Where the record goes: figures/ is for the committed protocol alone.
fn destination<C: Chapter>(arguments: &Arguments<C>, places: &Places) -> Result<PathBuf> {
    let committed = places.committed(C::ID);
    match &arguments.out {
        Some(folder) if is_inside(folder, &places.figures()) && !same_folder(folder, &committed) => {
            bail!("--out {}: figures/ holds nothing but the committed evidence", folder.display())
        }
        Some(folder) if !is_committed(arguments) && same_folder(folder, &committed) => {
            bail!("--out {}: only the committed protocol, without flags, may write there", folder.display())
        }
        Some(folder) => Ok(folder.clone()),
        None if is_committed(arguments) => Ok(committed),
        None => Ok(places.run(C::ID, &arguments.protocol(), &arguments.device)),
    }
}

/// The folder without `..` and links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = absolute.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    match existing {
        Some((ancestor, real)) => real.join(absolute.strip_prefix(ancestor).unwrap_or(Path::new(""))),
        None => absolute,
    }
}

fn same_folder(one: &Path, other: &Path) -> bool {
    resolved(one) == resolved(other)
}

fn is_inside(inner: &Path, outer: &Path) -> bool {
    resolved(inner).starts_with(resolved(outer))
}

/// The committed record, to be drawn and printed beside a run that is another.
fn committed_beside(places: &Places, folder: &Path, chapter: &str) -> Option<Result<Record>> {
    let committed = record_in(&places.committed(chapter));
    let is_wanted = committed.exists() && !same_folder(folder, &places.committed(chapter));
    is_wanted.then(|| Record::read(&committed))
}
