//! What only somebody inside of a namespace is told. The calling thread goes in
//! and stays there, setns(2): it must be one that does nothing else.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::kernel::UtsNames;
use crate::model::Kind;
use crate::proc::{Limit, READ, ReadError, read_whole};

/// Goes into a namespace. Where it may not, it may be there already. Into a pid
/// namespace go only the children of the thread.
pub(super) fn enter(proc: &Path, ns: &OwnedFd, kind: Kind) -> Result<(), Errno> {
    let flag = match kind {
        Kind::Uts => LinkNameSpaceType::HostNameAndNISDomainName,
        Kind::Net => LinkNameSpaceType::Network,
        Kind::Ipc => LinkNameSpaceType::InterProcessCommunication,
        Kind::Cgroup => LinkNameSpaceType::ControlGroup,
        Kind::Pid => LinkNameSpaceType::ProcessID,
        // No thread can go there that shares its memory, or its directories.
        Kind::Mnt | Kind::User | Kind::Time => return Err(Errno::INVAL),
    };
    match move_into_link_name_space(ns.as_fd(), Some(flag)) {
        Err(Errno::PERM) => {
            let own = rustix::fs::stat(proc.join("thread-self/ns").join(kind.name()))?;
            let is_there = own.st_ino == rustix::fs::fstat(ns)?.st_ino;
            if is_there { Ok(()) } else { Err(Errno::PERM) }
        }
        entered => entered,
    }
}

/// Host and domain name.
pub(super) fn uts_names(proc: &Path, ns: &OwnedFd) -> Result<UtsNames, Errno> {
    enter(proc, ns, Kind::Uts)?;
    let names = rustix::system::uname();
    Ok(UtsNames {
        host: names.nodename().to_bytes().to_vec(),
        domain: names.domainname().to_bytes().to_vec(),
    })
}

/// Reads a file of the proc tree from where the thread is.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Errno> {
    let file = rustix::fs::open(path, READ, Mode::empty())?;
    read_whole(file, Limit::Long).map_err(|error| match error {
        ReadError::Errno(errno) => errno,
        ReadError::Gone => Errno::NOENT,
        ReadError::Malformed | ReadError::TooLong => Errno::FBIG,
    })
}
