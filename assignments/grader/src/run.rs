//! The calls of one test, in a process of their own.

use crate::build::Built;
use crate::contain::{self, Desk, End, Plan};
use crate::sheet::SheetTest;
use crate::wire::{Answer, read_answers, write_call};
use anyhow::{Context, Result};
use std::time::Instant;

/// Of the answer to one call.
const MOST_LINES: usize = 100;

/// What came of it.
pub struct Ran {
    /// As many as there were; not to be trusted in any way.
    pub answers: Vec<Answer>,
    /// How the program ended, if not as it should.
    pub end: Option<String>,
    pub printed: String,
    pub seconds: f64,
}

pub fn run_test(built: &Built, test: &SheetTest) -> Result<Ran> {
    let calls = test.calls();
    let input: String = calls.iter().map(|(function, arguments)| write_call(function, arguments)).collect();
    let answers = built.shelf.join("answers");
    std::fs::write(&answers, "").with_context(|| format!("cannot write {}", answers.display()))?;
    let plan = Plan {
        program: built.program.clone(),
        arguments: vec![answers.to_string_lossy().into_owned()],
        // A net trains on one thread, as in a chapter.
        environment: vec![("RAYON_NUM_THREADS".into(), "1".into())],
        folder: built.shelf.clone(),
        readable: Vec::new(),
        writable: vec![answers.clone()],
        sets_permissions: false,
        limits: built.limits,
    };
    let start = Instant::now();
    let (end, printed) = contain::run(&built.guard, &plan, &Desk { folder: &built.desk, input: &input })?;
    let seconds = start.elapsed().as_secs_f64();
    // Without walls a program could have put something else there, such as a pipe that nobody writes to.
    let is_file = std::fs::symlink_metadata(&answers).is_ok_and(|found| found.is_file());
    let text = if is_file { contain::first_bytes(&answers, built.limits.file as usize)? } else { String::new() };
    let _ = std::fs::remove_file(&answers);
    // A full file of empty outputs would be hundreds of times as large in memory.
    let lines = text.split_inclusive('\n').take(MOST_LINES * (calls.len() + 1));
    let text: String = lines.collect();
    let end = (end != End::Exit(0)).then(|| end.words("the program", &printed, &built.limits));
    Ok(Ran { answers: read_answers(&text), end, printed, seconds })
}
