use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;
use rustix::process::{Pid as RawPid, PidfdFlags, PidfdGetfdFlags};

use crate::error::errno_of;
use crate::kernel::{
    Kernel, MountNs, OpenError, UtsNames, child, ioctl, mount_list, netlink, setns, syscall, sysv,
};
use crate::model::{Fd, Interface, Kind, Member, Mount, NetNsId, NsId, Pid, SysvIpc, Tid, Within};

/// The kernel that runs.
#[derive(Debug)]
pub(crate) struct Linux {
    /// The proc tree, through which an O_PATH descriptor is opened for good.
    proc: PathBuf,
    /// The device that nsfs is, once it was asked for.
    nsfs: OnceLock<(u32, u32)>,
    /// Whether a pid in the proc tree is a pid here, once it was asked for.
    has_own_pids: OnceLock<bool>,
    /// One netlink socket for all questions: each is asked and answered under
    /// the lock.
    netlink: Mutex<Option<netlink::Socket>>,
}

impl Linux {
    /// With the proc tree of the running system.
    pub(crate) fn new(proc: PathBuf) -> Self {
        Linux {
            proc,
            nsfs: OnceLock::new(),
            has_own_pids: OnceLock::new(),
            netlink: Mutex::new(None),
        }
    }

    /// The device of nsfs, as every file on it has.
    fn nsfs(&self) -> Result<(u32, u32), OpenError> {
        if let Some(device) = self.nsfs.get() {
            return Ok(*device);
        }
        let seen = look(&self.open_own("ns/user", OFlags::PATH | OFlags::CLOEXEC)?)?;
        Ok(*self.nsfs.get_or_init(|| device(&seen)))
    }

    /// Opens for good what an O_PATH descriptor is, once it is known to be the
    /// namespace that is meant: nothing on nsfs blocks.
    fn open_seen(&self, file: &OwnedFd, seen: &Statx, ino: u64) -> Result<OwnedFd, OpenError> {
        if device(seen) != self.nsfs()? || seen.stx_ino != ino {
            return Err(OpenError::Moved);
        }
        self.open_own(&format!("fd/{}", file.as_raw_fd()), READ)
    }

    /// Opens a file of this process. The proc tree of a sibling or child pid
    /// namespace does not show it.
    fn open_own(&self, file: &str, flags: OFlags) -> Result<OwnedFd, OpenError> {
        match rustix::fs::open(self.proc.join("self").join(file), flags, Mode::empty()) {
            Err(Errno::NOENT) => Err(OpenError::ForeignProc),
            opened => Ok(opened?),
        }
    }

    /// Returns a PID of the proc tree as one for system calls, which take those
    /// of the caller's pid namespace.
    fn raw(&self, pid: Pid) -> Result<RawPid, OpenError> {
        let is_own = || {
            let own = rustix::process::getpid().to_string();
            let shown = rustix::fs::readlinkat(CWD, self.proc.join("self"), Vec::new());
            shown.is_ok_and(|shown| shown.as_bytes() == own.as_bytes())
        };
        if *self.has_own_pids.get_or_init(is_own) {
            raw(pid).ok_or(OpenError::Gone)
        } else {
            Err(OpenError::ForeignProc)
        }
    }

    /// Whether a process or thread exists although the proc tree does not show
    /// it, as with hidepid: the null signal of kill(2) tells.
    pub(crate) fn process_exists(&self, pid: Pid) -> bool {
        let exists = |pid| {
            matches!(
                rustix::process::test_kill_process(pid),
                Ok(()) | Err(Errno::PERM)
            )
        };
        self.raw(pid).is_ok_and(exists)
    }
}

const PIDFD_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(libc::PIDFD_THREAD);

const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

/// Opens a file of a process. One that ends between two steps of this is
/// answered with EACCES (fs/proc/namespaces.c), and by then it is gone: ask
/// again for the truth.
fn open_of_process(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    match rustix::fs::open(path, flags, Mode::empty()) {
        Err(Errno::ACCESS) => rustix::fs::open(path, flags, Mode::empty()),
        opened => opened,
    }
}

/// What a file is, from what the kernel has in memory: no file server is asked
/// (AT_STATX_DONT_SYNC, statx(2)).
fn look(file: &OwnedFd) -> Result<Statx, Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    rustix::fs::statx(file, "", flags, StatxFlags::INO | StatxFlags::MNT_ID)
}

