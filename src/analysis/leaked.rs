use crate::model::{Holder, Namespace};

/// Directories below `/run` in which programs keep namespaces by name: ip-netns(8)
/// and CNI plugins, Docker, CRI-O, snapd.
const KNOWN: [&[u8]; 7] = [
    b"netns/",
    b"docker/netns/",
    b"utsns/",
    b"ipcns/",
    b"userns/",
    b"pidns/",
    b"snapd/ns/",
];

/// Directories below `/run/user/UID`, which rootless engines mount in a mount
/// namespace of theirs.
const KNOWN_OF_USERS: [&[u8]; 2] = [b"netns/", b"containers/networks/rootless-netns/"];

/// Returns whether no process was found in a namespace, and nothing explains why
/// it is kept; requires [`Need::Holders`](crate::Need::Holders).
///
/// A name in a known directory of the caller's mount namespace explains it, such
/// as one in `/run/netns`, and a process whose children will be in it. If
/// namespaces below hold it, it is as long of use as they are, and only they may
/// have leaked. Threads, open files, sockets, and mounts anywhere else do not
/// explain it, and neither does the kernel's own list.
///
/// A process that the scan could not see may be in it nevertheless.
pub fn is_leaked(namespace: &Namespace) -> bool {
    let is_initial = namespace.id.ino == namespace.id.kind.initial_ino();
    namespace.nprocs == 0 && !is_initial && !namespace.holders.iter().any(explains)
}

fn explains(holder: &Holder) -> bool {
    match holder {
        Holder::Process { .. }
        | Holder::ForChildren { .. }
        | Holder::Child(_)
        | Holder::Owned(_) => true,
        Holder::Mount(mount) => is_known(&mount.path, mount.within.is_none()),
        _ => false,
    }
}

/// Returns whether a mount point is in a known directory.
fn is_known(path: &[u8], is_here: bool) -> bool {
    let below = |dir: &[u8]| path.strip_prefix(dir);
    // /var/run is a link to /run, except on very old systems.
    let Some(path) = below(b"/run/").or_else(|| below(b"/var/run/")) else {
        return false;
    };
    let of_user = path.strip_prefix(b"user/").and_then(|path| {
        let end = path.iter().position(|byte| *byte == b'/')?;
        let (uid, path) = path.split_at_checked(end)?;
        let is_uid = !uid.is_empty() && uid.iter().all(u8::is_ascii_digit);
        path.get(1..).filter(|_| is_uid)
    });
    match of_user {
        Some(path) => KNOWN_OF_USERS.iter().any(|dir| path.starts_with(dir)),
        None => is_here && KNOWN.iter().any(|dir| path.starts_with(dir)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Link, Mount, NsId, OpenFile, Within};

    fn net(holders: Vec<Holder>) -> Namespace {
        let id = NsId {
            ino: 7,
            kind: Kind::Net,
        };
        let mut namespace = Namespace::new(id, Holder::of_link(1, Link::Net));
        namespace.holders = holders;
        namespace
    }

    fn mount(path: &str, mount_ns: Option<u64>) -> Holder {
        Holder::Mount(Mount {
            within: mount_ns.map(|mount_ns| Within {
                mount_ns,
                pid: None,
            }),
            path: path.into(),
            id: 1,
        })
    }

    fn fd() -> Holder {
        Holder::Fd(OpenFile {
            pid: 9,
            tid: None,
            fd: 3,
        })
    }

    #[test]
    fn a_known_name_explains_a_namespace_where_its_makers_mount_it() {
        for path in [
            "/run/netns/blue",
            "/var/run/netns/cni-1",
            "/run/docker/netns/default",
            "/run/utsns/1",
            "/run/snapd/ns/lxd.mnt",
            "/run/user/1000/netns/blue",
        ] {
            assert!(!is_leaked(&net(vec![mount(path, None)])), "{path}");
            assert!(!is_leaked(&net(vec![fd(), mount(path, None)])), "{path}");
        }
        let rootless = "/run/user/1000/containers/networks/rootless-netns/rootless-netns";
        assert!(!is_leaked(&net(vec![mount(rootless, Some(5))])));
        // A copy in another mount namespace outlives `ip netns delete`.
        assert!(is_leaked(&net(vec![mount("/run/netns/blue", Some(5))])));
        for path in [
            "/srv/run/netns/blue",
            "/run/netnsx/blue",
            "/run/user/netns/blue",
            "/run/user/x/netns/blue",
            "/run/user/1000",
            "/run/user/1000/other",
            "/run/user//netns/blue",
            "",
        ] {
            assert!(is_leaked(&net(vec![mount(path, None)])), "{path}");
        }
    }

    #[test]
    fn what_is_or_will_be_used_is_not_leaked() {
        let below = NsId {
            ino: 8,
            kind: Kind::User,
        };
        let link = Link::TimeForChildren;
        for holder in [
            Holder::ForChildren { pid: 9, link },
            Holder::Child(below),
            Holder::Owned(below),
        ] {
            assert!(!is_leaked(&net(vec![holder])));
        }
        let mut used = net(vec![fd()]);
        assert!(is_leaked(&used));
        used.nprocs = 1;
        assert!(!is_leaked(&used));
        used.nprocs = 0;
        used.id.ino = Kind::Net.initial_ino();
        assert!(!is_leaked(&used));
        let listed = Holder::Listed { unique_id: 1 };
        assert!(is_leaked(&net(vec![listed])) && is_leaked(&net(vec![])));
    }
}
