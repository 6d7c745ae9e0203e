//! Groups processes with unreadable links by files that anyone may read and
//! that depend on their namespaces.
//!
//! Nothing in them is the number of a namespace, and none is made up.

use std::collections::{BTreeMap, HashMap};

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Fingerprint, Inferred, Kind, KindSet, Link, NsId, Pid};
use crate::proc::{ProcessDir, ReadError};
use crate::scan::context::Context;
use crate::scan::groups::Groups;

/// The types of namespaces that have fingerprints.
const KINDS: [Kind; 5] = [Kind::Mnt, Kind::Net, Kind::User, Kind::Pid, Kind::Time];

/// The fingerprints of processes.
pub(crate) type Fingerprints = Vec<(Pid, Vec<Fingerprint>)>;

/// Reads the fingerprints of processes, without those that are unreadable, too.
pub(crate) fn take_fingerprints<K: Kernel>(
    context: &Context<K>,
    pids: &[Pid],
    kinds: KindSet,
) -> Result<Fingerprints, Error> {
    let taken = context.map("processes", pids.to_vec(), move |context, pid| {
        let Ok(process) = ProcessDir::open(&context.root, *pid) else {
            return Ok(Vec::new());
        };
        Ok(KINDS
            .into_iter()
            .filter(|kind| kinds.contains(*kind))
            .filter_map(|kind| fingerprint(&process, kind).ok())
            .collect())
    })?;
    let taken = taken.into_iter().map(Option::unwrap_or_default);
    Ok(pids.iter().copied().zip(taken).collect())
}

fn fingerprint(process: &ProcessDir<'_>, kind: Kind) -> Result<Fingerprint, ReadError> {
    match kind {
        Kind::Mnt => process.first_mount().map(Fingerprint::FirstMount),
        Kind::Net => process.inode("net/dev").map(Fingerprint::NetDev),
        Kind::User => process.uid_map().map(Fingerprint::UidMap),
        Kind::Pid => Ok(Fingerprint::Depth(process.nspid()?.len())),
        Kind::Time => process.timens_offsets().map(Fingerprint::Offsets),
        Kind::Ipc | Kind::Uts | Kind::Cgroup => Err(ReadError::Gone),
    }
}

/// Groups the processes that still exist by what they have in common.
pub(crate) fn group(taken: &Fingerprints, groups: &Groups) -> Vec<Inferred> {
    let mut by_fingerprint: BTreeMap<(Kind, &Fingerprint), (Pid, usize)> = BTreeMap::new();
    for (pid, fingerprints) in taken {
        if groups.process(*pid).is_none() {
            continue;
        }
        for by in fingerprints {
            let (_, nprocs) = by_fingerprint.entry((by.kind(), by)).or_insert((*pid, 0));
            *nprocs += 1;
        }
    }
    by_fingerprint
        .into_iter()
        .map(|((_, by), (pid, nprocs))| Inferred {
            by: by.clone(),
            like: None,
            nprocs,
            pid,
        })
        .collect()
}

/// Finds the namespaces that inferred groups are in, by one readable process in
/// each namespace.
pub(crate) fn liken<K: Kernel>(
    context: &Context<K>,
    inferred: &mut [Inferred],
    groups: &Groups,
) -> Result<(), Error> {
    let mut known: HashMap<Fingerprint, NsId> = HashMap::new();
    for kind in KINDS {
        let is_sought = |group: &Inferred| group.kind() == kind && group.by.is_of_one();
        if !inferred.iter().any(is_sought) {
            continue;
        }
        let all: Vec<(NsId, Pid)> = representatives(groups, kind).into_iter().collect();
        let taken = context.map("namespaces", all.clone(), move |context, (_, pid)| {
            let process = ProcessDir::open(&context.root, *pid);
            Ok(process.and_then(|process| fingerprint(&process, kind)).ok())
        })?;
        for ((id, _), by) in all.into_iter().zip(taken) {
            if let Some(by) = by.flatten() {
                known.entry(by).or_insert(id);
            }
        }
    }
    for group in inferred {
        if group.by.is_of_one() {
            group.like = known.get(&group.by).copied();
        }
    }
    Ok(())
}

/// Returns the first process in each namespace of a type, whether or not
/// namespaces of that type are requested.
fn representatives(groups: &Groups, kind: Kind) -> BTreeMap<NsId, Pid> {
    let mut found = BTreeMap::new();
    let link = kind.links().iter().find(|link| !link.is_for_children());
    for process in groups.processes() {
        if let Some(ino) = link.and_then(|link: Link| process.links.ino(link)) {
            found.entry(NsId { ino, kind }).or_insert(process.pid);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Links, Process};

    #[test]
    fn processes_with_something_in_common_are_one_group_without_a_number() {
        let mut groups = Groups::new(KindSet::all());
        groups.add(
            [5, 7, 9]
                .map(|pid| Process::new(pid, Links::default()))
                .into(),
        );
        groups.remove(9);
        let taken = vec![
            (5, vec![Fingerprint::NetDev(9), Fingerprint::Depth(2)]),
            (7, vec![Fingerprint::NetDev(9), Fingerprint::Depth(1)]),
            (8, vec![Fingerprint::NetDev(9)]),
            (9, vec![Fingerprint::NetDev(9)]),
        ];
        let inferred = |by, pid, nprocs| Inferred {
            by,
            like: None,
            nprocs,
            pid,
        };
        assert_eq!(
            group(&taken, &groups),
            [
                inferred(Fingerprint::NetDev(9), 5, 2),
                inferred(Fingerprint::Depth(1), 7, 1),
                inferred(Fingerprint::Depth(2), 5, 1),
            ]
        );
    }
}
