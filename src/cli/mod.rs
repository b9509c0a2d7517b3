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
        eprintln!("error: {}", message(&error));
        ExitCode::FAILURE
    })
}

/// What the error and its causes say. Where RUST_BACKTRACE is set candle writes a backtrace behind it: that is left out.
fn message(error: &anyhow::Error) -> String {
    let of = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref() {
        Some(candle_core::Error::WithBacktrace { inner, .. }) => inner.to_string(),
        _ => cause.to_string(),
    };
    error.chain().map(of).collect::<Vec<String>>().join(": ")
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
