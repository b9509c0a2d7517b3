//! The program that calls a submission: reads calls from standard input and appends each answer to the file that its
//! first argument names. It receives no expected values. Standard output and error are the submission's.

mod harness;
#[allow(dead_code)] // The grader uses the rest of it.
mod wire;

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::sync::Mutex;

/// The place and the message of the last panic.
static PANIC: Mutex<String> = Mutex::new(String::new());

fn main() -> std::io::Result<()> {
    let mut calls = String::new();
    std::io::stdin().read_to_string(&mut calls)?;
    let path = std::env::args().nth(1).unwrap_or_default();
    let mut answers = OpenOptions::new().append(true).open(path)?;
    set_hook(Box::new(note));
    for (head, body) in wire::blocks(&calls) {
        let arguments: Result<Vec<wire::Value>, String> = body.into_iter().map(str::parse).collect();
        let function = head.trim_start_matches("call ");
        let answer = arguments.and_then(|arguments| {
            let call = AssertUnwindSafe(|| harness::call(function, &arguments));
            catch_unwind(call).unwrap_or_else(|_| Err(format!("it panicked at {}", noted())))
        });
        answers.write_all(wire::write_answer(&answer).as_bytes())?;
    }
    Ok(())
}

fn note(panic: &PanicHookInfo) {
    let place = panic.location().map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()));
    let payload = panic.payload();
    let words = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    let words = words.unwrap_or("without a word");
    *PANIC.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = format!("{place}: {words}");
}

fn noted() -> String {
    PANIC.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}
