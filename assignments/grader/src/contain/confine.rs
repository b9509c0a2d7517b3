//! Gives up all that the program may not have, and becomes the program.

use super::{Limits, Order, calls, user, walls};
use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

pub fn confined(order: &Order) -> Result<ExitCode> {
    let plan = &order.plan;
    // If the guard is ended, so is the program; and if memory runs out, it is the first to go.
    set_parent_process_death_signal(Some(Signal::KILL)).context("cannot tie the program to its guard")?;
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    limit(&plan.limits, order.user)?;
    walls::enclose(plan)?;
    // Where there is no filter the report says so: see `Walls`.
    let _ = calls::refuse(plan.sets_permissions);
    let mut command = Command::new(&plan.program);
    command.args(&plan.arguments).env_clear().envs(plan.environment.iter().cloned()).current_dir(&plan.folder);
    if let Some(user) = order.user {
        command.uid(user).gid(user);
    }
    Err(command.exec()).with_context(|| format!("cannot start {}", plan.program.display()))
}

fn limit(limits: &Limits, user: Option<u32>) -> Result<()> {
    // The limit counts all processes of a user: one made up for this program has no others.
    let others = if user.is_some() { 0 } else { user::own_tasks() };
    let each = [
        (Resource::As, limits.memory),
        (Resource::Fsize, limits.file),
        (Resource::Nofile, limits.open_files),
        (Resource::Nproc, limits.processes + others),
        (Resource::Core, 0),
        // Of processor time: should the guard be ended, nothing runs on for ever.
        (Resource::Cpu, 4 * limits.seconds),
    ];
    for (resource, wanted) in each {
        // Nobody but root may have more than there is.
        let value = getrlimit(resource).maximum.map_or(wanted, |most| most.min(wanted));
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
            .with_context(|| format!("cannot limit {resource:?} to {value}"))?;
    }
    Ok(())
}
