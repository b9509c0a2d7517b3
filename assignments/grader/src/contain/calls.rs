//! Calls to the system that a contained program may not make, by a filter (seccomp): what reaches past its own folder, outlives
//! it or hides from who ends it, and what no solution of an exercise needs.

use anyhow::{Context, Result, ensure};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};
use std::collections::BTreeMap;

const REFUSED: [libc::c_long; 23] = [
    // Any network, and other programs' sockets; rings make calls that no filter sees.
    libc::SYS_socket,
    libc::SYS_io_uring_setup,
    // Memory, counters, messages and keys that outlive a program, so that a later test could find them.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // The inside of other programs, and how they are scheduled.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    // Another group of processes than the one that is ended as a whole.
    libc::SYS_setsid,
    libc::SYS_setpgid,
    // Namespaces, in which a program is its own root.
    libc::SYS_unshare,
    libc::SYS_setns,
];

/// Owners, permissions, dates and notes of files, which Landlock does not watch. A linker sets permissions.
const OF_FILES: [libc::c_long; 10] = [
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_fremovexattr,
];
/// The same by numbers of their own, which only older processors have.
#[cfg(target_arch = "x86_64")]
const OF_FILES_BY_PATH: &[libc::c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_lremovexattr,
    libc::SYS_fchmodat2,
];
#[cfg(not(target_arch = "x86_64"))]
const OF_FILES_BY_PATH: &[libc::c_long] = &[libc::SYS_lremovexattr, libc::SYS_fchmodat2];

/// On x86-64 each call has a second number, by which the same is asked for with short pointers.
const SHORT_POINTERS: libc::c_long = 0x4000_0000;

/// This thread, and all that it becomes and starts, is refused these calls with "not permitted".
pub fn refuse(may_set_permissions: bool) -> Result<()> {
    let program = filter(may_set_permissions).context("no filter of system calls for this processor")?;
    apply_filter(&program).context("cannot filter system calls")
}

fn filter(may_set_permissions: bool) -> Result<BpfProgram> {
    let of_files = OF_FILES.iter().chain(OF_FILES_BY_PATH).filter(|_| !may_set_permissions);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in REFUSED.iter().chain(of_files) {
        rules.extend([(*call, Vec::new()), (call | SHORT_POINTERS, Vec::new())]);
    }
    // The limits of other processes; one's own, process 0, may be asked for.
    let of_another = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, 0)?;
    let of_another = SeccompRule::new(vec![of_another])?;
    let limits = libc::SYS_prlimit64;
    rules.extend([(limits, vec![of_another.clone()]), (limits | SHORT_POINTERS, vec![of_another])]);
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, std::env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    ensure!(!program.is_empty(), "it is empty");
    Ok(program)
}
