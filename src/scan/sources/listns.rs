//! What the kernel lists itself: mount namespaces, since Linux 6.12, and all
//! namespaces, since 6.19.

use std::collections::HashSet;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Holder, Kind, LinkSet, NsId, Source};
use crate::scan::group::Find;
use crate::scan::tally::{Tally, cause_of_open_error};

/// The mount namespaces that no process is in, and what is mounted there:
/// nothing else shows either. `is_inside` tells that the caller is not in the
/// initial namespaces, from where alone they are shown.
pub(crate) fn list_mount_namespaces<K: Kernel>(
    kernel: &K,
    is_inside: bool,
    with_processes: &HashSet<u64>,
    tally: &mut Tally,
) -> Result<Vec<Find>, Error> {
    let mut finds = Vec::new();
    let listed = match kernel.mount_namespaces() {
        Ok(listed) => listed,
        Err(error) => {
            refuse(error, Source::MountNamespaces, is_inside, tally)?;
            return Ok(finds);
        }
    };
    for mount_ns in listed {
        if with_processes.contains(&mount_ns.ino) {
            continue;
        }
        let id = NsId {
            ino: mount_ns.ino,
            kind: Kind::Mnt,
        };
        let unique_id = mount_ns.unique_id;
        finds.push((id, Holder::Listed { unique_id }));
        match kernel.mounts_in(&mount_ns) {
            Ok(mounts) => {
                let mounts = mounts.into_iter();
                finds.extend(mounts.map(|(id, mount)| (id, Holder::Mount(mount))));
            }
            // It is gone.
            Err(Errno::NOENT) => {}
            Err(errno) => refuse(errno.into(), Source::MountNamespaces, is_inside, tally)?,
        }
    }
    Ok(finds)
}

/// All namespaces that the kernel has in its list.
pub(crate) fn list_namespaces<K: Kernel>(
    kernel: &K,
    is_inside: bool,
    tally: &mut Tally,
) -> Result<Vec<Find>, Error> {
    let listed = match kernel.list() {
        Ok(listed) => listed,
        Err(errno) => {
            refuse(errno.into(), Source::Listns, is_inside, tally)?;
            return Ok(Vec::new());
        }
    };
    let mut finds = Vec::new();
    for unique_id in listed {
        match kernel.identify_listed(unique_id) {
            Ok(Some(id)) => finds.push((id, Holder::Listed { unique_id })),
            Ok(None) => {}
            Err(errno) => refuse(errno.into(), Source::Listns, is_inside, tally)?,
        }
    }
    Ok(finds)
}

/// A kernel that has no such list hides nothing by it; one that refuses does,
/// unless it shows such lists only outside of where the caller is.
fn refuse(
    error: OpenError,
    source: Source,
    is_inside: bool,
    tally: &mut Tally,
) -> Result<(), Error> {
    let cause = match error {
        OpenError::Errno(Errno::NOTTY | Errno::NOSYS | Errno::INVAL) => Cause::Unsupported,
        OpenError::Errno(Errno::PERM) if is_inside => Cause::Outside,
        error => cause_of_open_error(error, || source.name().into())?,
    };
    tally.add(source, cause, LinkSet::EMPTY);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Fake, MountNs};
    use crate::model::{Gap, Mount, Within};

    const fn id(kind: Kind, ino: u64) -> NsId {
        NsId { ino, kind }
    }

    fn gap(source: Source, cause: Cause) -> Gap {
        Gap {
            source,
            cause,
            count: Some(1),
            total: 9,
            links: LinkSet::EMPTY,
        }
    }

    #[test]
    fn only_mount_namespaces_without_processes_are_looked_into() {
        let mount = |mount_ns| Mount {
            within: Some(Within {
                mount_ns,
                pid: None,
            }),
            path: "/a".into(),
            id: 3,
        };
        let mount_ns = |ino| MountNs {
            ino,
            unique_id: ino * 10,
        };
        let kernel = Fake {
            mount_namespaces: Some(vec![mount_ns(1), mount_ns(2)]),
            mounts: [
                (10, vec![(id(Kind::Net, 8), mount(1))]),
                (20, vec![(id(Kind::Net, 9), mount(2))]),
            ]
            .into(),
            ..Fake::default()
        };
        let mut tally = Tally::new(9);
        let found = list_mount_namespaces(&kernel, false, &[1].into(), &mut tally).unwrap();
        let listed = Holder::Listed { unique_id: 20 };
        assert_eq!(
            found,
            [
                (id(Kind::Mnt, 2), listed),
                (id(Kind::Net, 9), Holder::Mount(mount(2)))
            ]
        );
        assert_eq!(tally.gaps(), []);
    }

    #[test]
    fn a_list_holds_every_namespace_and_a_kernel_without_one_says_so() {
        let kernel = Fake {
            listed: Some([(70, id(Kind::Uts, 7)), (80, id(Kind::Ipc, 8))].into()),
            ..Fake::default()
        };
        let mut tally = Tally::new(9);
        let listed = |unique_id| Holder::Listed { unique_id };
        let found = list_namespaces(&kernel, false, &mut tally).unwrap();
        assert_eq!(
            found,
            [
                (id(Kind::Uts, 7), listed(70)),
                (id(Kind::Ipc, 8), listed(80))
            ]
        );
        let old = Fake::default();
        assert_eq!(list_namespaces(&old, false, &mut tally).unwrap(), []);
        assert_eq!(
            list_mount_namespaces(&old, false, &[].into(), &mut tally).unwrap(),
            []
        );
        let gaps =
            [Source::MountNamespaces, Source::Listns].map(|source| gap(source, Cause::Unsupported));
        assert_eq!(tally.gaps(), gaps);
    }
}
