use std::mem::MaybeUninit;

use rustix::io::Errno;

use crate::model::Link;
use crate::proc::ReadError;
use crate::proc::dir::Dir;
use crate::proc::link_text::parse_link;
use crate::proc::read::Limit;

/// An open `ns` directory of a process or thread.
pub(crate) struct NsDir(pub(super) Dir);

impl NsDir {
    /// Reads the inode number in the text of a link, without following it.
    pub(crate) fn read(&self, link: Link) -> Result<u64, ReadError> {
        #[cfg(test)]
        crate::proc::dir::changes::happen();
        // The longest text has 29 bytes: `cgroup:[18446744073709551615]`.
        let mut buffer = [MaybeUninit::uninit(); 64];
        match rustix::fs::readlinkat_raw(&self.0, link.name(), &mut buffer) {
            Ok((text, _)) => parse_link(link, text),
            Err(Errno::INVAL) if !self.0.is_procfs() => Err(recorded_error(&self.0, link.name())),
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
