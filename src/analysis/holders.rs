use std::collections::{HashMap, HashSet};

use crate::model::{Holder, Namespace, NsId, Snapshot};

/// A holder on the way from a namespace to what keeps it alive in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainedHolder<'a> {
    /// The holder.
    pub holder: &'a Holder,
    /// The namespace it holds: the one in question, or one that holds it.
    pub holds: NsId,
    /// The number of namespaces between the holder and the one in question.
    pub depth: usize,
}

/// Returns the holders of a namespace, and below each that is a namespace or a
/// mount in one, the holders of that, depth first. The holders of a namespace
/// that occurs twice are listed once.
///
/// Requires [`Need::Holders`](crate::Need::Holders), with the namespace as
/// [`Target::Namespace`](crate::Target::Namespace): only then are the holders
/// of the namespaces above and below known.
pub fn holder_chain<'a>(
    snapshot: &'a Snapshot,
    namespace: &'a Namespace,
) -> Vec<ChainedHolder<'a>> {
    let others: HashMap<NsId, &Namespace> = snapshot
        .ancestors
        .iter()
        .map(|other| (other.id, other))
        .collect();
    let mut seen = HashSet::from([namespace.id]);
    let mut chain = Vec::new();
    // No recursion: mount namespaces may hold each other in a line of any
    // length.
    let mut levels = vec![(namespace.id, namespace.holders.iter())];
    while let Some((holds, holders)) = levels.last_mut() {
        let holds = *holds;
        let Some(holder) = holders.next() else {
            levels.pop();
            continue;
        };
        chain.push(ChainedHolder {
            holder,
            holds,
            depth: levels.len() - 1,
        });
        if let Some(id) = holder.namespace()
            && let Some(next) = others.get(&id)
            && seen.insert(id)
        {
            levels.push((id, next.holders.iter()));
        }
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Link};

    fn id(ino: u64) -> NsId {
        let kind = Kind::User;
        NsId { ino, kind }
    }

    fn namespace(ino: u64, holders: Vec<Holder>) -> Namespace {
        let mut namespace = Namespace::new(id(ino), Holder::of_link(1, Link::User));
        namespace.holders = holders;
        namespace
    }

    #[test]
    fn a_chain_may_be_of_any_length() {
        const LENGTH: u64 = 100_000;
        let below = |ino| namespace(ino, vec![Holder::Child(id(ino + 1))]);
        let snapshot = Snapshot {
            namespaces: vec![below(0)],
            ancestors: (1..LENGTH).map(below).collect(),
            ..Snapshot::default()
        };
        let chain = holder_chain(&snapshot, &snapshot.namespaces[0]);
        assert!(chain.iter().map(|one| one.depth).eq(0..100_000));
    }

    #[test]
    fn a_chain_ends_at_processes_and_never_goes_in_circles() {
        let process = Holder::of_link(7, Link::User);
        let snapshot = Snapshot {
            namespaces: vec![namespace(
                1,
                vec![Holder::Child(id(2)), Holder::Owned(id(3))],
            )],
            ancestors: vec![
                namespace(2, vec![process.clone(), Holder::Child(id(1))]),
                // Unknown is what holds number 4.
                namespace(3, vec![Holder::Child(id(2)), Holder::Child(id(4))]),
            ],
            ..Snapshot::default()
        };
        let chain = holder_chain(&snapshot, &snapshot.namespaces[0]);
        let chain: Vec<_> = chain
            .into_iter()
            .map(|one| (one.depth, one.holder.clone(), one.holds.ino))
            .collect();
        assert_eq!(
            chain,
            [
                (0, Holder::Child(id(2)), 1),
                (1, process, 2),
                (1, Holder::Child(id(1)), 2),
                (0, Holder::Owned(id(3)), 1),
                (1, Holder::Child(id(2)), 3),
                (1, Holder::Child(id(4)), 3),
            ]
        );
    }
}
