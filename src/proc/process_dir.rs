use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use procfs::process::Process;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::path::Arg;

use crate::model::{Link, Pid};
use crate::proc::cmdline::join_arguments;
use crate::proc::link_text::parse_link;
use crate::proc::read::read_file;
use crate::proc::stat::{Stat, parse_stat};
use crate::proc::status::parse_euid;
use crate::proc::{ReadError, Sysroot};

/// A thread id.
pub(crate) type Tid = u32;

/// One process of a proc tree, held open: if its pid is given to another
/// process meanwhile, what is read here fails and does not lie.
pub(crate) struct ProcessDir<'a> {
    root: &'a Sysroot,
    process: Process,
}

impl<'a> ProcessDir<'a> {
    /// Opens a process.
    pub(crate) fn open(root: &'a Sysroot, pid: Pid) -> Result<Self, ReadError> {
        let process = Process::new_with_root(root.process_path(pid))?;
        Ok(ProcessDir { root, process })
    }

    /// The directory of its links.
    pub(crate) fn ns(&self) -> Result<NsDir<'_>, ReadError> {
        self.open_ns("ns")
    }

    /// The directory of the links of one of its threads.
    pub(crate) fn thread_ns(&self, tid: Tid) -> Result<NsDir<'_>, ReadError> {
        self.open_ns(&format!("task/{tid}/ns"))
    }

    fn open_ns(&self, path: &str) -> Result<NsDir<'_>, ReadError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = self.process.open_relative_flags(path, flags)?;
        Ok(NsDir {
            root: self.root,
            dir,
        })
    }

    /// Its threads, by id.
    pub(crate) fn threads(&self) -> Result<Vec<Tid>, ReadError> {
        let mut tids = Vec::new();
        for task in self.process.tasks()? {
            tids.push(Tid::try_from(task?.tid).map_err(|_| ReadError::Malformed)?);
        }
        tids.sort_unstable();
        Ok(tids)
    }

    /// Whether the process is still there, be it as a zombie. In a captured
    /// tree nothing ever ends.
    pub(crate) fn exists(&self) -> bool {
        !self.root.is_live() || self.raw("stat").is_ok()
    }

    /// Parent and comm.
    pub(crate) fn stat(&self) -> Result<Stat, ReadError> {
        parse_stat(&self.raw("stat")?)
    }

    /// The command line; none for a process that has no arguments.
    pub(crate) fn cmdline(&self) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(join_arguments(self.raw("cmdline")?))
    }

    /// The effective user id.
    ///
    /// On a live proc tree it owns the directory, which costs a tenth of
    /// reading `status`; files in a copy of one belong to whoever made it.
    pub(crate) fn euid(&self) -> Result<u32, ReadError> {
        if self.root.is_live() {
            let owner = self.process.uid()?;
            Ok(owner)
        } else {
            parse_euid(&self.raw("status")?)
        }
    }

    /// The bytes of one of its files.
    pub(crate) fn raw(&self, file: &str) -> Result<Vec<u8>, ReadError> {
        read_file(&self.process, file)
    }
}

/// An open `ns` directory.
pub(crate) struct NsDir<'a> {
    root: &'a Sysroot,
    dir: File,
}

impl NsDir<'_> {
    /// The inode number that a link leads to.
    pub(crate) fn read(&self, link: Link) -> Result<u64, ReadError> {
        // The longest text is that of a cgroup link, 27 bytes with a full u64.
        let mut buffer = [MaybeUninit::uninit(); 64];
        match rustix::fs::readlinkat_raw(&self.dir, link.name(), &mut buffer) {
            Ok((text, _)) => parse_link(link, text),
            Err(Errno::INVAL) if !self.root.is_live() => {
                Err(recorded_error(&self.dir, link.name()))
            }
            Err(errno) => Err(errno.into()),
        }
    }
}

/// In a captured tree a file in the place of a link holds the name of the
/// error that was met there.
pub(crate) fn recorded_error(dir: impl AsFd, path: impl Arg) -> ReadError {
    let mut name = [0; 16];
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let read = rustix::fs::openat(dir, path, flags, 0.into())
        .and_then(|file| rustix::io::read(file, &mut name));
    let name = read
        .ok()
        .and_then(|length| name.get(..length))
        .unwrap_or_default();
    parse_errno_name(name.trim_ascii_end()).map_or(ReadError::Malformed, ReadError::from)
}

/// The error numbers that a captured tree can hold, with their names.
const RECORDED: [(Errno, &str); 3] = [
    (Errno::ACCESS, "EACCES"),
    (Errno::PERM, "EPERM"),
    (Errno::IO, "EIO"),
];

fn parse_errno_name(name: &[u8]) -> Option<Errno> {
    RECORDED
        .iter()
        .find(|(_, known)| known.as_bytes() == name)
        .map(|(errno, _)| *errno)
}

/// The name under which a captured tree keeps an error: EACCES and EPERM, for
/// they tell why; every other one as EIO.
pub(crate) fn errno_name(errno: Errno) -> &'static str {
    RECORDED
        .iter()
        .find(|(known, _)| *known == errno)
        .map_or("EIO", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_errors_are_read_back_and_other_words_are_not() {
        for (errno, name) in RECORDED {
            assert_eq!(errno_name(errno), name);
            assert_eq!(parse_errno_name(name.as_bytes()), Some(errno));
        }
        assert_eq!(errno_name(Errno::LOOP), "EIO");
        assert_eq!(parse_errno_name(b""), None);
        assert_eq!(parse_errno_name(b"EFOO"), None);
    }
}
