//! One thread per trial.
//!
//! candle reads how many threads it may use from the environment: for matrix products at every call, for large
//! elementwise operations once. Both must say 1 before the program starts, so it starts itself once more if they do
//! not. The allocator, told in the same way, keeps what it was given back: a training step asks for the same memory
//! again.

use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

const VARIABLES: [(&str, &str); 3] =
    [("RAYON_NUM_THREADS", "1"), ("CANDLE_NUM_THREADS", "1"), ("MIMALLOC_PURGE_DELAY", "-1")];

/// Sees to it that candle uses one thread. Some exit code if a second self has done all the work.
pub fn one_per_trial() -> Result<Option<ExitCode>> {
    if VARIABLES.iter().all(|(name, wanted)| std::env::var(name).is_ok_and(|value| value == *wanted)) {
        return Ok(None);
    }
    let program = std::env::current_exe().context("cannot find this program to start it with one thread")?;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).envs(VARIABLES);
    become_command(command).map(Some)
}

/// On Unix the second self takes this process's place, so that a signal reaches it.
#[cfg(unix)]
fn become_command(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).context("cannot start this program with one thread")
}

#[cfg(not(unix))]
fn become_command(mut command: Command) -> Result<ExitCode> {
    let status = command.status().context("cannot start this program with one thread")?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
