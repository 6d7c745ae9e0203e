//! Questions that a thread cannot ask: a forked child enters a user namespace,
//! writes what it sees there into a pipe, and exits.
//!
//! Processes inside may be hostile. The child holds nothing of value, cannot be
//! traced, and is killed when its time is up. It makes system calls and nothing
//! else: at the fork(2), other threads may have held any lock, that of the
//! allocator included.
//!
//! It stays in the caller's pid namespace, so that only processes which share
//! that one can name it. To trace it, or to look into it, takes CAP_SYS_PTRACE
//! in the user namespace in which its program was executed, which is the
//! caller's, not the one it entered.

mod confine;
mod limits;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid as RawPid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, waitpid,
};
use rustix::thread::{CapabilitySet, capabilities};

use crate::error::errno_of;
use crate::kernel::UtsNames;
use crate::kernel::child::confine::{Guise, confine, drop_capabilities, protect};
use crate::kernel::error::errno_from;
use crate::kernel::nsfs::NsFile;

pub(super) use limits::max_namespaces;

/// The longest answer: two names of a uts namespace, each with its NUL.
const LIMIT: usize = 2 * 65;
/// An error number and an answer. A pipe takes that many bytes in one piece.
const MESSAGE: usize = size_of::<i32>() + LIMIT;
/// How long a child may take: another process may have stopped it.
const DEADLINE: Duration = Duration::from_secs(2);

/// Returns whether this process may send a child into a uts namespace. One with
/// CAP_SYS_ADMIN enters with a thread instead.
pub(super) fn may_enter() -> bool {
    !is_admin() && !rustix::process::geteuid().is_root()
}

fn is_admin() -> bool {
    capabilities(None).map_or(true, |sets| {
        sets.effective.contains(CapabilitySet::SYS_ADMIN)
    })
}

/// Returns the names of a uts namespace, by entering the user namespace that
/// owns it, which the creator of that may do without privilege.
pub(super) fn uts_names(ns: &NsFile) -> Result<UtsNames, Errno> {
    let owner = ns.owner()?;
    let keep = [owner.as_fd(), ns.as_fd()];
    let answer = in_child(keep, DEADLINE, Guise::Powerless, |buffer| {
        enter_user_ns(owner.as_fd())?;
        enter(ns.as_fd(), libc::CLONE_NEWUTS)?;
        drop_capabilities()?;
        let names = rustix::system::uname();
        let both = [names.nodename(), names.domainname()];
        let bytes = both.iter().flat_map(|name| name.to_bytes_with_nul());
        for (place, byte) in buffer.iter_mut().zip(bytes) {
            *place = *byte;
        }
        Ok(())
    })?;
    let mut names = answer.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    match (names.next(), names.next()) {
        (Some(host), Some(domain)) => Ok(UtsNames { host, domain }),
        _ => Err(Errno::PROTO),
    }
}

/// Moves the child into a user namespace, which grants all capabilities there.
fn enter_user_ns(ns: BorrowedFd<'_>) -> Result<(), Errno> {
    enter(ns, libc::CLONE_NEWUSER).map_err(|errno| match errno {
        // The child is there already, and lacks the capability there.
        Errno::INVAL => Errno::PERM,
        errno => errno,
    })?;
    // The kernel may have made the child dumpable again.
    protect()
}

/// Runs `ask` in a child and returns what it put into the buffer. `ask` must
/// make system calls only, and needs no descriptors except `keep`. ETIMEDOUT if
/// the child takes too long, ECHILD if it ends without an answer.
fn in_child(
    keep: [BorrowedFd<'_>; 2],
    deadline: Duration,
    guise: Guise,
    ask: impl Fn(&mut [u8; LIMIT]) -> Result<(), Errno>,
) -> Result<[u8; LIMIT], Errno> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let [one, other] = keep;
    let keep = [one.as_raw_fd(), other.as_raw_fd(), writer.as_raw_fd()];
    let parent = getpid();
    // SAFETY: the child calls only `ask` and functions that are
    // async-signal-safe, signal-safety(7), and ends with _exit(2).
    #[expect(unsafe_code, reason = "no safe wrapper forks without exec")]
    let forked = unsafe { libc::fork() };
    if forked == 0 {
        let mut buffer = [0; LIMIT];
        let asked = confine(parent, keep, guise).and_then(|()| ask(&mut buffer));
        let errno = asked.map_or_else(Errno::raw_os_error, |()| 0);
        let mut message = [0; MESSAGE];
        let bytes = errno.to_ne_bytes().into_iter().chain(buffer);
        for (place, byte) in message.iter_mut().zip(bytes) {
            *place = byte;
        }
        // The parent takes a short answer for a failure.
        let _ = rustix::io::write(&writer, &message);
        exit();
    }
    drop(writer);
    let child = match RawPid::from_raw(forked) {
        Some(child) if forked > 0 => child,
        _ => return Err(last_error()),
    };
    let end = Instant::now() + deadline;
    let message = receive(&reader, end);
    if message == Err(Errno::TIMEDOUT) {
        let _ = kill_process(child, Signal::KILL);
    }
    reap(child, end);
    let message = message?;
    let (errno, answer) = message.split_first_chunk().ok_or(Errno::PROTO)?;
    match i32::from_ne_bytes(*errno) {
        0 => answer.try_into().map_err(|_| Errno::PROTO),
        errno => Err(errno_from(errno)),
    }
}

/// Reads the message of a child.
fn receive(reader: &OwnedFd, end: Instant) -> Result<[u8; MESSAGE], Errno> {
    let mut message = [0; MESSAGE];
    if !wait_for(reader, end)? {
        return Err(Errno::TIMEDOUT);
    }
    match rustix::io::read(reader, &mut message)? {
        MESSAGE => Ok(message),
        _ => Err(Errno::CHILD),
    }
}

