//! The mounts of any mount namespace, without entering it: listmount(2) and
//! statmount(2).

use rustix::io::Errno;

use crate::kernel::MountNs;
use crate::kernel::bytes::{u32_at, u64_at, until_nul};
use crate::kernel::syscall::{MntIdReq, listmount, statmount};
use crate::model::{Mount, NsId, Within};
use crate::proc::parse_id;

// linux/mount.h, which libc lacks.
const LSMT_ROOT: u64 = u64::MAX;
const STATMOUNT_SB_BASIC: u64 = 0x1;
const STATMOUNT_MNT_BASIC: u64 = 0x2;
const STATMOUNT_MNT_ROOT: u64 = 0x8;
const STATMOUNT_MNT_POINT: u64 = 0x10;
/// Places in `struct statmount`.
const SB_MAGIC: usize = 24;
const MNT_ID_OLD: usize = 56;
const MNT_ROOT: usize = 104;
const MNT_POINT: usize = 108;
const STRINGS: usize = 512;

/// What to ask of each mount.
const MASK: u64 =
    STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT;
/// The longest answer to read about one mount.
const LIMIT: usize = 16 << 20;
const NSFS_MAGIC: u64 = libc::NSFS_MAGIC as u64;

/// Returns the namespaces that are mounted in a mount namespace, and where.
pub(super) fn mounts_in(mount_ns: MountNs) -> Result<Vec<(NsId, Mount)>, Errno> {
    let mut found = Vec::new();
    let mut ids = [0; 512];
    let mut buffer = vec![0; 16 * 1024];
    let mut last = 0;
    loop {
        let request = MntIdReq::new(LSMT_ROOT, last, mount_ns.unique_id);
        let count = listmount(&request, &mut ids)?;
        let listed = ids.get(..count).unwrap_or_default();
        for id in listed {
            let request = MntIdReq::new(*id, MASK, mount_ns.unique_id);
            let mut answer = statmount(&request, &mut buffer);
            // Paths have no limit: directories nest as deep as anyone likes.
            while answer == Err(Errno::OVERFLOW) && buffer.len() < LIMIT {
                buffer.resize(buffer.len() * 4, 0);
                answer = statmount(&request, &mut buffer);
            }
            match answer {
                Ok(()) => found.extend(parse(&buffer, mount_ns.ino)),
                // Unmounted since.
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
        }
        match listed.last() {
            Some(id) if count == ids.len() => last = *id,
            _ => return Ok(found),
        }
    }
}

/// Reads `struct statmount`. `None` unless the mount is of nsfs.
pub(super) fn parse(bytes: &[u8], mount_ns: u64) -> Option<(NsId, Mount)> {
    if u64_at(bytes, SB_MAGIC)? != NSFS_MAGIC {
        return None;
    }
    let mount = Mount {
        within: Some(Within {
            mount_ns,
            pid: None,
        }),
        path: string(bytes, MNT_POINT)?.into(),
        id: u32_at(bytes, MNT_ID_OLD)?.into(),
    };
    Some((parse_id(string(bytes, MNT_ROOT)?)?, mount))
}

/// Returns the string whose offset is at `place`.
fn string(bytes: &[u8], place: usize) -> Option<&[u8]> {
    let offset = usize::try_from(u32_at(bytes, place)?).ok()?;
    let string = bytes.get(STRINGS.checked_add(offset)?..)?;
    Some(until_nul(string))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Kind;

    fn statmount_of(magic: u64, root: u32, point: u32) -> Vec<u8> {
        let mut bytes = vec![0; STRINGS];
        bytes[SB_MAGIC..SB_MAGIC + 8].copy_from_slice(&magic.to_ne_bytes());
        bytes[MNT_ID_OLD..MNT_ID_OLD + 4].copy_from_slice(&77u32.to_ne_bytes());
        bytes[MNT_ROOT..MNT_ROOT + 4].copy_from_slice(&root.to_ne_bytes());
        bytes[MNT_POINT..MNT_POINT + 4].copy_from_slice(&point.to_ne_bytes());
        bytes.extend(b"\0net:[9]\0/run/netns/a b\0");
        bytes
    }

    #[test]
    fn a_mount_of_a_namespace_is_read_and_others_are_not() {
        let mount = Mount {
            within: Some(Within {
                mount_ns: 5,
                pid: None,
            }),
            path: "/run/netns/a b".into(),
            id: 77,
        };
        let id = NsId {
            ino: 9,
            kind: Kind::Net,
        };
        let parsed = parse(&statmount_of(NSFS_MAGIC, 1, 9), 5);
        assert_eq!(parsed, Some((id, mount)));
        assert_eq!(parse(&statmount_of(1, 1, 9), 5), None);
        assert_eq!(parse(&statmount_of(NSFS_MAGIC, 9, 9), 5), None);
        assert_eq!(parse(&statmount_of(NSFS_MAGIC, 1, u32::MAX), 5), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes, 5);
        }
    }
}
