//! What the sandbox runs.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A program and everything it may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SandboxedCommand {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// The whole environment: the program inherits nothing from the grader's.
    pub environment: Vec<(String, String)>,
    pub folder: PathBuf,
    /// Files and folders that it may read and execute, besides those of `isolation::LIBRARIES`.
    pub readable: Vec<PathBuf>,
    /// Files and folders that it may write.
    pub writable: Vec<PathBuf>,
    /// Whether it may set the permissions of files, as a linker does.
    pub sets_permissions: bool,
    pub limits: Limits,
}

/// Units: seconds, bytes, files, processes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    pub seconds: u64,
    /// Address space of each process.
    pub memory: u64,
    /// Size of each file that it writes, including its printed output.
    pub file: u64,
    pub open_files: u64,
    /// Number of processes and threads together.
    pub processes: u64,
}

/// What the grader sends to the processes that supervise and confine a program.
#[derive(Serialize, Deserialize)]
pub struct Request {
    pub command: SandboxedCommand,
    /// The user without rights who runs the program, if the grader has more rights than the program needs.
    pub user: Option<u32>,
    /// Where the supervisor writes how the program ended.
    pub outcome: PathBuf,
}
