use std::collections::HashSet;

use crate::model::{Holder, Kind, Mount, Namespace, NsId, Snapshot};

/// Directories in which programs keep namespaces on purpose, each under a name: of
/// ip-netns(8), containerd, CRI-O, Podman and CNI, of Docker, and of snapd.
const PLACES: [&[u8]; 7] = [
    b"netns/",
    b"ipcns/",
    b"utsns/",
    b"userns/",
    b"pidns/",
    b"docker/netns/",
    b"snapd/ns/",
];

/// A namespace that no process is in, and no name explains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// It was created before this, in clock ticks (1/100 s) after boot: a
    /// pid namespace created after it had a process by then. `None` if no such
    /// namespace tells.
    pub created_before: Option<u64>,
    /// Its holders have held it since this at the earliest, as they did not exist
    /// before. `None` if one of them has no time.
    pub held_since: Option<u64>,
}

/// Returns the namespaces that are kept by nothing but open files, sockets,
/// threads, mounts that are no name in a usual place, or other leaks; by number.
///
/// What could not be seen may be in them: check
/// [`Snapshot::is_complete`]. Requires [`Need::Holders`](crate::Need::Holders) for
/// all types, and for times [`Need::UniqueId`](crate::Need::UniqueId) and
/// [`Need::StartTime`](crate::Need::StartTime) with the details of
/// all processes that hold them.
pub fn leaks(snapshot: &Snapshot) -> Vec<Leak<'_>> {
    let is_open = |namespace: &&Namespace| {
        namespace.nprocs == 0
            && namespace.id.ino != namespace.id.kind.initial_ino()
            && !namespace.holders.iter().any(explains)
    };
    let mut found: Vec<&Namespace> = snapshot.namespaces.iter().filter(is_open).collect();
    loop {
        let leaked: HashSet<NsId> = found.iter().map(|namespace| namespace.id).collect();
        found.retain(|namespace| {
            let related = namespace.holders.iter().filter_map(|holder| match holder {
                Holder::Child(id) | Holder::Owned(id) => Some(id),
                _ => None,
            });
            let mut related = related;
            related.all(|id| leaked.contains(id))
        });
        if found.len() == leaked.len() {
            break;
        }
    }
    timed(snapshot, found)
}

/// Returns namespaces with what is known about their times.
pub fn timed<'a>(snapshot: &'a Snapshot, namespaces: Vec<&'a Namespace>) -> Vec<Leak<'a>> {
    // A process is created in its pid namespace and never leaves it.
    let mut births: Vec<(u64, u64)> = snapshot
        .namespaces
        .iter()
        .filter(|namespace| namespace.id.kind == Kind::Pid)
        .filter_map(|namespace| {
            let start = snapshot.representative(namespace)?.start()?;
            Some((namespace.relations.unique_id?, start))
        })
        .collect();
    births.sort_unstable();
    // From each on, the earliest of those with higher IDs.
    let mut earliest = u64::MAX;
    for (_, start) in births.iter_mut().rev() {
        earliest = earliest.min(*start);
        *start = earliest;
    }
    let leak = |namespace: &'a Namespace| Leak {
        namespace,
        created_before: namespace.relations.unique_id.and_then(|unique_id| {
            let place = births.partition_point(|(id, _)| *id <= unique_id);
            Some(births.get(place)?.1)
        }),
        held_since: held_since(snapshot, namespace),
    };
    namespaces.into_iter().map(leak).collect()
}

/// Returns since when at the earliest its holders can have held it.
fn held_since(snapshot: &Snapshot, namespace: &Namespace) -> Option<u64> {
    let holders = namespace.holders.iter().filter(|holder| holder.holds());
    let starts = holders.map(|holder| snapshot.process(holder.pid()?)?.start());
    starts.collect::<Option<Vec<u64>>>()?.into_iter().min()
}

/// Returns whether something holds a namespace on purpose, by all appearance.
fn explains(holder: &Holder) -> bool {
    match holder {
        Holder::Process { .. } | Holder::ForChildren { .. } => true,
        Holder::Mount(Mount {
            within: None, path, ..
        }) => is_name(path),
        _ => false,
    }
}

