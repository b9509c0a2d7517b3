//! Makes the tests of an assignment: inputs are drawn, the reference says what is expected, and each known-wrong solution what
//! comes of its mistake. The same pass proves that the tests grade: each wrong solution fails what it must fail.

use crate::assignment::{Assignment, Wrong};
use crate::build::Workshop;
use crate::call::Mistake;
use crate::cases;
use crate::compare::agree;
use crate::judge::{Verdict, judge};
use crate::run::{Ran, run_test};
use crate::sheet::Sheet;
use crate::submission::Sources;
use anyhow::{Context, Result, bail};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A sheet and what each wrong solution comes to on it.
pub struct Renewed {
    pub sheet: Sheet,
    pub wrongs: Vec<WrongResult>,
}

pub struct WrongResult {
    pub wrong: Wrong,
    /// On each test of the sheet.
    pub verdicts: Vec<Verdict>,
}

pub fn renew(workshop: &Workshop, assignment: &Assignment, seed: u64) -> Result<Renewed> {
    let reference = assignment.reference()?;
    let tests = cases::tests(&assignment.name, seed).with_context(|| format!("{} has no tests", assignment.name))?;
    let mut sheet = Sheet::blank(&assignment.name, tests);
    let right = run_all(workshop, assignment, &reference, &sheet).context("the reference solution")?;
    for (test, ran) in sheet.tests.iter_mut().zip(&right) {
        if let Some(end) = &ran.end {
            bail!("the reference solution in {}: {end}: {}", test.name, ran.printed);
        }
        for (call, answer) in test.calls.iter_mut().zip(&ran.answers) {
            let values = answer
                .as_ref()
                .map_err(|why| anyhow::anyhow!("{}: the reference gives no answer: {why}", test.name))?;
            if test.law.is_none() {
                call.expected = values.clone();
            }
        }
    }
    let wrongs = assignment.wrongs()?;
    let runs = in_parallel(&wrongs, |wrong| {
        let sources = wrong.apply(&reference)?;
        run_all(workshop, assignment, &sources, &sheet).with_context(|| format!("the wrong solution {}", wrong.name))
    })?;
    for (wrong, runs) in wrongs.iter().zip(&runs) {
        let tests = sheet.tests.iter_mut().zip(runs);
        for (test, ran) in tests.filter(|(test, _)| test.law.is_none()) {
            let tolerance = test.tolerance;
            for (call, answer) in test.calls.iter_mut().zip(&ran.answers) {
                if !answer.as_ref().is_ok_and(|values| agree(&call.expected, values, tolerance)) {
                    call.mistakes.push(Mistake::new(&wrong.says, answer));
                }
            }
        }
    }
    let judged = |runs: &Vec<Ran>| judge(&sheet.tests.iter().zip(runs).collect::<Vec<_>>());
    let verdicts: Vec<Vec<Verdict>> = runs.iter().map(judged).collect();
    let wrongs = wrongs.into_iter().zip(verdicts).map(|(wrong, verdicts)| WrongResult { wrong, verdicts }).collect();
    Ok(Renewed { sheet, wrongs })
}

fn run_all(workshop: &Workshop, assignment: &Assignment, sources: &Sources, sheet: &Sheet) -> Result<Vec<Ran>> {
    let built = workshop.build(sources, assignment)?;
    let built = built.map_err(|words| anyhow::anyhow!("does not build:\n{words}"))?;
    sheet.tests.iter().map(|test| run_test(&built, test)).collect()
}

/// The results in the order of the items, whichever is ready first.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((index, item)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, items.get(i)?)))
                {
                    let result = work(item);
                    done.lock().expect("no worker panics while it adds a result").push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no worker has panicked");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

impl Renewed {
    /// Wrong solution × test: `x` where it fails.
    pub fn table(&self) -> String {
        let width = self.wrongs.iter().map(|result| result.wrong.name.len()).max().unwrap_or(0);
        let mut table = String::new();
        for (column, test) in self.sheet.tests.iter().enumerate() {
            table += &format!("{:width$} {}{}\n", "", "| ".repeat(column), test.name);
        }
        for WrongResult { wrong, verdicts } in &self.wrongs {
            let cell = |verdict: &Verdict| if *verdict == Verdict::Passed { ". " } else { "x " };
            table += format!("{:width$} {}", wrong.name, verdicts.iter().map(cell).collect::<String>()).trim_end();
            table.push('\n');
        }
        table
    }

    /// Where the wrong solutions do something else than wrong.toml says.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for WrongResult { wrong, verdicts } in &self.wrongs {
            let names = || self.sheet.tests.iter().map(|test| test.name.as_str()).zip(verdicts);
            let failed: Vec<&str> =
                names().filter(|(_, verdict)| **verdict != Verdict::Passed).map(|(name, _)| name).collect();
            let mut meant: Vec<&str> = wrong.fails.iter().map(String::as_str).collect();
            meant.sort_by_key(|name| self.sheet.tests.iter().position(|test| test.name == *name));
            if failed != meant {
                complaints.push(format!("{}: fails {failed:?}; wrong.toml says {meant:?}", wrong.name));
            }
            // Of a law no mistake is known by its outputs.
            let by_outputs = |(name, _): &(&str, _)| self.sheet.test(name).is_some_and(|test| test.law.is_none());
            for (name, verdict) in names().filter(by_outputs) {
                if let Verdict::Failed(why) = verdict
                    && why.lines().next() != Some(&wrong.says)
                {
                    complaints.push(format!("{}: in {name} the message is not its own but: {why}", wrong.name));
                }
            }
        }
        complaints
    }
}
