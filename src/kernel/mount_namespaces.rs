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

/// Opens the mount namespace with a unique ID, walking the list, which is sorted
/// by it; `None` if there is none.
pub(super) fn find(start: &NsFile, unique_id: u64) -> Result<Option<NsFile>, Errno> {
    let mut here = start.try_clone()?;
    let mut id = start.mount_ns_unique_id()?;
    let forward = id < unique_id;
    while id != unique_id {
        if forward != (id < unique_id) {
            return Ok(None);
        }
        (here, id) = match here.neighbor(forward) {
            Err(Errno::NOENT) => return Ok(None),
            next => next?,
        };
    }
    Ok(Some(here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_namespace_is_found_by_its_id() {
        let own = std::fs::File::open("/proc/self/ns/mnt").unwrap();
        let own = NsFile::verify(own.into()).unwrap().unwrap();
        // Before Linux 6.12, or in a container, there is no list.
        let Ok(listed) = list(&own) else { return };
        for mount_ns in listed {
            let found = find(&own, mount_ns.unique_id).unwrap();
            // Others may go meanwhile.
            if let Some(found) = found {
                assert_eq!(found.ino().unwrap(), mount_ns.ino);
            }
        }
        assert!(find(&own, u64::MAX).unwrap().is_none());
        assert!(find(&own, 0).unwrap().is_none());
    }
}
