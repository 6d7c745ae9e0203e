//! Writes the captured tree, which is private: command lines may hold secrets.
//!
//! Everything is made below a directory that nobody else can write, through
//! descriptors that follow no link, so nobody can redirect a write or plant a
//! file among the captured ones.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::cli::error::CliError;
use crate::model::NsId;

/// Mode of every directory.
const PRIVATE: Mode = Mode::RWXU;

/// Flags to open a directory that is written to.
const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Flags to make a file: it must not exist, not even as a link.
const NEW_FILE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A directory of the captured tree.
pub(super) struct OutDir {
    fd: OwnedFd,
    /// For messages only.
    path: PathBuf,
}

impl OutDir {
    /// Makes the directory of a capture, and those above it, or takes one that
    /// is empty. Refuses a link, and a directory of another user.
    pub(super) fn create(path: &Path) -> Result<Self, CliError> {
        // Behind a link, a slash at the end would follow it.
        let path = path.components().as_path();
        let made = match path.file_name() {
            Some(name) => open_parent(path).and_then(|parent| make_dir(&parent, name.as_ref())),
            // It ends with `.` or `..`, or is the root.
            None => rustix::fs::open(path, DIRECTORY, Mode::empty()),
        };
        let fd = made.map_err(|errno| match errno {
            Errno::NOTDIR | Errno::LOOP if path.is_symlink() => CliError::IsLink(path.to_owned()),
            errno => failed(path, errno),
        })?;
        let dir = OutDir {
            fd,
            path: path.to_owned(),
        };
        dir.require_own()?;
        // One that is refused keeps its mode.
        dir.require_empty()?;
        let closed = rustix::fs::fchmod(&dir.fd, PRIVATE);
        closed.map_err(|errno| failed(path, errno))?;
        // Now that nobody else can write to it, it stays empty.
        dir.require_empty()?;
        Ok(dir)
    }

    fn require_own(&self) -> Result<(), CliError> {
        let seen = rustix::fs::fstat(&self.fd).map_err(|errno| failed(&self.path, errno))?;
        if seen.st_uid == rustix::process::geteuid().as_raw() {
            Ok(())
        } else {
            Err(CliError::NotOwner(self.path.clone()))
        }
    }

    fn require_empty(&self) -> Result<(), CliError> {
        let failed = |errno: Errno| failed(&self.path, errno);
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                return Err(CliError::NotEmpty(self.path.clone()));
            }
        }
        Ok(())
    }

    /// Opens a directory below, making it and those on the way that do not
    /// exist.
    pub(super) fn dir(&self, below: &str) -> Result<OutDir, CliError> {
        let mut fd = None;
        for name in below.split('/') {
            let parent = fd.as_ref().unwrap_or(&self.fd);
            let made = make_dir(parent, name.as_ref());
            fd = Some(made.map_err(|errno| failed(&self.path.join(below), errno))?);
        }
        let path = self.path.join(below);
        match fd {
            Some(fd) => Ok(OutDir { fd, path }),
            None => Err(failed(&path, Errno::INVAL)),
        }
    }

    /// Writes a file, making the directories on the way.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), CliError> {
        self.with_parent(path, |dir, name| {
            let file = rustix::fs::openat(&dir.fd, name, NEW_FILE, Mode::RUSR | Mode::WUSR)?;
            File::from(file).write_all(bytes)
        })
    }

    /// Makes a link that reads as the kernel's to a namespace, and the
    /// directories on the way.
    pub(super) fn write_link(&self, path: &str, id: NsId) -> Result<(), CliError> {
        self.with_parent(path, |dir, name| {
            Ok(rustix::fs::symlinkat(id.to_string(), &dir.fd, name)?)
        })
    }

    /// Makes an entry by its name in its directory.
    fn with_parent(
        &self,
        path: &str,
        make: impl FnOnce(&OutDir, &str) -> io::Result<()>,
    ) -> Result<(), CliError> {
        let made = match path.rsplit_once('/') {
            Some((dir, name)) => make(&self.dir(dir)?, name),
            None => make(self, path),
        };
        made.map_err(|error| failed(&self.path.join(path), error))
    }
}

