//! Command lines that let go of a namespace.

use std::os::unix::ffi::OsStrExt;

use crate::cli::shell::{netns_name, quote};
use crate::model::{Holder, Kind, Mount, Namespace, NsId, Snapshot};
use crate::proc::Sysroot;
use crate::text::Text;

/// Returns a command line for a shell for each holder that has one, none twice.
/// What other namespaces hold goes with them.
pub(super) fn release(root: &Sysroot, snapshot: &Snapshot, namespace: &Namespace) -> Vec<Text> {
    let mut lines: Vec<Text> = Vec::new();
    if !root.is_live() {
        return lines;
    }
    for holder in &namespace.holders {
        if let Some(line) = line(root, snapshot, holder).map(Text::from)
            && !lines.contains(&line)
        {
            lines.push(line);
        }
    }
    lines
}

fn line(root: &Sysroot, snapshot: &Snapshot, holder: &Holder) -> Option<Vec<u8>> {
    match (holder, holder.pid()) {
        // Init is not to be ended.
        (_, Some(1)) => None,
        (_, Some(pid)) => Some(format!("kill {pid}").into_bytes()),
        (Holder::Mount(mount), None) => unmount(root, snapshot, mount),
        _ => None,
    }
}

fn unmount(root: &Sysroot, snapshot: &Snapshot, mount: &Mount) -> Option<Vec<u8>> {
    // Its mount point was removed, so nothing leads to it.
    if mount.path.ends_with(b"//deleted") {
        return None;
    }
    let umount = [b"umount ", &*quote(&mount.path)].concat();
    let Some(within) = mount.within else {
        return Some(match netns_name(&mount.path) {
            Some(name) => [b"ip netns delete ", &*quote(name)].concat(),
            None => umount,
        });
    };
    let entrance = match within.pid {
        Some(pid) => format!("/proc/{pid}/ns/mnt").into_bytes(),
        None => {
            let (ino, kind) = (within.mount_ns, Kind::Mnt);
            let namespace = snapshot.namespace(NsId { ino, kind })?;
            let path = snapshot.row(root, namespace).path()?;
            quote(path.as_os_str().as_bytes())
        }
    };
    Some([b"nsenter --mount=", &*entrance, b" ", &umount].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OpenFile, Within};

    fn mount(path: &str, within: Option<u32>) -> Holder {
        Holder::Mount(Mount {
            within: within.map(|pid| Within {
                mount_ns: 5,
                pid: (pid > 0).then_some(pid),
            }),
            path: path.into(),
            id: 1,
        })
    }

    fn fd(pid: u32) -> Holder {
        let (tid, fd) = (None, 3);
        Holder::Fd(OpenFile { pid, tid, fd })
    }

    #[test]
    fn each_holder_that_can_be_released_has_a_command() {
        let mut leak = Namespace::new(
            NsId {
                ino: 9,
                kind: Kind::Net,
            },
            fd(7),
        );
        leak.holders = vec![
            fd(7),
            fd(7),
            fd(1),
            mount("/run/netns/a b", None),
            mount("/x;y", None),
            mount("/x//deleted", None),
            mount("/x y", Some(12)),
            mount("/in/a/namespace/that/is/unknown", Some(0)),
            Holder::Owned(leak.id),
            Holder::Kernel { unique_id: 3 },
        ];
        let snapshot = Snapshot::default();
        let lines = release(&Sysroot::live(), &snapshot, &leak);
        let expected = [
            "kill 7",
            "ip netns delete 'a b'",
            "umount '/x;y'",
            "nsenter --mount=/proc/12/ns/mnt umount '/x y'",
        ];
        assert_eq!(lines, expected.map(Text::from));
        // Its processes are not those of this system.
        let captured = Sysroot::at("fixtures/ubuntu-20.04");
        assert!(release(&captured, &snapshot, &leak).is_empty());
    }
}
