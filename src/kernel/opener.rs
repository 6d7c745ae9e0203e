use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;
use rustix::process::Pid as RawPid;

use crate::kernel::OpenError;
use crate::kernel::nsfs::NsFile;
use crate::kernel::setns::{in_mount_ns, mount_table};
use crate::model::{Kind, Mount, NsId, Pid, Within};
use crate::proc::{Lines, MountTree, device};

const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
/// How often to resolve a path while mounts come and go.
const ATTEMPTS: usize = 16;

/// Opens namespaces by paths of a proc tree, and never anything else: a file
/// that only may be a namespace is first opened with O_PATH, which no file
/// server or device notices, and opened for reading once it is known to be on
/// nsfs.
#[derive(Debug)]
pub(super) struct Opener {
    proc: PathBuf,
    /// The device number of nsfs, once known.
    nsfs: OnceLock<(u32, u32)>,
    /// Whether PIDs of the proc tree are those of this pid namespace, once
    /// known.
    has_own_pids: OnceLock<bool>,
    /// The mounts of a mount namespace, by its number, or of that of the caller,
    /// once something in it could not be opened. For the reason alone, so they may
    /// be old.
    mounts: Mutex<HashMap<Option<u64>, Arc<MountTree>>>,
}

/// Why a path could not be followed to its end.
struct Stopped {
    error: OpenError,
    /// ID of the mount up to which it could.
    reached: Option<u64>,
}

impl Opener {
    pub(super) fn new(proc: PathBuf) -> Self {
        Opener {
            proc,
            nsfs: OnceLock::new(),
            has_own_pids: OnceLock::new(),
            mounts: Mutex::default(),
        }
    }

    /// Returns the proc tree.
    pub(super) fn proc(&self) -> &Path {
        &self.proc
    }

    /// Opens a namespace by a link in `/proc/PID/ns`.
    pub(super) fn open_link(&self, path: &Path, ino: u64) -> Result<NsFile, OpenError> {
        let (major, minor) = self.nsfs()?;
        let device = rustix::fs::makedev(major, minor);
        match NsFile::verify_on(device, open_of_process(path, READ)?)? {
            Some(ns) if ns.ino()? == ino => Ok(ns),
            _ => Err(OpenError::Moved),
        }
    }

    /// Opens a namespace by a link in `/proc/PID/fd`.
    pub(super) fn open_fd(&self, path: &Path, ino: u64) -> Result<NsFile, OpenError> {
        self.open_seen(&open_of_process(path, LOOK)?, Some(ino))
    }

    /// Opens a namespace by its mount point.
    pub(super) fn open_mount(&self, mount: &Mount, ino: u64) -> Result<NsFile, OpenError> {
        let path = Path::new(OsStr::from_bytes(mount.path.as_bytes()));
        let (file, of) = match mount.within {
            None => (
                look_up(CWD, path, ResolveFlags::CACHED),
                self.proc.join("self"),
            ),
            Some(Within { pid: None, .. }) => return Err(OpenError::Unreachable),
            Some(Within { pid: Some(pid), .. }) => {
                let process = self.proc.join(pid.to_string());
                let root = rustix::fs::open(process.join("root"), LOOK, Mode::empty())?;
                let resolve = ResolveFlags::CACHED | ResolveFlags::IN_ROOT;
                (look_up(root.as_fd(), path, resolve), process)
            }
        };
        let table = || Ok(rustix::fs::open(of.join("mountinfo"), READ, Mode::empty())?.into());
        self.open_mounted(file, mount, ino, &table)
    }

    /// Opens a namespace by its mount point in a mount namespace.
    pub(super) fn open_mount_within(
        &self,
        within: &NsFile,
        mount: &Mount,
        ino: u64,
    ) -> Result<NsFile, OpenError> {
        let path = Path::new(OsStr::from_bytes(mount.path.as_bytes()));
        let file = in_mount_ns(within, || Ok(look_up(CWD, path, ResolveFlags::CACHED)))?;
        let table = || mount_table(&self.proc, within);
        self.open_mounted(file, mount, ino, &table)
    }

