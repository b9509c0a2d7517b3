//! Gives up everything that the program may not use, and becomes the program.

use super::command::{Limits, Request};
use super::{isolation, syscalls, user};
use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

pub fn confined(request: &Request) -> Result<ExitCode> {
    let wanted = &request.command;
    // If the supervisor ends, so does the program; if memory runs out, the kernel kills the program first.
    set_parent_process_death_signal(Some(Signal::KILL)).context("cannot tie the program to its supervisor")?;
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    limit(&wanted.limits, request.user)?;
    isolation::enclose(wanted)?;
    // Without a filter the report says so: see `Isolation`.
    let _ = syscalls::deny(wanted.sets_permissions);
    let mut command = Command::new(&wanted.program);
    command.args(&wanted.arguments).env_clear().envs(wanted.environment.iter().cloned()).current_dir(&wanted.folder);
    if let Some(user) = request.user {
        command.uid(user).gid(user);
    }
    Err(command.exec()).with_context(|| format!("cannot start {}", wanted.program.display()))
}

fn limit(limits: &Limits, user: Option<u32>) -> Result<()> {
    // The limit counts all processes of a user; a user made up for this program has no others.
    let others = if user.is_some() { 0 } else { user::own_tasks() };
    let each = [
        (Resource::As, limits.memory),
        (Resource::Fsize, limits.file),
        (Resource::Nofile, limits.open_files),
        (Resource::Nproc, limits.processes + others),
        (Resource::Core, 0),
        // Processor time, which ends the program even if the supervisor is gone.
        (Resource::Cpu, 4 * limits.seconds),
    ];
    for (resource, wanted) in each {
        // Only root may exceed the maximum.
        let value = getrlimit(resource).maximum.map_or(wanted, |maximum| maximum.min(wanted));
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
            .with_context(|| format!("cannot limit {resource:?} to {value}"))?;
    }
    Ok(())
}
