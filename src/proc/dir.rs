use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, SeekFrom};
use rustix::io::Errno;

use crate::proc::ReadError;
use crate::proc::read::{Limit, READ, read_whole, require_regular};

/// An open directory, with the rules for opening files below it.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
    trust: Trust,
}

/// Who controls the content of a directory, and so where its links may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The kernel does: a mounted procfs.
    Procfs,
    /// The administrator does: the root of this process. Links are followed
    /// anywhere.
    System,
    /// Anyone may: a captured tree, or a root mounted elsewhere. Links are
    /// followed as if the directory were the root of the file system.
    Root,
    /// Anyone may: a directory within such a tree. Links that lead out of the
    /// directory are errors.
    Part,
    /// An unprivileged user does: a home directory. Links are errors, and so are
    /// mounts, as the user may have mounted a file server that never answers.
    User,
}

impl Trust {
    /// Flags of openat2(2); `None` where openat(2) suffices.
    fn resolve(self) -> Option<ResolveFlags> {
        let confined = match self {
            Trust::Procfs | Trust::System => return None,
            Trust::Root => ResolveFlags::IN_ROOT,
            Trust::Part => ResolveFlags::BENEATH,
            Trust::User => {
                ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV
            }
        };
        Some(confined | ResolveFlags::NO_MAGICLINKS)
    }
}

/// Flags to open a directory as the base of further opens.
const BASE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Dir {
    /// Opens a directory by a path of this process.
    pub(crate) fn open(path: &Path, trust: Trust) -> Result<Self, Errno> {
        let fd = rustix::fs::open(path, BASE, Mode::empty())?;
        Ok(Dir { fd, trust })
    }

    /// Wraps a directory of a procfs.
    pub(crate) fn of_procfs(fd: OwnedFd) -> Self {
        let trust = Trust::Procfs;
        Dir { fd, trust }
    }

    /// Opens a directory below that is the mount point of a procfs; `None` if it
    /// is not.
    pub(crate) fn procfs(&self, name: &str) -> Option<Self> {
        let flags = BASE | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty()).ok()?;
        is_on_procfs(&fd).then(|| Dir::of_procfs(fd))
    }

    /// Opens a directory below.
    pub(crate) fn dir(&self, path: &str, trust: Trust) -> Result<Self, Errno> {
        let fd = self.open_at(path, BASE)?;
        Ok(Dir { fd, trust })
    }

    /// Returns whether this is a directory of procfs.
    pub(crate) fn is_procfs(&self) -> bool {
        self.trust == Trust::Procfs
    }

    /// Opens a path below, following links as far as [`Trust`] permits.
    pub(crate) fn open_at(&self, path: impl AsRef<Path>, flags: OFlags) -> Result<OwnedFd, Errno> {
        #[cfg(test)]
        changes::happen();
        let path = path.as_ref();
        let Some(resolve) = self.trust.resolve() else {
            return rustix::fs::openat(&self.fd, path, flags, Mode::empty());
        };
        // The kernel gives up on `..` if anything is renamed at the same time.
        for _ in 0..16 {
            match rustix::fs::openat2(&self.fd, path, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN) => {}
                opened => return opened,
            }
        }
        Err(Errno::AGAIN)
    }

    /// Opens a file of procfs, or a regular file, for reading.
    ///
    /// O_PATH comes first outside of procfs, as merely opening a device can
    /// have effects.
    pub(crate) fn open_file(&self, path: &str) -> Result<File, ReadError> {
        if !self.is_procfs() {
            require_regular(self.open_at(path, OFlags::PATH | OFlags::CLOEXEC)?)?;
        }
        let file = self.open_at(path, READ)?;
        if !self.is_procfs() {
            require_regular(&file)?;
        }
        Ok(file.into())
    }

    /// Reads a whole file.
    pub(crate) fn read(&self, path: &str, limit: Limit) -> Result<Vec<u8>, ReadError> {
        read_whole(self.open_file(path)?, limit)
    }

    /// Reads the target of a link.
    pub(crate) fn read_link(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let text = match self.trust {
            Trust::Procfs => rustix::fs::readlinkat(&self.fd, path, Vec::new()),
            _ => rustix::fs::readlinkat(self.open_at(path, flags)?, "", Vec::new()),
        };
        Ok(text?.into_bytes())
    }

    /// Lists the entries of a directory whose names `parse` accepts, unordered.
    pub(crate) fn list<T>(
        &self,
        path: &str,
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, Errno> {
        self.list_from(path, 0, parse)
    }

    /// Lists the same from a place in the directory on. What places mean, only
    /// procfs defines; elsewhere all entries are listed.
    pub(crate) fn list_from<T>(
        &self,
        path: &str,
        start: u64,
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = self.open_at(path, flags)?;
        if start > 0 && self.is_procfs() {
            rustix::fs::seek(&dir, SeekFrom::Start(start))?;
        }
        let mut found = Vec::new();
        for entry in rustix::fs::Dir::new(dir)? {
            found.extend(parse(entry?.file_name().to_bytes()));
        }
        Ok(found)
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Returns whether a file, or a link opened with O_PATH, belongs to procfs.
pub(crate) fn is_on_procfs(file: impl AsFd) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|seen| seen.f_type == PROC_SUPER_MAGIC)
}

