//! Isolates a sandboxed program from files and other processes: with Landlock, if the system has it, with a filter of
//! system calls, and as another user, if the grader is root.

use super::command::SandboxedCommand;

/// What every program needs to start, and what a linker needs.
#[cfg(target_os = "linux")]
const LIBRARIES: [&str; 6] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/nix/store"];
#[cfg(target_os = "linux")]
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"];

/// The means of isolation on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Isolation {
    pub landlock: Landlock,
    /// Whether system calls are filtered: no network, and nothing that outlives a program.
    pub filter: bool,
    /// Whether the compiler and programs run as a user without rights.
    pub other_user: bool,
    /// Whether programs run as root.
    pub root: bool,
    /// Whether memory, processes and files are limited.
    pub limits: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Landlock {
    #[default]
    None,
    /// Isolates files, but not signals to other processes (before Linux 6.12).
    Part,
    Full,
}

impl Isolation {
    /// Says in one line what is not isolated; `None` if everything is.
    pub fn missing(&self) -> Option<String> {
        if !self.limits {
            return Some(
                "This machine does not isolate files, memory and processes. Use Linux for code that you do not trust."
                    .into(),
            );
        }
        let files = match (self.landlock, self.other_user) {
            (Landlock::None, true) => Some("files that everybody may read or write (it has no Landlock)"),
            (Landlock::None, false) => Some("files that you may read or write (it has no Landlock)"),
            _ => None,
        };
        let signals = self.landlock != Landlock::Full && !self.other_user;
        let signals = signals.then_some("signals to your other programs (its Landlock is old or missing)");
        let root = self.root.then_some("the rights of root (other users cannot reach the folder for temporary files)");
        let calls = (!self.filter).then_some("the network and shared memory (it cannot filter system calls)");
        let missing: Vec<&str> = files.into_iter().chain(root).chain(signals).chain(calls).collect();
        (!missing.is_empty()).then(|| format!("This machine does not isolate {}.", missing.join("; ")))
    }
}

#[cfg(not(target_os = "linux"))]
impl Isolation {
    pub fn detect(_toolchain: &std::path::Path) -> Self {
        Self::default()
    }
}

#[cfg(not(target_os = "linux"))]
pub fn user_for(_command: &SandboxedCommand) -> Option<u32> {
    None
}

#[cfg(not(target_os = "linux"))]
pub fn temporary_folder() -> std::path::PathBuf {
    std::env::temp_dir()
}

#[cfg(target_os = "linux")]
pub use linux::{enclose, temporary_folder, user_for};

#[cfg(target_os = "linux")]
mod linux {
    use super::super::{command::Limits, syscalls, user};
    use super::{DEVICES, Isolation, LIBRARIES, Landlock, SandboxedCommand};
    use anyhow::{Context, Result};
    use landlock::{
        ABI, Access, AccessFs, AccessNet, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
        Scope, path_beneath_rules,
    };
    use rustix::process::geteuid;
    use std::path::{Path, PathBuf};

    /// The latest version of Landlock that is tested; on an older system the crate asks for less.
    const VERSION: ABI = ABI::V7;

    impl Isolation {
        /// Finds out how a build with the toolchain in this folder, and the built program, are isolated. Tries it in
        /// threads, because isolation cannot be undone.
        pub fn detect(toolchain: &Path) -> Self {
            let command = SandboxedCommand {
                program: PathBuf::new(),
                arguments: Vec::new(),
                environment: Vec::new(),
                folder: PathBuf::new(),
                readable: Vec::new(),
                writable: Vec::new(),
                sets_permissions: false,
                limits: Limits { seconds: 0, memory: 0, file: 0, open_files: 0, processes: 0 },
            };
            let status = std::thread::spawn(move || restrict(&command)).join().ok().and_then(Result::ok);
            let filter = std::thread::spawn(|| syscalls::deny(false)).join().is_ok_and(|denied| denied.is_ok());
            let landlock = match status.map(|status| status.ruleset) {
                Some(RulesetStatus::FullyEnforced) => Landlock::Full,
                Some(RulesetStatus::PartiallyEnforced) => Landlock::Part,
                _ => Landlock::None,
            };
            let programs = user::without_rights().is_some() && user::everybody_reaches(&temporary_folder());
            let other_user = programs && user::everybody_reaches(toolchain);
            Self { landlock, filter, other_user, root: geteuid().is_root() && !programs, limits: true }
        }
    }

    /// The folder for builds and answers: the one for temporary files. If the grader is root and other users cannot
    /// reach that one, it is the system's, because another user runs what was built.
    pub fn temporary_folder() -> PathBuf {
        let own = std::env::temp_dir();
        let others = ["/tmp", "/var/tmp"].map(PathBuf::from);
        let reached = [own.clone()].into_iter().chain(others).find(|folder| user::everybody_reaches(folder));
        reached.filter(|_| geteuid().is_root()).unwrap_or(own)
    }

    /// Limits this process, and everything that it becomes and starts, to the files that the command lists.
    pub fn enclose(command: &SandboxedCommand) -> Result<()> {
        restrict(command).map(|_| ())
    }

    fn restrict(command: &SandboxedCommand) -> Result<RestrictionStatus> {
        let read = AccessFs::from_read(VERSION);
        let write = AccessFs::from_all(VERSION) & !AccessFs::Execute;
        let program = std::slice::from_ref(&command.program);
        Ruleset::default()
            .handle_access(AccessFs::from_all(VERSION))?
            .handle_access(AccessNet::from_all(VERSION))?
            .scope(Scope::from_all(VERSION))?
            .create()?
            .add_rules(path_beneath_rules(LIBRARIES, read))?
            .add_rules(path_beneath_rules(command.readable.iter().chain(program), read))?
            .add_rules(path_beneath_rules(DEVICES, AccessFs::ReadFile | AccessFs::WriteFile))?
            // Tells where the stack ends, which distinguishes an overflow from other faults.
            .add_rules(path_beneath_rules(["/proc/self"], AccessFs::ReadFile | AccessFs::ReadDir))?
            .add_rules(path_beneath_rules(&command.writable, write))?
            .restrict_self()
            .context("cannot isolate the program")
    }

    /// Gives the user without rights who runs the program, and makes them the owner of what it may write; `None` if
    /// other users cannot reach everything that it needs.
    pub fn user_for(command: &SandboxedCommand) -> Option<u32> {
        let user = user::without_rights()?;
        let needed = command.readable.iter().chain(&command.writable).chain([&command.program, &command.folder]);
        if !needed.filter(|path| path.exists()).all(|path| user::everybody_reaches(path)) {
            return None;
        }
        let given = command.writable.iter().all(|path| std::os::unix::fs::chown(path, Some(user), Some(user)).is_ok());
        given.then_some(user)
    }
}
