use std::collections::BTreeMap;

use crate::model::Holder;

/// What leads into each mount namespace, by inode number. A mount in one without
/// processes is reached through these only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entrances(BTreeMap<u64, Vec<Holder>>);

/// The number of holders of one mount namespace to keep. One is enough, unless it
/// goes meanwhile.
const MOST: usize = 16;

impl Entrances {
    pub(super) fn add(&mut self, mount_ns: u64, holder: Holder) {
        let holders = self.0.entry(mount_ns).or_default();
        if holders.len() < MOST && !holders.contains(&holder) {
            holders.push(holder);
        }
    }

    /// Iterates over the mount namespaces.
    pub(super) fn mount_namespaces(&self) -> impl Iterator<Item = u64> {
        self.0.keys().copied()
    }

    /// Returns what leads into a mount namespace.
    pub(crate) fn of(&self, mount_ns: u64) -> &[Holder] {
        self.0.get(&mount_ns).map_or(&[], Vec::as_slice)
    }
}