/// Returns whether a path is a name in one of the places where namespaces are kept
/// under names.
fn is_name(path: &[u8]) -> bool {
    let path = path.strip_prefix(b"/var").unwrap_or(path);
    let Some(below) = path.strip_prefix(b"/run/") else {
        return false;
    };
    // /run/user/UID/netns, of rootless containers.
    let below = match below.strip_prefix(b"user/") {
        Some(user) => {
            let slash = user.iter().position(|byte| *byte == b'/');
            let Some((uid, rest)) = slash.and_then(|slash| user.split_at_checked(slash + 1)) else {
                return false;
            };
            let mut digits = uid.iter().rev().skip(1);
            if !digits.all(u8::is_ascii_digit) {
                return false;
            }
            rest
        }
        None => below,
    };
    let name = PLACES.iter().find_map(|place| below.strip_prefix(*place));
    name.is_some_and(|name| !name.is_empty() && !name.contains(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Details, Link, Links, OpenFile, Process, Within};

    const fn id(kind: Kind, ino: u64) -> NsId {
        NsId { ino, kind }
    }

    const FD: Holder = Holder::Fd(OpenFile {
        pid: 7,
        tid: None,
        fd: 3,
    });

    fn namespace(kind: Kind, ino: u64, holders: &[Holder]) -> Namespace {
        let mut namespace = Namespace::new(id(kind, ino), FD);
        namespace.holders = holders.to_vec();
        namespace
    }

    fn mount(path: &str, within: Option<u64>) -> Holder {
        Holder::Mount(Mount {
            within: within.map(|mount_ns| Within {
                mount_ns,
                pid: None,
            }),
            path: path.into(),
            id: 1,
        })
    }

    fn started(pid: u32, start: u64) -> Process {
        let mut process = Process::new(pid, Links::default());
        process.details = Some(Box::new(Details {
            start: Some(start),
            ..Details::default()
        }));
        process
    }

    fn found(namespaces: Vec<Namespace>) -> Vec<u64> {
        let snapshot = Snapshot {
            namespaces,
            ..Snapshot::default()
        };
        leaks(&snapshot)
            .iter()
            .map(|one| one.namespace.id.ino)
            .collect()
    }

    #[test]
    fn what_only_a_file_a_thread_or_a_mount_without_a_name_keeps_is_a_leak() {
        let thread = Holder::Thread {
            pid: 7,
            tid: 8,
            link: Link::Net,
        };
        let mut occupied = namespace(Kind::Net, 9, &[FD]);
        occupied.nprocs = 1;
        let all = vec![
            namespace(Kind::Net, 1, &[FD]),
            namespace(Kind::Net, 2, &[thread]),
            namespace(Kind::Net, 3, &[mount("/mnt/x", None)]),
            namespace(Kind::Net, 4, &[mount("/run/netns/x", Some(5))]),
            namespace(Kind::Net, 5, &[]),
            namespace(Kind::Net, 6, &[FD, mount("/run/netns/x", None)]),
            namespace(Kind::Pid, 7, &[Holder::of_link(7, Link::PidForChildren)]),
            namespace(Kind::User, Kind::User.initial_ino(), &[]),
            occupied,
        ];
        assert_eq!(found(all), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_others_need_is_a_leak_only_if_they_are() {
        let owned = |ino| Holder::Owned(id(Kind::Net, ino));
        let all = vec![
            namespace(Kind::Net, 1, &[FD]),
            namespace(Kind::Net, 2, &[mount("/run/netns/x", None)]),
            namespace(Kind::User, 3, &[owned(1)]),
            namespace(Kind::User, 4, &[owned(1), owned(2)]),
            namespace(Kind::User, 5, &[Holder::Child(id(Kind::User, 4))]),
            // Nothing is known of that one.
            namespace(Kind::User, 6, &[owned(99)]),
        ];
        assert_eq!(found(all), [1, 3]);
    }

    #[test]
    fn a_name_lies_right_below_a_usual_place() {
        for path in [
            "/run/netns/x",
            "/var/run/netns/cni-1",
            "/run/docker/netns/1",
            "/run/user/1000/netns/x",
            "/run/ipcns/x",
            "/run/snapd/ns/lxd.mnt",
        ] {
            assert!(is_name(path.as_bytes()), "{path}");
        }
        for path in [
            "",
            "/run/netns/",
            "/run/netns/x/y",
            "/run/user/netns/x",
            "/run/user/x/netns/x",
            "/run/user//x",
            "/tmp/run/netns/x",
            "/run/netnsx",
        ] {
            assert!(!is_name(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn times_are_bounds_and_unknown_where_nothing_tells() {
        let with_id = |mut namespace: Namespace, unique_id| {
            namespace.relations.unique_id = Some(unique_id);
            namespace
        };
        let pid = |ino, pid, unique_id| {
            let mut namespace = namespace(Kind::Pid, ino, &[]);
            namespace.pid = Some(pid);
            namespace.nprocs = 1;
            with_id(namespace, unique_id)
        };
        let snapshot = Snapshot {
            namespaces: vec![
                with_id(namespace(Kind::Net, 1, &[FD]), 10),
                with_id(namespace(Kind::Net, 2, &[FD, mount("/x", None)]), 25),
                with_id(namespace(Kind::Net, 3, &[]), 40),
                pid(11, 8, 20),
                pid(12, 9, 30),
            ],
            // An init that was created later than that of a younger namespace.
            processes: vec![started(7, 50), started(8, 900), started(9, 700)],
            ..Snapshot::default()
        };
        let times: Vec<_> = leaks(&snapshot)
            .iter()
            .map(|one| (one.created_before, one.held_since))
            .collect();
        assert_eq!(
            times,
            [(Some(700), Some(50)), (Some(700), None), (None, None)]
        );
    }
}