const fn device(seen: &Statx) -> (u32, u32) {
    (seen.stx_dev_major, seen.stx_dev_minor)
}

/// Which namespace a file on nsfs is, opened with O_PATH below this proc tree.
pub(crate) fn identify(proc: &Path, file: &OwnedFd) -> Result<NsId, OpenError> {
    let linux = Linux::new(proc.to_owned());
    let seen = look(file)?;
    Ok(linux.id(&linux.open_seen(file, &seen, seen.stx_ino)?)?)
}

impl Kernel for Linux {
    type Ns = OwnedFd;
    type Process = OwnedFd;

    fn open_link(&self, path: &Path, id: NsId) -> Result<OwnedFd, OpenError> {
        let ns = open_of_process(path, READ)?;
        if rustix::fs::fstat(&ns)?.st_ino == id.ino {
            Ok(ns)
        } else {
            Err(OpenError::Moved)
        }
    }

    fn open_fd(&self, path: &Path, id: NsId) -> Result<OwnedFd, OpenError> {
        let file = open_of_process(path, OFlags::PATH | OFlags::CLOEXEC)?;
        self.open_seen(&file, &look(&file)?, id.ino)
    }

    fn open_mount(&self, mount: &Mount, id: NsId) -> Result<OwnedFd, OpenError> {
        // What is mounted is in memory, and so is the way to it; only a file
        // server that wants to be asked about the way is not.
        let path = Path::new(OsStr::from_bytes(&mount.path));
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let open = |dir: BorrowedFd<'_>, resolve: ResolveFlags| {
            let open = || rustix::fs::openat2(dir, path, flags, Mode::empty(), resolve);
            // Any mount that comes or goes meanwhile makes the kernel give up
            // a look into its memory too.
            let mut tries = (0..16).map(|_| open());
            let seen = tries.find(|opened| !matches!(opened, Err(Errno::AGAIN)));
            match seen {
                Some(opened) => Ok(opened?),
                None => Err(OpenError::FileServer),
            }
        };
        let file = match mount.within {
            None => open(CWD, ResolveFlags::CACHED)?,
            Some(Within { pid: None, .. }) => return Err(OpenError::Unreachable),
            Some(Within { pid: Some(pid), .. }) => {
                let root = self.proc.join(pid.to_string()).join("root");
                let root = rustix::fs::open(root, flags, Mode::empty())?;
                open(root.as_fd(), ResolveFlags::CACHED | ResolveFlags::IN_ROOT)?
            }
        };
        let seen = look(&file)?;
        if seen.stx_mnt_id != mount.id {
            return Err(OpenError::Covered);
        }
        self.open_seen(&file, &seen, id.ino)
    }

    fn hold(&self, pid: Pid, tid: Option<Tid>) -> Result<OwnedFd, OpenError> {
        let flags = match tid {
            Some(_) => PIDFD_THREAD,
            None => PidfdFlags::empty(),
        };
        let pid = self.raw(tid.unwrap_or(pid))?;
        Ok(rustix::process::pidfd_open(pid, flags)?)
    }

    fn share_files(&self, one: Tid, other: Tid) -> Result<bool, OpenError> {
        Ok(syscall::share_files(self.raw(one)?, self.raw(other)?)?)
    }

    fn device_ns(&self, process: &OwnedFd, fd: Fd) -> Result<OwnedFd, OpenError> {
        let fd = i32::try_from(fd).map_err(|_| OpenError::Gone)?;
        let file = rustix::process::pidfd_getfd(process, fd, PidfdGetfdFlags::empty())?;
        Ok(ioctl::get_socket_ns(file)?)
    }

    fn look_at(&self, path: &Path) -> Result<Option<NsId>, OpenError> {
        let file = open_of_process(path, OFlags::PATH | OFlags::CLOEXEC)?;
        let seen = look(&file)?;
        if device(&seen) != self.nsfs()? {
            return Ok(None);
        }
        let ns = self.open_seen(&file, &seen, seen.stx_ino)?;
        Ok(Some(self.id(&ns)?))
    }

    fn open_listed(&self, unique_id: u64, id: NsId) -> Result<OwnedFd, OpenError> {
        let ino = u32::try_from(id.ino).map_err(|_| OpenError::Gone)?;
        match syscall::open_ns(unique_id, flag_of_kind(id.kind), ino) {
            Err(Errno::STALE) => Err(OpenError::Gone),
            // Linux has no such handles before 6.18. The namespace may well
            // exist: mount namespaces are listed since 6.12.
            Err(Errno::BADF) => Err(OpenError::Unreachable),
            opened => Ok(opened?),
        }
    }

    fn mount_namespaces(&self) -> Result<Vec<MountNs>, OpenError> {
        let own = self.open_own("ns/mnt", READ)?;
        let mut found = vec![MountNs {
            ino: rustix::fs::fstat(&own)?.st_ino,
            unique_id: ioctl::get_mnt_ns_id(&own)?,
        }];
        for forward in [true, false] {
            let mut here = own.try_clone().map_err(|error| errno_of(&error))?;
            loop {
                match ioctl::get_neighbour(&here, forward) {
                    Ok((ns, unique_id)) => {
                        let ino = rustix::fs::fstat(&ns)?.st_ino;
                        found.push(MountNs { ino, unique_id });
                        here = ns;
                    }
                    Err(Errno::NOENT) => break,
                    Err(errno) => return Err(errno.into()),
                }
            }
        }
        Ok(found)
    }

    fn mounts_in(&self, mount_ns: &MountNs) -> Result<Vec<(NsId, Mount)>, Errno> {
        mount_list::mounts_in(*mount_ns)
    }

    fn list(&self) -> Result<Vec<u64>, Errno> {
        let mut all = Vec::new();
        let mut ids = [0; 512];
        loop {
            let last = all.last().copied().unwrap_or(0);
            match syscall::listns(last, &mut ids) {
                Ok(0) | Err(Errno::NOENT) => return Ok(all),
                Ok(count) => all.extend(ids.get(..count).unwrap_or_default()),
                Err(errno) => return Err(errno),
            }
        }
    }

    fn identify_listed(&self, unique_id: u64) -> Result<Option<NsId>, Errno> {
        match syscall::open_ns(unique_id, 0, 0) {
            Ok(ns) => self.id(&ns).map(Some),
            Err(Errno::STALE | Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn unique_id(&self, ns: &OwnedFd) -> Result<u64, Errno> {
        ioctl::get_id(ns)
    }

    fn ino(&self, ns: &OwnedFd) -> Result<u64, Errno> {
        Ok(rustix::fs::fstat(ns)?.st_ino)
    }

    fn id(&self, ns: &OwnedFd) -> Result<NsId, Errno> {
        let kind = kind_of_flag(ioctl::get_type(ns)?).ok_or(Errno::INVAL)?;
        let ino = self.ino(ns)?;
        Ok(NsId { ino, kind })
    }

    fn owner(&self, ns: &OwnedFd) -> Result<OwnedFd, Errno> {
        ioctl::get_userns(ns)
    }

    fn parent(&self, ns: &OwnedFd) -> Result<OwnedFd, Errno> {
        ioctl::get_parent(ns)
    }

    fn owner_uid(&self, ns: &OwnedFd) -> Result<u32, Errno> {
        ioctl::get_owner_uid(ns)
    }

    fn netnsid(&self, ns: &OwnedFd) -> Result<NetNsId, Errno> {
        let mut socket = self.netlink.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = match &mut *socket {
            Some(socket) => socket,
            none => none.insert(netlink::Socket::route()?),
        };
        netlink::get_nsid(socket, ns.as_fd())
    }

    fn uts_names(&self, ns: &OwnedFd, pid: Option<Pid>) -> Result<UtsNames, OpenError> {
        match (setns::uts_names(&self.proc, ns), pid) {
            (Err(Errno::PERM), Some(pid)) => Ok(child::uts_names(&self.hold(pid, None)?)?),
            (names, _) => Ok(names?),
        }
    }

    fn interfaces(&self, ns: &OwnedFd, pid: Option<Pid>) -> Result<Vec<Interface>, Errno> {
        match (setns::enter(&self.proc, ns, Kind::Net), pid) {
            (Err(Errno::PERM), Some(pid)) => {
                let file = self.proc.join(pid.to_string()).join("net/dev");
                netlink::parse_names(&setns::read(&file)?)
            }
            (entered, _) => {
                entered?;
                netlink::interfaces(&mut netlink::Socket::route()?)
            }
        }
    }

    fn netnsid_within(&self, within: &OwnedFd, ns: &OwnedFd) -> Result<NetNsId, Errno> {
        setns::enter(&self.proc, within, Kind::Net)?;
        netlink::get_nsid(&mut netlink::Socket::route()?, ns.as_fd())
    }

    fn sysvipc(&self, ns: &OwnedFd) -> Result<SysvIpc, Errno> {
        setns::enter(&self.proc, ns, Kind::Ipc)?;
        sysv::count()
    }

    fn cgroups(&self, ns: &OwnedFd, pid: Pid) -> Result<(Vec<u8>, Vec<u8>), OpenError> {
        let file = self.proc.join(pid.to_string()).join("cgroup");
        // That of the first thread, which goes nowhere.
        let own = self.open_own("ns/cgroup", READ)?;
        setns::enter(&self.proc, &own, Kind::Cgroup)?;
        let outside = setns::read(&file)?;
        setns::enter(&self.proc, ns, Kind::Cgroup)?;
        Ok((outside, setns::read(&file)?))
    }

    fn pid_max(&self, ns: &OwnedFd) -> Result<Option<Pid>, Errno> {
        setns::enter(&self.proc, ns, Kind::Pid)?;
        let text = match child::read_file(&self.proc.join("sys/kernel/pid_max")) {
            Err(Errno::NOENT) => return Ok(None),
            text => text?,
        };
        let text = std::str::from_utf8(&text).map_err(|_| Errno::PROTO)?;
        text.trim().parse().map(Some).map_err(|_| Errno::PROTO)
    }
}

/// The CLONE_ flag of clone(2) for a type.
const fn flag_of_kind(kind: Kind) -> u32 {
    let flag = match kind {
        Kind::Mnt => libc::CLONE_NEWNS,
        Kind::Net => libc::CLONE_NEWNET,
        Kind::Ipc => libc::CLONE_NEWIPC,
        Kind::User => libc::CLONE_NEWUSER,
        Kind::Pid => libc::CLONE_NEWPID,
        Kind::Uts => libc::CLONE_NEWUTS,
        Kind::Cgroup => libc::CLONE_NEWCGROUP,
        Kind::Time => libc::CLONE_NEWTIME,
    };
    flag.cast_unsigned()
}

/// The type that a flag stands for.
fn kind_of_flag(flag: u32) -> Option<Kind> {
    let mut kinds = Kind::ALL.iter().copied();
    kinds.find(|kind| flag_of_kind(*kind) == flag)
}

fn raw(pid: Pid) -> Option<RawPid> {
    i32::try_from(pid).ok().and_then(RawPid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_exists_and_the_largest_pid_does_not() {
        let linux = Linux::new("/proc".into());
        assert!(linux.process_exists(std::process::id()));
        assert!(!linux.process_exists(i32::MAX.unsigned_abs()));
        assert!(!linux.process_exists(u32::MAX));
        assert!(!linux.process_exists(0));
    }

    #[test]
    fn the_pids_of_another_proc_tree_go_into_no_system_call() {
        let elsewhere = Linux::new("/nonexistent".into());
        let own = std::process::id();
        assert!(!elsewhere.process_exists(own));
        assert_eq!(
            elsewhere.hold(own, None).err(),
            Some(OpenError::ForeignProc)
        );
        assert_eq!(elsewhere.share_files(own, own), Err(OpenError::ForeignProc));
        assert_eq!(elsewhere.mount_namespaces(), Err(OpenError::ForeignProc));
    }

    #[test]
    fn only_flags_of_namespaces_are_types() {
        assert_eq!(kind_of_flag(0x0400_0000), Some(Kind::Uts));
        assert_eq!(kind_of_flag(0x0400_0080), None);
        assert_eq!(kind_of_flag(0), None);
    }

    #[test]
    fn a_file_that_is_another_by_now_is_not_opened() {
        let linux = Linux::new("/proc".into());
        let id = NsId {
            ino: 1,
            kind: Kind::Net,
        };
        let own = Path::new("/proc/self/ns/net");
        assert_eq!(linux.open_link(own, id).unwrap_err(), OpenError::Moved);
        assert_eq!(linux.open_fd(own, id).unwrap_err(), OpenError::Moved);
        let null = Path::new("/dev/null");
        let ino = rustix::fs::stat(null).unwrap().st_ino;
        let id = NsId {
            ino,
            kind: Kind::Net,
        };
        assert_eq!(linux.open_fd(null, id).unwrap_err(), OpenError::Moved);
        let mount = Mount {
            within: None,
            path: "/dev/null".into(),
            id: 0,
        };
        assert_eq!(
            linux.open_mount(&mount, id).unwrap_err(),
            OpenError::Covered
        );
    }
}
