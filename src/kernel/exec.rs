//! Starts a command in namespaces: between fork(2) and execve(2), a child enters
//! them.
//!
//! The child makes system calls and nothing else, since other threads may have
//! held any lock at the fork. Until it executes the command it holds a copy of
//! this process's memory, so it cannot be traced before. Afterwards it is what
//! the user asked for: in a pid namespace, processes there may trace it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Pid as RawPid, WaitOptions, set_dumpable_behavior};
use rustix::thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::error::errno_of;
use crate::kernel::error::errno_from;
use crate::kernel::nsfs::{NsFile, flag_of_kind};
use crate::model::Kind;

/// The order in which namespaces are entered. The user namespace grants what the
/// others take; entered last, a pid namespace is that of the next child.
const ORDER: [Kind; 8] = [
    Kind::User,
    Kind::Cgroup,
    Kind::Ipc,
    Kind::Uts,
    Kind::Net,
    Kind::Time,
    Kind::Mnt,
    Kind::Pid,
];

/// Why a command did not start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StartError {
    /// A namespace of this type could not be entered.
    Enter(Kind, Errno),
    /// The child could not become root of the user namespace it entered.
    Become(Errno),
    /// There are no more processes to have.
    Fork(Errno),
    /// The program could not be executed.
    Execute(Errno),
}

/// What a child was about when it failed. Goes with the error number through the
/// one number that the standard library returns from a child.
#[derive(Clone, Copy)]
enum Step {
    Enter(Kind),
    Become,
    Fork,
}

/// Above any error number.
const STEP: i32 = 1 << 16;

impl Step {
    fn error(self, errno: Errno) -> io::Error {
        let step = match self {
            Step::Become => 1,
            Step::Fork => 2,
            Step::Enter(kind) => 3 + flag_place(kind),
        };
        io::Error::from_raw_os_error(step * STEP + errno.raw_os_error())
    }
}

fn flag_place(kind: Kind) -> i32 {
    let place = ORDER.iter().position(|one| *one == kind);
    place
        .and_then(|place| i32::try_from(place).ok())
        .unwrap_or(0)
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        let number = error.raw_os_error().unwrap_or(0);
        let errno = || errno_from(number % STEP);
        match number / STEP {
            0 => StartError::Execute(errno_of(&error)),
            1 => StartError::Become(errno()),
            2 => StartError::Fork(errno()),
            step => {
                let place = usize::try_from(step - 3).ok();
                let kind = place.and_then(|place| ORDER.get(place));
                kind.map_or(StartError::Fork(errno()), |kind| {
                    StartError::Enter(*kind, errno())
                })
            }
        }
    }
}

/// Starts a command in these namespaces, in which the caller is not. In a user
/// namespace it runs as root of that.
///
/// In a pid namespace it is a grandchild, whose end its parent repeats.
pub(crate) fn start(
    mut command: Command,
    namespaces: Vec<(Kind, NsFile)>,
) -> Result<Child, StartError> {
    let place = |kind: Kind| namespaces.iter().find(|(own, _)| *own == kind);
    let ordered = ORDER.into_iter().filter_map(place);
    let entered: Vec<(Kind, RawFd)> = ordered
        .map(|(kind, ns)| (*kind, ns.as_fd().as_raw_fd()))
        .collect();
    // SAFETY: the closure calls functions that are async-signal-safe,
    // signal-safety(7), and allocates nothing.
    #[expect(unsafe_code, reason = "the only way to run code in the child")]
    unsafe {
        command.pre_exec(move || enter_all(&entered));
    }
    let started = command.spawn();
    // They were open until here.
    drop(namespaces);
    Ok(started?)
}

fn enter_all(namespaces: &[(Kind, RawFd)]) -> io::Result<()> {
    if namespaces.is_empty() {
        return Ok(());
    }
    hide().map_err(|errno| Step::Become.error(errno))?;
    for (kind, fd) in namespaces {
        enter(*kind, *fd).map_err(|errno| Step::Enter(*kind).error(errno))?;
        if *kind == Kind::User {
            become_root().map_err(|errno| Step::Become.error(errno))?;
        }
    }
    if namespaces.iter().any(|(kind, _)| *kind == Kind::Pid) {
        // SAFETY: this process has one thread, and its child goes on to execve(2).
        #[expect(unsafe_code, reason = "no safe wrapper forks without exec")]
        let forked = unsafe { libc::fork() };
        match RawPid::from_raw(forked) {
            Some(child) if forked > 0 => repeat_end_of(child),
            Some(_) => return Err(Step::Fork.error(last_error())),
            // The child, in the pid namespace.
            None => {}
        }
    }
    Ok(())
}

fn enter(kind: Kind, fd: RawFd) -> Result<(), Errno> {
    // SAFETY: setns(2) takes a descriptor and a flag.
    #[expect(unsafe_code, reason = "rustix takes no user namespace here")]
    let entered = unsafe { libc::setns(fd, flag_of_kind(kind).cast_signed()) };
    match entered {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

/// Becomes root of the user namespace just entered, who is not the caller: to
/// stay the user one was outside would lend that user's files to those inside.
fn become_root() -> Result<(), Errno> {
    match set_thread_groups(&[]) {
        // Where a user gave up groups, user_namespaces(7), none may be dropped.
        Ok(()) | Err(Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    let (root, group) = (Uid::ROOT, Gid::ROOT);
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(root, root, root)?;
    hide()
}

/// Keeps this process from being traced until it executes something.
fn hide() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// Waits for the child in a pid namespace, and ends as it ended.
fn repeat_end_of(child: RawPid) -> ! {
    // Also what tells the parent, by being closed, that the command has started.
    // SAFETY: this process uses no descriptor again.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            0 as libc::c_uint,
            libc::c_uint::MAX,
            0 as libc::c_uint,
        );
    }
    let code = loop {
        match rustix::process::waitpid(Some(child), WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                if let Some(signal) = status.terminating_signal() {
                    end_by(signal);
                    break 128 + signal;
                }
                break status.exit_status().unwrap_or(1);
            }
            Err(Errno::INTR) => {}
            Ok(None) | Err(_) => break 1,
        }
    };
    // SAFETY: _exit(2) runs no handlers and does not return.
    #[expect(unsafe_code, reason = "no safe wrapper exits without handlers")]
    unsafe {
        libc::_exit(code)
    }
}

/// Ends this process by a signal, unless it is ignored.
fn end_by(signal: i32) {
    // SAFETY: raise(3) with the number of a signal.
    #[expect(unsafe_code, reason = "rustix has it for named signals only")]
    unsafe {
        libc::raise(signal);
    }
}

fn last_error() -> Errno {
    errno_of(&io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Member;

    #[test]
    fn a_child_tells_what_it_failed_at() {
        for kind in Kind::ALL {
            let error = Step::Enter(*kind).error(Errno::PERM);
            assert_eq!(
                StartError::from(error),
                StartError::Enter(*kind, Errno::PERM)
            );
        }
        let error = Step::Become.error(Errno::INVAL);
        assert_eq!(StartError::from(error), StartError::Become(Errno::INVAL));
        let error = Step::Fork.error(Errno::AGAIN);
        assert_eq!(StartError::from(error), StartError::Fork(Errno::AGAIN));
        let error = io::Error::from_raw_os_error(libc::ENOENT);
        assert_eq!(StartError::from(error), StartError::Execute(Errno::NOENT));
    }

    #[test]
    fn a_program_that_is_not_there_is_not_executed() {
        let error = start(Command::new("/nonexistent/program"), Vec::new()).unwrap_err();
        assert_eq!(error, StartError::Execute(Errno::NOENT));
    }
}
