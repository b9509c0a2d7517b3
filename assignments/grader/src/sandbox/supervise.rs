//! Starts a program, waits for it, and ends every process that it has started.

use super::termination::Termination;
use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, set_child_subreaper, wait, waitpid,
};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long the supervisor tries to end the processes that a program leaves.
const CLEANUP_TIME: Duration = Duration::from_secs(5);

pub fn supervised(mut command: Command, seconds: u64) -> Result<Termination> {
    // Orphaned processes become children of this process.
    set_child_subreaper(Some(getpid())).context("cannot become the parent of orphaned processes")?;
    let child = command.process_group(0).spawn().context("cannot start the program")?;
    let program = Pid::from_child(&child);
    let end = wait_for(program, seconds)?;
    end_all(program);
    Ok(end)
}

fn wait_for(program: Pid, seconds: u64) -> Result<Termination> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    while start.elapsed() < Duration::from_secs(seconds) {
        if let Some((_, status)) = waitpid(Some(program), WaitOptions::NOHANG).context("cannot wait for the program")? {
            let signal = status.terminating_signal().map(Termination::Signal);
            return Ok(signal.unwrap_or(Termination::Exit(status.exit_status().unwrap_or(-1))));
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(20));
    }
    Ok(Termination::TimedOut(seconds))
}

/// Kills until this process has no children. A process that ends hands its children to this one, so none is missed.
fn end_all(program: Pid) {
    let start = Instant::now();
    while start.elapsed() < CLEANUP_TIME {
        let _ = kill_process_group(program, Signal::KILL);
        for child in children() {
            let _ = kill_process(child, Signal::KILL);
        }
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn children() -> Vec<Pid> {
    let me = getpid().as_raw_nonzero().get().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_mine = |process: &i32| {
        // The line is `pid (name) state parent …`, and the name may contain any characters.
        let line = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let parent = line.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        parent == Some(me.as_str())
    };
    processes.filter(is_mine).filter_map(Pid::from_raw).collect()
}
