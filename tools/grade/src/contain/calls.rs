//! Calls to the system that a contained program may not make, by a filter (seccomp): what reaches past its own folder and
//! outlives it, and what no solution of an exercise needs.

use anyhow::{Context, Result, ensure};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

const REFUSED: [libc::c_long; 14] = [
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
    // The inside of other programs.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
];

/// On x86-64 each call has a second number, by which the same is asked for with short pointers.
const SHORT_POINTERS: libc::c_long = 0x4000_0000;

/// This thread, and all that it becomes and starts, is refused these calls with "not permitted".
pub fn refuse() -> Result<()> {
    let program = filter().context("no filter of system calls for this processor")?;
    apply_filter(&program).context("cannot filter system calls")
}

fn filter() -> Result<BpfProgram> {
    let numbers = REFUSED.into_iter().flat_map(|call| [call, call | SHORT_POINTERS]);
    let rules = numbers.map(|number| (number, Vec::new())).collect();
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, std::env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    ensure!(!program.is_empty(), "it is empty");
    Ok(program)
}
