use std::collections::HashMap;

use crate::model::{KindSet, Link, LinkSet, Links, Member, Namespace, NsId, Process, Via};

/// Groups processes by namespace: one pass, a hash map, no comparing.
///
/// `processes` are in the order of their pids, so the first one seen in a
/// namespace is its representative. With the links of a `subject` only the
/// namespaces that it leads to are kept, by its links.
pub(crate) fn group(
    processes: &[Process],
    kinds: KindSet,
    subject: Option<&Links>,
) -> Vec<Namespace> {
    let mut namespaces: Vec<Namespace> = Vec::new();
    let mut places: HashMap<NsId, usize> = HashMap::new();
    // Most processes are where the one before them was: ask the map only when
    // a link leads elsewhere.
    let mut last: [Option<(NsId, usize)>; Link::ALL.len()] = [None; Link::ALL.len()];
    for process in processes {
        for (link, id) in process
            .links
            .iter()
            .filter(|(link, _)| kinds.contains(link.kind()))
        {
            let place = match last[link.index()] {
                Some((known, place)) if known == id => place,
                _ => *places.entry(id).or_insert_with(|| {
                    namespaces.push(Namespace {
                        id,
                        nprocs: 0,
                        pid: None,
                        via: None,
                        links: LinkSet::EMPTY,
                    });
                    namespaces.len() - 1
                }),
            };
            last[link.index()] = Some((id, place));
            if let Some(namespace) = namespaces.get_mut(place) {
                note(
                    namespace,
                    Via {
                        pid: process.pid,
                        link,
                    },
                );
            }
        }
    }
    if let Some(subject) = subject {
        for namespace in &mut namespaces {
            namespace.links = subject.leading_to(namespace.id);
        }
        namespaces.retain(|namespace| !namespace.links.is_empty());
    }
    namespaces.sort_unstable_by_key(|namespace| namespace.id);
    namespaces
}

/// One more link leads to a namespace.
fn note(namespace: &mut Namespace, via: Via) {
    namespace.links.insert(via.link);
    if via.link.is_for_children() {
        namespace.via.get_or_insert(via);
        return;
    }
    namespace.nprocs += 1;
    if namespace.pid.is_none() {
        namespace.pid = Some(via.pid);
        namespace.via = Some(via);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Pid};

    fn process(pid: Pid, links: &[(Link, u64)]) -> Process {
        let mut process = Process {
            pid,
            links: Links::default(),
            details: None,
        };
        for (link, ino) in links {
            process.links.set(*link, *ino);
        }
        process
    }

    #[test]
    fn a_link_for_children_finds_a_namespace_and_makes_no_member() {
        let processes = [
            process(5, &[(Link::Pid, 1), (Link::PidForChildren, 2)]),
            process(6, &[(Link::Pid, 1), (Link::PidForChildren, 1)]),
            process(7, &[(Link::Pid, 2), (Link::PidForChildren, 2)]),
        ];
        let both: LinkSet = Kind::Pid.links();
        let namespace = |ino, nprocs, pid| Namespace {
            id: NsId {
                ino,
                kind: Kind::Pid,
            },
            nprocs,
            pid: Some(pid),
            via: Some(Via {
                pid,
                link: Link::Pid,
            }),
            links: both,
        };
        let grouped = group(&processes, KindSet::all(), None);
        assert_eq!(grouped, [namespace(1, 2, 5), namespace(2, 1, 7)]);
        let held = group(&processes[..2], KindSet::all(), Some(&processes[0].links));
        let via = Some(Via {
            pid: 5,
            link: Link::PidForChildren,
        });
        let links = LinkSet::of(Link::PidForChildren);
        assert_eq!(
            held,
            [
                Namespace {
                    links: LinkSet::of(Link::Pid),
                    ..namespace(1, 2, 5)
                },
                Namespace {
                    pid: None,
                    nprocs: 0,
                    via,
                    links,
                    ..namespace(2, 0, 0)
                },
            ]
        );
        assert_eq!(group(&processes, KindSet::of(Kind::Net), None), []);
    }
}
