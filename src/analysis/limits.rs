use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use crate::analysis::{Charge, charges};
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
        /// The user namespace that sets the limit; `None` if unknown.
        user_ns: Option<NsId>,
        /// Whom they count against, as in [`Charge`](crate::analysis::Charge).
        uid: Option<u32>,
        /// The name of that user, if the user database has one.
        user: Option<Text>,
    },
    /// PIDs in a pid namespace, proc_sys_kernel(5).
    Pids {
        /// The pid namespace.
        namespace: NsId,
    },
    /// Levels of user or pid namespaces below the initial one, user_namespaces(7)
    /// and pid_namespaces(7). If the reader's namespace is not the initial one,
    /// the levels below that, and the limit is unknown.
    Levels {
        /// The deepest namespace of its type.
        namespace: NsId,
    },
}

/// The deepest level of a user namespace: `create_user_ns` in
/// kernel/user_namespace.c. The manual counts one less.
const MOST_USER_LEVELS: u64 = 33;
/// The deepest level of a pid namespace, MAX_PID_NS_LEVEL in
/// kernel/pid_namespace.c.
const MOST_PID_LEVELS: u64 = 32;

impl Limit {
    /// Returns the name of the file in `/proc/sys` that holds the limit, or of what
    /// the kernel limits without one.
    pub fn name(&self) -> String {
        match &self.limited {
            Limited::Namespaces { kind, .. } => format!("max_{kind}_namespaces"),
            Limited::Pids { .. } => "pid_max".to_owned(),
            Limited::Levels { namespace } => format!("{}_namespace_levels", namespace.kind),
        }
    }

    /// Returns which part of it is used; `None` if the limit is unknown. Of a limit
    /// of 0, all.
    fn used(&self) -> Option<f64> {
        let max = self.max?;
        Some(self.count as f64 / max.max(1) as f64)
    }

    /// Returns how much of it is used, in percent, rounded down so that only a
    /// full limit is at 100; `None` if the limit is unknown or 0.
    pub fn percent(&self) -> Option<u64> {
        let max = self.max.filter(|max| *max > 0)?;
        Some(self.count.saturating_mul(100) / max)
    }
}

/// Counts namespaces and processes against the limits of the kernel, the nearest
/// limit first, and those that are unknown last.
///
/// The kernel does not show its counts. This counts the namespaces of the
/// snapshot as it charges them, see [`charges`]. `max_of` returns the limit of a
/// type for namespaces of which nobody knows the owner, usually
/// [`Sysroot::max_namespaces`](crate::Sysroot::max_namespaces).
///
/// Requires [`Need::OwnerUid`](crate::Need::OwnerUid) for users,
/// [`Need::User`](crate::Need::User) for their names,
/// [`Need::MaxNamespaces`](crate::Need::MaxNamespaces) and
/// [`Need::PidMax`](crate::Need::PidMax) for the limits of user and pid
/// namespaces, and [`Need::Relations`](crate::Need::Relations) for what counts
/// against those above.
pub fn limits(snapshot: &Snapshot, max_of: impl Fn(Kind) -> Option<u64>) -> Vec<Limit> {
    let mut limits = namespace_limits(snapshot, max_of);
    limits.extend(pid_limits(snapshot));
    limits.extend(
        [Kind::User, Kind::Pid]
            .map(|kind| level_limit(snapshot, kind))
            .into_iter()
            .flatten(),
    );
    limits.sort_by(|one, other| {
        let (one, other) = (one.used(), other.used());
        other.partial_cmp(&one).unwrap_or(Ordering::Equal)
    });
    limits
}

fn namespace_limits(snapshot: &Snapshot, max_of: impl Fn(Kind) -> Option<u64>) -> Vec<Limit> {
    type Key = (Option<NsId>, Kind, Option<u32>);
    let mut limits: BTreeMap<Key, Limit> = BTreeMap::new();
    for Charge {
        namespace,
        user_ns,
        uid,
        user,
    } in charges(snapshot)
    {
        let kind = namespace.id.kind;
        let limit = limits.entry((user_ns, kind, uid)).or_insert_with(|| Limit {
            limited: Limited::Namespaces {
                kind,
                user_ns,
                uid,
                user: user.cloned(),
            },
            count: 0,
            max: match user_ns {
                Some(id) => max_in(snapshot, id, kind),
                None => max_of(kind),
            },
        });
        limit.count += 1;
    }
    limits.into_values().collect()
}

/// Returns the limit that a user namespace sets.
fn max_in(snapshot: &Snapshot, user_ns: NsId, kind: Kind) -> Option<u64> {
    let facts = snapshot.namespace(user_ns)?.facts.as_ref()?;
    facts.max_namespaces.as_ref()?.get(&kind).copied()
}

