use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::io::Errno;

use crate::error::Error;
use crate::model::{HiddenProcess, Kind, Pid};
use crate::proc::device::{Device, look_at_open};
use crate::proc::dir::{Dir, Trust};
use crate::proc::hidden::Hidden;
use crate::proc::mountinfo::parse_line;
use crate::proc::read::{Limit, ReadError};
use crate::proc::status::parse_tgid;
use crate::proc::users::home_in;

/// The root below which a scan reads `proc/` and `etc/passwd`: that of the
/// running system or of a captured tree.
///
/// ```no_run
/// # fn main() -> Result<(), nsls::Error> {
/// use nsls::{Scanner, Sysroot};
///
/// let snapshot = Scanner::new(Sysroot::at("captured/on-another-machine")).scan()?;
/// println!("{} processes", snapshot.processes.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sysroot {
    path: PathBuf,
    dirs: Arc<Dirs>,
    hidden: Hidden,
}

/// The open directories. An error of opening them is kept for the first read.
#[derive(Debug)]
struct Dirs {
    root: Result<Dir, Errno>,
    proc: Result<Dir, Errno>,
    /// The device that namespaces are on, once known.
    nsfs: OnceLock<Device>,
}

impl Sysroot {
    /// The running system, at the root directory of this process.
    pub fn live() -> Self {
        Sysroot::at("/")
    }

