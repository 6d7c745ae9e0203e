//! Bounded reads of files.
//!
//! A process controls the length of its command line, and the author of a
//! captured tree that of every file. So every read has a limit, and memory is
//! allocated for the bytes that arrive rather than for the limit.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use procfs::ProcError;
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use crate::error::errno_of;
use crate::proc::pulse;

/// Why a file could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// The file does not exist (ENOENT), or its process does not (ESRCH).
    Gone,
    /// Another error of the system.
    Errno(Errno),
    /// The content cannot be parsed, or the file is not a regular one.
    Malformed,
    /// The file is longer than its [`Limit`].
    TooLong,
    /// What was read changed all the time.
    Unstable,
}

impl From<Errno> for ReadError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::SRCH => ReadError::Gone,
            // Only captured trees have these. XDEV is a link out of the tree.
            Errno::NOTDIR | Errno::XDEV => ReadError::Malformed,
            errno => ReadError::Errno(errno),
        }
    }
}

impl From<ProcError> for ReadError {
    fn from(error: ProcError) -> Self {
        match error {
            ProcError::NotFound(_) => ReadError::Gone,
            ProcError::Io(error, _) => errno_of(&error).into(),
            // procfs does not distinguish EACCES from EPERM, which hidepid
            // causes. Open the file again for the error number.
            ProcError::PermissionDenied(Some(path)) => {
                match rustix::fs::open(&path, OFlags::PATH | OFlags::CLOEXEC, 0.into()) {
                    Err(errno @ (Errno::PERM | Errno::NOENT | Errno::SRCH)) => errno.into(),
                    _ => ReadError::Errno(Errno::ACCESS),
                }
            }
            ProcError::PermissionDenied(None) => ReadError::Errno(Errno::ACCESS),
            _ => ReadError::Malformed,
        }
    }
}

/// Maximum length of a file, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Files of a few lines: `stat`, `osrelease`, and `uid_map` with its 340
    /// lines of 33 bytes.
    Small,
    /// `status`, whose `Groups:` line has up to 65,536 numbers, and `cgroup`,
    /// which has a path for each of a dozen hierarchies.
    Long,
    /// `cmdline`, which is useful without its end.
    Cmdline,
    /// `passwd`, and files of container engines.
    Database,
}

impl Limit {
    /// The limit in bytes.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Limit::Small => 64 << 10,
            Limit::Cmdline => 256 << 10,
            Limit::Long => 1 << 20,
            Limit::Database => 16 << 20,
        }
    }
}

/// Flags to open a file for reading. O_NONBLOCK keeps a FIFO from blocking.
pub(crate) const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// Reads a whole file; [`ReadError::TooLong`] if it is longer than its limit.
pub(crate) fn read_whole(file: impl AsFd, limit: Limit) -> Result<Vec<u8>, ReadError> {
    match read_start(file, limit.bytes())? {
        (bytes, false) => Ok(bytes),
        (_, true) => Err(ReadError::TooLong),
    }
}

/// Reads up to `most` bytes of a file, and returns whether there are more.
pub(crate) fn read_start(file: impl AsFd, most: usize) -> Result<(Vec<u8>, bool), ReadError> {
    let mut buffer = [MaybeUninit::uninit(); 16 << 10];
    let mut bytes = Vec::new();
    loop {
        // At the limit, one more byte shows whether the file ends there.
        let room = most.saturating_sub(bytes.len()).clamp(1, buffer.len());
        pulse::beat();
        let part = buffer.get_mut(..room).unwrap_or_default();
        let read = match rustix::io::read(&file, part) {
            Err(Errno::INTR) => continue,
            read => read?.0,
        };
        if read.is_empty() {
            return Ok((bytes, false));
        }
        if bytes.len() == most {
            return Ok((bytes, true));
        }
        bytes.extend_from_slice(read);
    }
}

/// Fails unless an open file is a regular one.
pub(crate) fn require_regular(file: impl AsFd) -> Result<(), ReadError> {
    match FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode) {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(ReadError::Errno(Errno::ISDIR)),
        _ => Err(ReadError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use rustix::fs::{CWD, mknodat, open};
    use tempfile::TempDir;

    use super::*;

    fn file_of(dir: &TempDir, length: usize) -> File {
        let path = dir.path().join("file");
        std::fs::write(&path, "x".repeat(length)).unwrap();
        File::open(path).unwrap()
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_beyond_it_refused() {
        let dir = tempfile::tempdir().unwrap();
        let limit = Limit::Small.bytes();
        for length in [0, 1, limit - 1, limit] {
            let read = read_whole(file_of(&dir, length), Limit::Small);
            assert_eq!(read.map(|bytes| bytes.len()), Ok(length));
        }
        let read = read_whole(file_of(&dir, limit + 1), Limit::Small);
        assert_eq!(read, Err(ReadError::TooLong));
    }

    #[test]
    fn the_start_of_a_file_is_read_with_whether_there_is_more() {
        let dir = tempfile::tempdir().unwrap();
        let start = |length| read_start(file_of(&dir, length), 20_000).unwrap();
        assert_eq!(start(3), (b"xxx".to_vec(), false));
        assert_eq!(start(20_000), (vec![b'x'; 20_000], false));
        assert_eq!(start(20_001), (vec![b'x'; 20_000], true));
    }

    #[test]
    fn memory_is_taken_for_what_arrives_and_not_for_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let (short, _) = read_start(file_of(&dir, 100), 1 << 40).unwrap();
        assert!(short.capacity() < 1024, "{}", short.capacity());
        let endless = File::open("/dev/zero").unwrap();
        let (long, is_cut) = read_start(endless, Limit::Cmdline.bytes()).unwrap();
        assert!(is_cut);
        assert_eq!(long.capacity(), Limit::Cmdline.bytes());
    }

    #[test]
    fn only_a_regular_file_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, 0o600.into(), 0).unwrap();
        let is_regular = |path: &Path| require_regular(open(path, READ, 0.into()).unwrap());
        assert_eq!(require_regular(file_of(&dir, 0)), Ok(()));
        assert_eq!(is_regular(&fifo), Err(ReadError::Malformed));
        assert_eq!(
            is_regular(Path::new("/dev/null")),
            Err(ReadError::Malformed)
        );
        let directory = Err(ReadError::Errno(Errno::ISDIR));
        assert_eq!(is_regular(dir.path()), directory);
    }

    #[test]
    fn proc_files_are_read_whole_although_they_have_no_size() {
        let status = read_whole(File::open("/proc/self/status").unwrap(), Limit::Long).unwrap();
        assert!(status.starts_with(b"Name:") && status.ends_with(b"\n"));
    }
}
