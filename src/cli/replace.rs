//! Replaces a file at once, so that nobody reads half of it.
//!
//! The new text is written to a file beside it, which is then renamed. Readers
//! such as the textfile collector of node_exporter take no notice of that one,
//! for its name does not end like theirs. There is no fsync(2): after a crash,
//! what was seen before has no worth.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::cli::error::CliError;

/// What everyone may do with the file: read it.
const MODE: Mode = Mode::RUSR
    .union(Mode::WUSR)
    .union(Mode::RGRP)
    .union(Mode::ROTH);

const NEW_FILE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Links on the way, as many as the kernel follows, path_resolution(7).
const MOST_LINKS: usize = 40;

/// Names to try for the new file.
const MOST_NAMES: u32 = 16;

/// Where the file is to be.
pub(crate) struct Place {
    dir: OwnedFd,
    name: OsString,
    /// For messages only.
    path: PathBuf,
}

impl Place {
    /// Opens the directory of a file. Refuses a link on the way that others may
    /// have put there, and anything but a regular file at the end.
    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        let failed = |source| CliError::Write {
            path: path.to_owned(),
            source,
        };
        let ends_in_name = !path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let Some(name) = path.file_name().filter(|_| ends_in_name) else {
            return Err(failed(Errno::ISDIR.into()));
        };
        let parent = path.parent().unwrap_or(Path::new(""));
        let place = Place {
            dir: open_dir(parent).map_err(failed)?,
            name: name.to_owned(),
            path: path.to_owned(),
        };
        place.require_file().map_err(failed)?;
        Ok(place)
    }

    /// Fails unless there is nothing at that name, or a regular file. Renaming
    /// would not follow a link but remove it.
    fn require_file(&self) -> io::Result<()> {
        let seen = match rustix::fs::statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(()),
            seen => seen?,
        };
        match FileType::from_raw_mode(seen.st_mode) {
            FileType::RegularFile => Ok(()),
            FileType::Directory => Err(Errno::ISDIR.into()),
            FileType::Symlink => Err(io::Error::other("symbolic link")),
            _ => Err(io::Error::other("not a regular file")),
        }
    }

    /// Replaces the file, or makes it.
    pub(crate) fn replace(&self, text: &[u8]) -> Result<(), CliError> {
        self.try_replace(text).map_err(|source| CliError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn try_replace(&self, text: &[u8]) -> io::Result<()> {
        let (name, mut file) = self.new_file()?;
        let moved = file.write_all(text).and_then(|()| {
            rustix::fs::fchmod(&file, MODE)?;
            self.require_file()?;
            Ok(rustix::fs::renameat(
                &self.dir, &name, &self.dir, &self.name,
            )?)
        });
        if moved.is_err() {
            // The first failure is the one to tell.
            let _ = rustix::fs::unlinkat(&self.dir, &name, AtFlags::empty());
        }
        moved
    }

    /// Makes a file that nobody else can open yet.
    fn new_file(&self) -> io::Result<(String, File)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.subsec_nanos());
        let mut trial = 0;
        loop {
            let name = format!(".nsls-{}-{now}-{trial}.tmp", std::process::id());
            match rustix::fs::openat(&self.dir, &name, NEW_FILE, Mode::RUSR | Mode::WUSR) {
                Ok(file) => return Ok((name, file.into())),
                Err(Errno::EXIST) if trial < MOST_NAMES => trial += 1,
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// Opens a directory by name after name, so that each link is seen before it is
/// followed.
fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let mut words = words(path);
    let mut links = 0;
    let mut dir = open_at(rustix::fs::CWD, ".".as_ref(), LOOK)?;
    while let Some(word) = words.pop_front() {
        if word == "/" {
            dir = open_at(rustix::fs::CWD, "/".as_ref(), LOOK)?;
            continue;
        }
        let next = open_at(&dir, &word, LOOK)?;
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&next)?.st_mode);
        if kind != FileType::Symlink {
            dir = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(Errno::LOOP.into());
        }
        require_trusted(&dir)?;
        let to = rustix::fs::readlinkat(&next, "", Vec::new())?;
        let to = PathBuf::from(OsString::from_vec(to.into_bytes()));
        for word in self::words(&to).into_iter().rev() {
            words.push_front(word);
        }
    }
    open_at(
        &dir,
        ".".as_ref(),
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
    )
}

fn words(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|word| *word != Component::CurDir)
        .map(|word| word.as_os_str().to_owned())
        .collect()
}

fn open_at(dir: impl AsFd, name: &OsStr, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?)
}