    /// The root at a directory `DIR`.
    ///
    /// That is the running system if procfs is mounted at `DIR/proc`, as the
    /// host's often is in containers that monitor it, and else a captured tree.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let path = root.into();
        let trust = if path == Path::new("/") {
            Trust::System
        } else {
            Trust::Root
        };
        let root = Dir::open(&path, trust);
        let proc = match &root {
            Ok(root) => match root.procfs("proc") {
                Some(proc) => Ok(proc),
                None => root.dir("proc", Trust::Part),
            },
            Err(errno) => Err(*errno),
        };
        let nsfs = OnceLock::new();
        let dirs = Arc::new(Dirs { root, proc, nsfs });
        let hidden = Hidden::default();
        Sysroot { path, dirs, hidden }
    }

    /// Returns this root without hidden processes: they are those of one scan.
    pub(crate) fn for_scan(&self) -> Self {
        Sysroot {
            hidden: Hidden::default(),
            ..self.clone()
        }
    }

    /// Adds processes that the proc tree does not list, of which `exists` says
    /// whether they have ended. Reading them fails with EPERM as long as not.
    pub(crate) fn add_hidden(
        &self,
        processes: Vec<HiddenProcess>,
        exists: impl Fn(Pid) -> bool + Send + Sync + 'static,
    ) {
        self.hidden.add(processes, exists);
    }

    /// Returns what is known of a process, if the proc tree does not list it and
    /// it has not ended.
    pub(crate) fn hidden(&self, pid: Pid) -> Option<HiddenProcess> {
        self.hidden.get(pid)
    }

    /// Returns whether the proc tree is a mounted procfs, so that the kernel can
    /// be asked about its processes.
    pub fn is_live(&self) -> bool {
        self.dirs.proc.as_ref().is_ok_and(Dir::is_procfs)
    }

    /// Returns whether this is the root directory of this process.
    pub(crate) fn is_own(&self) -> bool {
        self.path == Path::new("/")
    }

    /// Path of the proc tree.
    pub(crate) fn proc_path(&self) -> PathBuf {
        self.path.join("proc")
    }

    /// Path of the directory of a process.
    pub(crate) fn process_path(&self, pid: Pid) -> PathBuf {
        self.proc_path().join(pid.to_string())
    }

    /// The root directory.
    pub(crate) fn dir(&self) -> Result<&Dir, Errno> {
        self.dirs.root.as_ref().map_err(|errno| *errno)
    }

    /// The directory of the proc tree.
    pub(crate) fn proc(&self) -> Result<&Dir, Errno> {
        self.dirs.proc.as_ref().map_err(|errno| *errno)
    }

    /// Returns the device that all namespaces are on, by one that `find` finds.
    pub(super) fn nsfs(
        &self,
        find: impl FnOnce() -> Result<Device, ReadError>,
    ) -> Result<Device, ReadError> {
        match self.dirs.nsfs.get() {
            Some(device) => Ok(*device),
            None => Ok(*self.dirs.nsfs.get_or_init({
                let found = find()?;
                move || found
            })),
        }
    }

    /// Returns the PID of this process in the proc tree; `None` if it is not
    /// there.
    pub(super) fn own_pid(&self) -> Option<Pid> {
        parse_pid(&self.proc().ok()?.read_link("self").ok()?)
    }

    /// Lists all processes in the proc tree, by PID.
    pub(crate) fn pids(&self) -> Result<Vec<Pid>, Error> {
        self.pids_after(0)
    }

    /// Lists the processes with PIDs beyond `pid`, which takes as long as there
    /// are such.
    pub(crate) fn pids_after(&self, pid: Pid) -> Result<Vec<Pid>, Error> {
        let path = self.proc_path();
        let later = |name: &[u8]| parse_pid(name).filter(|found| *found > pid);
        // The place of a process in the directory is its PID and 258, and has been
        // since Linux 3.17. What is listed needlessly does no harm.
        let start = if pid == 0 { 0 } else { u64::from(pid) + 257 };
        match self
            .proc()
            .and_then(|proc| proc.list_from(".", start, later))
        {
            Ok(mut pids) => {
                pids.sort_unstable();
                Ok(pids)
            }
            // Only captured trees need openat2(2).
            Err(Errno::NOSYS) => Err(Error::NeedsOpenat2(path)),
            Err(errno) => Err(Error::read(path, errno)),
        }
    }

    /// Returns a PID if it is that of a process rather than of another thread,
    /// which the proc tree does not list.
    pub(crate) fn leader(&self, pid: Pid) -> Option<Pid> {
        if !self.is_live() {
            return Some(pid);
        }
        let status = self.read_proc(&format!("{pid}/status"), Limit::Long)?;
        (parse_tgid(&status) == Ok(pid)).then_some(pid)
    }

    /// Reads the release of the kernel; `None` if the tree does not have it.
    pub(crate) fn kernel_release(&self) -> Option<Vec<u8>> {
        self.read_proc("sys/kernel/osrelease", Limit::Small)
    }

    /// Reads the ID of the boot, random(4); `None` if the tree does not record it.
    #[cfg(feature = "cli")]
    pub(crate) fn boot_id(&self) -> Option<String> {
        let text = self.read_proc("sys/kernel/random/boot_id", Limit::Small)?;
        let text = std::str::from_utf8(&text).ok()?.trim_end();
        let is_id = text.len() == 36 && text.bytes().all(is_of_uuid);
        is_id.then(|| text.to_owned())
    }

    /// Reads the limit on the namespaces of one type that a user may create,
    /// `/proc/sys/user/max_TYPE_namespaces`, namespaces(7); `None` if the tree
    /// does not record it.
    pub fn max_namespaces(&self, kind: Kind) -> Option<u64> {
        self.namespace_limit(kind).ok()
    }

    /// Reads the same, or why it is unknown.
    pub(crate) fn namespace_limit(&self, kind: Kind) -> Result<u64, ReadError> {
        self.sysctl(&format!("user/max_{kind}_namespaces"))
    }

    /// Reads the largest PID of the reader's pid namespace, proc_sys_kernel(5), or
    /// why it is unknown.
    #[cfg(feature = "cli")]
    pub(crate) fn pid_max(&self) -> Result<u64, ReadError> {
        self.sysctl("kernel/pid_max")
    }

    fn sysctl(&self, name: &str) -> Result<u64, ReadError> {
        let text = self.proc()?.read(&format!("sys/{name}"), Limit::Small)?;
        let text = std::str::from_utf8(&text).map_err(|_| ReadError::Malformed)?;
        text.trim().parse().map_err(|_| ReadError::Malformed)
    }

    pub(super) fn read_proc(&self, path: &str, limit: Limit) -> Option<Vec<u8>> {
        self.proc().ok()?.read(path, limit).ok()
    }

    /// Reads the user database.
    pub(crate) fn passwd(&self) -> Option<Vec<u8>> {
        self.dir().ok()?.read("etc/passwd", Limit::Database).ok()
    }

    /// Opens the home directory of a user, unless the user, who may mount over
    /// it, has put a FUSE file server there.
    pub(crate) fn home(&self, uid: u32) -> Option<Dir> {
        let home = home_in(&self.passwd()?, uid)?;
        let home = self.dir().ok()?.dir(&home, Trust::User).ok()?;
        (!self.is_live() || !self.is_on_fuse(&home)?).then_some(home)
    }

    /// Opens a directory of the system, wherever the administrator put it: perhaps
    /// where a user can replace it, who is not trusted with what is in it.
    pub(crate) fn system_dir(&self, path: &str) -> Result<Dir, ReadError> {
        let dir = self.dir()?.dir(path.trim_start_matches('/'), Trust::User)?;
        if self.is_live() {
            let is_roots = rustix::fs::fstat(&dir)?.st_uid == 0;
            if !is_roots || self.is_on_fuse(&dir) != Some(false) {
                return Err(ReadError::Errno(Errno::ACCESS));
            }
        }
        Ok(dir)
    }

    /// Returns whether a directory is on a FUSE mount, by the reader's mount
    /// table; `None` if the table does not have the mount.
    fn is_on_fuse(&self, dir: &Dir) -> Option<bool> {
        let seen = look_at_open(dir).ok()?;
        let mut mounts = self.mountinfo().ok()?;
        loop {
            if let Some(mount) = mounts.next()?.ok().and_then(parse_line)
                && mount.id == seen.stx_mnt_id
            {
                return Some(mount.fs_type.starts_with(b"fuse"));
            }
        }
    }
}

