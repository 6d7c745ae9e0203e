//! Signals that are read rather than obeyed: signalfd(2).
//!
//! They must be blocked before other threads start, which inherit the mask. The
//! standard library unblocks all for the commands that it starts.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

use crate::error::errno_of;
use crate::kernel::bytes::u32_at;

/// Size of `struct signalfd_siginfo`.
const INFO: usize = 128;

/// A signal that was sent to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Someone wants this process to end: SIGINT, SIGTERM or SIGHUP.
    End,
    /// A child has ended.
    Child,
    /// The size of the terminal has changed.
    Resized,
}

/// What [`Signal`]s become readable from.
#[derive(Debug)]
pub(crate) struct Signals(OwnedFd);

impl Signals {
    /// Blocks these signals for the calling thread and those it starts. One that
    /// is ignored, as by nohup(1), stays ignored: blocked, it would be sent.
    pub(crate) fn block() -> Result<Self, Errno> {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigemptyset(3) initializes the set, and the others read it. Zeros
        // are a valid `struct sigaction`, which sigaction(2) overwrites.
        #[expect(unsafe_code, reason = "system calls without a wrapper")]
        let fd = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in [
                libc::SIGINT,
                libc::SIGTERM,
                libc::SIGHUP,
                libc::SIGCHLD,
                libc::SIGWINCH,
            ] {
                let mut action = MaybeUninit::<libc::sigaction>::zeroed();
                libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
                if action.assume_init().sa_sigaction != libc::SIG_IGN || signal == libc::SIGCHLD {
                    libc::sigaddset(set.as_mut_ptr(), signal);
                }
            }
            let refused =
                libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
            if refused != 0 {
                return Err(Errno::from_raw_os_error(refused));
            }
            libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if fd < 0 {
            return Err(errno_of(&std::io::Error::last_os_error()));
        }
        // SAFETY: signalfd(2) returned a new descriptor.
        #[expect(unsafe_code, reason = "the system call returns a number")]
        Ok(Signals(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Returns the next signal that was sent, if there is one.
    pub(crate) fn next(&self) -> Option<Signal> {
        let mut info = [0; INFO];
        let read = rustix::io::read(&self.0, &mut info).ok()?;
        let number = u32_at(info.get(..read)?, 0)?.cast_signed();
        Some(match number {
            libc::SIGCHLD => Signal::Child,
            libc::SIGWINCH => Signal::Resized,
            _ => Signal::End,
        })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
