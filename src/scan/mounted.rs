//! What the caller's own mount table says about a path.

use std::path::Path;

use rustix::fs::{CWD, FileType};

use crate::error::Error;
use crate::model::{MountQuery, MountedFs};
use crate::proc::{ReadError, Sysroot, look, mount_facts};
use crate::scan::context::cause_of_read;

/// Returns what the block device at a path is mounted as, and what is mounted
/// there on top. What cannot be read is not known.
pub(crate) fn at(root: &Sysroot, path: &Path) -> Result<Vec<MountQuery>, Error> {
    let mut queries = Vec::new();
    if root.is_own()
        && let Ok(seen) = look(CWD, path)
        && FileType::from_raw_mode(seen.stx_mode.into()) == FileType::BlockDevice
    {
        queries.push(MountQuery::Device(seen.stx_rdev_major, seen.stx_rdev_minor));
    }
    let here = MountQuery::Point(path.to_owned());
    let table = root.mountinfo();
    match table.and_then(|table| mount_facts(table, |mount| here.matches(mount))) {
        Ok(mut facts) => queries.extend(facts.found.pop().map(same_dir)),
        Err(error @ ReadError::Errno(_)) => {
            cause_of_read(error, || path.to_owned())?;
        }
        Err(_) => {}
    }
    Ok(queries)
}

fn same_dir(mount: MountedFs) -> MountQuery {
    MountQuery::Dir {
        device: mount.device,
        dir: mount.dir,
    }
}
