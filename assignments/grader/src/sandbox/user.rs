//! Users and their processes.

use rustix::process::{geteuid, getpid};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Numbers of users that do not exist: the range from which systemd takes its dynamic users.
const FIRST: u32 = 61_184;
const COUNT: u32 = 4_000;

/// Makes up a user without rights for one program; `None` if the grader is not root.
pub fn without_rights() -> Option<u32> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = getpid().as_raw_nonzero().get().unsigned_abs().wrapping_mul(97);
    let user = FIRST + number.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
    (geteuid().is_root() && is_mapped(user)).then_some(user)
}

/// A container may map only a part of the numbers to users.
fn is_mapped(user: u32) -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines().any(|line| {
        let numbers: Vec<u32> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        matches!(numbers[..], [first, _, count] if user >= first && user - first < count)
    })
}

/// Whether the permissions of all folders above a path let everybody reach it.
pub fn everybody_reaches(path: &Path) -> bool {
    path.ancestors().all(|part| {
        std::fs::metadata(part).is_ok_and(|found| found.permissions().mode() & 0o001 != 0 || !found.is_dir())
    })
}

/// Counts the processes and threads of this user.
pub fn own_tasks() -> u64 {
    let me = geteuid().as_raw().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let tasks = entries.map(|entry| {
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        if field("Uid:") == Some(&me) { field("Threads:").and_then(|count| count.parse().ok()).unwrap_or(1) } else { 0 }
    });
    tasks.sum()
}
