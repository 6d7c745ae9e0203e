//! Namespaces over time.
//!
//! A [`Watcher`] holds what is known: the tasks, the namespaces they are in, and
//! which namespaces exist. Records of tasks ([`crate::kernel::Perf`]) change it at
//! once; a scan is the ground it begins with, and what it is compared with later.
//! Both together become [`Event`]s. It does no I/O: a [`Probe`] answers what only
//! the system knows, and tests answer it themselves.
//!
//! The number of a namespace is given to the next as soon as it is free, so that a
//! number alone proves nothing. The unique ID does (Linux 6.18): it is read while
//! a task in the namespace exists, and later tells whether that namespace does. An
//! event that follows from what is known, but was not seen, says so.

mod apply;
mod event;
mod live;
mod merge;
mod probe;
mod settle;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::kernel::Comm;
use crate::model::{Kind, Links, NsId, Pid, Tid};

pub(crate) use event::{Event, Happening, Means, Notice, Who};
pub(crate) use live::Live;
pub(crate) use probe::{Examined, Probe};

/// What is known of a task: a process by its first thread, or a thread that is in
/// other namespaces than its process.
#[derive(Clone, Debug)]
struct Task {
    pid: Pid,
    links: Links,
    comm: Option<Comm>,
    /// Whether it counts as being in its namespaces. One that was made does as
    /// soon as the record of its namespaces follows.
    is_in: bool,
    /// The time of the last record about it, or of the scan that found it.
    touched: u64,
}

/// What is known of a namespace.
#[derive(Clone, Debug, Default)]
struct Space {
    unique_id: Option<u64>,
    /// When it appeared; `None` if it was there before.
    since: Option<u64>,
    /// The number of tasks that are known to be in it.
    members: usize,
    /// When the last one left, and which it was, if there was one.
    vacated: Option<(u64, Pid)>,
    /// Whether it is known to be kept by something else.
    is_kept: bool,
    /// When the last scan began that found it.
    confirmed: u64,
    /// When the first record or scan showed it.
    seen: u64,
}

/// What is known, and what is yet to be said.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    tasks: HashMap<Tid, Task>,
    spaces: HashMap<NsId, Space>,
    /// Those of them that no task is in.
    vacant: BTreeSet<NsId>,
    /// Namespaces whose unique ID is to be read, with a task in them.
    fresh: Vec<(Tid, NsId)>,
    /// Namespaces whose unique ID was just read, through a task or a mount.
    identified: Vec<(Option<Tid>, NsId)>,
    /// Processes whose links are to be read.
    unread: BTreeSet<Pid>,
    /// Tasks that ended, and namespaces that did, since a scan began.
    ended: Option<Ended>,
    pending: Vec<Event>,
    /// Records lost since the last scan began, and before.
    lost: u64,
    repairing: u64,
    has_ground: bool,
    wants_scan: bool,
    has_changed: bool,
}

/// What ended while a scan ran, which it may have seen.
#[derive(Debug, Default)]
struct Ended {
    tasks: HashSet<Tid>,
    spaces: HashSet<NsId>,
}

/// How long it takes until a namespace that only a zombie or a grace period keeps
/// counts as kept, in nanoseconds.
const GRACE: u64 = 150_000_000;

impl Watcher {
    /// Returns the number of namespaces of each type that are known to exist.
    pub(crate) fn counts(&self) -> HashMap<Kind, usize> {
        let mut counts = HashMap::new();
        for id in self.spaces.keys() {
            *counts.entry(id.kind).or_insert(0) += 1;
        }
        counts
    }

    /// Returns the number of namespaces that no task is known to be in.
    pub(crate) fn vacant(&self) -> usize {
        self.vacant.len()
    }

    /// Returns the number of tasks that are known to be in a namespace.
    pub(crate) fn members(&self, id: NsId) -> usize {
        self.spaces.get(&id).map_or(0, |space| space.members)
    }

    /// Returns whether only a scan can tell what became of something.
    pub(crate) fn wants_scan(&self) -> bool {
        self.wants_scan || self.lost > 0
    }

    /// Returns whether something is still to be said that takes a later look.
    pub(crate) fn is_waiting(&self) -> bool {
        let waits = |id| self.spaces.get(id).is_some_and(|space| !space.is_kept);
        self.vacant.iter().any(waits)
    }

    /// Returns whether anything has happened since this was last asked.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// Counts records that were lost.
    pub(crate) fn lose(&mut self, records: u64) {
        self.lost = self.lost.saturating_add(records);
    }

    /// Puts one more task into a namespace that is known.
    fn join(&mut self, id: NsId) {
        if let Some(space) = self.spaces.get_mut(&id) {
            space.members += 1;
            space.vacated = None;
            space.is_kept = false;
            self.vacant.remove(&id);
        }
    }

    /// Takes a task out of a namespace.
    fn leave(&mut self, id: NsId, pid: Pid, time: u64) {
        let Some(space) = self.spaces.get_mut(&id) else {
            return;
        };
        space.members = space.members.saturating_sub(1);
        if space.members == 0 {
            space.vacated = Some((time, pid));
            self.vacant.insert(id);
        }
    }

    /// Forgets a task, and takes it out of its namespaces.
    fn forget(&mut self, tid: Tid, time: u64) {
        let Some(task) = self.tasks.remove(&tid) else {
            return;
        };
        if task.is_in {
            for id in own(&task.links) {
                self.leave(id, task.pid, time);
            }
        }
    }

    /// Adds a namespace that appeared.
    fn appear(&mut self, event: Event) {
        let space = Space {
            unique_id: event.unique_id,
            since: Some(event.time),
            seen: event.time,
            ..Space::default()
        };
        self.spaces.insert(event.id, space);
        self.vacant.insert(event.id);
        self.say(event);
    }

    /// Removes a namespace that ended.
    fn end(&mut self, id: NsId, time: u64, means: Means, is_certain: bool) {
        self.vacant.remove(&id);
        let Some(space) = self.spaces.remove(&id) else {
            return;
        };
        if let Some(ended) = &mut self.ended {
            ended.spaces.insert(id);
        }
        self.say(Event {
            time,
            what: Happening::Ended,
            id,
            unique_id: space.unique_id,
            means,
            who: None,
            lived: space.since.map(|since| time.saturating_sub(since)),
            is_certain,
        });
    }

    fn say(&mut self, event: Event) {
        self.has_changed = true;
        self.pending.push(event);
    }
}

/// Returns the namespaces that a task with these links is in.
fn own(links: &Links) -> Vec<NsId> {
    let own = links.iter().filter(|(link, _)| !link.is_for_children());
    own.map(|(_, id)| id).collect()
}
