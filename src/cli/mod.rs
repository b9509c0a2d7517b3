//! The command line of a chapter: the same for all.

mod arguments;
mod assemble;
mod compare;
mod device;
mod execute;
pub mod images;
pub mod parse;
mod places;
mod progress;
pub mod report;
mod run;
pub mod threads;

use crate::lab::Chapter;
use std::process::ExitCode;

/// Runs the chapter as its arguments say. An error is one message on standard error and a non-zero exit code.
pub fn main<C: Chapter>() -> ExitCode {
    let outcome = threads::one_per_trial().and_then(|exit| match exit {
        Some(code) => Ok(code),
        None => run::run::<C>(arguments::parse::<C>()),
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
