//! Questions that a thread cannot ask. A forked child asks, writes the answer
//! into a pipe and exits.
//!
//! The child makes system calls and nothing else: at the fork(2), other threads
//! may have held any lock, that of the allocator included.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid as RawPid, WaitOptions, waitpid};

use crate::error::errno_of;
use crate::kernel::UtsNames;
use crate::kernel::error::errno_from;

/// The longest answer.
const LIMIT: usize = 1024;
/// The error number that precedes an answer.
const ERRNO: usize = size_of::<i32>();

/// Runs `ask` in a child and returns what it wrote into the buffer. `ask` must
/// make system calls only, and returns how many bytes it wrote.
fn in_child(ask: impl Fn(&mut [u8; LIMIT]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    // SAFETY: the child calls only `ask` and functions that are
    // async-signal-safe, signal-safety(7), and ends with _exit(2).
    #[expect(unsafe_code, reason = "no safe wrapper forks without exec")]
    let forked = unsafe { libc::fork() };
    if forked == 0 {
        let mut buffer = [0; LIMIT];
        let (errno, length) = match ask(&mut buffer) {
            Ok(length) => (0, length),
            Err(errno) => (errno.raw_os_error(), 0),
        };
        // The parent takes a short answer for a failure.
        let _ = rustix::io::write(&writer, &errno.to_ne_bytes());
        let _ = rustix::io::write(&writer, buffer.get(..length).unwrap_or_default());
        // SAFETY: _exit(2) runs no handlers and does not return.
        #[expect(unsafe_code, reason = "no safe wrapper exits without handlers")]
        unsafe {
            libc::_exit(0)
        }
    }
    drop(writer);
    let child = RawPid::from_raw(forked).ok_or_else(last_error)?;
    let mut answer = Vec::new();
    let limit = (ERRNO + LIMIT) as u64;
    let read = File::from(reader).take(limit).read_to_end(&mut answer);
    while matches!(waitpid(Some(child), WaitOptions::empty()), Err(Errno::INTR)) {}
    read.map_err(|error| errno_of(&error))?;
    let (errno, answer) = answer.split_first_chunk().ok_or(Errno::CHILD)?;
    match i32::from_ne_bytes(*errno) {
        0 => Ok(answer.to_vec()),
        errno => Err(errno_from(errno)),
    }
}

fn last_error() -> Errno {
    errno_of(&std::io::Error::last_os_error())
}

/// Reads a short file as it appears to a child of this thread.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Errno> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::INVAL)?;
    in_child(|buffer| {
        let flags = rustix::fs::OFlags::RDONLY;
        let file = rustix::fs::open(path.as_c_str(), flags, 0.into())?;
        rustix::io::read(&file, buffer)
    })
}

/// Returns the names of the uts namespace of a process, by entering its user
/// namespace too, which the creator of that may do without privilege.
pub(super) fn uts_names(process: &OwnedFd) -> Result<UtsNames, Errno> {
    let fd = process.as_raw_fd();
    let answer = in_child(|buffer| {
        let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWUTS;
        // SAFETY: setns(2) takes a descriptor and flags.
        #[expect(unsafe_code, reason = "rustix takes no user namespace here")]
        let entered = unsafe { libc::setns(fd, flags) };
        if entered != 0 {
            return Err(last_error());
        }
        let names = rustix::system::uname();
        let mut length = 0;
        for name in [names.nodename(), names.domainname()] {
            for byte in name.to_bytes_with_nul() {
                *buffer.get_mut(length).ok_or(Errno::OVERFLOW)? = *byte;
                length += 1;
            }
        }
        Ok(length)
    })?;
    let mut names = answer.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    match (names.next(), names.next()) {
        (Some(host), Some(domain)) => Ok(UtsNames { host, domain }),
        _ => Err(Errno::PROTO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_says_what_it_read_or_why_it_could_not() {
        assert_eq!(
            read_file(Path::new("/proc/self/comm")).map(|text| text.is_empty()),
            Ok(false)
        );
        let missing = read_file(Path::new("/proc/self/no-such-file"));
        assert_eq!(missing, Err(Errno::NOENT));
        assert_eq!(in_child(|_| Ok(0)), Ok(Vec::new()));
        assert_eq!(in_child(|_| Err(Errno::LOOP)), Err(Errno::LOOP));
    }
}
