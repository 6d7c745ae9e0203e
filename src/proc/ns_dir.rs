use std::mem::MaybeUninit;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::model::{Link, Tid};
use crate::proc::ReadError;
use crate::proc::dir::Dir;
use crate::proc::link_text::parse_link;
use crate::proc::read::Limit;

/// The `ns` directory of a process or thread.
pub(crate) struct NsDir<'a> {
    dir: Base<'a>,
    /// Path from there, with a slash at the end, or empty.
    prefix: String,
}

/// The directory that is open.
enum Base<'a> {
    Own(Dir),
    Shared(&'a Dir),
}

impl<'a> NsDir<'a> {
    /// Wraps an `ns` directory.
    pub(super) fn of(dir: Dir) -> Self {
        NsDir {
            dir: Base::Own(dir),
            prefix: String::new(),
        }
    }

    /// Returns that of a thread, below the `task` directory of its process. It is
    /// not opened, which would cost more than the longer paths.
    pub(super) fn of_thread(tasks: &'a Dir, tid: Tid) -> Self {
        NsDir {
            dir: Base::Shared(tasks),
            prefix: format!("{tid}/ns/"),
        }
    }

    /// Returns whether the process may have threads besides its leader. Each
    /// adds a link to the `task` directory of procfs, proc_pid_task(5); for a
    /// copy the answer is always yes.
    pub(crate) fn may_have_threads(&self) -> bool {
        let dir = self.dir();
        // The path from here is shorter than the one from the root.
        !dir.is_procfs()
            || rustix::fs::statat(dir, "../task", AtFlags::empty())
                .is_ok_and(|tasks| tasks.st_nlink > 3)
    }

    fn dir(&self) -> &Dir {
        match &self.dir {
            Base::Own(dir) => dir,
            Base::Shared(dir) => dir,
        }
    }

    /// Reads the inode number in the text of a link, without following it.
    pub(crate) fn read(&self, link: Link) -> Result<u64, ReadError> {
        #[cfg(test)]
        crate::proc::dir::changes::happen();
        // The longest text has 29 bytes: `cgroup:[18446744073709551615]`.
        let mut buffer = [MaybeUninit::uninit(); 64];
        let dir = self.dir();
        let path = format!("{}{}", self.prefix, link.name());
        match rustix::fs::readlinkat_raw(dir, &path, &mut buffer) {
            Ok((text, _)) => parse_link(link, text),
            Err(Errno::INVAL) if !dir.is_procfs() => Err(recorded_error(dir, &path)),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Reads an error from a captured tree, where a file with the name of the error
/// stands in for a link that could not be read.
pub(crate) fn recorded_error(dir: &Dir, path: &str) -> ReadError {
    let name = dir.read(path, Limit::Small).unwrap_or_default();
    parse_errno_name(name.trim_ascii_end()).map_or(ReadError::Malformed, ReadError::from)
}

/// Errors that a captured tree can record, with their names.
pub(super) const RECORDED: [(Errno, &str); 4] = [
    (Errno::ACCESS, "EACCES"),
    (Errno::PERM, "EPERM"),
    (Errno::TIMEDOUT, "ETIMEDOUT"),
    (Errno::IO, "EIO"),
];

pub(super) fn parse_errno_name(name: &[u8]) -> Option<Errno> {
    RECORDED
        .iter()
        .find(|(_, known)| known.as_bytes() == name)
        .map(|(errno, _)| *errno)
}
