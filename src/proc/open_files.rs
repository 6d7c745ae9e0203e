//! The open files of a process that can hold a namespace, `/proc/PID/fd`.
//!
//! What a file is, its device says: the path in its link may be any. The kernel
//! is told not to ask a file server (AT_STATX_DONT_SYNC), nor for any particular
//! field, which one that serves other users only would refuse.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{RawDir, SeekFrom};
use rustix::io::Errno;

use crate::model::{Fd, NsId, OpenFile, Pid, Tid};
use crate::proc::ReadError;
use crate::proc::device::{Device, NetDevice, device, look, net_device};
use crate::proc::link_text::parse_id;
use crate::proc::pulse;
use crate::proc::reserved::{Waiting, throughout};

/// How often a table of files that changes is read again.
const MOST_PASSES: usize = 8;

/// In how many of these the threads are looked at, of which there may be many.
const MOST_LOOKS: usize = 2;

/// What an open file is, if it can hold a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FdTarget {
    /// A namespace.
    Namespace(NsId),
    /// A namespace opened by the path of a bind mount, so that the link does not
    /// name it.
    Mounted,
    /// A socket, by its inode number.
    Socket(u64),
    /// The tun device, under any path.
    Tun,
}

/// What a table of open files shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenFiles {
    /// The files that can hold a namespace, by number. One that changed its
    /// number has several.
    pub(crate) files: Vec<(Fd, FdTarget)>,
    /// Why others are missing.
    pub(crate) trouble: Option<ReadError>,
}

impl OpenFiles {
    /// Reads the table of a process of procfs by its `fd` directory.
    ///
    /// Since Linux 6.2 the size of the directory is the number of open files. If
    /// fewer are listed, or one was closed before it was looked at, a file may
    /// have moved to a number that was passed already, so what is new is looked
    /// at until nothing is missing. A number that a thread reserves for a file is
    /// counted, too: `waiting` returns those that wait with one. Two passes must
    /// agree on it.
    pub(super) fn read(
        dir: &OwnedFd,
        nsfs: Device,
        waiting: impl Fn() -> Vec<Waiting>,
    ) -> Result<Self, ReadError> {
        let mut found = OpenFiles::default();
        let mut known = Vec::new();
        let mut looks = 0..MOST_LOOKS;
        let mut is_short = false;
        for _ in 0..MOST_PASSES {
            let may_reserve = is_short && looks.next().is_some();
            let waited = if may_reserve { waiting() } else { Vec::new() };
            rustix::fs::seek(dir, SeekFrom::Start(0))?;
            let size = || Ok::<_, Errno>(usize::try_from(rustix::fs::fstat(dir)?.st_size));
            let before = size()?.unwrap_or_default();
            let pass = found.pass(dir, nsfs, &known, before)?;
            let mut there = pass.listed();
            if !waited.is_empty() {
                there += throughout(&waited, &waiting());
            }
            let is_all = there >= before || there >= size()?.unwrap_or_default();
            is_short = !is_all && !pass.has_lost;
            if is_all && !pass.has_lost {
                found.files.sort_unstable();
                found.files.dedup();
                return Ok(found);
            }
            known.extend(pass.seen);
            known.sort_unstable();
        }
        found.trouble.get_or_insert(ReadError::Unstable);
        found.files.sort_unstable();
        found.files.dedup();
        Ok(found)
    }

