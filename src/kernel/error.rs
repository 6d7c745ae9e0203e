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
    /// Only a FUSE or network file server could resolve the path.
    FileServer,
    /// The namespace exists, but no path leads to it.
    Unreachable,
    /// The proc tree belongs to another pid namespace: its PIDs mean nothing to
    /// system calls, and it does not show this process.
    ForeignProc,
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
}
