//! Runs a program that is not trusted: in a process of its own, with limits, and with access to the files that it
//! needs.
//!
//! For that the grader starts itself twice. The first process, `supervise`, starts the second, waits for it until its
//! time limit and ends every process that it leaves. The second, `confine`, gives up what the program may not use and
//! then becomes the program. Neither needs a privilege; if the grader runs as root, the program runs as a user without
//! rights.

mod command;
#[cfg(target_os = "linux")]
mod confine;
mod isolation;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(target_os = "linux")]
mod syscalls;
mod termination;
#[cfg(target_os = "linux")]
mod user;

pub use command::{Limits, SandboxedCommand};
pub use isolation::{Isolation, temporary_folder};
pub use termination::Termination;

use anyhow::{Context, Result, ensure};
use command::Request;
use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How much of a program's output is kept, in bytes.
const KEPT_OUTPUT: usize = 64 * 1024;
/// How much longer than its program a supervisor may take.
const GRACE_PERIOD: Duration = Duration::from_secs(15);

/// The grader's own files about a run, in a folder that no sandboxed program can reach.
pub struct Scratch<'a> {
    pub folder: &'a Path,
    /// The program's standard input.
    pub input: &'a str,
}

/// Runs a program to its end. Gives how it ended and the beginning of what it printed. `grader` is the grader's own
/// program.
pub fn run(grader: &Path, command: &SandboxedCommand, scratch: &Scratch) -> Result<(Termination, String)> {
    let [input, printed, outcome] = ["input", "printed", "outcome.json"].map(|name| scratch.folder.join(name));
    std::fs::write(&input, scratch.input).with_context(|| format!("cannot write {}", input.display()))?;
    let _ = std::fs::remove_file(&outcome);
    let output = File::create(&printed).with_context(|| format!("cannot write {}", printed.display()))?;
    let request = Request { command: command.clone(), user: isolation::user_for(command), outcome: outcome.clone() };
    let mut supervisor = Command::new(grader);
    supervisor.arg(SUPERVISE).arg(serde_json::to_string(&request)?).env_clear().stdin(File::open(&input)?);
    supervisor.stdout(output.try_clone()?).stderr(output);
    // In another process group than the grader: an interrupt from the keyboard leaves the supervisor to end its
    // program.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut supervisor, 0);
    let mut child = supervisor.spawn().with_context(|| format!("cannot start {}", grader.display()))?;
    // A supervisor that was killed leaves no outcome; one that was stopped is ended.
    let time = Duration::from_secs(command.limits.seconds) + GRACE_PERIOD;
    let status = wait_or_kill(&mut child, time)?.map_or("it did not end".into(), |status| status.to_string());
    let text = std::fs::read_to_string(&outcome).unwrap_or_default();
    let printed = first_bytes(&printed, KEPT_OUTPUT)?;
    ensure!(!text.is_empty(), "the supervisor of a sandboxed program ended without an outcome ({status}): {printed}");
    let end = serde_json::from_str(&text).context("cannot read the outcome of a sandboxed program")?;
    Ok((end, printed))
}

/// Waits for a process until a time limit, and then kills it and gives `None`.
fn wait_or_kill(child: &mut Child, time: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    while start.elapsed() < time {
        if let Some(status) = child.try_wait().context("cannot wait for a program")? {
            return Ok(Some(status));
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(10));
    }
    child.kill().and_then(|()| child.wait()).context("cannot end a program")?;
    Ok(None)
}

/// The two roles in which the grader starts itself.
const SUPERVISE: &str = "supervise";
const CONFINE: &str = "confine";

/// Plays one of the two roles if the grader was started for it, and gives the exit code.
pub fn entered() -> Option<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [role, request] = arguments.as_slice() else { return None };
    let (role, request) = (role.to_str()?, request.to_str()?);
    if ![SUPERVISE, CONFINE].contains(&role) {
        return None;
    }
    Some(entered_as(role, request).unwrap_or_else(|error| {
        eprintln!("the grader could not start the program: {error:#}");
        ExitCode::from(125)
    }))
}

fn entered_as(role: &str, text: &str) -> Result<ExitCode> {
    let request: Request = serde_json::from_str(text).context("this is not a request of the grader")?;
    if role == CONFINE {
        return confined(&request);
    }
    let mut command = Command::new(std::env::current_exe().context("cannot find the grader's own program")?);
    command.arg(CONFINE).arg(text).stdin(Stdio::inherit());
    let end = supervised(command, request.command.limits.seconds)?;
    std::fs::write(&request.outcome, serde_json::to_string(&end)?).context("cannot write the outcome")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(target_os = "linux")]
use {confine::confined, supervise::supervised};

/// Runs the program with a clean environment, a folder and a time limit: outside Linux there is no isolation.
#[cfg(not(target_os = "linux"))]
fn confined(request: &Request) -> Result<ExitCode> {
    let wanted = &request.command;
    let mut command = Command::new(&wanted.program);
    command.args(&wanted.arguments).env_clear().envs(wanted.environment.iter().cloned()).current_dir(&wanted.folder);
    let status = command.status().with_context(|| format!("cannot start {}", wanted.program.display()))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(134)))
}

#[cfg(not(target_os = "linux"))]
fn supervised(mut command: Command, seconds: u64) -> Result<Termination> {
    let mut child = command.spawn().context("cannot start the program")?;
    let status = wait_or_kill(&mut child, Duration::from_secs(seconds))?;
    Ok(status.map_or(Termination::TimedOut(seconds), |status| Termination::Exit(status.code().unwrap_or(134))))
}

/// Reads the beginning of a file as text.
pub fn first_bytes(path: &Path, count: usize) -> Result<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    file.take(count as u64).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
