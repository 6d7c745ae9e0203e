use std::sync::Arc;

use crate::model::{Facts, Holder, Link, NsId, Pid, Relations};

/// One namespace, and what leads to it.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: NsId,
    /// The processes in it, by PID.
    pub(super) members: Vec<Pid>,
    /// The processes that hold it for their children, by PID.
    pub(super) for_children: Vec<Pid>,
    /// How often it lost its last process.
    pub(super) losses: usize,
    /// What else leads to it.
    pub(super) finds: Vec<Holder>,
    /// The number that the kernel never reuses, if it is known without opening
    /// the namespace.
    pub(crate) unique_id: Option<u64>,
    /// Whether the kernel has been asked about it as it is now.
    pub(super) is_asked: bool,
    /// What the kernel said.
    pub(super) answer: Option<Answer>,
}

/// What came of asking the kernel about a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) relations: Relations,
    /// What is inside it.
    pub(crate) facts: Option<Arc<Facts>>,
    /// The holder through which it was opened; `None` if it was reached from
    /// another namespace, or could not be opened.
    pub(crate) via: Option<Holder>,
    /// Whether nothing could open it.
    pub(crate) is_closed: bool,
}

impl Group {
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Records what the kernel said. A namespace that can no longer be opened
    /// keeps what was said about it before.
    pub(crate) fn set_answer(&mut self, answer: Answer) {
        self.is_asked = true;
        self.answer = match self.answer.take() {
            Some(before) if answer.is_closed => Some(Answer {
                via: None,
                is_closed: true,
                ..before
            }),
            _ => Some(answer),
        };
    }

    /// Returns what is inside it.
    pub(crate) fn facts(&self) -> Option<&Facts> {
        self.answer.as_ref()?.facts.as_deref()
    }

    /// Returns its owner and parent, as far as they are known.
    pub(crate) fn relatives(&self) -> impl Iterator<Item = NsId> {
        let relations = self.answer.as_ref().map(|answer| &answer.relations);
        relations
            .into_iter()
            .flat_map(|relations| relations.owner.into_iter().chain(relations.parent))
    }

    /// Returns the representative, the process with the lowest PID in it.
    pub(crate) fn representative(&self) -> Option<Pid> {
        self.members.first().copied()
    }

    /// Returns the processes in it, by PID.
    pub(crate) fn members(&self) -> &[Pid] {
        &self.members
    }

    /// Returns the first process that holds it for its children.
    pub(crate) fn first_for_children(&self) -> Option<Pid> {
        self.for_children.first().copied()
    }

    /// Iterates over the namespaces that hold it, or in which it is held.
    pub(crate) fn held_by(&self) -> impl Iterator<Item = NsId> {
        self.finds.iter().filter_map(Holder::namespace)
    }

    pub(super) fn pids(&self, link: Link) -> &[Pid] {
        if link.is_for_children() {
            &self.for_children
        } else {
            &self.members
        }
    }

    pub(super) fn add(&mut self, pid: Pid, link: Link) {
        let pids = self.pids_mut(link);
        // Processes mostly come in the order of their PIDs.
        if pids.last().is_none_or(|last| *last < pid) {
            pids.push(pid);
        } else if let Err(place) = pids.binary_search(&pid) {
            pids.insert(place, pid);
        }
    }

    pub(super) fn remove(&mut self, pid: Pid, link: Link) {
        let pids = self.pids_mut(link);
        if let Ok(place) = pids.binary_search(&pid) {
            pids.remove(place);
        }
        if self.members.is_empty() {
            // More is asked about a namespace without processes.
            self.is_asked = false;
        }
    }

    fn pids_mut(&mut self, link: Link) -> &mut Vec<Pid> {
        if link.is_for_children() {
            &mut self.for_children
        } else {
            &mut self.members
        }
    }
}