/// Reaps a child that has answered or was killed. Its end is not waited for
/// beyond a limit: a tracer can keep a dead process.
fn reap(child: RawPid, end: Instant) {
    const GRACE: Duration = Duration::from_millis(100);
    if let Ok(process) = pidfd_open(child, PidfdFlags::empty()) {
        let _ = wait_for(&process, end.max(Instant::now() + GRACE));
    }
    let _ = waitpid(Some(child), WaitOptions::NOHANG);
}

/// Waits until a descriptor is ready, poll(2). Returns whether it is.
fn wait_for(fd: &OwnedFd, end: Instant) -> Result<bool, Errno> {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let mut waiting = libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let timeout = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: `waiting` is one pollfd.
        #[expect(unsafe_code, reason = "rustix has poll under another feature")]
        let ready = unsafe { libc::poll(&raw mut waiting, 1, timeout) };
        match ready {
            0 => return Ok(false),
            1.. => return Ok(true),
            _ => match last_error() {
                Errno::INTR => {}
                errno => return Err(errno),
            },
        }
    }
}

/// Moves this process into a namespace, setns(2).
fn enter(ns: BorrowedFd<'_>, kind: libc::c_int) -> Result<(), Errno> {
    // SAFETY: setns(2) takes a descriptor and flags.
    #[expect(unsafe_code, reason = "rustix takes no user namespace here")]
    let entered = unsafe { libc::setns(ns.as_raw_fd(), kind) };
    if entered == 0 {
        Ok(())
    } else {
        Err(last_error())
    }
}

fn exit() -> ! {
    // SAFETY: _exit(2) runs no handlers and does not return.
    #[expect(unsafe_code, reason = "no safe wrapper exits without handlers")]
    unsafe {
        libc::_exit(0)
    }
}

fn last_error() -> Errno {
    errno_of(&std::io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use rustix::process::{DumpableBehavior, dumpable_behavior};

    use super::*;

    fn ask(
        deadline: Duration,
        ask: impl Fn(&mut [u8; LIMIT]) -> Result<(), Errno>,
    ) -> Result<[u8; LIMIT], Errno> {
        let (one, other) = (File::open("/").unwrap(), File::open("/").unwrap());
        in_child(
            [one.as_fd(), other.as_fd()],
            deadline,
            Guise::Powerless,
            ask,
        )
    }

    #[test]
    fn a_child_of_root_is_nobody() {
        if !rustix::process::geteuid().is_root() || !is_admin() {
            return;
        }
        let (one, other) = (File::open("/").unwrap(), File::open("/").unwrap());
        let keep = [one.as_fd(), other.as_fd()];
        let answer = in_child(keep, DEADLINE, Guise::Nobody, |buffer| {
            let sets = capabilities(None)?;
            let has_one = sets.effective == CapabilitySet::SYS_ADMIN
                && sets.permitted == CapabilitySet::SYS_ADMIN;
            let is_dumpable = dumpable_behavior()? != DumpableBehavior::NotDumpable;
            buffer[0] = u8::from(has_one);
            buffer[1] = u8::from(is_dumpable);
            buffer[2] = u8::from(rustix::process::getuid().as_raw() == 65534);
            buffer[3] = u8::from(rustix::process::getegid().as_raw() == 65534);
            Ok(())
        });
        let answer = answer.map(|answer| answer[..4].to_vec());
        assert_eq!(answer, Ok(vec![1, 0, 1, 1]));
    }

    #[test]
    fn a_child_gives_an_answer_or_the_reason_why_not() {
        let answer = ask(DEADLINE, |buffer| {
            buffer[0] = b'a';
            buffer[LIMIT - 1] = b'z';
            Ok(())
        });
        let mut expected = [0; LIMIT];
        (expected[0], expected[LIMIT - 1]) = (b'a', b'z');
        assert_eq!(answer, Ok(expected));
        assert_eq!(ask(DEADLINE, |_| Err(Errno::LOOP)), Err(Errno::LOOP));
    }

    #[test]
    fn a_child_that_ends_without_an_answer_is_a_failure() {
        assert_eq!(ask(DEADLINE, |_| exit()), Err(Errno::CHILD));
    }

    #[test]
    fn a_child_that_is_stopped_is_killed_in_time() {
        let before = Instant::now();
        let stopped = ask(Duration::from_millis(50), |_| {
            kill_process(getpid(), Signal::STOP)
        });
        assert_eq!(stopped, Err(Errno::TIMEDOUT));
        assert!(before.elapsed() < DEADLINE);
        // It is reaped, too: no zombie is left among the children of this test.
        let children = std::fs::read_to_string("/proc/thread-self/children");
        assert_eq!(children.unwrap_or_default(), "");
    }

    #[test]
    fn a_child_has_nothing_to_take() {
        let answer = ask(DEADLINE, |buffer| {
            let is_dumpable = dumpable_behavior()? != DumpableBehavior::NotDumpable;
            let sets = capabilities(None)?;
            let has_capabilities = sets.effective.union(sets.permitted) != CapabilitySet::empty();
            let mut open = 0;
            for fd in 0..1024 {
                // SAFETY: fcntl(2) with F_GETFD takes any number.
                #[expect(unsafe_code, reason = "most are not open")]
                let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
                open += u8::from(flags >= 0);
            }
            *buffer.first_chunk_mut().ok_or(Errno::PROTO)? =
                [u8::from(is_dumpable), u8::from(has_capabilities), open];
            Ok(())
        });
        // The two that were given, and the pipe.
        assert_eq!(answer.map(|answer| answer[..3].to_vec()), Ok(vec![0, 0, 3]));
    }
}
