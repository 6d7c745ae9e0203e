use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, Mode, OFlags};
use rustix::io::Errno;

use crate::error::Error;
use crate::model::{Kind, NsId, Pid};
use crate::proc::hidepid::Hidepid;
use crate::proc::lines::Lines;
use crate::proc::link_text::parse_id;
use crate::proc::mountinfo::{Line, is_nsfs, parse_line};
use crate::proc::read::{Limit, READ, read_whole, require_regular};
use crate::proc::users::home_in;
use crate::proc::{ReadError, recorded_error};

/// Magic number of nsfs, linux/magic.h.
const NSFS_MAGIC: u64 = 0x6e73_6673;
/// Magic number of proc, linux/magic.h.
const PROC_MAGIC: u64 = 0x9fa0;

/// Where the proc file system is mounted, as the mount table has it.
const MOUNT_POINT: &str = "/proc";

/// Below which a scan reads: a directory that has `proc/` and `etc/passwd`.
///
/// ```
/// # fn main() -> Result<(), nsls::Error> {
/// use nsls::{Scanner, Sysroot};
///
/// let snapshot = Scanner::new(Sysroot::at("fixtures/ubuntu-20.04")).scan()?;
/// assert_eq!(snapshot.processes.len(), 110);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sysroot {
    root: PathBuf,
    live: bool,
}

/// What a path that names a namespace leads to.
#[derive(Debug)]
pub(crate) enum Found {
    /// A link of a proc tree.
    Link(NsId),
    /// A file on nsfs, with O_PATH.
    File(OwnedFd),
}

impl Sysroot {
    /// The running system.
    pub fn live() -> Self {
        Sysroot {
            root: "/".into(),
            live: true,
        }
    }

