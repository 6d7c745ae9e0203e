use std::collections::HashMap;

use crate::model::{Kind, Namespace, NsId, Snapshot};
use crate::text::Text;

/// A namespace that counts against a limit of a user, namespaces(7).
///
/// The kernel charges a new namespace to the user who creates it, in the user
/// namespace that is to own it; to the creator of that user namespace, in the one
/// above; and so on to the top (`inc_ucount` in kernel/ucount.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Charge<'a> {
    /// What counts.
    pub namespace: &'a Namespace,
    /// The user namespace whose limit it counts against; `None` if unknown.
    pub user_ns: Option<NsId>,
    /// Whom it counts against; `None` if unknown. The kernel does not tell who
    /// created a namespace of another type than user. In the user namespace that
    /// owns it, it counts here against the creator of that.
    pub uid: Option<u32>,
    /// The name of that user, if the user database has one.
    pub user: Option<&'a Text>,
}

/// User namespaces nest no deeper. Only a damaged tree has circles.
const MOST_LEVELS: usize = 64;

/// Returns what counts against any limit, in the order of namespaces. The initial
/// namespaces, which nobody created, do not.
///
/// Requires [`Need::OwnerUid`](crate::Need::OwnerUid) and
/// [`Need::Relations`](crate::Need::Relations), and for the names of users
/// [`Need::User`](crate::Need::User).
pub fn charges(snapshot: &Snapshot) -> Vec<Charge<'_>> {
    let user_namespaces: HashMap<NsId, &Namespace> = snapshot
        .namespaces
        .iter()
        .chain(&snapshot.ancestors)
        .filter(|namespace| namespace.id.kind == Kind::User)
        .map(|namespace| (namespace.id, namespace))
        .collect();
    let mut charges = Vec::new();
    let created = snapshot
        .namespaces
        .iter()
        .filter(|namespace| namespace.id.ino != namespace.id.kind.initial_ino());
    for namespace in created {
        let mut charged = namespace;
        for level in 0..MOST_LEVELS {
            // For a user namespace this is its parent.
            let relations = &charged.relations;
            let user_ns = relations.owner;
            if level == 0 || user_ns.is_some() {
                charges.push(Charge {
                    namespace,
                    user_ns,
                    uid: relations.owner_uid,
                    user: relations.owner_user.as_ref(),
                });
            }
            match user_ns.and_then(|id| user_namespaces.get(&id)) {
                Some(above) => charged = above,
                None => break,
            }
        }
    }
    charges
}

/// Returns what counts against the limits of one user, or of nobody knows whom
/// (`None`), each namespace once, with
/// the user namespaces whose limits it counts against.
pub fn charged_to(snapshot: &Snapshot, uid: Option<u32>) -> Vec<(&Namespace, Vec<NsId>)> {
    let mut found: Vec<(&Namespace, Vec<NsId>)> = Vec::new();
    let charges = charges(snapshot).into_iter();
    for charge in charges.filter(|charge| charge.uid == uid) {
        match found.last_mut() {
            Some((last, within)) if last.id == charge.namespace.id => {
                within.extend(charge.user_ns);
            }
            _ => found.push((charge.namespace, charge.user_ns.into_iter().collect())),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holder, Link};

    fn id(kind: Kind, ino: u64) -> NsId {
        NsId { ino, kind }
    }

    fn owned(kind: Kind, ino: u64, owner: u64, uid: u32) -> Namespace {
        let mut namespace = Namespace::new(id(kind, ino), Holder::of_link(1, Link::Net));
        namespace.relations.owner = Some(id(Kind::User, owner));
        namespace.relations.owner_uid = Some(uid);
        namespace
    }

    fn seen(snapshot: &Snapshot) -> Vec<(u64, Option<u64>, Option<u32>)> {
        charges(snapshot)
            .iter()
            .map(|charge| {
                let user_ns = charge.user_ns.map(|id| id.ino);
                (charge.namespace.id.ino, user_ns, charge.uid)
            })
            .collect()
    }

    #[test]
    fn a_namespace_counts_at_every_level_against_the_creator_of_the_one_below() {
        let top = Kind::User.initial_ino();
        let mut initial = owned(Kind::User, top, 0, 0);
        initial.relations.owner = None;
        let snapshot = Snapshot {
            namespaces: vec![
                // root's container, in which 1000 made one, which has a net
                // namespace.
                owned(Kind::User, 1, top, 0),
                owned(Kind::User, 2, 1, 1000),
                owned(Kind::Net, 3, 2, 1000),
                initial,
                owned(Kind::Net, Kind::Net.initial_ino(), top, 0),
            ],
            ..Snapshot::default()
        };
        assert_eq!(
            seen(&snapshot),
            [
                (1, Some(top), Some(0)),
                (2, Some(1), Some(1000)),
                (2, Some(top), Some(0)),
                (3, Some(2), Some(1000)),
                (3, Some(1), Some(1000)),
                (3, Some(top), Some(0)),
            ]
        );
        let of_1000: Vec<_> = charged_to(&snapshot, Some(1000))
            .into_iter()
            .map(|(namespace, within)| {
                let within: Vec<_> = within.into_iter().map(|id| id.ino).collect();
                (namespace.id.ino, within)
            })
            .collect();
        assert_eq!(of_1000, [(2, vec![1]), (3, vec![2, 1])]);
    }

    #[test]
    fn what_is_unknown_stays_so_and_circles_end() {
        let mut alone = owned(Kind::Uts, 5, 0, 0);
        alone.relations.owner = None;
        alone.relations.owner_uid = None;
        let snapshot = Snapshot {
            namespaces: vec![alone, owned(Kind::Net, 6, 9, 7), owned(Kind::User, 7, 7, 1)],
            ..Snapshot::default()
        };
        let seen = seen(&snapshot);
        assert_eq!(
            seen.get(..2),
            Some(&[(5, None, None), (6, Some(9), Some(7))][..])
        );
        assert_eq!(seen.len(), 2 + MOST_LEVELS);
    }
}
