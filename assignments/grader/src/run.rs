//! Runs the calls of one test in a process of their own.

use crate::builder::BuiltSubmission;
use crate::sandbox::{self, SandboxedCommand, Scratch, Termination};
use crate::test_suite::TestCase;
use crate::wire::{Answer, read_answers, write_call};
use anyhow::{Context, Result};
use std::time::Instant;

/// Largest number of lines in the answer to one call.
const MAX_ANSWER_LINES: usize = 100;

/// The result of running one test.
pub struct TestRun {
    /// The answers that the program wrote, possibly too few or too many. Nothing about them can be trusted.
    pub answers: Vec<Answer>,
    /// How the program ended, if abnormally.
    pub end: Option<String>,
    pub printed: String,
    pub seconds: f64,
}

pub fn run_test(built: &BuiltSubmission, test: &TestCase) -> Result<TestRun> {
    let input: String = test.calls.iter().map(|call| write_call(&call.function, &call.arguments)).collect();
    let answers = built.run_folder.join("answers");
    std::fs::write(&answers, "").with_context(|| format!("cannot write {}", answers.display()))?;
    let command = SandboxedCommand {
        program: built.program.clone(),
        arguments: vec![answers.to_string_lossy().into_owned()],
        // A network trains on one thread, as in a chapter.
        environment: vec![("RAYON_NUM_THREADS".into(), "1".into())],
        folder: built.run_folder.clone(),
        readable: Vec::new(),
        writable: vec![answers.clone()],
        sets_permissions: false,
        limits: built.limits,
    };
    let scratch = Scratch { folder: &built.scratch_folder, input: &input };
    let start = Instant::now();
    let (end, printed) = sandbox::run(&built.grader, &command, &scratch)?;
    let seconds = start.elapsed().as_secs_f64();
    // Without isolation a program could have replaced the file, for example by a pipe to which nobody writes.
    let is_file = std::fs::symlink_metadata(&answers).is_ok_and(|found| found.is_file());
    let text = if is_file { sandbox::first_bytes(&answers, built.limits.file as usize)? } else { String::new() };
    let _ = std::fs::remove_file(&answers);
    // Empty outputs take hundreds of times as much memory as they take in the file.
    let text: String = text.split_inclusive('\n').take(MAX_ANSWER_LINES * (test.calls.len() + 1)).collect();
    let end = (end != Termination::Exit(0)).then(|| end.describe("the program", &printed, &built.limits));
    Ok(TestRun { answers: read_answers(&text), end, printed, seconds })
}
