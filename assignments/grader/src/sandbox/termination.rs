//! How a program ended.

use super::command::Limits;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Termination {
    Exit(i32),
    Signal(i32),
    /// It was killed at its time limit, in seconds.
    TimedOut(u64),
}

impl Termination {
    /// Describes it for a student. `who` is the program or the compiler; what it printed tells the reason of some ends.
    pub fn describe(self, who: &str, printed: &str, limits: &Limits) -> String {
        const ABORT: i32 = 6;
        const KILL: i32 = 9;
        const SEGMENTATION_FAULT: i32 = 11;
        const FILE_SIZE: i32 = 25;
        const SYSTEM_CALL: i32 = 31;
        let gibibytes = limits.memory >> 30;
        match self {
            Self::Exit(code) => format!("{who} ended with exit code {code}"),
            Self::TimedOut(seconds) => format!("{who} did not finish within {seconds} s"),
            Self::Signal(ABORT) if printed.contains("memory allocation of") => {
                format!("{who} needs more memory than the limit of {gibibytes} GiB")
            }
            Self::Signal(ABORT | SEGMENTATION_FAULT) if printed.contains("overflowed its stack") => {
                format!("{who} overflowed its stack: is there a recursion without an end, or too many nested brackets?")
            }
            Self::Signal(ABORT) => format!("{who} aborted"),
            Self::Signal(SEGMENTATION_FAULT) => format!("{who} accessed memory that it does not own (signal 11)"),
            Self::Signal(FILE_SIZE) => format!("{who} printed or wrote more than {} MiB", limits.file >> 20),
            Self::Signal(SYSTEM_CALL) => format!("{who} made a forbidden system call"),
            Self::Signal(KILL) => format!("{who} was killed: it took too much memory or time"),
            Self::Signal(signal) => format!("{who} was ended by signal {signal}"),
        }
    }
}
