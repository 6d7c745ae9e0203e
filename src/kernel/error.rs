use rustix::io::Errno;

/// Why a namespace, or a process that leads to one, could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// The path, process or descriptor is gone (ENOENT, ESRCH, EBADF).
    Gone,
    /// It refers to another namespace, or to something else, by now.
    Moved,
    /// Another mount covers the mount point.
    Covered,
    /// Only a FUSE or network file server could resolve the path. So it also
    /// seems if the mount is gone and the kernel has forgotten the way.
    FileServer,
    /// The namespace exists, but no path leads to it.
    Unreachable,
    /// Only a process in another pid namespace could see it, and none is sent.
    ForeignPidNamespace,
    /// The proc tree shows no sysctls.
    NoSysctls,
    /// The proc tree belongs to another pid namespace: its PIDs mean nothing to
    /// system calls, and it does not show this process.
    ForeignProc,
    /// The process did not answer in time.
    Blocked,
    /// The kernel is older than Linux 6.9, which gives access to threads.
    OldKernel,
    /// The kernel does not list sockets of some protocol.
    NoSockDiag,
    /// Any other error.
    Errno(Errno),
}

impl From<Errno> for OpenError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::SRCH | Errno::BADF => OpenError::Gone,
            errno => OpenError::Errno(errno),
        }
    }
}

/// Returns the error of a number that came as bytes, EPROTO if it is none:
/// errors are 1 to 4095, and the conversion panics on other numbers.
pub(super) fn errno_from(number: i32) -> Errno {
    match number {
        1..=4095 => Errno::from_raw_os_error(number),
        _ => Errno::PROTO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_errors_of_what_is_gone_are_translated() {
        for errno in [Errno::NOENT, Errno::SRCH, Errno::BADF] {
            assert_eq!(OpenError::from(errno), OpenError::Gone);
        }
        // These are ambiguous: only the caller knows what they mean.
        for errno in [Errno::STALE, Errno::AGAIN, Errno::REMOTE, Errno::ACCESS] {
            assert_eq!(OpenError::from(errno), OpenError::Errno(errno));
        }
    }
    #[test]
    fn a_number_that_is_no_error_is_a_broken_answer() {
        assert_eq!(errno_from(1), Errno::PERM);
        assert_eq!(errno_from(4095).raw_os_error(), 4095);
        for number in [0, -1, 4096, i32::MAX, i32::MIN] {
            assert_eq!(errno_from(number), Errno::PROTO, "{number}");
        }
    }
}
