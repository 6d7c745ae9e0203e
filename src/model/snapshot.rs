use std::collections::BTreeMap;

use crate::model::{Gap, Namespace, NsId, Pid, Process, Sources};

/// Everything that one scan found, and what it could not find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The namespaces that were asked for, by number.
    pub namespaces: Vec<Namespace>,
    /// Parents and owners of those, up to the top, that were not asked for
    /// themselves; only with [`Need::Relations`](crate::Need::Relations). By
    /// number.
    pub ancestors: Vec<Namespace>,
    /// What processes whose links may not be read have in common, as if it
    /// were namespaces; only with [`Need::Inference`](crate::Need::Inference).
    pub inferred: Vec<Namespace>,
    /// Every process with at least one link that was read, by pid; with
    /// [`Need::Inference`](crate::Need::Inference) also those that refuse.
    pub processes: Vec<Process>,
    /// The parent of each process that is shown, and of each of its ancestors;
    /// only with [`Need::Ancestry`](crate::Need::Ancestry).
    pub parents: BTreeMap<Pid, Pid>,
    /// Where was looked.
    pub sources: Sources,
    /// What is missing, by source and cause.
    pub gaps: Vec<Gap>,
}

impl Snapshot {
    /// Whether nothing that was asked for is hidden from this view.
    pub fn is_complete(&self) -> bool {
        !self.gaps.iter().any(|gap| gap.cause.hides())
    }

    /// One namespace of the list.
    pub fn namespace(&self, id: NsId) -> Option<&Namespace> {
        let place = self
            .namespaces
            .binary_search_by_key(&id, |namespace| namespace.id)
            .ok()?;
        self.namespaces.get(place)
    }

    /// One process of the scan.
    pub fn process(&self, pid: Pid) -> Option<&Process> {
        let place = self
            .processes
            .binary_search_by_key(&pid, |process| process.pid)
            .ok()?;
        self.processes.get(place)
    }

    /// The processes in a namespace, by pid.
    pub fn members(&self, id: NsId) -> impl Iterator<Item = &Process> {
        self.processes
            .iter()
            .filter(move |process| process.links.is_in(id))
    }
}