    /// Looks at the files whose numbers are not yet known. Once all of `size` were
    /// listed, the kernel need not be asked for the end; 0 if it does not tell.
    fn pass(
        &mut self,
        dir: &OwnedFd,
        nsfs: Device,
        known: &[Fd],
        size: usize,
    ) -> Result<Pass, Errno> {
        let mut pass = Pass::default();
        let mut buffer = [MaybeUninit::uninit(); 2048];
        let mut entries = RawDir::new(dir, &mut buffer);
        while size == 0 || pass.listed() < size || !entries.is_buffer_empty() {
            let Some(entry) = entries.next() else {
                break;
            };
            let entry = entry?;
            pulse::beat();
            let name = entry.file_name();
            let Some(fd) = name.to_str().ok().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if known.binary_search(&fd).is_ok() {
                pass.old += 1;
                continue;
            }
            match identify(dir.as_fd(), name, nsfs) {
                Ok(target) => self.files.extend(target.map(|target| (fd, target))),
                Err(Errno::NOENT) => {
                    pass.has_lost = true;
                    continue;
                }
                // The process ended.
                Err(Errno::SRCH) => return Ok(Pass::default()),
                Err(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => return Err(errno),
                Err(errno) => {
                    self.trouble.get_or_insert(errno.into());
                }
            }
            pass.seen.push(fd);
        }
        Ok(pass)
    }

    /// Returns the files, as files of a process or of one of its threads.
    pub(crate) fn of(
        self,
        pid: Pid,
        tid: Option<Tid>,
    ) -> impl Iterator<Item = (OpenFile, FdTarget)> {
        let files = self.files.into_iter();
        files.map(move |(fd, target)| (OpenFile { pid, tid, fd }, target))
    }

    /// Parses the links of a captured table.
    pub(super) fn parse(links: impl Iterator<Item = (Fd, Vec<u8>)>) -> Self {
        let parsed = links.filter_map(|(fd, text)| Some((fd, parse_target(&text)?)));
        let mut files: Vec<(Fd, FdTarget)> = parsed.collect();
        files.sort_unstable();
        let trouble = None;
        OpenFiles { files, trouble }
    }
}

/// What one pass over a table saw.
#[derive(Default)]
struct Pass {
    /// The files that were looked at.
    seen: Vec<Fd>,
    /// The number of files that were known before.
    old: usize,
    /// Whether a file was closed before it was looked at.
    has_lost: bool,
}

impl Pass {
    /// Returns the number of files that were there to look at.
    fn listed(&self) -> usize {
        self.seen.len() + self.old
    }
}

/// Looks at one open file.
fn identify(dir: BorrowedFd<'_>, name: &CStr, nsfs: Device) -> Result<Option<FdTarget>, Errno> {
    let seen = look(dir, name)?;
    if device(&seen) == nsfs {
        // The longest name of a namespace has 29 bytes; a path may be too long
        // for the kernel.
        let mut text = [MaybeUninit::uninit(); 64];
        let id = match rustix::fs::readlinkat_raw(dir, name, &mut text) {
            Ok((text, _)) => parse_id(text),
            Err(Errno::NAMETOOLONG) => None,
            Err(errno) => return Err(errno),
        };
        return Ok(Some(id.map_or(FdTarget::Mounted, FdTarget::Namespace)));
    }
    Ok(net_device(&seen)?.map(|device| match device {
        NetDevice::Socket => FdTarget::Socket(seen.stx_ino),
        NetDevice::Tun => FdTarget::Tun,
    }))
}

/// Parses the link of an open file in a captured tree, where only the names of
/// namespaces and sockets are of use.
pub(super) fn parse_target(text: &[u8]) -> Option<FdTarget> {
    if let Some(rest) = text.strip_prefix(b"socket:[") {
        let ino = std::str::from_utf8(rest.strip_suffix(b"]")?).ok()?.parse();
        return ino.ok().map(FdTarget::Socket);
    }
    parse_id(text).map(FdTarget::Namespace)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn an_open_file_is_a_namespace_or_a_socket_or_nothing_to_us() {
        let net = NsId {
            ino: 7,
            kind: crate::model::Kind::Net,
        };
        assert_eq!(parse_target(b"net:[7]"), Some(FdTarget::Namespace(net)));
        assert_eq!(parse_target(b"socket:[9]"), Some(FdTarget::Socket(9)));
        for text in [
            "/dev/net/tun",
            "/net:[7]",
            "pipe:[9]",
            "socket:[x]",
            "socket:[9",
            "anon_inode:[pidfd]",
            "",
        ] {
            assert_eq!(parse_target(text.as_bytes()), None, "{text}");
        }
    }

    fn own_table() -> OwnedFd {
        File::open("/proc/self/fd").unwrap().into()
    }

    fn nsfs() -> Device {
        device(&look(rustix::fs::CWD, "/proc/self/ns/user").unwrap())
    }

    #[test]
    fn what_a_file_is_does_not_depend_on_its_path() {
        let number = |file: &dyn AsRawFd| file.as_raw_fd().cast_unsigned();
        let dir = tempfile::tempdir().unwrap();
        let named = dir.path().join("net:[7]");
        let listening = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&listening).unwrap();
        let (plain, ns) = (
            File::create(named).unwrap(),
            File::open("/proc/self/ns/user").unwrap(),
        );
        let path = rustix::fs::open(&listening, rustix::fs::OFlags::PATH, 0.into()).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let table = OpenFiles::read(&own_table(), nsfs(), Vec::new).unwrap();
        let target = |fd| table.files.iter().find(|(known, _)| *known == fd);
        let ino = rustix::fs::fstat(&ns).unwrap().st_ino;
        let id = NsId {
            ino,
            kind: crate::model::Kind::User,
        };
        let fd = number(&ns);
        assert_eq!(target(fd), Some(&(fd, FdTarget::Namespace(id))));
        let ino = rustix::fs::fstat(&socket).unwrap().st_ino;
        let fd = number(&socket);
        assert_eq!(target(fd), Some(&(fd, FdTarget::Socket(ino))));
        assert_eq!(target(number(&plain)), None);
        // The file of a socket is not the socket.
        assert_eq!(target(number(&path)), None);
    }
}
