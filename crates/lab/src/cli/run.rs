//! From arguments to a record, its figures and what is printed.

use super::arguments::{self, Arguments, is_committed};
use super::execute::{self, Outcome};
use super::places::{FINGERPRINT, Places, RECORD};
use super::{compare, report, rules, threads};
use crate::atomic::write_atomically;
use crate::plot;
use crate::provenance::Fingerprint;
use crate::record::Record;
use crate::{Book, Chapter};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs the chapter as its command line says. An error is one message on standard error and a non-zero exit code.
pub fn run<C: Chapter>(book: Result<Book>) -> ExitCode {
    let outcome = threads::one_per_trial().and_then(|exit| match exit {
        Some(code) => Ok(code),
        None => run_with(&book?, &arguments::parse::<C>()).map(|()| ExitCode::SUCCESS),
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {}", message(&error));
        ExitCode::FAILURE
    })
}

/// Does what the arguments say. Evidence is written before anything is printed.
fn run_with<C: Chapter>(book: &Book, arguments: &Arguments<C>) -> Result<()> {
    if arguments.rules {
        return report::print(&rules::rules(&arguments.chapter)?);
    }
    let places = Places::find(book.root)?;
    let folder = destination(book, arguments, &places)?;
    let path = folder.join(RECORD);
    let of_another = Record::read(&path).ok().filter(|record| record.chapter != C::ID);
    if let Some(Record { chapter, .. }) = of_another {
        bail!("{} holds the evidence of {chapter}: give another folder to --out", folder.display());
    }
    let (mut record, fingerprint) = if arguments.replot {
        (Record::read(&path).context("nothing to draw: run the chapter without --replot first")?, None)
    } else {
        if arguments.shard.is_none() && !arguments.refresh {
            try_writing(&folder)?;
        }
        match execute::execute(book, arguments, &places)? {
            Outcome::Whole(record, fingerprint) => (*record, Some(fingerprint)),
            Outcome::PilotsMissing => return report::print(PILOTS_MISSING),
            Outcome::TrialsMissing => return report::print(TRIALS_MISSING),
        }
    };
    let (committed, mut text) = match committed_beside(&places, &folder, C::ID).transpose() {
        Ok(committed) => (committed, String::new()),
        Err(error) => (None, format!("There is no committed run to compare with: {error:#}\n\n")),
    };
    let figures = plot::draw_all(C::FIGURES, &record, committed.as_ref())?;
    if let Some(fingerprint) = fingerprint {
        let news = write_evidence(&mut record, &fingerprint, &folder)?;
        text += &found::<C>(&record)?;
        text += news;
    }
    for (name, svg) in &figures {
        write_atomically(&folder.join(name), svg.as_bytes())?;
    }
    if let Some(committed) = committed {
        text += &format!("\n{}", compare::side_by_side(&committed, &record));
    }
    text += &format!("\nrecord   {}\n", path.display());
    for name in figures.keys() {
        text += &format!("figure   {}\n", folder.join(name).display());
    }
    report::print(&text)?;
    for name in figures.keys().filter(|_| arguments.open) {
        opener::open(folder.join(name)).context("--open: no program to show a figure was found")?;
    }
    Ok(())
}

const PILOTS_MISSING: &str = "The pilots of this part are done; those of other parts are not, and they decide what is run. \
                              When they are, run the same command again.\n";
const TRIALS_MISSING: &str =
    "This part is done; other parts are not. When all are, run the same command without --shard.\n";

/// What an error and its causes say. Where RUST_BACKTRACE is set candle writes a backtrace after it, which is left out.
fn message(error: &anyhow::Error) -> String {
    let of = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref() {
        Some(candle_core::Error::WithBacktrace { inner, .. }) => inner.to_string(),
        _ => cause.to_string(),
    };
    error.chain().map(of).collect::<Vec<String>>().join(": ")
}

/// The tables and the claims of a record, and how long it took.
fn found<C: Chapter>(record: &Record) -> Result<String> {
    let mut text = String::new();
    for table in plot::tables(C::FIGURES, record)? {
        text += &format!("{}\n", report::table(&table));
    }
    text += &report::claims(&record.claims);
    let made = &record.made_by;
    text += &format!("\nThe run took {:.1} s, its trials {:.1} s of computing.\n", made.seconds, made.trial_seconds);
    Ok(text)
}

/// Writes record and fingerprint. A record that differs from the one that is there only in who made it stays as it is.
fn write_evidence(record: &mut Record, fingerprint: &Fingerprint, folder: &Path) -> Result<&'static str> {
    let path = folder.join(RECORD);
    let is_same = |there: Record| there == Record { made_by: there.made_by.clone(), ..record.clone() };
    let stays = Record::read(&path).is_ok_and(is_same);
    if !stays {
        record.write(&path)?;
    }
    fingerprint.write(&folder.join(FINGERPRINT))?;
    Ok(if stays { "The record that was there says the same, to the byte; it stays.\n" } else { "" })
}

/// Fails before the run, not after it, where its results cannot be kept.
fn try_writing(folder: &Path) -> Result<()> {
    ensure!(!folder.is_file(), "--out {}: this is a file; give a folder", folder.display());
    let record = folder.join(RECORD);
    ensure!(!record.is_dir(), "--out {}: {} is a folder; give another", folder.display(), record.display());
    let probe = folder.join(".writing-probe");
    write_atomically(&probe, b"")?;
    std::fs::remove_file(&probe).with_context(|| format!("cannot write {}", folder.display()))
}

/// Where the record goes: figures/ is for the committed protocol alone.
fn destination<C: Chapter>(book: &Book, arguments: &Arguments<C>, places: &Places) -> Result<PathBuf> {
    let committed = places.committed(C::ID);
    match &arguments.out {
        Some(folder) if is_inside(folder, &places.figures()) && !same_folder(folder, &committed) => {
            bail!("--out {}: figures/ holds nothing but the committed evidence", folder.display())
        }
        Some(folder) if !is_committed(book, arguments) && same_folder(folder, &committed) => {
            bail!("--out {}: only the committed protocol, without flags, may write there", folder.display())
        }
        Some(folder) => Ok(folder.clone()),
        None if is_committed(book, arguments) => Ok(committed),
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
    let committed = places.committed(chapter).join(RECORD);
    let is_wanted = committed.exists() && !same_folder(folder, &places.committed(chapter));
    is_wanted.then(|| Record::read(&committed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Error;
    use std::backtrace::Backtrace;

    #[test]
    fn a_message_is_without_backtrace() {
        let inner = Box::new(Error::Msg("no such shape".into()));
        let error = Error::WithBacktrace { inner, backtrace: Box::new(Backtrace::force_capture()) };
        assert_eq!(message(&anyhow::Error::new(error).context("arm a")), "arm a: no such shape");
    }
}