/// Fails if anyone but root and this user may put a link into a directory.
fn require_trusted(dir: &OwnedFd) -> io::Result<()> {
    let seen = rustix::fs::fstat(dir)?;
    let owners = [0, rustix::process::geteuid().as_raw()];
    let others = Mode::WGRP.union(Mode::WOTH).as_raw_mode();
    if owners.contains(&seen.st_uid) && seen.st_mode & others == 0 {
        return Ok(());
    }
    Err(io::Error::other(
        "symbolic link in a directory that others may write",
    ))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use tempfile::TempDir;

    use super::*;

    fn write(path: &Path, text: &str) -> Result<(), String> {
        let replaced = Place::open(path).and_then(|place| place.replace(text.as_bytes()));
        replaced.map_err(|error| error.to_string())
    }

    fn refused(path: &Path, why: &str) -> Result<(), String> {
        Err(format!("cannot write {}: {why}", path.display()))
    }

    fn names(dir: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    fn place() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_file_is_made_or_replaced_and_everyone_may_read_it() {
        let place = place();
        let path = place.path().join("nsls.prom");
        assert_eq!(write(&path, "long text\n"), Ok(()));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let mut old = File::open(&path).unwrap();
        assert_eq!(write(&path, "new\n"), Ok(()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o644
        );
        assert_eq!(io::read_to_string(&mut old).unwrap(), "long text\n");
        assert_eq!(names(place.path()), ["nsls.prom"]);
    }

    #[test]
    fn only_a_regular_file_is_replaced() {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::write(path("other"), "kept").unwrap();
        symlink("other", path("link")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        fs::create_dir(path("dir")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), FileType::Fifo, MODE, 0).unwrap();
        for (name, why) in [
            ("link", "symbolic link"),
            ("dangling", "symbolic link"),
            ("dir", "is a directory"),
            ("dir/", "is a directory"),
            ("dir/..", "is a directory"),
            ("fifo", "not a regular file"),
            ("other/x", "not a directory"),
            ("gone/x", "no such file or directory"),
        ] {
            assert_eq!(write(&path(name), "x"), refused(&path(name), why));
        }
        assert_eq!(fs::read_to_string(path("other")).unwrap(), "kept");
        assert_eq!(
            names(place.path()),
            ["dangling", "dir", "fifo", "link", "other"]
        );
    }

    #[test]
    fn a_link_on_the_way_is_followed_only_where_nobody_else_could_put_it() {
        let place = place();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("dir")).unwrap();
        fs::create_dir(path("shared")).unwrap();
        symlink("dir", path("own")).unwrap();
        symlink("../dir", path("shared/link")).unwrap();
        symlink("loop", path("loop")).unwrap();
        let absolute = path("absolute");
        symlink(path("own/../dir"), &absolute).unwrap();
        for name in ["own/./a", "own/../dir/b", "absolute/c", "shared/link/d"] {
            assert_eq!(write(&path(name), "x"), Ok(()), "{name}");
        }
        for mode in [0o777, 0o1777, 0o770] {
            fs::set_permissions(path("shared"), Permissions::from_mode(mode)).unwrap();
            let why = "symbolic link in a directory that others may write";
            let file = path("shared/link/e");
            assert_eq!(write(&file, "x"), refused(&file, why));
            // A directory there may be written to, which harms nobody.
            assert_eq!(write(&path("shared/f"), "x"), Ok(()));
        }
        let file = path("loop/x");
        let why = "too many levels of symbolic links";
        assert!(write(&file, "x").unwrap_err().contains(why));
        assert_eq!(names(&path("dir")), ["a", "b", "c", "d"]);
        assert_eq!(names(&path("shared")), ["f", "link"]);
    }

    #[test]
    fn what_appears_in_the_meantime_is_not_removed_and_nothing_stays_behind() {
        let place = place();
        let path = place.path().join("nsls.prom");
        let opened = Place::open(&path).unwrap();
        symlink("elsewhere", &path).unwrap();
        let failed = opened.replace(b"x").map_err(|error| error.to_string());
        assert_eq!(failed, refused(&path, "symbolic link"));
        assert_eq!(names(place.path()), ["nsls.prom"]);
    }

    #[test]
    fn a_relative_path_begins_where_the_command_runs() {
        let place = Place::open(Path::new("nsls.prom")).unwrap();
        let here = rustix::fs::stat(".").unwrap();
        assert_eq!(rustix::fs::fstat(&place.dir).unwrap().st_ino, here.st_ino);
    }
}