    fn open_mounted(
        &self,
        file: Result<OwnedFd, Stopped>,
        mount: &Mount,
        ino: u64,
        table: &dyn Fn() -> Result<File, OpenError>,
    ) -> Result<NsFile, OpenError> {
        let file = file.map_err(|stopped| {
            if self.leads_elsewhere(&stopped, mount, table) {
                OpenError::Covered
            } else {
                stopped.error
            }
        })?;
        if look(&file, StatxFlags::MNT_ID)?.stx_mnt_id != mount.id {
            return Err(OpenError::Covered);
        }
        self.open_seen(&file, Some(ino))
    }

    /// Returns whether the path of a mount now leads into another, which was mounted
    /// above it.
    fn leads_elsewhere(
        &self,
        stopped: &Stopped,
        mount: &Mount,
        table: &dyn Fn() -> Result<File, OpenError>,
    ) -> bool {
        let Some(reached) = stopped.reached else {
            return false;
        };
        let key = mount.within.map(|within| within.mount_ns);
        let trees = || self.mounts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = trees().get(&key).map(Arc::clone);
        let tree = match known {
            Some(tree) => tree,
            None => {
                let Ok(table) = table() else { return false };
                let tree = Arc::new(MountTree::read(Lines::of(table)));
                trees().insert(key, Arc::clone(&tree));
                tree
            }
        };
        tree.is_covered(mount.id, reached)
    }

    /// Returns which namespace a path leads to, `None` for anything else.
    pub(super) fn look_at(&self, path: &Path) -> Result<Option<NsId>, OpenError> {
        self.identify(&open_of_process(path, LOOK)?)
    }

