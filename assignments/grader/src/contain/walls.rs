//! What a contained program sees of the file system and of other processes: by Landlock, where the system has it, by a filter
//! of system calls, and by being somebody else, where the grader is root.

use super::Plan;

/// What any program needs to start, and what a linker needs.
#[cfg(target_os = "linux")]
const LIBRARIES: [&str; 6] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/nix/store"];
#[cfg(target_os = "linux")]
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"];

/// Which walls there are on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Walls {
    pub landlock: Landlock,
    /// No network, and nothing that outlives a program.
    pub filter: bool,
    /// The compiler and programs run as a user without rights.
    pub other_user: bool,
    /// Programs run as root.
    pub root: bool,
    /// Time, memory, processes, files.
    pub limits: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Landlock {
    #[default]
    None,
    /// Files, but not signals to other processes (before Linux 6.12).
    Part,
    Full,
}

impl Walls {
    /// What is not contained, in one line; none if all is.
    pub fn missing(&self) -> Option<String> {
        if !self.limits {
            return Some(
                "Not contained here: files, memory, processes. Use Linux for code that you do not trust.".into(),
            );
        }
        let files = match (self.landlock, self.other_user) {
            (Landlock::None, true) => Some("files that everybody may read or write (this system has no Landlock)"),
            (Landlock::None, false) => Some("every file that you may read or write (this system has no Landlock)"),
            _ => None,
        };
        let signals = self.landlock != Landlock::Full && !self.other_user;
        let signals = signals.then_some("signals to other programs of yours (this Linux has an old Landlock or none)");
        let root = self.root.then_some("the rights of root (others cannot reach the folder for temporary files)");
        let calls = (!self.filter).then_some("the network and shared memory (this system filters no calls)");
        let missing: Vec<&str> = files.into_iter().chain(root).chain(signals).chain(calls).collect();
        (!missing.is_empty()).then(|| format!("Not contained here: {}.", missing.join("; ")))
    }
}

#[cfg(not(target_os = "linux"))]
impl Walls {
    pub fn around(_toolchain: &std::path::Path) -> Self {
        Self::default()
    }
}

#[cfg(not(target_os = "linux"))]
pub fn user_for(_plan: &Plan) -> Option<u32> {
    None
}

#[cfg(not(target_os = "linux"))]
pub fn scratch() -> std::path::PathBuf {
    std::env::temp_dir()
}

#[cfg(target_os = "linux")]
pub use linux::{enclose, scratch, user_for};

#[cfg(target_os = "linux")]
mod linux {
    use super::super::{calls, user};
    use super::{DEVICES, LIBRARIES, Landlock, Plan, Walls};
    use anyhow::{Context, Result};
    use landlock::{
        ABI, Access, AccessFs, AccessNet, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
        Scope, path_beneath_rules,
    };
    use rustix::process::geteuid;
    use std::path::{Path, PathBuf};

    /// The latest that is tested; on an older system the crate asks for less.
    const KNOWN: ABI = ABI::V7;

    impl Walls {
        /// Around a build with the toolchain in this folder, and around what it builds. Tried in a thread, which alone is then
        /// enclosed.
        pub fn around(toolchain: &Path) -> Self {
            let plan = Plan {
                program: PathBuf::new(),
                arguments: Vec::new(),
                environment: Vec::new(),
                folder: PathBuf::new(),
                readable: Vec::new(),
                writable: Vec::new(),
                sets_permissions: false,
                limits: super::super::Limits { seconds: 0, memory: 0, file: 0, open_files: 0, processes: 0 },
            };
            let status = std::thread::spawn(move || restrict(&plan)).join().ok().and_then(Result::ok);
            let filter = std::thread::spawn(|| calls::refuse(false)).join().is_ok_and(|refused| refused.is_ok());
            let landlock = match status.map(|status| status.ruleset) {
                Some(RulesetStatus::FullyEnforced) => Landlock::Full,
                Some(RulesetStatus::PartiallyEnforced) => Landlock::Part,
                _ => Landlock::None,
            };
            let programs = user::made_up().is_some() && user::everybody_reaches(&scratch());
            let other_user = programs && user::everybody_reaches(toolchain);
            Self { landlock, filter, other_user, root: geteuid().is_root() && !programs, limits: true }
        }
    }

    /// Where builds and answers lie: the folder for temporary files, or, if only its owner reaches that, the system's, so that
    /// another user can run what was built.
    pub fn scratch() -> PathBuf {
        let own = std::env::temp_dir();
        let others = ["/tmp", "/var/tmp"].map(PathBuf::from);
        let reached = [own.clone()].into_iter().chain(others).find(|folder| user::everybody_reaches(folder));
        reached.filter(|_| geteuid().is_root()).unwrap_or(own)
    }

    /// This process, and all that it becomes and starts, sees what the plan lists and nothing else.
    pub fn enclose(plan: &Plan) -> Result<()> {
        restrict(plan).map(|_| ())
    }

    fn restrict(plan: &Plan) -> Result<RestrictionStatus> {
        let read = AccessFs::from_read(KNOWN);
        let write = AccessFs::from_all(KNOWN) & !AccessFs::Execute;
        let program = std::slice::from_ref(&plan.program);
        Ruleset::default()
            .handle_access(AccessFs::from_all(KNOWN))?
            .handle_access(AccessNet::from_all(KNOWN))?
            .scope(Scope::from_all(KNOWN))?
            .create()?
            .add_rules(path_beneath_rules(LIBRARIES, read))?
            .add_rules(path_beneath_rules(plan.readable.iter().chain(program), read))?
            .add_rules(path_beneath_rules(DEVICES, AccessFs::ReadFile | AccessFs::WriteFile))?
            // Where the stack ends: so an overflow is told from other faults.
            .add_rules(path_beneath_rules(["/proc/self"], AccessFs::ReadFile | AccessFs::ReadDir))?
            .add_rules(path_beneath_rules(&plan.writable, write))?
            .restrict_self()
            .context("cannot enclose the program")
    }

    /// Who runs the program: somebody without rights, if everybody reaches all that it needs. What it may write is made theirs.
    pub fn user_for(plan: &Plan) -> Option<u32> {
        let user = user::made_up()?;
        let needed = plan.readable.iter().chain(&plan.writable).chain([&plan.program, &plan.folder]);
        if !needed.filter(|path| path.exists()).all(|path| user::everybody_reaches(path)) {
            return None;
        }
        let given = plan.writable.iter().all(|path| std::os::unix::fs::chown(path, Some(user), Some(user)).is_ok());
        given.then_some(user)
    }
}
