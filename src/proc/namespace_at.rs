use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::error::Error;
use crate::model::NsId;
use crate::proc::dir::is_on_procfs;
use crate::proc::link_text::parse_id;
use crate::proc::ns_dir::recorded_error;
use crate::proc::{ReadError, Sysroot};

/// A namespace found by its path.
#[derive(Debug)]
pub(crate) enum Found {
    /// A link of a proc tree.
    Link(NsId),
    /// A file on nsfs, opened with O_PATH.
    File(OwnedFd),
}

impl Sysroot {
    /// Finds the namespace at a path. On a live system that is a path of this
    /// process, in a captured tree one below its root.
    ///
    /// Files are opened with O_PATH only, for the path may lead to anything.
    pub(crate) fn namespace_at(&self, path: &Path) -> Result<Found, Error> {
        self.find(path)
            .map_err(|errno| Error::read(path, errno))?
            .ok_or_else(|| Error::NotANamespace(path.to_owned()))
    }

    fn find(&self, path: &Path) -> Result<Option<Found>, Errno> {
        let link = self.open(path, OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW)?;
        if let Ok(text) = rustix::fs::readlinkat(&link, "", Vec::new())
            && let Some(id) = parse_id(text.as_bytes())
            // A link anywhere else may have such a text too.
            && (!self.is_live() || is_on_procfs(&link))
        {
            return Ok(Some(Found::Link(id)));
        }
        let file = self.open(path, OFlags::PATH | OFlags::CLOEXEC)?;
        if !self.is_live() {
            let recorded = recorded_error(self.dir()?, &path.to_string_lossy());
            return match recorded {
                ReadError::Errno(errno) => Err(errno),
                _ => Ok(None),
            };
        }
        let magic = rustix::fs::fstatfs(&file)?.f_type;
        Ok((magic == libc::NSFS_MAGIC).then_some(Found::File(file)))
    }

    fn open(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        if self.is_live() {
            rustix::fs::open(path, flags, Mode::empty())
        } else {
            self.dir()?.open_at(path, flags)
        }
    }
}