/// Finds the deepest namespace of a type, if any has a parent.
fn level_limit(snapshot: &Snapshot, kind: Kind) -> Option<Limit> {
    let own = |namespace: &&Namespace| namespace.id.kind == kind;
    let levels = snapshot.namespaces.iter().filter(own).map(|namespace| {
        let (mut level, mut top) = (0, namespace);
        // More are a circle in a damaged tree.
        while let Some(parent) = top.relations.parent.filter(|_| level < 64) {
            level += 1;
            match snapshot.namespace(parent) {
                Some(above) => top = above,
                None => return (level, namespace.id, parent),
            }
        }
        (level, namespace.id, top.id)
    });
    // Of several, the one with the lowest number.
    let (level, namespace, top) = levels.max_by_key(|(level, id, _)| (*level, Reverse(*id)))?;
    let most = match kind {
        Kind::User => MOST_USER_LEVELS,
        _ => MOST_PID_LEVELS,
    };
    (level > 0).then(|| Limit {
        limited: Limited::Levels { namespace },
        count: level,
        max: (top.ino == kind.initial_ino()).then_some(most),
    })
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

    fn id(kind: Kind, ino: u64) -> NsId {
        NsId { ino, kind }
    }

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
                user_ns: None,
                uid,
                user: user.map(Text::from),
            },
            count,
            max,
        };
        assert_eq!(
            limits,
            [
                limit(Kind::Net, Some(0), Some("root"), 2, Some(8)),
                limit(Kind::Net, None, None, 1, Some(8)),
                limit(Kind::Uts, Some(7), None, 1, None),
            ]
        );
        let used: Vec<_> = limits.iter().map(Limit::percent).collect();
        assert_eq!(used, [Some(25), Some(12), None]);
    }

    #[test]
    fn each_user_namespace_has_limits_of_its_own() {
        let top = id(Kind::User, Kind::User.initial_ino());
        let user_ns = |id, max: u64| {
            let mut namespace = Namespace::new(id, Holder::of_link(1, Link::User));
            namespace.facts_mut().max_namespaces = Some([(Kind::Net, max)].into());
            namespace
        };
        let mut nested = user_ns(id(Kind::User, 1), 1);
        nested.relations.parent = Some(top);
        nested.relations.owner = Some(top);
        nested.relations.owner_uid = Some(1000);
        let mut net = namespace(Kind::Net, 2);
        net.relations.owner = Some(nested.id);
        net.relations.owner_uid = Some(1000);
        let snapshot = Snapshot {
            namespaces: vec![nested, net, user_ns(top, 10)],
            ..Snapshot::default()
        };
        let seen: Vec<_> = limits(&snapshot, |_| None)
            .iter()
            .map(|limit| {
                let ns = match limit.limited {
                    Limited::Namespaces { user_ns, .. } => user_ns.map(|id| id.ino),
                    Limited::Pids { namespace } | Limited::Levels { namespace } => {
                        Some(namespace.ino)
                    }
                };
                (limit.name(), ns, limit.count, limit.max)
            })
            .collect();
        let name = str::to_owned;
        assert_eq!(
            seen,
            [
                (name("max_net_namespaces"), Some(1), 1, Some(1)),
                (name("max_net_namespaces"), Some(top.ino), 1, Some(10)),
                (name("user_namespace_levels"), Some(1), 1, Some(33)),
                (name("max_user_namespaces"), Some(top.ino), 1, None),
            ]
        );
    }

    #[test]
    fn levels_below_a_namespace_that_is_not_the_initial_one_have_no_known_limit() {
        let pid_ns = |ino, parent: Option<u64>| {
            let mut namespace = namespace(Kind::Pid, ino);
            namespace.relations.parent = parent.map(|ino| id(Kind::Pid, ino));
            namespace
        };
        let limit = |namespaces| {
            let snapshot = Snapshot {
                namespaces,
                ..Snapshot::default()
            };
            let limit = level_limit(&snapshot, Kind::Pid)?;
            Some((limit.count, limit.max))
        };
        let top = Kind::Pid.initial_ino();
        assert_eq!(limit(vec![pid_ns(1, None)]), None);
        let nested = vec![pid_ns(1, None), pid_ns(2, Some(1))];
        assert_eq!(limit(nested), Some((1, None)));
        let whole = vec![pid_ns(2, Some(top)), pid_ns(3, Some(2)), pid_ns(top, None)];
        assert_eq!(limit(whole), Some((2, Some(32))));
        // A damaged tree may have circles.
        assert_eq!(limit(vec![pid_ns(4, Some(4))]), Some((64, None)));
    }
}
