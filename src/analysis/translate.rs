//! A process has a PID in its own pid namespace and in every one above it,
//! pid_namespaces(7). The `NSpid` line of `/proc/PID/status` lists them from
//! the pid namespace of the proc tree inwards, without saying which namespace
//! each belongs to; the parents in a snapshot do.

use std::collections::{HashMap, HashSet};

use crate::model::{Kind, NsId, Pid, Snapshot};

/// One of the PIDs of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NestedPid {
    /// The pid namespace it belongs to; `None` if that is unknown.
    pub namespace: Option<NsId>,
    /// The PID.
    pub pid: Pid,
}

/// Pairs the PIDs of a process, outermost first, with their pid namespaces.
///
/// `own` is the pid namespace of the process, `None` if unknown; `nspid` is what
/// [`Scanner::nspids`](crate::Scanner::nspids) returns for it. Requires
/// [`Need::Relations`](crate::Need::Relations).
///
/// ```no_run
/// # fn main() -> Result<(), nsls::Error> {
/// use nsls::{Kind, Need, Scanner, Sysroot, analysis};
///
/// let scanner = Scanner::new(Sysroot::live()).kinds(Kind::Pid).needs(Need::Relations);
/// let snapshot = scanner.scan()?;
/// let own = scanner.links_of(4242)?.own(Kind::Pid);
/// for (_, nspid) in scanner.nspids(&[4242])? {
///     for nested in analysis::nested_pids(&snapshot, own, &nspid) {
///         println!("{} in {:?}", nested.pid, nested.namespace);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn nested_pids(snapshot: &Snapshot, own: Option<NsId>, nspid: &[Pid]) -> Vec<NestedPid> {
    let line = own.map_or_else(Vec::new, |own| line(&parents(snapshot), own));
    // The last PID is the one in the process's own namespace.
    let mut namespaces = line.into_iter();
    let mut nested: Vec<_> = nspid
        .iter()
        .rev()
        .map(|&pid| NestedPid {
            namespace: namespaces.next(),
            pid,
        })
        .collect();
    nested.reverse();
    nested
}

/// Returns the processes that have a PID in a pid namespace: those in it and in
/// the ones below. Requires [`Need::Relations`](crate::Need::Relations).
pub fn visible_in(snapshot: &Snapshot, namespace: NsId) -> Vec<Pid> {
    depths_below(snapshot, namespace)
        .into_iter()
        .map(|(pid, _)| pid)
        .collect()
}

/// Returns the process that has the PID `inner` in a pid namespace, by its PID
/// in the proc tree. Requires [`Need::Relations`](crate::Need::Relations).
///
/// `nspids` is what [`Scanner::nspids`](crate::Scanner::nspids) returns for the
/// processes [`visible_in`] that namespace.
///
/// ```no_run
/// # fn main() -> Result<(), nsls::Error> {
/// use nsls::{Kind, Need, Scanner, Sysroot, analysis};
///
/// let needs = [Need::Relations, Need::Affiliation];
/// let scanner = Scanner::new(Sysroot::live()).kinds(Kind::Pid).needs(needs);
/// let snapshot = scanner.scan()?;
/// let web = analysis::find_container(&snapshot, "web")?;
/// if let Some(namespace) = web.representative.links.own(Kind::Pid) {
///     let nspids = scanner.nspids(&analysis::visible_in(&snapshot, namespace))?;
///     println!("{:?}", analysis::outer_pid(&snapshot, namespace, 25, &nspids));
/// }
/// # Ok(())
/// # }
/// ```
pub fn outer_pid(
    snapshot: &Snapshot,
    namespace: NsId,
    inner: Pid,
    nspids: &[(Pid, Vec<Pid>)],
) -> Option<Pid> {
    let depths: HashMap<Pid, usize> = depths_below(snapshot, namespace).into_iter().collect();
    nspids
        .iter()
        .find(|(pid, nspid)| {
            let place = depths
                .get(pid)
                .and_then(|depth| nspid.len().checked_sub(depth + 1));
            place.and_then(|place| nspid.get(place)) == Some(&inner)
        })
        .map(|(pid, _)| *pid)
}

/// Returns the processes in a pid namespace or below, each with the number of
/// levels it is below.
fn depths_below(snapshot: &Snapshot, namespace: NsId) -> Vec<(Pid, usize)> {
    let parents = parents(snapshot);
    let below: HashMap<NsId, usize> = parents
        .keys()
        .chain([&namespace])
        .filter_map(|&id| {
            let line = line(&parents, id);
            Some((id, line.iter().position(|above| *above == namespace)?))
        })
        .collect();
    snapshot
        .processes
        .iter()
        .filter_map(|process| {
            let own = process.links.own(Kind::Pid)?;
            Some((process.pid, *below.get(&own)?))
        })
        .collect()
}

