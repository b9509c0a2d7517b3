//! Runs a program that is not trusted: in a process of its own, with limits, and with no more of the file system than it needs.
//!
//! The grader starts itself twice for that. `guard` starts the program, waits for it no longer than it may take, and ends
//! all that it has left behind. `confine` gives up what the program may not have, and then becomes the program. Nothing of it
//! needs a privilege; where the grader runs as root, the program runs as somebody else.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod confine;
#[cfg(target_os = "linux")]
mod guard;
#[cfg(target_os = "linux")]
mod user;
mod walls;

pub use walls::{Walls, scratch};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A program and what it may have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// All of it: nothing of the grader's environment is passed on.
    pub environment: Vec<(String, String)>,
    pub folder: PathBuf,
    /// Files and folders to read and to execute, beside those of `walls::LIBRARIES`.
    pub readable: Vec<PathBuf>,
    /// Files and folders to write.
    pub writable: Vec<PathBuf>,
    /// Whether it may set the permissions of files, as a linker does.
    pub sets_permissions: bool,
    pub limits: Limits,
}

/// Units: seconds, bytes, files, processes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    pub seconds: u64,
    /// Of address space, for each process.
    pub memory: u64,
    /// Of one file that it writes, its output among them.
    pub file: u64,
    pub open_files: u64,
    /// Processes and threads together.
    pub processes: u64,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum End {
    Exit(i32),
    Signal(i32),
    /// It was ended after so many seconds.
    Late(u64),
}

/// What of a program's output is kept, in bytes.
pub const KEPT_OUTPUT: usize = 64 * 1024;

/// What the program is asked to do and where its traces go; a folder that no contained program reaches.
pub struct Desk<'a> {
    pub folder: &'a Path,
    pub input: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Order {
    plan: Plan,
    /// Somebody without rights, where the grader has more than it needs.
    user: Option<u32>,
    outcome: PathBuf,
}

/// Runs a program to its end. Gives how it ended and the beginning of what it printed. `guard` is the grader's own program.
pub fn run(guard: &Path, plan: &Plan, desk: &Desk) -> Result<(End, String)> {
    let file = |name: &str| desk.folder.join(name);
    let [input, printed, outcome] = ["input", "printed", "outcome.json"].map(file);
    std::fs::write(&input, desk.input).with_context(|| format!("cannot write {}", input.display()))?;
    let _ = std::fs::remove_file(&outcome);
    let output = File::create(&printed).with_context(|| format!("cannot write {}", printed.display()))?;
    let order = Order { plan: plan.clone(), user: walls::user_for(plan), outcome: outcome.clone() };
    let mut command = Command::new(guard);
    command.arg(GUARD).arg(serde_json::to_string(&order)?).env_clear().stdin(File::open(&input)?);
    command.stdout(output.try_clone()?).stderr(output);
    // Apart from the grader: an interrupt from the keyboard leaves a guard that still ends its program.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().with_context(|| format!("cannot start {}", guard.display()))?;
    // A guard that was killed leaves no outcome; one that was stopped is ended.
    let status = match ended_within(&mut child, Duration::from_secs(plan.limits.seconds) + PATIENCE)? {
        Some(status) => status.to_string(),
        None => "it did not end".into(),
    };
    let text = std::fs::read_to_string(&outcome).unwrap_or_default();
    let printed = first_bytes(&printed, KEPT_OUTPUT)?;
    ensure!(!text.is_empty(), "the guard of a contained program ended without an outcome ({status}): {printed}");
    Ok((serde_json::from_str(&text).context("the outcome of a contained program cannot be read")?, printed))
}

/// How much longer than its program a guard may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Waits for a process, and ends it if it is late.
fn ended_within(child: &mut Child, time: Duration) -> Result<Option<ExitStatus>> {
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

/// The two names under which the grader starts itself.
const GUARD: &str = "guard";
const CONFINE: &str = "confine";

/// If the grader was started to contain something: does so, and says what to exit with.
pub fn entered() -> Option<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [role, order] = arguments.as_slice() else { return None };
    let (role, order) = (role.to_str()?, order.to_str()?);
    if ![GUARD, CONFINE].contains(&role) {
        return None;
    }
    Some(entered_as(role, order).unwrap_or_else(|error| {
        eprintln!("the grader could not start the program: {error:#}");
        ExitCode::from(125)
    }))
}

fn entered_as(role: &str, order: &str) -> Result<ExitCode> {
    let read: Order = serde_json::from_str(order).context("not an order of the grader's")?;
    if role == CONFINE {
        return confined(&read);
    }
    let mut command = Command::new(std::env::current_exe().context("where is this program?")?);
    command.arg(CONFINE).arg(order).stdin(Stdio::inherit());
    let end = guarded(command, read.plan.limits.seconds)?;
    std::fs::write(&read.outcome, serde_json::to_string(&end)?).context("cannot write the outcome")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(target_os = "linux")]
use {confine::confined, guard::guarded};

/// Elsewhere than on Linux a program gets a clean environment, a folder and its time, and no walls.
#[cfg(not(target_os = "linux"))]
fn confined(order: &Order) -> Result<ExitCode> {
    let plan = &order.plan;
    let mut command = Command::new(&plan.program);
    command.args(&plan.arguments).env_clear().envs(plan.environment.iter().cloned()).current_dir(&plan.folder);
    let status = command.status().with_context(|| format!("cannot start {}", plan.program.display()))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(134)))
}

#[cfg(not(target_os = "linux"))]
fn guarded(mut command: Command, seconds: u64) -> Result<End> {
    let mut child = command.spawn().context("cannot start the program")?;
    let status = ended_within(&mut child, Duration::from_secs(seconds))?;
    Ok(status.map_or(End::Late(seconds), |status| End::Exit(status.code().unwrap_or(134))))
}

/// The beginning of a file as text.
pub fn first_bytes(path: &Path, count: usize) -> Result<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    file.take(count as u64).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl End {
    /// In words that a student understands. `who` is the program, or the compiler at work on it; `printed` tells more of some ends.
    pub fn words(self, who: &str, printed: &str, limits: &Limits) -> String {
        const ABORT: i32 = 6;
        const KILL: i32 = 9;
        const SEGMENT: i32 = 11;
        const FILE_SIZE: i32 = 25;
        const SYSTEM_CALL: i32 = 31;
        let gibibytes = limits.memory >> 30;
        match self {
            Self::Exit(code) => format!("{who} ended with exit code {code}"),
            Self::Late(seconds) => format!("{who} was ended after {seconds} s"),
            Self::Signal(ABORT) if printed.contains("memory allocation of") => {
                format!("{who} asked for more memory than it may have ({gibibytes} GiB)")
            }
            Self::Signal(ABORT | SEGMENT) if printed.contains("overflowed its stack") => {
                format!("{who} ran out of stack: calls, or brackets, nested without an end?")
            }
            Self::Signal(ABORT) => format!("{who} aborted"),
            Self::Signal(SEGMENT) => format!("{who} touched memory that is not its own (signal 11)"),
            Self::Signal(FILE_SIZE) => format!("{who} printed or wrote more than {} MiB", limits.file >> 20),
            Self::Signal(SYSTEM_CALL) => format!("{who} called the system in a way that it may not"),
            Self::Signal(KILL) => format!("{who} was killed: too much memory or time"),
            Self::Signal(signal) => format!("{who} died of signal {signal}"),
        }
    }
}