/// Lets a test change a tree between any two accesses of one thread.
#[cfg(test)]
pub(crate) mod changes {
    use std::cell::RefCell;

    thread_local! {
        static CHANGE: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
    }

    /// Runs `work` while `change` is called before each access.
    pub(crate) fn during<T>(change: impl FnMut() + 'static, work: impl FnOnce() -> T) -> T {
        CHANGE.set(Some(Box::new(change)));
        let done = work();
        CHANGE.set(None);
        done
    }

    /// Returns whether the tree changes, as a live one does.
    pub(crate) fn are_under_way() -> bool {
        CHANGE.with_borrow(Option::is_some)
    }

    /// Lets the change happen. Whatever accesses a tree calls this first.
    pub(in crate::proc) fn happen() {
        // A change that accesses the tree itself is not changed again.
        if let Some(mut change) = CHANGE.take() {
            change();
            CHANGE.set(Some(change));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir, write};
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// `tree/` with links of every kind, beside a file outside of it.
    fn tree() -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        create_dir(&tree).unwrap();
        create_dir(tree.join("part")).unwrap();
        write(dir.path().join("secret"), "secret").unwrap();
        write(tree.join("secret"), "own").unwrap();
        write(tree.join("part/file"), "file").unwrap();
        symlink("file", tree.join("part/near")).unwrap();
        symlink("../secret", tree.join("part/up")).unwrap();
        symlink("../../secret", tree.join("part/out")).unwrap();
        symlink("/secret", tree.join("part/absolute")).unwrap();
        symlink("/dev/zero", tree.join("part/device")).unwrap();
        symlink("/proc/self/root", tree.join("part/magic")).unwrap();
        dir
    }

    fn read(dir: &Dir, path: &str) -> Result<String, ReadError> {
        let text = dir.read(path, Limit::Small)?;
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn in_a_root_absolute_links_and_dots_end_at_it() {
        let tree = tree();
        let root = Dir::open(&tree.path().join("tree"), Trust::Root).unwrap();
        for (path, text) in [
            ("part/file", "file"),
            ("part/near", "file"),
            ("part/up", "own"),
            ("part/out", "own"),
            ("part/absolute", "own"),
            ("../secret", "own"),
            ("/secret", "own"),
        ] {
            assert_eq!(read(&root, path).as_deref(), Ok(text), "{path}");
        }
        assert_eq!(read(&root, "part/device"), Err(ReadError::Gone));
        assert_eq!(read(&root, "part/magic/etc/passwd"), Err(ReadError::Gone));
        let directory = Err(ReadError::Errno(Errno::ISDIR));
        assert_eq!(read(&root, "part"), directory);
    }

    #[test]
    fn in_a_part_links_stay_in_it() {
        let tree = tree();
        let root = Dir::open(&tree.path().join("tree"), Trust::Root).unwrap();
        let part = root.dir("part", Trust::Part).unwrap();
        assert_eq!(read(&part, "near").as_deref(), Ok("file"));
        for path in ["up", "out", "absolute", "device", "../secret", "/secret"] {
            assert_eq!(read(&part, path), Err(ReadError::Malformed), "{path}");
        }
        assert_eq!(part.read_link("up"), Ok(b"../secret".to_vec()));
        assert_eq!(part.read_link("up/x"), Err(Errno::XDEV));
    }

    #[test]
    fn below_a_user_no_link_is_followed() {
        let tree = tree();
        let user = Dir::open(&tree.path().join("tree"), Trust::User).unwrap();
        assert_eq!(read(&user, "part/file").as_deref(), Ok("file"));
        let refused = Err(ReadError::Errno(Errno::LOOP));
        assert_eq!(read(&user, "part/near"), refused);
        assert_eq!(read(&user, "../secret"), Err(ReadError::Malformed));
    }

    #[test]
    fn a_mounted_procfs_is_told_from_a_directory_of_that_name() {
        let tree = tree();
        create_dir(tree.path().join("proc")).unwrap();
        let root = Dir::open(tree.path(), Trust::Root).unwrap();
        assert!(root.procfs("proc").is_none());
        assert!(root.procfs("missing").is_none());
        let system = Dir::open(Path::new("/"), Trust::System).unwrap();
        let proc = system.procfs("proc").unwrap();
        assert!(proc.is_procfs());
        assert!(proc.read_link("self/ns/net").unwrap().starts_with(b"net:["));
    }
}
