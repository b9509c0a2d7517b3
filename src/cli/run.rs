//! From arguments to a record, its figures and what is printed.

use super::arguments::{Arguments, committed_protocol};
use super::places::{Places, record as record_in};
use super::{compare, execute, report};
use crate::lab::Chapter;
use crate::lab::record::{Record, write_atomically};
use crate::plot;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Does what the arguments say.
pub fn run<C: Chapter>(arguments: Arguments<C>) -> Result<ExitCode> {
    let places = Places::find()?;
    let folder = destination(&arguments, &places)?;
    let record = if arguments.replot {
        let stored = Record::read(&record_in(&folder));
        Some(stored.context("nothing to draw: run the chapter without --replot first")?)
    } else if arguments.refresh {
        Some(execute::refresh(&arguments, &places)?)
    } else {
        execute::run_all(&arguments, &places)?
    };
    let Some(mut record) = record else {
        println!("This part is done; other parts are not. When all are, run the same command without --shard.");
        return Ok(ExitCode::SUCCESS);
    };
    let committed = committed_beside(&places, &folder, C::ID);
    let figures = plot::draw_all(C::FIGURES, &record, committed.as_ref())?;
    for (name, svg) in &figures {
        write_atomically(&folder.join(name), svg.as_bytes())?;
    }
    if !arguments.replot {
        record.write(&record_in(&folder))?;
        print!("{}", report::claims(&record.claims));
        let made = &record.made_by;
        println!("\nThe run took {:.1} s, its trials {:.1} s of computing.", made.seconds, made.trial_seconds);
    }
    if let Some(committed) = committed {
        println!("\n{}", compare::side_by_side(&committed, &record));
    }
    println!("\nrecord   {}", record_in(&folder).display());
    for name in figures.keys() {
        println!("figure   {}", folder.join(name).display());
        if arguments.open {
            opener::open(folder.join(name)).context("--open: no program to show a figure was found")?;
        }
    }
    Ok(ExitCode::SUCCESS)
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
