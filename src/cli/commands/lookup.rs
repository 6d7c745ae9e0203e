use std::collections::{BTreeMap, HashSet};

use crate::error::Error;
use crate::model::{Affiliation, Container, Process, Snapshot};

/// The containers of a snapshot: where they belong, and their processes by pid.
pub(super) fn containers(
    snapshot: &Snapshot,
) -> BTreeMap<&Container, (&Affiliation, Vec<&Process>)> {
    let mut found: BTreeMap<&Container, (&Affiliation, Vec<&Process>)> = BTreeMap::new();
    for process in &snapshot.processes {
        let affiliation = process.affiliation.as_deref();
        let container = affiliation.and_then(|one| one.container.as_ref());
        if let (Some(affiliation), Some(container)) = (affiliation, container) {
            let entry = found.entry(container);
            let (_, processes) = entry.or_insert_with(|| (affiliation, Vec::new()));
            processes.push(process);
        }
    }
    found
}

/// The container that a word means: by its name or id in full, or else the only
/// one whose id begins so.
///
/// # Errors
///
/// There is none, or there are several.
pub(crate) fn find_container(snapshot: &Snapshot, word: &str) -> Result<Container, Error> {
    let all = containers(snapshot);
    let called: Vec<_> = all.keys().filter(|one| one.is_called(word)).collect();
    let mut meant: Vec<_> = if called.is_empty() {
        all.keys().filter(|one| one.has_prefix(word)).collect()
    } else {
        called
    };
    // A user may give a cgroup of theirs the ID of any container.
    let system: HashSet<&str> = meant
        .iter()
        .filter(|one| one.uid.is_none())
        .map(|one| &*one.id)
        .collect();
    meant.retain(|one| one.uid.is_none() || !system.contains(&*one.id));
    match &meant[..] {
        [container] => Ok((**container).clone()),
        [] => Err(Error::NoContainer {
            name: word.to_owned(),
            gaps: snapshot.hiding_gaps(),
        }),
        several => Err(Error::AmbiguousContainer {
            name: word.to_owned(),
            candidates: several.iter().map(|one| (**one).clone()).collect(),
        }),
    }
}
