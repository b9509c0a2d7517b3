//! A filter (seccomp) of the system calls that a sandboxed program may not make. They reach beyond its folder, have
//! effects that outlive it, or hide it from its supervisor; no solution of an exercise needs them.

use anyhow::{Context, Result, ensure};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};
use std::collections::BTreeMap;

const DENIED: [libc::c_long; 23] = [
    // The network and other programs' sockets; io_uring makes calls that the filter does not see.
    libc::SYS_socket,
    libc::SYS_io_uring_setup,
    // Shared memory, semaphores, messages and keys, which outlive a program and which a later test could find.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // The memory and the scheduling of other programs.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    // Leaving the process group, which is ended as a whole.
    libc::SYS_setsid,
    libc::SYS_setpgid,
    // Namespaces, in which a program is root.
    libc::SYS_unshare,
    libc::SYS_setns,
];

/// Changes of owners, permissions, dates and attributes of files, which Landlock does not control. A linker sets
/// permissions.
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
/// The same by path, with calls of their own on older architectures.
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

/// On x86-64 each call has a second number, for programs with 32-bit pointers (x32).
const SHORT_POINTERS: libc::c_long = 0x4000_0000;

/// Denies these calls to this thread and to everything that it becomes and starts: they fail with "not permitted".
pub fn deny(may_set_permissions: bool) -> Result<()> {
    let program = filter(may_set_permissions).context("there is no filter of system calls for this processor")?;
    apply_filter(&program).context("cannot filter system calls")
}

fn filter(may_set_permissions: bool) -> Result<BpfProgram> {
    let of_files = OF_FILES.iter().chain(OF_FILES_BY_PATH).filter(|_| !may_set_permissions);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in DENIED.iter().chain(of_files) {
        rules.extend([(*call, Vec::new()), (call | SHORT_POINTERS, Vec::new())]);
    }
    // The limits of other processes. A process may read its own, as process 0.
    let of_another = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, 0)?;
    let of_another = SeccompRule::new(vec![of_another])?;
    let limits = libc::SYS_prlimit64;
    rules.extend([(limits, vec![of_another.clone()]), (limits | SHORT_POINTERS, vec![of_another])]);
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, denied, std::env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    ensure!(!program.is_empty(), "the filter of system calls is empty");
    Ok(program)
}
