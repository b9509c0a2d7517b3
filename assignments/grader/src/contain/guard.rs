//! Starts a program, waits for it, and ends whatever it has started in its turn.

use super::End;
use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, set_child_subreaper, wait, waitpid,
};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long the processes that a program has left behind are hunted.
const HUNT: Duration = Duration::from_secs(5);

pub fn guarded(mut command: Command, seconds: u64) -> Result<End> {
    // Orphans become children of this process, wherever the program has hidden them.
    set_child_subreaper(Some(getpid())).context("cannot become a reaper")?;
    let child = command.process_group(0).spawn().context("cannot start the program")?;
    let program = Pid::from_child(&child);
    let end = wait_for(program, seconds)?;
    end_all(program);
    Ok(end)
}

fn wait_for(program: Pid, seconds: u64) -> Result<End> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    while start.elapsed() < Duration::from_secs(seconds) {
        if let Some((_, status)) = waitpid(Some(program), WaitOptions::NOHANG).context("cannot wait for the program")? {
            let signal = status.terminating_signal().map(End::Signal);
            return Ok(signal.unwrap_or(End::Exit(status.exit_status().unwrap_or(-1))));
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(20));
    }
    Ok(End::Late(seconds))
}

/// Until this process has no child any more. A process that dies hands its children to this one, so that none is missed.
fn end_all(program: Pid) {
    let start = Instant::now();
    while start.elapsed() < HUNT {
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
        // `pid (name) state parent …`, and the name may hold anything.
        let line = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let parent = line.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        parent == Some(me.as_str())
    };
    processes.filter(is_mine).filter_map(Pid::from_raw).collect()
}
