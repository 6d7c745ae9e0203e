//! What can be told of processes whose links may not be read: some files of
//! theirs, which everybody may read, depend on their namespaces.
//!
//! Nothing of that is a number of a namespace, and none is made up.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;

use crate::error::Error;
use crate::model::{
    Fingerprint, Holder, Inference, Kind, KindSet, Link, Namespace, NsId, Pid, Process,
};
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
) -> Vec<Namespace> {
    let mut groups: BTreeMap<(Kind, &Fingerprint), Vec<Pid>> = BTreeMap::new();
    for (pid, fingerprints) in taken {
        for by in fingerprints {
            groups.entry((by.kind(), by)).or_default().push(*pid);
        }
    }
    let namespace = |((kind, by), pids): ((Kind, &Fingerprint), Vec<Pid>)| {
        let pid = *pids.first()?;
        let link = kind.links().iter().find(|link| !link.is_for_children())?;
        Some(Namespace {
            nprocs: pids.len(),
            pid: Some(pid),
            is_closed: true,
            inferred: Some(Inference {
                by: by.clone(),
                like: None,
            }),
            ..Namespace::new(NsId { ino: 0, kind }, Holder::of_link(pid, link))
        })
    };
    groups.into_iter().filter_map(namespace).collect()
}

/// Finds out in which of the inferred namespaces processes are that can be
/// read: one of each namespace is enough.
pub(crate) fn liken(inferred: &mut [Namespace], root: &Sysroot, processes: &[Process]) {
    let mut known: HashMap<Fingerprint, NsId> = HashMap::new();
    for kind in KINDS {
        let of_one = |namespace: &Namespace| {
            let by = namespace.inferred.as_ref().map(|inferred| &inferred.by);
            by.is_some_and(|by| by.kind() == kind && by.is_of_one())
        };
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
    for inferred in inferred.iter_mut().filter_map(|one| one.inferred.as_mut()) {
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
            .map(|group| {
                let by = group.inferred.as_ref().map(|inferred| inferred.by.clone());
                (group.id.ino, group.pid, group.nprocs, by)
            })
            .collect();
        assert_eq!(
            seen,
            [
                (0, Some(5), 2, Some(Fingerprint::NetDev(9))),
                (0, Some(7), 1, Some(Fingerprint::Depth(1))),
                (0, Some(5), 1, Some(Fingerprint::Depth(2))),
            ]
        );
    }
}
