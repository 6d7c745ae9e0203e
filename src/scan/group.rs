use std::collections::HashMap;

use crate::model::{Holder, KindSet, Link, Member, Namespace, NsId, Process};

/// A namespace, and a way in which it was found.
pub(crate) type Find = (NsId, Holder);

/// Groups processes by namespace: one pass, a hash map, no comparing. Then come
/// the namespaces that were found in another way.
///
/// `processes` are in the order of their pids, so the first one seen in a
/// namespace is its representative. Every single holder is kept only where
/// that is wanted: there may be many.
pub(crate) fn group(
    processes: &[Process],
    finds: &[Find],
    kinds: KindSet,
    holders: bool,
) -> Vec<Namespace> {
    let mut groups = Groups::default();
    // Most processes are where the one before them was: ask the map only when
    // a link leads elsewhere.
    let mut last: [Option<(NsId, usize)>; Link::ALL.len()] = [None; Link::ALL.len()];
    for process in processes {
        let links = process.links.iter();
        for (link, id) in links.filter(|(link, _)| kinds.contains(link.kind())) {
            let place = match last[link.index()] {
                Some((known, place)) if known == id => place,
                _ => groups.place(id, || process.holder(link)),
            };
            last[link.index()] = Some((id, place));
            if let Some(namespace) = groups.namespaces.get_mut(place) {
                add_link(namespace, process, link, holders);
            }
        }
    }
    for (id, holder) in finds {
        if !kinds.contains(id.kind) {
            continue;
        }
        let place = groups.place(*id, || holder.clone());
        if let Some(namespace) = groups.namespaces.get_mut(place) {
            add_find(namespace, holder, holders);
        }
    }
    let mut namespaces = groups.namespaces;
    namespaces.sort_unstable_by_key(|namespace| namespace.id);
    for namespace in &mut namespaces {
        namespace.holders.sort_unstable();
        namespace.holders.dedup();
    }
    namespaces
}

/// Namespaces, and where each stands.
#[derive(Default)]
struct Groups {
    namespaces: Vec<Namespace>,
    places: HashMap<NsId, usize>,
}

impl Groups {
    /// The place of a namespace; `via` says how it was found, if it is new.
    fn place(&mut self, id: NsId, via: impl FnOnce() -> Holder) -> usize {
        *self.places.entry(id).or_insert_with(|| {
            self.namespaces.push(Namespace::new(id, via()));
            self.namespaces.len() - 1
        })
    }
}

/// One more link leads to a namespace.
fn add_link(namespace: &mut Namespace, process: &Process, link: Link, holders: bool) {
    namespace.links.insert(link);
    if holders {
        namespace.holders.push(process.holder(link));
    }
    if link.is_for_children() {
        return;
    }
    namespace.nprocs += 1;
    if namespace.pid.is_none() {
        namespace.pid = Some(process.pid);
        namespace.via = process.holder(link);
    }
}

/// Something else leads to a namespace.
fn add_find(namespace: &mut Namespace, holder: &Holder, holders: bool) {
    if holders && holder.holds() {
        namespace.holders.push(holder.clone());
    }
    if let Some(link) = holder.link() {
        namespace.links.insert(link);
    }
    if let Holder::Mount(mount) = holder
        && mount.within.is_none()
        && !namespace.mounts.contains(&mount.path)
    {
        namespace.mounts.push(mount.path.clone());
    }
    if namespace.pid.is_none() && *holder < namespace.via {
        namespace.via = holder.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, LinkSet, Links, Mount, Pid};
    use crate::text::Text;

    fn pid_ns(ino: u64) -> NsId {
        NsId {
            ino,
            kind: Kind::Pid,
        }
    }

    fn process(pid: Pid, links: &[(Link, u64)]) -> Process {
        let mut process = Process {
            pid,
            links: Links::default(),
            thread: None,
            affiliation: None,
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
        let member = |ino, nprocs, pid, links| Namespace {
            nprocs,
            pid: Some(pid),
            links,
            ..Namespace::new(pid_ns(ino), Holder::of_link(pid, Link::Pid))
        };
        let both: LinkSet = Kind::Pid.links();
        let grouped = group(&processes, &[], KindSet::all(), false);
        assert_eq!(grouped, [member(1, 2, 5, both), member(2, 1, 7, both)]);
        let held = Namespace {
            links: LinkSet::of(Link::PidForChildren),
            ..Namespace::new(pid_ns(2), Holder::of_link(5, Link::PidForChildren))
        };
        let grouped = group(&processes[..2], &[], KindSet::all(), false);
        assert_eq!(grouped, [member(1, 2, 5, both), held]);
        assert_eq!(group(&processes, &[], KindSet::of(Kind::Net), false), []);
    }

    #[test]
    fn a_namespace_without_processes_is_opened_by_the_holder_that_is_best_for_it() {
        let mount = |path: &str, id| {
            Holder::Mount(Mount {
                within: None,
                path: path.into(),
                id,
            })
        };
        let finds = [
            (pid_ns(3), Holder::Path(Text::default())),
            (pid_ns(3), mount("/b", 31)),
            (pid_ns(3), mount("/a", 30)),
            (pid_ns(3), mount("/a", 32)),
            (pid_ns(1), Holder::Child(pid_ns(3))),
        ];
        let found = Namespace {
            mounts: vec!["/b".into(), "/a".into()],
            ..Namespace::new(pid_ns(3), mount("/a", 30))
        };
        let above = Namespace::new(pid_ns(1), Holder::Child(pid_ns(3)));
        assert_eq!(group(&[], &finds, KindSet::all(), false), [above, found]);
        assert_eq!(group(&[], &finds, KindSet::of(Kind::Net), false), []);
    }
}
