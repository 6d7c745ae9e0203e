//! Answers that depend on the namespaces of the thread that asks. The calling
//! thread enters a namespace, setns(2), and stays there: it must be one that
//! does nothing else.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::error::errno_of;
use crate::kernel::nsfs::NsFile;
use crate::kernel::{OpenError, UtsNames, syscall};
use crate::model::Kind;
use crate::proc::{Limit, READ, ReadError, read_whole};

/// Moves the calling thread into a namespace. Succeeds without privilege if it
/// is there already.
pub(super) fn enter(proc: &Path, ns: &NsFile, kind: Kind) -> Result<(), Errno> {
    let flag = match kind {
        Kind::Uts => LinkNameSpaceType::HostNameAndNISDomainName,
        Kind::Net => LinkNameSpaceType::Network,
        Kind::Ipc => LinkNameSpaceType::InterProcessCommunication,
        Kind::Cgroup => LinkNameSpaceType::ControlGroup,
        // Processes in a pid namespace see every child born into it and may
        // trace or stop it.
        Kind::Pid => return Err(Errno::INVAL),
        // The kernel refuses threads of a process with several.
        Kind::Mnt | Kind::User | Kind::Time => return Err(Errno::INVAL),
    };
    match move_into_link_name_space(ns.as_fd(), Some(flag)) {
        Err(Errno::PERM) => {
            let own = rustix::fs::stat(proc.join("thread-self/ns").join(kind.name()))?;
            let is_there = own.st_ino == ns.ino()?;
            if is_there { Ok(()) } else { Err(Errno::PERM) }
        }
        entered => entered,
    }
}

/// Opens the mount table of a mount namespace.
///
/// Only there does a path mean what its processes want it to mean, so the table
/// is opened below a directory that was opened before.
pub(super) fn mount_table(proc: &Path, ns: &NsFile) -> Result<File, OpenError> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = rustix::fs::open(proc, flags, Mode::empty())?;
    let read = || {
        Ok(rustix::fs::openat(
            &proc,
            "thread-self/mountinfo",
            READ,
            Mode::empty(),
        )?)
    };
    Ok(File::from(in_mount_ns(ns, read)?))
}

/// Calls a function at the root of a mount namespace, in a thread of its own that
/// ends with it. No other could come back.
pub(super) fn in_mount_ns<T: Send>(
    ns: &NsFile,
    call: impl FnOnce() -> Result<T, OpenError> + Send,
) -> Result<T, OpenError> {
    let inside = || {
        syscall::unshare_fs()?;
        move_into_link_name_space(ns.as_fd(), Some(LinkNameSpaceType::Mount))?;
        call()
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, inside);
        let thread = thread.map_err(|error| errno_of(&error))?;
        thread.join().unwrap_or(Err(Errno::PROTO.into()))
    })
}

/// Enters a uts namespace and returns its names.
pub(super) fn uts_names(proc: &Path, ns: &NsFile) -> Result<UtsNames, Errno> {
    enter(proc, ns, Kind::Uts)?;
    let names = rustix::system::uname();
    Ok(UtsNames {
        host: names.nodename().to_bytes().to_vec(),
        domain: names.domainname().to_bytes().to_vec(),
    })
}

/// Reads a file of the proc tree, as it appears where the thread is.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Errno> {
    let file = rustix::fs::open(path, READ, Mode::empty())?;
    read_whole(file, Limit::Long).map_err(|error| match error {
        ReadError::Errno(errno) => errno,
        ReadError::Gone => Errno::NOENT,
        _ => Errno::FBIG,
    })
}
