//! What a child may not bring into a namespace.

use std::os::fd::RawFd;

use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid as RawPid, Signal, getppid, set_dumpable_behavior,
    set_parent_process_death_signal,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, set_capabilities, set_keep_capabilities,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use crate::kernel::child::last_error;

/// Whom the child becomes before it enters anything.
#[derive(Clone, Copy)]
pub(super) enum Guise {
    /// The same user without capabilities.
    Powerless,
    /// Nobody, with the one capability that it takes to enter. Only that of root.
    Nobody,
}

/// Takes from the child what it must not bring into a namespace.
pub(super) fn confine(parent: RawPid, keep: [RawFd; 3], guise: Guise) -> Result<(), Errno> {
    close_others(keep)?;
    match guise {
        Guise::Powerless => drop_capabilities()?,
        Guise::Nobody => become_nobody()?,
    }
    // Another user is another process to the kernel: what protected it is gone.
    protect()?;
    // The parent may have ended before the signal was set.
    if getppid() != Some(parent) {
        return Err(Errno::SRCH);
    }
    Ok(())
}

/// Makes this process one of the user whom no file belongs to, with CAP_SYS_ADMIN
/// alone. Entering a user namespace takes that away, too.
fn become_nobody() -> Result<(), Errno> {
    const NOBODY: u32 = 65534;
    if rustix::process::geteuid().is_root() {
        let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        set_keep_capabilities(true)?;
        set_thread_groups(&[])?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
    }
    let admin = CapabilitySet::SYS_ADMIN;
    let sets = CapabilitySets {
        effective: admin,
        permitted: admin,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets)
}

/// Keeps this process from being traced, and from outliving its parent.
pub(super) fn protect() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_parent_process_death_signal(Some(Signal::KILL))
}

pub(super) fn drop_capabilities() -> Result<(), Errno> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    set_capabilities(None, sets)
}

/// Closes all descriptors except these, close_range(2). ENOSYS before Linux
/// 5.9.
fn close_others(mut keep: [RawFd; 3]) -> Result<(), Errno> {
    keep.sort_unstable();
    let mut first: libc::c_uint = 0;
    for fd in keep.map(RawFd::cast_unsigned) {
        if first < fd {
            close_range(first, fd - 1)?;
        }
        first = fd + 1;
    }
    close_range(first, libc::c_uint::MAX)
}

fn close_range(first: libc::c_uint, last: libc::c_uint) -> Result<(), Errno> {
    let no_flags: libc::c_uint = 0;
    // SAFETY: in the child, which uses none of these descriptors again.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, no_flags) };
    if closed == 0 {
        Ok(())
    } else {
        Err(last_error())
    }
}
