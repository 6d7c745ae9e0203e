//! The kernel's list of mount namespaces, since Linux 6.12: those that no
//! process is in, and what is mounted there, appear nowhere else.

use std::collections::HashSet;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Holder, NsId, Source};
use crate::scan::context::Context;
use crate::scan::groups::Find;
use crate::scan::sources::listns::refuse;

/// Finds the mount namespaces without processes, each with the finds it leads
/// to: itself, and the namespaces that are mounted in it.
pub(crate) fn find<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    with_processes: &HashSet<u64>,
) -> Result<Vec<(u64, Vec<Find>)>, Error> {
    let mut found = Vec::new();
    let listed = match kernel.mount_namespaces() {
        Ok(listed) => listed,
        Err(error) => {
            refuse(context, error, Source::MountNamespaces)?;
            return Ok(found);
        }
    };
    for mount_ns in listed {
        if with_processes.contains(&mount_ns.ino) {
            continue;
        }
        let unique_id = mount_ns.unique_id;
        let mut finds = vec![(NsId::mnt(mount_ns.ino), Holder::Listed { unique_id })];
        match kernel.mounts_in(&mount_ns) {
            Ok(mounts) => finds.extend(
                mounts
                    .into_iter()
                    .map(|(id, mount)| (id, Holder::Mount(mount))),
            ),
            // It is gone.
            Err(Errno::NOENT) => {}
            Err(errno) => refuse(context, errno.into(), Source::MountNamespaces)?,
        }
        found.push((mount_ns.ino, finds));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Fake, MountNs};
    use crate::model::{Kind, Mount, Within};
    use crate::proc::Sysroot;
    use crate::scan::context::tests::with_kernel;

    #[test]
    fn only_mount_namespaces_without_processes_are_looked_into() {
        let net = |ino| NsId {
            ino,
            kind: Kind::Net,
        };
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
                (10, vec![(net(8), mount(1))]),
                (20, vec![(net(9), mount(2))]),
            ]
            .into(),
            ..Fake::default()
        };
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        let found = find(&context, &kernel, &[1].into()).unwrap();
        let listed = Holder::Listed { unique_id: 20 };
        let finds = vec![(NsId::mnt(2), listed), (net(9), Holder::Mount(mount(2)))];
        assert_eq!(found, [(2, finds)]);
        assert_eq!(context.gaps(9), []);
    }
}
