use std::collections::HashSet;

use crate::analysis::known_names::is_known;
use crate::model::{Holder, Namespace, NsId, Snapshot};

/// A namespace that no process is in, and no name explains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// Its holders have held it since this at the earliest, as they did not exist
    /// before. `None` if one of them has no time.
    pub held_since: Option<u64>,
}

/// Returns the namespaces that are kept by nothing but open files, sockets,
/// threads, mounts that are no name in a usual place, or other leaks; by number.
///
/// What could not be seen may be in them: check [`Snapshot::is_complete`]. Requires
/// [`Need::Holders`](crate::Need::Holders) for all types, and for times
/// [`Need::StartTime`](crate::Need::StartTime) with the details of all processes
/// that hold them, [`Scanner::describe`](crate::Scanner::describe).
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
            namespace.holders.iter().all(|holder| match holder {
                Holder::Child(id) | Holder::Owned(id) => leaked.contains(id),
                _ => true,
            })
        });
        if found.len() == leaked.len() {
            break;
        }
    }
    timed(snapshot, found)
}

/// Returns namespaces with what is known about their times.
///
/// IDs tell nothing: each CPU hands them out from a batch of its own, so a younger
/// namespace may have the lower one.
pub fn timed<'a>(snapshot: &'a Snapshot, namespaces: Vec<&'a Namespace>) -> Vec<Leak<'a>> {
    let leak = |namespace: &'a Namespace| Leak {
        namespace,
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
        Holder::Mount(mount) => is_known(&mount.path, mount.within.is_none()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Details, Kind, Link, Links, Mount, OpenFile, Process, Within};

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
    fn holders_have_held_since_the_first_of_them_started_or_nobody_knows() {
        let other = Holder::Socket(OpenFile {
            pid: 8,
            tid: None,
            fd: 4,
        });
        let gone = Holder::Fd(OpenFile {
            pid: 9,
            tid: None,
            fd: 4,
        });
        let listed = Holder::Listed { unique_id: 1 };
        let snapshot = Snapshot {
            namespaces: vec![
                namespace(Kind::Net, 1, &[FD, other.clone(), listed.clone()]),
                namespace(Kind::Net, 2, &[FD, mount("/x", None)]),
                namespace(Kind::Net, 3, &[FD, gone]),
                namespace(Kind::Net, 4, &[listed]),
            ],
            processes: vec![started(7, 50), started(8, 900)],
            ..Snapshot::default()
        };
        let times: Vec<_> = leaks(&snapshot).iter().map(|one| one.held_since).collect();
        assert_eq!(times, [Some(50), None, None, None]);
    }
}