/// Returns a pid namespace and those above it that are known, innermost first.
fn line(parents: &HashMap<NsId, Option<NsId>>, id: NsId) -> Vec<NsId> {
    let mut line = vec![id];
    let mut seen = HashSet::from([id]);
    while let Some(Some(parent)) = line.last().and_then(|last| parents.get(last)) {
        // A damaged tree may have circles.
        if !seen.insert(*parent) {
            break;
        }
        line.push(*parent);
    }
    line
}

/// Maps each pid namespace to its parent.
fn parents(snapshot: &Snapshot) -> HashMap<NsId, Option<NsId>> {
    snapshot
        .namespaces
        .iter()
        .chain(&snapshot.ancestors)
        .filter(|namespace| namespace.id.kind == Kind::Pid)
        .map(|namespace| (namespace.id, namespace.relations.parent))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holder, Link, Links, Namespace, Process};

    fn id(ino: u64) -> NsId {
        let kind = Kind::Pid;
        NsId { ino, kind }
    }

    /// Namespaces with their parents, and processes with their namespaces.
    fn snapshot(parents: &[(u64, Option<u64>)], processes: &[(Pid, u64)]) -> Snapshot {
        let namespaces = parents.iter().map(|(ino, parent)| {
            let mut namespace = Namespace::new(id(*ino), Holder::of_link(1, Link::Pid));
            namespace.relations.parent = parent.map(id);
            namespace
        });
        let processes = processes.iter().map(|(pid, ino)| {
            let mut links = Links::default();
            links.set(Link::Pid, *ino);
            Process::new(*pid, links)
        });
        Snapshot {
            namespaces: namespaces.collect(),
            processes: processes.collect(),
            ..Snapshot::default()
        }
    }

    fn nested(snapshot: &Snapshot, own: u64, nspid: &[Pid]) -> Vec<(Option<u64>, Pid)> {
        nested_pids(snapshot, Some(id(own)), nspid)
            .into_iter()
            .map(|one| (one.namespace.map(|id| id.ino), one.pid))
            .collect()
    }

    #[test]
    fn each_pid_gets_its_namespace_from_the_innermost_on() {
        let snapshot = snapshot(&[(1, None), (2, Some(1))], &[]);
        assert_eq!(
            nested(&snapshot, 2, &[9454, 11]),
            [(Some(1), 9454), (Some(2), 11)]
        );
        // A proc tree of the inner namespace shows the inner PID alone.
        assert_eq!(nested(&snapshot, 2, &[11]), [(Some(2), 11)]);
        // Of a namespace that is not in the snapshot no parent is known.
        assert_eq!(
            nested(&snapshot, 9, &[9454, 11]),
            [(None, 9454), (Some(9), 11)]
        );
        assert_eq!(
            nested_pids(&snapshot, None, &[7]),
            [NestedPid {
                namespace: None,
                pid: 7
            }]
        );
    }

    #[test]
    fn parents_in_a_circle_are_followed_once() {
        let snapshot = snapshot(&[(3, Some(4)), (4, Some(3))], &[(7, 3)]);
        assert_eq!(
            nested(&snapshot, 3, &[1, 2, 3]),
            [(None, 1), (Some(4), 2), (Some(3), 3)]
        );
        assert_eq!(visible_in(&snapshot, id(4)), [7]);
    }

    #[test]
    fn an_inner_pid_is_found_in_its_namespace_and_seen_from_those_above() {
        let snapshot = snapshot(
            &[(1, None), (2, Some(1)), (3, Some(2)), (4, Some(1))],
            &[(1, 1), (20, 2), (30, 3), (40, 4)],
        );
        assert_eq!(visible_in(&snapshot, id(2)), [20, 30]);
        assert_eq!(visible_in(&snapshot, id(9)), [0; 0]);
        let nspids = [
            (1, vec![1]),
            (20, vec![20, 1]),
            (30, vec![30, 2, 1]),
            (40, vec![40, 2]),
        ];
        let outer = |ns, inner| outer_pid(&snapshot, id(ns), inner, &nspids);
        assert_eq!(outer(2, 1), Some(20));
        assert_eq!(outer(2, 2), Some(30));
        assert_eq!(outer(3, 1), Some(30));
        assert_eq!(outer(4, 2), Some(40));
        assert_eq!(outer(1, 40), Some(40));
        assert_eq!(outer(2, 3), None);
        // Too few PIDs for the depth: the process moved, or the tree is damaged.
        assert_eq!(outer_pid(&snapshot, id(2), 30, &[(30, vec![30])]), None);
    }
}
