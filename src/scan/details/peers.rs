//! Finds the interfaces that others are linked to: the other ends of veth pairs,
//! and what is below a vlan, macvlan or ipvlan.
//!
//! An interface has the index of the other and the ID of the other's net
//! namespace within its own, rtnetlink(7). Two ends of a veth pair name each
//! other, so few namespaces come into question; the ID of the namespace proves
//! it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Interface, Namespace, NetNsId};
use crate::scan::context::Context;
use crate::scan::sources::relations::open;
use crate::text::Text;

/// How many namespaces are tried for an interface that is no veth: most that
/// have one of this index. The first are the oldest, the host's among them.
const MOST_CANDIDATES: usize = 16;

/// An interface whose other end is sought.
#[derive(Clone)]
struct Search {
    /// The place of its namespace, and its own place there.
    at: (usize, usize),
    /// The ID of the other's namespace.
    nsid: u32,
    /// The places of namespaces with an interface that may be the other.
    candidates: Vec<usize>,
}

/// Finds what every interface is linked to, if that is in one of these
/// namespaces. They are given by number.
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
            let is_within = interface.link.is_some() && interface.link_nsid.is_none();
            interface.peer_ns = is_within.then_some(own);
        }
    }
    let searches = searches(namespaces);
    if !searches.is_empty() {
        let shared = Arc::new(std::mem::take(namespaces));
        let (all, kernel) = (Arc::clone(&shared), Arc::clone(kernel));
        let found = context.map("interfaces", searches.clone(), move |context, search| {
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
            let namespace = namespaces.get_mut(search.at.0).into_iter();
            let interface = namespace.flat_map(interfaces_mut).nth(search.at.1);
            if let Some(interface) = interface {
                interface.peer_ns = found.flatten();
            }
        }
    }
    name_peers(namespaces);
    Ok(())
}

/// Adds the names of those that were found.
fn name_peers(namespaces: &mut [Namespace]) {
    let links = namespaces.iter().flat_map(interfaces);
    let mut names: HashMap<(u64, u32), Option<Text>> = links
        .filter_map(|one| Some(((one.peer_ns?, one.link?), None)))
        .collect();
    for namespace in &*namespaces {
        for interface in interfaces(namespace) {
            let index = interface.index.unwrap_or_default();
            if let Some(name) = names.get_mut(&(namespace.id.ino, index)) {
                *name = Some(interface.name.clone());
            }
        }
    }
    for interface in namespaces.iter_mut().flat_map(interfaces_mut) {
        if let (Some(ns), Some(link)) = (interface.peer_ns, interface.link) {
            interface.peer = names.get(&(ns, link)).cloned().flatten();
        }
    }
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

/// Finds the namespaces to try for each interface that is linked to one in
/// another namespace.
fn searches(namespaces: &[Namespace]) -> Vec<Search> {
    let mut ends: HashMap<(u32, u32), Vec<usize>> = HashMap::new();
    let mut below: HashMap<u32, Vec<usize>> = HashMap::new();
    let all = || namespaces.iter().enumerate();
    for one in namespaces.iter().flat_map(interfaces) {
        if let (false, Some(_), Some(link)) = (one.is_veth(), one.link_nsid, one.link) {
            below.entry(link).or_default();
        }
    }
    for (place, namespace) in all() {
        for end in interfaces(namespace) {
            let Some(index) = end.index else {
                continue;
            };
            if let (true, Some(link)) = (end.is_veth(), end.link) {
                ends.entry((index, link)).or_default().push(place);
            }
            if let Some(places) = below.get_mut(&index) {
                places.push(place);
            }
        }
    }
    let mut searches = Vec::new();
    for (place, namespace) in all() {
        for (nth, end) in interfaces(namespace).enumerate() {
            let (Some(index), Some(link), Some(nsid)) = (end.index, end.link, end.link_nsid) else {
                continue;
            };
            let (candidates, most) = match end.is_veth() {
                true => (ends.get(&(link, index)), usize::MAX),
                false => (below.get(&link), MOST_CANDIDATES),
            };
            let others = candidates.into_iter().flatten().copied();
            let candidates: Vec<_> = others.filter(|other| *other != place).take(most).collect();
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

    #[test]
    fn what_is_below_a_macvlan_is_looked_for_in_few_namespaces_and_named() {
        let mut namespaces: Vec<_> = (1..40).map(|ino| net(ino, &[(2, 99, None)])).collect();
        let macvlan = Interface {
            name: "eth0".into(),
            index: Some(9),
            link: Some(2),
            link_nsid: Some(0),
            kind: Some("macvlan".into()),
            ..Interface::default()
        };
        namespaces[20].facts_mut().interfaces = Some(vec![macvlan]);
        let searches = searches(&namespaces);
        let [search] = &searches[..] else {
            panic!("{}", searches.len());
        };
        assert_eq!(search.candidates, (0..16).collect::<Vec<_>>());
        let found = interfaces_mut(&mut namespaces[20]).next().unwrap();
        found.peer_ns = Some(1);
        name_peers(&mut namespaces);
        let found = interfaces(&namespaces[20]).next().unwrap();
        assert_eq!(found.peer, Some("veth".into()));
        // Not of a namespace that was not asked.
        let other = interfaces(&namespaces[3]).next().unwrap();
        assert_eq!((&other.peer, other.peer_ns), (&None, None));
    }
}