#[cfg(feature = "cli")]
fn is_of_uuid(byte: u8) -> bool {
    byte == b'-' || byte.is_ascii_hexdigit()
}

/// Parses a PID as the kernel writes it: without sign or leading zeros.
fn parse_pid(name: &[u8]) -> Option<Pid> {
    if !matches!(name.first(), Some(b'1'..=b'9')) {
        return None;
    }
    // The kernel's pid_t has a sign.
    i32::try_from(std::str::from_utf8(name).ok()?.parse::<u32>().ok()?)
        .ok()?
        .try_into()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_are_processes() {
        assert_eq!(parse_pid(b"1"), Some(1));
        assert_eq!(parse_pid(b"4194304"), Some(4194304));
        for name in [
            "",
            "0",
            "01",
            "+1",
            "-1",
            "1a",
            "self",
            "2147483648",
            "99999999999",
        ] {
            assert_eq!(parse_pid(name.as_bytes()), None, "{name:?}");
        }
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_boot_has_the_id_of_its_tree_or_none() {
        let tree = tempfile::tempdir().unwrap();
        let dir = tree.path().join("proc/sys/kernel/random");
        std::fs::create_dir_all(&dir).unwrap();
        let root = Sysroot::at(tree.path());
        assert_eq!(root.boot_id(), None);
        let id = "0c2a0f2e-3b7e-4f59-9d0c-6f1f5c3b6a10";
        for (text, expected) in [
            (&*format!("{id}\n"), Some(id)),
            ("", None),
            ("0c2a0f2e-3b7e-4f59-9d0c-6f1f5c3b6a1", None),
            ("0c2a0f2e-3b7e-4f59-9d0c-6f1f5c3b6a1\x1b", None),
        ] {
            std::fs::write(dir.join("boot_id"), text).unwrap();
            assert_eq!(root.boot_id().as_deref(), expected, "{text:?}");
        }
        assert!(Sysroot::live().boot_id().is_some());
    }

    #[test]
    fn a_directory_is_on_fuse_by_the_mount_table() {
        let root = Sysroot::live();
        assert_eq!(root.is_on_fuse(root.dir().unwrap()), Some(false));
        // A mount that the table does not have.
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(tree.path().join("proc/self")).unwrap();
        std::fs::write(
            tree.path().join("proc/self/mountinfo"),
            "x\n1 0 0:1 / / rw - fuse x rw\n",
        )
        .unwrap();
        let copy = Sysroot::at(tree.path());
        assert_eq!(copy.is_on_fuse(root.dir().unwrap()), None);
        let id = look_at_open(root.dir().unwrap()).unwrap().stx_mnt_id;
        let line = format!("{id} 0 0:1 / / rw - fuse.sshfs x rw\n");
        std::fs::write(tree.path().join("proc/self/mountinfo"), line).unwrap();
        assert_eq!(copy.is_on_fuse(root.dir().unwrap()), Some(true));
    }

    #[test]
    fn the_processes_beyond_a_pid_are_listed_alone() {
        let tree = tempfile::tempdir().unwrap();
        for pid in [5, 70, 600] {
            std::fs::create_dir_all(tree.path().join(format!("proc/{pid}"))).unwrap();
        }
        let own = std::process::id();
        for (root, middle) in [(Sysroot::at(tree.path()), 70), (Sysroot::live(), own)] {
            let all = root.pids().unwrap();
            assert!(all.contains(&middle));
            let after = |pid| root.pids_after(pid).unwrap();
            assert!(after(middle - 1).contains(&middle));
            assert!(after(middle).iter().all(|pid| *pid > middle));
        }
    }

    #[test]
    fn a_root_is_live_where_a_procfs_is_mounted_and_nowhere_else() {
        assert!(Sysroot::live().is_live());
        assert!(Sysroot::at("/proc/self/root").is_live());
        assert!(!Sysroot::at("fixtures/ubuntu-20.04").is_live());
        assert!(!Sysroot::at("/nonexistent").is_live());
        let tree = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/proc", tree.path().join("proc")).unwrap();
        assert!(!Sysroot::at(tree.path()).is_live());
    }
}
