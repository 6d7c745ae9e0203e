//! What can be told of processes whose links may not be read: some files of
//! theirs, which everybody may read, depend on their namespaces.
//!
//! Nothing of that is a number of a namespace, and none is made up.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;

use crate::error::Error;
use crate::model::{Fingerprint, Inferred, Kind, KindSet, Link, NsId, Pid, Process};
use crate::proc::{ProcessDir, ReadError, Sysroot};
use crate::scan::parallel::walk;

/// The types of which there is a fingerprint.
const KINDS: [Kind; 5] = [Kind::Mnt, Kind::Net, Kind::User, Kind::Pid, Kind::Time];

/// Reads the fingerprints of processes. What may not be read either is left
/// out.
pub(crate) fn take_fingerprints(
    root: &Sysroot,
    pids: &[Pid],
    kinds: KindSet,
    threads: NonZeroUsize,
) -> Result<Vec<(Pid, Vec<Fingerprint>)>, Error> {
    let taken = walk(pids, threads, |pid| Ok(fingerprints(root, *pid, kinds)))?;
    Ok(pids.iter().copied().zip(taken).collect())
}

fn fingerprints(root: &Sysroot, pid: Pid, kinds: KindSet) -> Vec<Fingerprint> {
    let Ok(process) = ProcessDir::open(root, pid) else {
        return Vec::new();
    };
    let wanted = KINDS.into_iter().filter(|kind| kinds.contains(*kind));
    let taken = wanted.map(|kind| fingerprint(&process, kind));
    taken.filter_map(Result::ok).collect()
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

/// Groups processes by what they have in common.
pub(crate) fn group_fingerprints<'a>(
    taken: impl Iterator<Item = &'a (Pid, Vec<Fingerprint>)>,
) -> Vec<Inferred> {
    let mut groups: BTreeMap<(Kind, &Fingerprint), Vec<Pid>> = BTreeMap::new();
    for (pid, fingerprints) in taken {
        for by in fingerprints {
            groups.entry((by.kind(), by)).or_default().push(*pid);
        }
    }
    let group = |((_, by), pids): ((Kind, &Fingerprint), Vec<Pid>)| {
        Some(Inferred {
            by: by.clone(),
            like: None,
            nprocs: pids.len(),
            pid: *pids.first()?,
        })
    };
    groups.into_iter().filter_map(group).collect()
}

/// Finds out in which of the inferred namespaces processes are that can be
/// read: one of each namespace is enough.
pub(crate) fn liken(inferred: &mut [Inferred], root: &Sysroot, processes: &[Process]) {
    let mut known: HashMap<Fingerprint, NsId> = HashMap::new();
    for kind in KINDS {
        let of_one = |inferred: &Inferred| inferred.kind() == kind && inferred.by.is_of_one();
        let link = kind.links().iter().find(|link| !link.is_for_children());
        let (true, Some(link)) = (inferred.iter().any(of_one), link) else {
            continue;
        };
        for (id, pid) in representatives(processes, link) {
            let process = ProcessDir::open(root, pid);
            if let Ok(by) = process.and_then(|process| fingerprint(&process, kind)) {
                known.entry(by).or_insert(id);
            }
        }
    }
    for inferred in inferred {
        inferred.like = known
            .get(&inferred.by)
            .copied()
            .filter(|_| inferred.by.is_of_one());
    }
}

/// The first process in each namespace of a type.
fn representatives(processes: &[Process], link: Link) -> BTreeMap<NsId, Pid> {
    let mut found = BTreeMap::new();
    for process in processes {
        if let Some(ino) = process.links.ino(link) {
            let kind = link.kind();
            found.entry(NsId { ino, kind }).or_insert(process.pid);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_have_something_in_common_are_one_group_and_its_number_is_not_known() {
        let taken = [
            (5, vec![Fingerprint::NetDev(9), Fingerprint::Depth(2)]),
            (7, vec![Fingerprint::NetDev(9), Fingerprint::Depth(1)]),
            (8, vec![]),
        ];
        let groups = group_fingerprints(taken.iter());
        let seen: Vec<_> = groups
            .iter()
            .map(|group| (group.pid, group.nprocs, group.by.clone()))
            .collect();
        assert_eq!(
            seen,
            [
                (5, 2, Fingerprint::NetDev(9)),
                (7, 1, Fingerprint::Depth(1)),
                (5, 1, Fingerprint::Depth(2)),
            ]
        );
    }
}
