use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Gap, Inferred, Namespace, NsId, OpenFile, Pid, Process, Sources};

/// Everything a scan found, and what it could not see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The namespaces that were requested, by number.
    pub namespaces: Vec<Namespace>,
    /// Namespaces that were not requested but lie above those that were, as
    /// parents and owners; requires [`Need::Relations`](crate::Need::Relations).
    /// With [`Need::Holders`](crate::Need::Holders) and
    /// [`Target::Namespace`](crate::Target::Namespace), also those that hold the
    /// requested one, directly or through each other. By number.
    pub ancestors: Vec<Namespace>,
    /// Groups of processes with unreadable links; requires
    /// [`Need::Inference`](crate::Need::Inference).
    pub inferred: Vec<Inferred>,
    /// Every process with at least one readable link, by PID; with
    /// [`Need::Inference`](crate::Need::Inference), also the others.
    pub processes: Vec<Process>,
    /// The parents of the processes that are shown, and of all their ancestors;
    /// requires [`Need::Ancestry`](crate::Need::Ancestry).
    pub parents: BTreeMap<Pid, Pid>,
    /// The open files that each socket in
    /// [`Facts::sockets`](crate::Facts::sockets) is, by its inode number;
    /// requires [`Need::SocketFiles`](crate::Need::SocketFiles).
    pub socket_files: BTreeMap<u64, Vec<OpenFile>>,
    /// The sources that were read.
    pub sources: Sources,
    /// What is missing, by source and cause.
    pub gaps: Vec<Gap>,
}

impl Snapshot {
    /// Returns whether nothing that was requested is hidden.
    pub fn is_complete(&self) -> bool {
        !self.gaps.iter().any(|gap| gap.cause.hides())
    }

    /// Returns the gaps that hide something.
    pub(crate) fn hiding_gaps(&self) -> Vec<Gap> {
        let hides = |gap: &&Gap| gap.cause.hides();
        self.gaps.iter().filter(hides).cloned().collect()
    }

    /// Adds what a later look missed.
    pub(crate) fn add_gap(&mut self, gap: Gap) {
        let is_same = |known: &&mut Gap| (known.source, known.cause) == (gap.source, gap.cause);
        match self.gaps.iter_mut().find(is_same) {
            Some(known) => {
                let count = known.count.zip(gap.count);
                known.count = count.map(|(known, more)| known + more);
                known.links = known.links.union(gap.links);
            }
            None => self.gaps.push(gap),
        }
    }

    /// Returns one of the requested namespaces.
    pub fn namespace(&self, id: NsId) -> Option<&Namespace> {
        let place = self
            .namespaces
            .binary_search_by_key(&id, |namespace| namespace.id)
            .ok()?;
        self.namespaces.get(place)
    }

    /// Returns one process.
    pub fn process(&self, pid: Pid) -> Option<&Process> {
        let place = self
            .processes
            .binary_search_by_key(&pid, |process| process.pid)
            .ok()?;
        self.processes.get(place)
    }

    /// Returns the representative of a namespace.
    pub fn representative(&self, namespace: &Namespace) -> Option<&Process> {
        self.process(namespace.pid?)
    }

    /// Returns the open files that a socket is, by process; requires
    /// [`Need::SocketFiles`](crate::Need::SocketFiles). Empty for a socket that no
    /// process has open, or none whose files can be read.
    pub fn socket_files(&self, ino: u64) -> &[OpenFile] {
        self.socket_files.get(&ino).map_or(&[], Vec::as_slice)
    }

    /// Iterates over the processes in a namespace, by PID.
    pub fn members(&self, id: NsId) -> impl Iterator<Item = &Process> {
        self.processes
            .iter()
            .filter(move |process| process.links.is_in(id))
    }
}
