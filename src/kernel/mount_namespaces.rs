//! The kernel's list of mount namespaces: NS_MNT_GET_NEXT and NS_MNT_GET_PREV.

use rustix::io::Errno;

use crate::kernel::MountNs;
use crate::kernel::nsfs::NsFile;

/// Returns every mount namespace of the system, walking the list from one of
/// them to both ends.
pub(super) fn list(start: &NsFile) -> Result<Vec<MountNs>, Errno> {
    let mut found = vec![MountNs {
        ino: start.ino()?,
        unique_id: start.mount_ns_unique_id()?,
    }];
    for forward in [true, false] {
        let mut here = start.try_clone()?;
        loop {
            match here.neighbor(forward) {
                Ok((ns, unique_id)) => {
                    let ino = ns.ino()?;
                    found.push(MountNs { ino, unique_id });
                    here = ns;
                }
                Err(Errno::NOENT) => break,
                Err(errno) => return Err(errno),
            }
        }
    }
    Ok(found)
}
