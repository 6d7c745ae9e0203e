//! Mounts of file systems.

use crate::analysis::find::{Found, Match};
use crate::model::Snapshot;

/// Returns the mounts that the scan looked for,
/// [`Scanner::mounts`](crate::Scanner::mounts), in every mount namespace.
pub(super) fn mounts(snapshot: &Snapshot) -> Vec<Match<'_>> {
    let mut matches = Vec::new();
    for namespace in &snapshot.namespaces {
        let facts = namespace.facts.as_deref();
        let mounts = facts.map_or(&[][..], |facts| &facts.mounts);
        matches.extend(
            mounts
                .iter()
                .map(|mount| Match::within(snapshot, namespace, Found::Mount(mount))),
        );
    }
    matches
}
