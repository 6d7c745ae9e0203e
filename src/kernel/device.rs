//! The net namespaces of sockets and tun files, ioctl SIOCGSKNS of
//! linux/sockios.h.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Statx};
use rustix::io::Errno;
use rustix::ioctl::Opcode;
use rustix::process::PidfdGetfdFlags;

use crate::kernel::OpenError;
use crate::kernel::ioctl::get_fd;
use crate::kernel::nsfs::NsFile;
use crate::model::Fd;
use crate::proc::{look, look_at_open, net_device};

const SIOCGSKNS: Opcode = libc::SIOCGSKNS as Opcode;
/// Opens the net namespace of a file that a process has open, by its path in
/// `/proc/PID/fd`. [`OpenError::Moved`] if it is neither a socket nor a tun file.
///
/// Nothing else is duplicated: close(2) of a duplicate flushes the file, and
/// that of a FUSE file waits for its server. A process that exchanges the file
/// between the look and the duplication can still bring that about.
pub(super) fn open(process: &OwnedFd, path: &Path, fd: Fd) -> Result<NsFile, OpenError> {
    if net_device(&look_through(path)?)?.is_none() {
        return Err(OpenError::Moved);
    }
    let fd = i32::try_from(fd).map_err(|_| OpenError::Gone)?;
    let file = rustix::process::pidfd_getfd(process, fd, PidfdGetfdFlags::empty())?;
    net_ns(&file)
}

/// Opens the net namespace of a socket or tun file. [`OpenError::Moved`] for
/// any other file: descriptors are reused.
fn net_ns(file: &OwnedFd) -> Result<NsFile, OpenError> {
    if net_device(&look_at_open(file)?)?.is_none() {
        return Err(OpenError::Moved);
    }
    // SAFETY: the file is a socket or the tun device, and both return a new
    // descriptor; of an O_PATH descriptor the kernel refuses any ioctl.
    #[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
    let ns = unsafe { get_fd(file.as_fd(), SIOCGSKNS) }?;
    Ok(NsFile::created(ns))
}

/// Returns what the kernel knows about an open file of a process. If the process
/// ends halfway, the kernel answers EACCES: the second attempt finds it gone.
fn look_through(path: &Path) -> Result<Statx, Errno> {
    match look(CWD, path) {
        Err(Errno::ACCESS) => look(CWD, path),
        seen => seen,
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
        Ok(net_ns(&file.into())?.ino()?)
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
        let process = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
        let open = |fd| open(&process, &Path::new("/proc/self/fd").join(fd), 0);
        let null = File::open("/dev/null").unwrap();
        let moved = open(null.as_raw_fd().to_string()).unwrap_err();
        assert_eq!(moved, OpenError::Moved);
        assert_eq!(open("999999".to_owned()).unwrap_err(), OpenError::Gone);
    }
}
