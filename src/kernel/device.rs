//! The net namespaces of sockets and tun files, ioctl SIOCGSKNS of
//! linux/sockios.h.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, Statx};
use rustix::io::Errno;
use rustix::ioctl::Opcode;
use rustix::process::PidfdGetfdFlags;

use crate::kernel::OpenError;
use crate::kernel::ioctl::get_fd;
use crate::kernel::nsfs::NsFile;
use crate::kernel::syscall;
use crate::model::Fd;
use crate::proc::{look, look_at_open, net_device};

const SIOCGSKNS: Opcode = libc::SIOCGSKNS as Opcode;

/// A process, or one of its threads, held so that its PID cannot come to mean
/// another.
#[derive(Debug)]
pub(crate) struct Held {
    pidfd: OwnedFd,
    /// Its `fd` directory.
    files: OwnedFd,
}

impl Held {
    /// Makes one of a descriptor of a process and the path of its `fd` directory.
    /// If the PID has another process by now, nothing of that is duplicated.
    pub(super) fn new(pidfd: OwnedFd, files: &Path) -> Result<Self, OpenError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let files = rustix::fs::open(files, flags, Mode::empty())?;
        Ok(Held { pidfd, files })
    }

    /// Duplicates a socket or tun file. [`OpenError::Moved`] if it is neither.
    ///
    /// Nothing else is duplicated: close(2) of a duplicate flushes the file, and
    /// that of a FUSE file waits for its server. A process that exchanges the file
    /// between the look and the duplication can still bring that about.
    pub(super) fn duplicate(&self, fd: Fd) -> Result<Duplicate, OpenError> {
        if net_device(&self.look(fd)?)?.is_none() {
            return Err(OpenError::Moved);
        }
        let fd = i32::try_from(fd).map_err(|_| OpenError::Gone)?;
        let file = rustix::process::pidfd_getfd(&self.pidfd, fd, PidfdGetfdFlags::empty())?;
        Ok(Duplicate(file))
    }

    /// Returns what the kernel knows about an open file. If the process ends
    /// halfway, the kernel answers EACCES: the second attempt finds it gone.
    fn look(&self, fd: Fd) -> Result<Statx, Errno> {
        let name = fd.to_string();
        match look(&self.files, &name) {
            Err(Errno::ACCESS) => look(&self.files, &name),
            seen => seen,
        }
    }
}

/// A duplicate of what was a socket or tun file; descriptors are reused.
#[derive(Debug)]
pub(super) struct Duplicate(OwnedFd);

impl Duplicate {
    /// Opens its net namespace. [`OpenError::Moved`] for any other file.
    pub(super) fn net_ns(&self) -> Result<NsFile, OpenError> {
        if net_device(&look_at_open(&self.0)?)?.is_none() {
            return Err(OpenError::Moved);
        }
        // SAFETY: the file is a socket or the tun device, and both return a new
        // descriptor; of an O_PATH descriptor the kernel refuses any ioctl.
        #[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
        let ns = unsafe { get_fd(self.0.as_fd(), SIOCGSKNS) }?;
        Ok(NsFile::created(ns))
    }

    /// Returns the number of the net namespace of a socket that is never given to
    /// another. ENOTSOCK for any other file, which is not touched; ENOPROTOOPT
    /// before Linux 5.14.
    pub(super) fn net_cookie(&self) -> Result<u64, Errno> {
        syscall::net_cookie(self.0.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;

    use rustix::fs::OFlags;
    use rustix::process::{PidfdFlags, getpid, pidfd_open};

    use super::*;

    fn net_ns_of(file: impl Into<OwnedFd>) -> Result<u64, OpenError> {
        Ok(Duplicate(file.into()).net_ns()?.ino()?)
    }

    #[test]
    fn a_socket_leads_to_the_namespace_in_which_it_was_made() {
        let own = std::os::unix::fs::MetadataExt::ino(
            &std::fs::metadata("/proc/thread-self/ns/net").unwrap(),
        );
        let found = net_ns_of(UdpSocket::bind("127.0.0.1:0").unwrap());
        // Without CAP_NET_ADMIN the kernel does not say.
        let expected = match rustix::process::getuid().is_root() {
            true => Ok(own),
            false => Err(OpenError::Errno(Errno::PERM)),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn any_other_file_is_sent_no_ioctl() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        // The file of a socket is not the socket.
        let file = rustix::fs::open(&path, OFlags::PATH, 0.into()).unwrap();
        assert_eq!(net_ns_of(file), Err(OpenError::Moved));
        for other in ["/dev/null", "/proc/self/ns/net", "/proc/self/status", "/"] {
            let found = net_ns_of(File::open(other).unwrap());
            assert_eq!(found, Err(OpenError::Moved), "{other}");
        }
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(net_ns_of(reader), Err(OpenError::Moved));
    }
    #[test]
    fn only_a_socket_among_the_files_of_a_process_leads_to_a_namespace() {
        let pidfd = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
        let process = Held::new(pidfd, Path::new("/proc/self/fd")).unwrap();
        let open = |fd| process.duplicate(fd);
        let null = File::open("/dev/null").unwrap();
        let fd_of = |file: &dyn AsRawFd| Fd::try_from(file.as_raw_fd()).unwrap();
        assert_eq!(open(fd_of(&null)).unwrap_err(), OpenError::Moved);
        assert_eq!(open(999999).unwrap_err(), OpenError::Gone);
        let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let [one, other] = sockets
            .each_ref()
            .map(|socket| open(fd_of(socket)).unwrap());
        assert_eq!(one.net_cookie(), other.net_cookie());
        let null = Duplicate(null.into());
        assert_eq!(null.net_cookie(), Err(Errno::NOTSOCK));
    }
}
