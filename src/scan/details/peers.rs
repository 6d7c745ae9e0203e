//! Finds the net namespaces of the other ends of veth pairs.
//!
//! An interface has the index of its peer and the ID of the peer's net
//! namespace within its own, rtnetlink(7). Two interfaces that name each other
//! may be a pair; the ID of the namespace proves it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Interface, Namespace, NetNsId};
use crate::scan::context::Context;
use crate::scan::sources::relations::open;

/// A veth end whose peer is sought.
#[derive(Clone)]
struct Search {
    /// The place of its namespace, and its own place there.
    at: (usize, usize),
    /// The ID of the peer's namespace.
    nsid: u32,
    /// The places of namespaces with an interface that may be the peer.
    candidates: Vec<usize>,
}

/// Finds the peer of every veth, if it is among these namespaces.
pub(crate) fn find<K: Kernel>(
    context: &Context<K>,
    namespaces: &mut Vec<Namespace>,
) -> Result<(), Error> {
    let Some(kernel) = &context.kernel else {
        return Ok(());
    };
    for namespace in &mut *namespaces {
        let own = namespace.id.ino;
        for interface in interfaces_mut(namespace) {
            let is_within = interface.is_veth() && interface.link_nsid.is_none();
            interface.peer_ns = (is_within && interface.link.is_some()).then_some(own);
        }
    }
    let searches = searches(namespaces);
    if searches.is_empty() {
        return Ok(());
    }
    let shared = Arc::new(std::mem::take(namespaces));
    let (all, kernel) = (Arc::clone(&shared), Arc::clone(kernel));
    let found = context.map(searches.clone(), move |context, search| {
        let Some(within) = all.get(search.at.0) else {
            return Ok(None);
        };
        Ok(search
            .candidates
            .iter()
            .filter_map(|place| all.get(*place))
            .find(|other| id_within(context, &*kernel, within, other) == Some(search.nsid))
            .map(|peer| peer.id.ino))
    });
    // A thread that blocked still has its share.
    *namespaces = Arc::unwrap_or_clone(shared);
    for (search, found) in searches.iter().zip(found?) {
        let found = found.flatten();
        let namespace = namespaces.get_mut(search.at.0).into_iter();
        let interface = namespace.flat_map(interfaces_mut).nth(search.at.1);
        if let Some(interface) = interface {
            interface.peer_ns = found;
        }
    }
    Ok(())
}

fn interfaces_mut(namespace: &mut Namespace) -> impl Iterator<Item = &mut Interface> {
    let facts = namespace.facts.as_mut().map(Arc::make_mut);
    facts
        .into_iter()
        .flat_map(|facts| facts.interfaces.iter_mut().flatten())
}

fn interfaces(namespace: &Namespace) -> impl Iterator<Item = &Interface> {
    let facts = namespace.facts.as_deref();
    facts
        .into_iter()
        .flat_map(|facts| facts.interfaces.iter().flatten())
}

/// Finds the namespaces to try for each end.
fn searches(namespaces: &[Namespace]) -> Vec<Search> {
    let mut ends: HashMap<(u32, u32), Vec<usize>> = HashMap::new();
    let all = || namespaces.iter().enumerate();
    for (place, namespace) in all() {
        for end in interfaces(namespace) {
            if let (true, Some(index), Some(link)) = (end.is_veth(), end.index, end.link) {
                ends.entry((index, link)).or_default().push(place);
            }
        }
    }
    let mut searches = Vec::new();
    for (place, namespace) in all() {
        for (nth, end) in interfaces(namespace).enumerate() {
            let (true, Some(index), Some(link), Some(nsid)) =
                (end.is_veth(), end.index, end.link, end.link_nsid)
            else {
                continue;
            };
            let candidates = ends.get(&(link, index)).into_iter().flatten();
            let candidates: Vec<_> = candidates
                .copied()
                .filter(|other| *other != place)
                .collect();
            if !candidates.is_empty() {
                let at = (place, nth);
                searches.push(Search {
                    at,
                    nsid,
                    candidates,
                });
            }
        }
    }
    searches
}

/// Returns the ID of one net namespace within another.
fn id_within<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    within: &Namespace,
    other: &Namespace,
) -> Option<u32> {
    let other = open(context, kernel, &other.via, other.id).ok()?;
    let within = open(context, kernel, &within.via, within.id).ok()?;
    match kernel.netnsid_within(&within, &other) {
        Ok(NetNsId::Assigned(id)) => Some(id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holder, Kind, Link, NsId};

    fn net(ino: u64, ends: &[(u32, u32, Option<u32>)]) -> Namespace {
        let kind = Kind::Net;
        let mut namespace = Namespace::new(NsId { ino, kind }, Holder::of_link(1, Link::Net));
        let interface = |(index, link, link_nsid): &(u32, u32, Option<u32>)| Interface {
            name: "veth".into(),
            index: Some(*index),
            link: Some(*link),
            link_nsid: *link_nsid,
            kind: Some("veth".into()),
            ..Interface::default()
        };
        namespace.facts_mut().interfaces = Some(ends.iter().map(interface).collect());
        namespace
    }

    #[test]
    fn only_ends_that_name_each_other_are_tried() {
        let namespaces = [
            net(1, &[(7, 2, Some(0)), (8, 2, Some(1)), (9, 10, None)]),
            net(2, &[(2, 7, Some(0))]),
            net(3, &[(2, 8, Some(0)), (3, 99, Some(5))]),
        ];
        let tried: Vec<_> = searches(&namespaces)
            .into_iter()
            .map(|search| (search.at, search.nsid, search.candidates))
            .collect();
        assert_eq!(
            tried,
            [
                ((0, 0), 0, vec![1]),
                ((0, 1), 1, vec![2]),
                ((1, 0), 0, vec![0]),
                ((2, 0), 0, vec![0]),
            ]
        );
    }
}
