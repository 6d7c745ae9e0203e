use std::io::Read;

use procfs::ProcError;
use procfs::process::Process;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::error::errno_of;

/// Why something below a process's directory could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// It is not there (ENOENT), or its process is not (ESRCH).
    Gone,
    /// Another error of the system.
    Errno(Errno),
    /// It was read and makes no sense.
    Malformed,
}

impl From<Errno> for ReadError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::SRCH => ReadError::Gone,
            // Only in a tree that no kernel made.
            Errno::NOTDIR => ReadError::Malformed,
            errno => ReadError::Errno(errno),
        }
    }
}

impl From<ProcError> for ReadError {
    fn from(error: ProcError) -> Self {
        match error {
            ProcError::NotFound(_) => ReadError::Gone,
            ProcError::Io(error, _) => errno_of(&error).into(),
            // procfs has one word for EACCES and EPERM, but the second is
            // what hidepid answers: ask again for the number.
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

/// Reads a whole file below a process's directory.
///
/// O_NONBLOCK, because a FIFO in a captured tree would be waited for.
pub(crate) fn read_file(process: &Process, file: &str) -> Result<Vec<u8>, ReadError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut file = process.open_relative_flags(file, flags)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(|error| errno_of(&error))?;
    Ok(bytes)
}