    /// A tree captured on this or another system; `/` is the running one.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let live = root == Path::new("/");
        Sysroot { root, live }
    }

    /// Whether this is the running system, so that its kernel can be asked.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The proc tree.
    pub(crate) fn proc_path(&self) -> PathBuf {
        self.root.join("proc")
    }

    /// The directory of a process.
    pub(crate) fn process_path(&self, pid: Pid) -> PathBuf {
        self.proc_path().join(pid.to_string())
    }

    /// Returns a path that leads to a namespace through its holder.
    pub(crate) fn holder_path(&self, holder: &crate::model::Holder) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        holder
            .path()
            .map(|path| std::ffi::OsString::from_vec(path).into())
    }

    /// Returns a path that leads to an open file.
    pub(crate) fn open_file_path(&self, file: &crate::model::OpenFile) -> PathBuf {
        file.path().into()
    }

    /// All processes in the proc tree, by pid.
    pub(crate) fn pids(&self) -> Result<Vec<Pid>, Error> {
        let path = self.proc_path();
        self.list_pids(&path)
            .map_err(|errno| Error::read(path, errno))
    }

    fn list_pids(&self, path: &Path) -> Result<Vec<Pid>, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(path, flags, Mode::empty())?;
        let mut pids = Vec::new();
        for entry in Dir::new(dir)? {
            pids.extend(parse_pid(entry?.file_name().to_bytes()));
        }
        pids.sort_unstable();
        Ok(pids)
    }

    /// The release of the kernel; none in a tree that does not tell.
    pub(crate) fn kernel_release(&self) -> Option<Vec<u8>> {
        read(&self.proc_path().join("sys/kernel/osrelease"), Limit::Small).ok()
    }

    /// How many namespaces of a type a user may make, namespaces(7); none in a
    /// tree that does not tell.
    pub(crate) fn most_namespaces(&self, kind: Kind) -> Option<u64> {
        let file = format!("sys/user/max_{kind}_namespaces");
        let text = read(&self.proc_path().join(file), Limit::Small).ok()?;
        std::str::from_utf8(&text).ok()?.trim().parse().ok()
    }

    /// A file that some other program keeps, if it is there and may be read.
    pub(crate) fn file(&self, path: &str) -> Option<Vec<u8>> {
        read(&self.root.join(path), Limit::Database).ok()
    }

    /// The names in a directory that some other program keeps.
    pub(crate) fn names_in(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(path))
            .into_iter()
            .flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// The text of the user database.
    pub(crate) fn passwd(&self) -> Option<Vec<u8>> {
        read(&self.root.join("etc/passwd"), Limit::Database).ok()
    }

    /// The home directory of a user, without its first slash.
    pub(crate) fn home(&self, uid: u32) -> Option<String> {
        let home = home_in(&self.passwd()?, uid)?;
        Some(home.trim_start_matches('/').to_owned())
    }

    /// Whether processes may be missing from [`pids`](Self::pids) without any
    /// sign of it. Root pays for one small file, others for their mount table.
    pub(crate) fn hides_processes(&self) -> bool {
        self.own_status().is_some_and(|status| {
            Hidepid::STRICTEST.hides_from(&status)
                && self.mountinfo().is_ok_and(|mountinfo| {
                    Hidepid::parse(mountinfo, MOUNT_POINT.as_bytes()).hides_from(&status)
                })
        })
    }

    /// What tells what the reader of this tree may see, and what is mounted
    /// where it is: the lines that matter of its own `status` and `mountinfo`.
    pub(crate) fn reader(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut matters = Vec::new();
        if let Ok(mut mountinfo) = self.mountinfo() {
            while let Some(line) = mountinfo.next() {
                let Ok(line) = line else { continue };
                let is_proc = |line: Line<'_>| line.mount_point == MOUNT_POINT.as_bytes();
                if is_nsfs(line) || parse_line(line).is_some_and(is_proc) {
                    matters.extend_from_slice(line);
                    matters.push(b'\n');
                }
            }
        }
        Some((self.own_status()?, matters))
    }

    fn own_status(&self) -> Option<Vec<u8>> {
        let status = read(&self.proc_path().join("self/status"), Limit::Long).ok()?;
        Some(lines(&status, |line| {
            let wanted: [&[u8]; 3] = [b"CapEff:", b"Groups:", b"Gid:"];
            wanted.iter().any(|name| line.starts_with(name))
        }))
    }

    /// The mount table of the reader. A captured tree need not have one.
    pub(crate) fn mountinfo(&self) -> Result<Lines<Box<dyn Read>>, ReadError> {
        match open(&self.proc_path().join("self/mountinfo")) {
            Err(ReadError::Gone) if !self.live => Ok(Lines::of(Box::new(std::io::empty()))),
            opened => Ok(Lines::of(Box::new(File::from(opened?)))),
        }
    }

    /// Returns whether the reader is in the initial user and pid namespaces.
    pub(crate) fn is_initial(&self) -> bool {
        self.is_in_initial(Kind::User) && self.is_in_initial(Kind::Pid)
    }

    /// Returns whether the reader is in the initial namespace of a type.
    fn is_in_initial(&self, kind: Kind) -> bool {
        let link = self.proc_path().join("self/ns").join(kind.name());
        let text = rustix::fs::readlinkat(CWD, link, Vec::new());
        let ino = kind.initial_ino();
        text.is_ok_and(|text| parse_id(text.as_bytes()) == Some(NsId { ino, kind }))
    }

    /// Whether the reader is in the initial cgroup namespace, and so sees the
    /// whole path of every cgroup. Of a captured tree that is not known, and
    /// what it has is what there is.
    pub(crate) fn sees_all_cgroups(&self) -> bool {
        !self.live || self.is_in_initial(Kind::Cgroup)
    }

    /// The mount namespace of the reader; none in a captured tree.
    pub(crate) fn own_mount_ns(&self) -> Option<u64> {
        let link = self.proc_path().join("self/ns/mnt");
        let text = rustix::fs::readlinkat(CWD, link, Vec::new()).ok()?;
        parse_id(text.as_bytes()).map(|id| id.ino)
    }

    /// The mount table as a process sees it. Nobody needs permission for it.
    pub(crate) fn mountinfo_of(&self, pid: Pid) -> Result<Lines<File>, ReadError> {
        let file = open(&self.process_path(pid).join("mountinfo"))?;
        Ok(Lines::of(File::from(file)))
    }

    /// Finds the namespace that a path leads to. It is taken below this root.
    ///
    /// Nothing else is opened for reading: a path may lead to anything.
    pub(crate) fn namespace_at(&self, path: &Path) -> Result<Found, Error> {
        let place = if self.live {
            path.to_owned()
        } else {
            self.root.join(path.strip_prefix("/").unwrap_or(path))
        };
        if let Ok(text) = rustix::fs::readlinkat(CWD, &place, Vec::new())
            && let Some(id) = parse_id(text.as_bytes())
            && (!self.live || is_on_proc(&place))
        {
            return Ok(Found::Link(id));
        }
        let failed = |errno: Errno| Error::read(path, errno);
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let file = rustix::fs::open(&place, flags, Mode::empty()).map_err(failed)?;
        let magic = rustix::fs::fstatfs(&file).map_err(failed)?.f_type;
        if u64::try_from(magic) != Ok(NSFS_MAGIC) {
            if let (false, ReadError::Errno(errno)) = (self.live, recorded_error(CWD, &place)) {
                return Err(failed(errno));
            }
            return Err(Error::NotANamespace(path.to_owned()));
        }
        Ok(Found::File(file))
    }
}

/// Whether a link is one that the kernel made up, and not a file of that text.
fn is_on_proc(link: &Path) -> bool {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(link, flags, Mode::empty());
    let magic = file.and_then(rustix::fs::fstatfs).map(|seen| seen.f_type);
    magic.is_ok_and(|magic| u64::try_from(magic) == Ok(PROC_MAGIC))
}

/// The lines of a text that are wanted.
fn lines(text: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n')
        .filter(|line| wanted(line))
        .flatten()
        .copied()
        .collect()
}

fn read(path: &Path, limit: Limit) -> Result<Vec<u8>, ReadError> {
    read_whole(open(path)?, limit)
}

fn open(path: &Path) -> Result<OwnedFd, ReadError> {
    let file = rustix::fs::open(path, READ, Mode::empty())?;
    require_regular(&file)?;
    Ok(file)
}

/// A pid as the kernel writes it: no sign, no leading zero.
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
}
