use std::collections::BTreeMap;

use crate::model::{Kind, Namespace, NsId, Snapshot};
use crate::text::Text;

/// A limit of the kernel, and what was counted against it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limit {
    /// What is limited, and for whom.
    pub limited: Limited,
    /// How many of them the scan found.
    pub count: u64,
    /// The limit; `None` if it is unknown.
    pub max: Option<u64>,
}

/// What a limit applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limited {
    /// Namespaces of one type that one user created, namespaces(7).
    Namespaces {
        /// Their type.
        kind: Kind,
        /// The creator of their owner; `None` if unknown.
        uid: Option<u32>,
        /// The name of that user, if the user database has one.
        user: Option<Text>,
    },
    /// PIDs in a pid namespace, proc_sys_kernel(5).
    Pids {
        /// The pid namespace.
        namespace: NsId,
    },
}

impl Limit {
    /// Returns the name of the file in `/proc/sys` that holds the limit.
    pub fn name(&self) -> String {
        match &self.limited {
            Limited::Namespaces { kind, .. } => format!("max_{kind}_namespaces"),
            Limited::Pids { .. } => "pid_max".to_owned(),
        }
    }

    /// Returns how much of it is used, in percent, rounded down so that only a
    /// full limit is at 100; `None` if the limit is unknown or 0.
    pub fn percent(&self) -> Option<u64> {
        let max = self.max.filter(|max| *max > 0)?;
        Some(self.count.saturating_mul(100) / max)
    }
}

/// Counts namespaces and processes against the limits of the kernel: first of
/// each type and user, then of each pid namespace.
///
/// The kernel charges a namespace to the user who created it, and does not show
/// its counts. This counts the namespaces of the snapshot, each for the creator
/// of its owner, which the kernel does show. `max_of` returns the limit of a
/// type, usually [`Sysroot::max_namespaces`](crate::Sysroot::max_namespaces).
///
/// Requires [`Need::OwnerUid`](crate::Need::OwnerUid) for users,
/// [`Need::User`](crate::Need::User) for their names,
/// [`Need::PidMax`](crate::Need::PidMax) for the limits of pid namespaces, and
/// [`Need::Relations`](crate::Need::Relations) to count the processes of nested
/// ones.
pub fn limits(snapshot: &Snapshot, max_of: impl Fn(Kind) -> Option<u64>) -> Vec<Limit> {
    let mut limits = namespace_limits(snapshot, max_of);
    limits.extend(pid_limits(snapshot));
    limits
}

fn namespace_limits(snapshot: &Snapshot, max_of: impl Fn(Kind) -> Option<u64>) -> Vec<Limit> {
    let mut limits: BTreeMap<(Kind, Option<u32>), Limit> = BTreeMap::new();
    for namespace in &snapshot.namespaces {
        let kind = namespace.id.kind;
        let uid = namespace.relations.owner_uid;
        let limit = limits.entry((kind, uid)).or_insert_with(|| Limit {
            limited: Limited::Namespaces {
                kind,
                uid,
                user: namespace.relations.owner_user.clone(),
            },
            count: 0,
            max: max_of(kind),
        });
        limit.count += 1;
    }
    limits.into_values().collect()
}

/// A process has a PID in its pid namespace and in every one above.
fn pid_limits(snapshot: &Snapshot) -> Vec<Limit> {
    let pid_namespaces: Vec<&Namespace> = snapshot
        .namespaces
        .iter()
        .filter(|namespace| namespace.id.kind == Kind::Pid)
        .collect();
    let mut counts: BTreeMap<NsId, u64> = BTreeMap::new();
    for namespace in &pid_namespaces {
        let mut here = Some(*namespace);
        // The kernel nests 32 deep, pid_namespaces(7).
        for _ in 0..=32 {
            let Some(above) = here else { break };
            *counts.entry(above.id).or_default() += namespace.nprocs as u64;
            here = above.relations.parent.and_then(|id| snapshot.namespace(id));
        }
    }
    pid_namespaces
        .into_iter()
        .map(|namespace| Limit {
            limited: Limited::Pids {
                namespace: namespace.id,
            },
            count: counts.get(&namespace.id).copied().unwrap_or(0),
            max: namespace
                .facts
                .as_ref()
                .and_then(|facts| facts.pid_max)
                .map(u64::from),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holder, Link};

    fn namespace(kind: Kind, ino: u64) -> Namespace {
        Namespace::new(NsId { ino, kind }, Holder::of_link(1, Link::Pid))
    }

    #[test]
    fn a_process_has_a_pid_in_every_namespace_above() {
        let kind = Kind::Pid;
        let pid_ns = |ino, parent: Option<u64>, nprocs| {
            let mut namespace = namespace(kind, ino);
            namespace.relations.parent = parent.map(|ino| NsId { ino, kind });
            namespace.nprocs = nprocs;
            namespace.facts_mut().pid_max = Some(32768);
            namespace
        };
        let snapshot = Snapshot {
            namespaces: vec![
                pid_ns(1, None, 100),
                pid_ns(2, Some(1), 10),
                pid_ns(3, Some(2), 1),
                // A damaged tree may have circles.
                pid_ns(4, Some(4), 0),
            ],
            ..Snapshot::default()
        };
        let limits = pid_limits(&snapshot);
        let counts: Vec<_> = limits.iter().map(|limit| limit.count).collect();
        assert_eq!(counts, [111, 11, 1, 0]);
        let used: Vec<_> = limits.iter().map(Limit::percent).collect();
        assert_eq!(used, [Some(0), Some(0), Some(0), Some(0)]);
    }

    #[test]
    fn namespaces_count_for_each_type_and_user_apart() {
        let owned = |kind, ino, uid, user: Option<&str>| {
            let mut namespace = namespace(kind, ino);
            namespace.relations.owner_uid = uid;
            namespace.relations.owner_user = user.map(Text::from);
            namespace
        };
        let snapshot = Snapshot {
            namespaces: vec![
                owned(Kind::Net, 1, Some(0), Some("root")),
                owned(Kind::Net, 2, Some(0), Some("root")),
                owned(Kind::Net, 3, None, None),
                owned(Kind::Uts, 4, Some(7), None),
            ],
            ..Snapshot::default()
        };
        let limits = limits(&snapshot, |kind| (kind == Kind::Net).then_some(8));
        let limit = |kind, uid, user: Option<&str>, count, max| Limit {
            limited: Limited::Namespaces {
                kind,
                uid,
                user: user.map(Text::from),
            },
            count,
            max,
        };
        assert_eq!(
            limits,
            [
                limit(Kind::Net, None, None, 1, Some(8)),
                limit(Kind::Net, Some(0), Some("root"), 2, Some(8)),
                limit(Kind::Uts, Some(7), None, 1, None),
            ]
        );
        let used: Vec<_> = limits.iter().map(Limit::percent).collect();
        assert_eq!(used, [Some(12), Some(25), None]);
    }
}