/// Opens the directory of a path, making it if it does not exist.
fn open_parent(path: &Path) -> Result<OwnedFd, Errno> {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = || rustix::fs::open(parent, flags, Mode::empty());
    match open() {
        Err(Errno::NOENT) => {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(0o700).create(parent);
            made.map_err(|error| crate::error::errno_of(&error))?;
            open()
        }
        opened => opened,
    }
}

/// Makes a directory unless it exists, and opens it.
fn make_dir(parent: &OwnedFd, name: &Path) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(parent, name, PRIVATE) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    rustix::fs::openat(parent, name, DIRECTORY, Mode::empty())
}

fn failed(path: &Path, source: impl Into<io::Error>) -> CliError {
    CliError::Write {
        path: path.to_owned(),
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;
    use crate::model::Kind;

    /// A capture below `capture`, beside a directory `outside` with a file.
    fn begun() -> (TempDir, OutDir) {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("outside")).unwrap();
        fs::write(place.path().join("outside/passwd"), "root").unwrap();
        let dir = OutDir::create(&place.path().join("capture")).unwrap();
        (place, dir)
    }

    /// Returns the message of a failure.
    fn why(made: Result<impl Sized, CliError>) -> Option<String> {
        made.err().map(|error| error.to_string())
    }

    const NET: NsId = NsId {
        ino: 4_026_531_833,
        kind: Kind::Net,
    };

    #[test]
    fn no_write_follows_a_planted_link() {
        let (place, dir) = begun();
        let path = |name: &str| place.path().join("capture").join(name);
        symlink("../outside", path("etc")).unwrap();
        fs::create_dir(path("proc")).unwrap();
        symlink("../../outside/passwd", path("proc/file")).unwrap();
        symlink("../../outside/new", path("proc/dangling")).unwrap();
        let message = |name: &str, why: &str| {
            let path = path(name).display().to_string();
            Some(format!("cannot write {path}: {why}"))
        };
        let no_dir = "not a directory";
        assert_eq!(why(dir.write("etc/passwd", b"")), message("etc", no_dir));
        assert_eq!(why(dir.write_link("etc/new", NET)), message("etc", no_dir));
        assert_eq!(why(dir.dir("etc")), message("etc", no_dir));
        for name in ["proc/file", "proc/dangling"] {
            let exists = "file exists";
            assert_eq!(why(dir.write(name, b"")), message(name, exists));
            assert_eq!(why(dir.write_link(name, NET)), message(name, exists));
            assert_eq!(why(dir.dir(name)), message(name, no_dir));
        }
        let outside = place.path().join("outside");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(fs::read(outside.join("passwd")).unwrap(), b"root");
    }

    #[test]
    fn a_directory_exchanged_for_a_link_is_still_the_one_written_to() {
        let (place, dir) = begun();
        let proc = dir.dir("proc").unwrap();
        let capture = place.path().join("capture");
        fs::rename(&capture, place.path().join("moved")).unwrap();
        symlink("outside", &capture).unwrap();
        dir.write("etc/passwd", b"own").unwrap();
        proc.write("7/stat", b"stat").unwrap();
        proc.write_link("7/ns/net", NET).unwrap();
        let moved = place.path().join("moved");
        assert_eq!(fs::read(moved.join("etc/passwd")).unwrap(), b"own");
        assert_eq!(fs::read(moved.join("proc/7/stat")).unwrap(), b"stat");
        let link = fs::read_link(moved.join("proc/7/ns/net")).unwrap();
        assert_eq!(link, Path::new("net:[4026531833]"));
        assert_eq!(
            fs::read_dir(place.path().join("outside")).unwrap().count(),
            1
        );
    }
}
