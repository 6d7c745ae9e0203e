//! The net namespaces of sockets and tun files, ioctl SIOCGSKNS of
//! linux/sockios.h.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FileType, StatxFlags};
use rustix::io::Errno;
use rustix::ioctl::Opcode;
use rustix::process::PidfdGetfdFlags;

use crate::kernel::OpenError;
use crate::kernel::ioctl::get_fd;
use crate::kernel::nsfs::NsFile;
use crate::kernel::opener::look;
use crate::model::Fd;

const SIOCGSKNS: Opcode = libc::SIOCGSKNS as Opcode;
/// Character device of `/dev/net/tun`: MISC_MAJOR and TUN_MINOR,
/// linux/major.h and linux/miscdevice.h.
const TUN: (u32, u32) = (10, 200);

/// Opens the net namespace of a file that a process has open.
pub(super) fn open(process: &OwnedFd, fd: Fd) -> Result<NsFile, OpenError> {
    let fd = i32::try_from(fd).map_err(|_| OpenError::Gone)?;
    let file = rustix::process::pidfd_getfd(process, fd, PidfdGetfdFlags::empty())?;
    net_ns(&file)
}

/// Opens the net namespace of a socket or tun file. [`OpenError::Moved`] for
/// any other file: descriptors are reused.
fn net_ns(file: &OwnedFd) -> Result<NsFile, OpenError> {
    if !is_socket(file)? && !is_tun(file)? {
        return Err(OpenError::Moved);
    }
    // SAFETY: the file is a socket or the tun device, and both return a new
    // descriptor.
    #[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
    let ns = unsafe { get_fd(file.as_fd(), SIOCGSKNS) }?;
    Ok(NsFile::created(ns))
}

/// Returns whether a file is a socket. Socket options exist for nothing else,
/// and no file server can claim them; the mode of a file may say anything.
fn is_socket(file: &OwnedFd) -> Result<bool, Errno> {
    match rustix::net::sockopt::socket_type(file) {
        Ok(_) => Ok(true),
        // EBADF: opened with O_PATH.
        Err(Errno::NOTSOCK | Errno::BADF) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Returns whether a file is the tun device. A file server may have named the
/// device, but opening it led to the driver, and it stays that.
fn is_tun(file: &OwnedFd) -> Result<bool, Errno> {
    let seen = look(file, StatxFlags::TYPE)?;
    let kind = FileType::from_raw_mode(seen.stx_mode.into());
    let device = (seen.stx_rdev_major, seen.stx_rdev_minor);
    Ok(kind == FileType::CharacterDevice && device == TUN)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::UdpSocket;

    use rustix::fs::OFlags;

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
}