    /// Returns which namespace an O_PATH descriptor refers to, `None` for
    /// anything else.
    pub(super) fn identify(&self, file: &OwnedFd) -> Result<Option<NsId>, OpenError> {
        match self.open_seen(file, None) {
            Ok(ns) => Ok(Some(ns.id()?)),
            Err(OpenError::Moved) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a namespace of this process: that of its first thread, which never
    /// leaves it.
    pub(super) fn open_own(&self, kind: Kind) -> Result<NsFile, OpenError> {
        let file = self.open_self(&format!("ns/{kind}"), READ)?;
        NsFile::verify(file)?.ok_or(OpenError::Moved)
    }

    /// Returns a PID of the proc tree as one for system calls, which take those
    /// of the caller's pid namespace.
    pub(super) fn raw_pid(&self, pid: Pid) -> Result<RawPid, OpenError> {
        if !*self.has_own_pids.get_or_init(|| self.shows_this_process()) {
            return Err(OpenError::ForeignProc);
        }
        let raw = i32::try_from(pid).ok().and_then(RawPid::from_raw);
        raw.ok_or(OpenError::Gone)
    }

    /// Returns whether this process has the same PID in the proc tree.
    fn shows_this_process(&self) -> bool {
        let own = rustix::process::getpid().to_string();
        let shown = rustix::fs::readlinkat(CWD, self.proc.join("self"), Vec::new());
        shown.is_ok_and(|shown| shown.as_bytes() == own.as_bytes())
    }

    /// Opens for reading what an O_PATH descriptor refers to, if that is on
    /// nsfs, where nothing blocks, and has this inode number.
    fn open_seen(&self, file: &OwnedFd, ino: Option<u64>) -> Result<NsFile, OpenError> {
        let seen = look(file, StatxFlags::INO)?;
        if device(&seen) != self.nsfs()? || ino.is_some_and(|ino| ino != seen.stx_ino) {
            return Err(OpenError::Moved);
        }
        let file = self.open_self(&format!("fd/{}", file.as_raw_fd()), READ)?;
        NsFile::verify(file)?.ok_or(OpenError::Moved)
    }

    /// Returns the device number that all files on nsfs have.
    fn nsfs(&self) -> Result<(u32, u32), OpenError> {
        if let Some(device) = self.nsfs.get() {
            return Ok(*device);
        }
        let own = self.open_self("ns/user", LOOK)?;
        let seen = look(&own, StatxFlags::INO)?;
        Ok(*self.nsfs.get_or_init(|| device(&seen)))
    }

    /// Opens a file of this process, which the proc tree of a sibling or child
    /// pid namespace does not show.
    fn open_self(&self, file: &str, flags: OFlags) -> Result<OwnedFd, OpenError> {
        match rustix::fs::open(self.proc.join("self").join(file), flags, Mode::empty()) {
            Err(Errno::NOENT) => Err(OpenError::ForeignProc),
            opened => Ok(opened?),
        }
    }
}

/// Opens a file of a process. If the process ends halfway, the kernel answers
/// EACCES (fs/proc/namespaces.c): the second attempt finds it gone.
fn open_of_process(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    match rustix::fs::open(path, flags, Mode::empty()) {
        Err(Errno::ACCESS) => rustix::fs::open(path, flags, Mode::empty()),
        opened => opened,
    }
}

/// Resolves a path from what the kernel has in its caches. Those hold every
/// mount point and the way there, but some file servers insist on being asked, and
/// what is mounted above it leads elsewhere.
fn look_up(dir: BorrowedFd<'_>, path: &Path, resolve: ResolveFlags) -> Result<OwnedFd, Stopped> {
    let open = |path: &Path| rustix::fs::openat2(dir, path, LOOK, Mode::empty(), resolve);
    let mut error = OpenError::FileServer;
    for _ in 0..ATTEMPTS {
        match open(path) {
            Ok(file) => return Ok(file),
            // The kernel gives up too if a mount comes or goes meanwhile.
            Err(Errno::AGAIN) => {}
            Err(errno) => {
                error = errno.into();
                break;
            }
        }
    }
    // Longest first: a path can be followed if a longer one can.
    let above: Vec<&Path> = path.ancestors().skip(1).collect();
    let open_one = above.partition_point(|path| open(path).is_err());
    let reached = above.get(open_one).and_then(|path| open(path).ok());
    let reached = reached.and_then(|file| look(&file, StatxFlags::MNT_ID).ok());
    Err(Stopped {
        error,
        reached: reached.map(|seen| seen.stx_mnt_id),
    })
}

/// Returns what the kernel knows about a file without asking a file server:
/// AT_STATX_DONT_SYNC, statx(2).
pub(super) fn look(file: &OwnedFd, mask: StatxFlags) -> Result<Statx, Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    rustix::fs::statx(file, "", flags, mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_another_by_now_is_not_opened() {
        let opener = Opener::new("/proc".into());
        let own = Path::new("/proc/self/ns/net");
        assert_eq!(opener.open_link(own, 1).unwrap_err(), OpenError::Moved);
        assert_eq!(opener.open_fd(own, 1).unwrap_err(), OpenError::Moved);
        let null = Path::new("/dev/null");
        let ino = rustix::fs::stat(null).unwrap().st_ino;
        assert_eq!(opener.open_link(null, ino).unwrap_err(), OpenError::Moved);
        assert_eq!(opener.open_fd(null, ino).unwrap_err(), OpenError::Moved);
        assert_eq!(opener.look_at(null), Ok(None));
        let mount = Mount {
            within: None,
            path: "/dev/null".into(),
            id: 0,
        };
        assert_eq!(
            opener.open_mount(&mount, ino).unwrap_err(),
            OpenError::Covered
        );
    }

    #[test]
    fn what_is_not_there_is_gone_and_what_no_path_leads_to_is_unreachable() {
        let opener = Opener::new("/proc".into());
        let nothing = Path::new("/proc/self/fd/999999");
        assert_eq!(opener.open_fd(nothing, 1).unwrap_err(), OpenError::Gone);
        let mount = Mount {
            within: Some(Within {
                mount_ns: 1,
                pid: None,
            }),
            path: "/".into(),
            id: 0,
        };
        let error = opener.open_mount(&mount, 1).unwrap_err();
        assert_eq!(error, OpenError::Unreachable);
    }

    #[test]
    fn a_foreign_proc_tree_says_nothing_about_this_process() {
        let opener = Opener::new("/nonexistent".into());
        assert_eq!(opener.raw_pid(1), Err(OpenError::ForeignProc));
        let own = opener.open_own(Kind::Mnt).unwrap_err();
        assert_eq!(own, OpenError::ForeignProc);
    }
}
