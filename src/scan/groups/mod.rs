//! Processes grouped by namespace, changed in place while the scan goes on.
//!
//! Grouping is one hash map and compares no process with another, so its cost
//! grows in a straight line. A process that ends is taken out of its groups; a
//! namespace that nothing leads to any more is not part of the result.

mod entrances;
mod group;

use std::collections::{HashMap, HashSet};

use crate::model::{
    Holder, Kind, KindSet, Link, Links, Member, Namespace, NsId, Pid, Process, Tid,
};

pub(crate) use entrances::Entrances;
pub(crate) use group::{Answer, Group};

/// A namespace, and something that leads to it.
pub(crate) type Find = (NsId, Holder);

/// All processes, and the namespaces that they and others lead to.
#[derive(Clone, Default)]
pub(crate) struct Groups {
    /// The types of namespaces that are grouped.
    kinds: KindSet,
    /// By PID, those that ended included.
    processes: Vec<Process>,
    /// The processes that ended.
    gone: HashSet<Pid>,
    /// Whether anything that led to a namespace was ever lost.
    has_lost: bool,
    /// What was lost since this was last asked for: the processes that still
    /// exist and lost something.
    losses: Option<HashSet<Pid>>,
    groups: Vec<Group>,
    places: HashMap<NsId, usize>,
    /// What leads to mount namespaces besides links of processes, even if they
    /// are not grouped.
    entrances: Entrances,
}

impl Groups {
    /// Makes groups for namespaces of these types, without any process.
    pub(crate) fn new(kinds: KindSet) -> Self {
        Groups {
            kinds,
            processes: Vec::new(),
            gone: HashSet::new(),
            has_lost: false,
            losses: None,
            groups: Vec::new(),
            places: HashMap::new(),
            entrances: Entrances::default(),
        }
    }

    /// Adds processes, in any order; none may be known already.
    pub(crate) fn add(&mut self, processes: Vec<Process>) {
        // Most processes are where the one before them was, so the map is
        // looked into only when a link leads elsewhere.
        let mut last: [Option<(NsId, usize)>; Link::ALL.len()] = [None; Link::ALL.len()];
        for process in &processes {
            self.gone.remove(&process.pid);
            for (link, id) in process.links.iter() {
                if !self.kinds.contains(id.kind) {
                    continue;
                }
                let slot = last.get(link.index()).copied().flatten();
                let place = match slot {
                    Some((known, place)) if known == id => place,
                    _ => self.place(id),
                };
                if let Some(slot) = last.get_mut(link.index()) {
                    *slot = Some((id, place));
                }
                if let Some(group) = self.groups.get_mut(place) {
                    group.add(process.pid, link);
                }
            }
        }
        let is_first = self.processes.is_empty();
        self.processes.extend(processes);
        if !is_first {
            // A PID that was reused replaces the process that had it before.
            self.processes.reverse();
            self.processes.sort_by_key(|process| process.pid);
            self.processes.dedup_by_key(|process| process.pid);
        } else {
            self.processes.sort_unstable_by_key(|process| process.pid);
        }
    }

    /// Adds something else that leads to a namespace. Returns whether the
    /// namespace is new.
    pub(crate) fn insert(&mut self, (id, holder): Find) -> bool {
        if id.kind == Kind::Mnt {
            self.entrances.add(id.ino, holder.clone());
        }
        if !self.kinds.contains(id.kind) {
            return false;
        }
        let known = self.groups.len();
        let place = self.place(id);
        if let Some(group) = self.groups.get_mut(place) {
            group.finds.push(holder);
        }
        place == known
    }

    fn place(&mut self, id: NsId) -> usize {
        *self.places.entry(id).or_insert_with(|| {
            self.groups.push(Group {
                id,
                members: Vec::new(),
                for_children: Vec::new(),
                finds: Vec::new(),
                unique_id: None,
                losses: 0,
                is_asked: false,
                answer: None,
            });
            self.groups.len() - 1
        })
    }

    /// Removes a process that ended, with everything it held. Namespaces that
    /// lose their last process are to be asked again.
    pub(crate) fn remove(&mut self, pid: Pid) {
        self.unlink(pid);
        self.gone.insert(pid);
    }

    /// Replaces the links of a process that moved.
    pub(crate) fn relink(&mut self, pid: Pid, links: Links, thread: Option<Tid>) {
        self.unlink(pid);
        let ids: Vec<_> = links.iter().collect();
        if let Some(process) = self.process_mut(pid) {
            process.links = links;
            process.thread = thread;
        }
        for (link, id) in ids {
            if self.kinds.contains(id.kind) {
                let place = self.place(id);
                if let Some(group) = self.groups.get_mut(place) {
                    group.add(pid, link);
                }
            }
        }
    }

    fn unlink(&mut self, pid: Pid) {
        self.note_loss(None);
        let Some(process) = self.process(pid) else {
            return;
        };
        for (link, id) in process.links.clone().iter() {
            if let Some(group) = self.get_mut(id) {
                group.remove(pid, link);
                group.losses += usize::from(group.members.is_empty());
            }
        }
    }

    /// Returns whether a namespace has lost its last process this often, was found
    /// again each time but the last, and is held by nothing now.
    pub(crate) fn have_lost(&self, losses: usize) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.losses >= losses && self.holders(group).next().is_none())
    }

    fn note_loss(&mut self, pid: Option<Pid>) {
        self.has_lost = true;
        self.losses.get_or_insert_default().extend(pid);
    }

    /// Returns the processes that lost something since the last call and still
    /// exist, by PID; `None` if nothing was lost.
    pub(crate) fn take_losses(&mut self) -> Option<Vec<Pid>> {
        let losses = self.losses.take()?;
        let mut pids: Vec<Pid> = losses
            .into_iter()
            .filter(|pid| self.process(*pid).is_some())
            .collect();
        pids.sort_unstable();
        Some(pids)
    }

    /// Returns what leads into mount namespaces, links of processes included.
    pub(crate) fn entrances(&self) -> Entrances {
        let mut entrances = self.entrances.clone();
        for process in self.processes() {
            if let Some(ino) = process.links.ino(Link::Mnt) {
                entrances.add(ino, process.holder(Link::Mnt));
            }
        }
        entrances
    }

    /// Returns the mount namespaces that something else than a process leads to.
    pub(crate) fn entered_otherwise(&self) -> impl Iterator<Item = u64> {
        self.entrances.mount_namespaces()
    }

    /// Removes a holder that no longer leads to a namespace.
    pub(crate) fn forget(&mut self, id: NsId, holder: &Holder) {
        self.note_loss(holder.pid());
        if let Some(group) = self.get_mut(id) {
            group.finds.retain(|known| known != holder);
        }
    }

    /// Returns a process that is still there.
    pub(crate) fn process(&self, pid: Pid) -> Option<&Process> {
        let place = self.position(pid)?;
        self.processes.get(place)
    }

    pub(crate) fn process_mut(&mut self, pid: Pid) -> Option<&mut Process> {
        let place = self.position(pid)?;
        self.processes.get_mut(place)
    }

    fn position(&self, pid: Pid) -> Option<usize> {
        if self.gone.contains(&pid) {
            return None;
        }
        self.processes
            .binary_search_by_key(&pid, |process| process.pid)
            .ok()
    }

    /// Returns whether a process was removed.
    pub(crate) fn is_gone(&self, pid: Pid) -> bool {
        self.gone.contains(&pid)
    }

    /// Iterates over the processes that are still there, by PID.
    pub(crate) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes
            .iter()
            .filter(|process| !self.gone.contains(&process.pid))
    }

    pub(crate) fn get(&self, id: NsId) -> Option<&Group> {
        self.groups.get(*self.places.get(&id)?)
    }

    pub(crate) fn get_mut(&mut self, id: NsId) -> Option<&mut Group> {
        self.groups.get_mut(*self.places.get(&id)?)
    }

    /// Iterates over all namespaces, in no particular order, those that nothing
    /// leads to any more included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// Iterates over everything that leads to a namespace, best first: the
    /// representative, which nearly always suffices, then the others in their
    /// order.
    pub(crate) fn holders<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = Holder> + 'a {
        let first = group
            .members
            .first()
            .and_then(|pid| self.link_of(*pid, group.id));
        let others = std::iter::once_with(|| {
            let mut others: Vec<Holder> = self.found(group).cloned().collect();
            others.extend(self.link_holders(&group.for_children, group.id, true));
            others.sort_unstable();
            others
        });
        first.into_iter().chain(others.flatten())
    }

    /// Returns whether anything still leads to a namespace.
    pub(crate) fn is_held(&self, group: &Group) -> bool {
        self.holders(group).next().is_some()
    }

    /// Returns everything that keeps a namespace alive, in order.
    fn all_holders(&self, group: &Group) -> Vec<Holder> {
        let mut holders: Vec<Holder> = self
            .found(group)
            .filter(|holder| holder.holds())
            .cloned()
            .collect();
        holders.extend(self.link_holders(&group.members, group.id, false));
        holders.extend(self.link_holders(&group.for_children, group.id, true));
        holders.sort_unstable();
        holders.dedup();
        // The last one: nothing else may explain the namespace.
        if holders.len() > 1 {
            holders.retain(|holder| !matches!(holder, Holder::Kernel { .. }));
        }
        holders
    }

    /// Returns the first of all holders of a namespace.
    pub(crate) fn first_holder(&self, group: &Group) -> Option<Holder> {
        // The link of a process comes before everything else.
        if let Some(first) = self.link_holders(&group.members, group.id, false).next()
            && matches!(first, Holder::Process { .. })
        {
            return Some(first);
        }
        self.all_holders(group).into_iter().next()
    }

    /// Returns the processes that hold a namespace.
    pub(crate) fn holder_pids(&self, group: &Group) -> Vec<Pid> {
        self.all_holders(group)
            .iter()
            .filter_map(Holder::pid)
            .collect()
    }

    /// Iterates over the holders of a namespace that are no links of processes,
    /// and whose process, if any, is still there.
    fn found<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = &'a Holder> {
        group
            .finds
            .iter()
            .filter(|holder| !holder.pid().is_some_and(|pid| self.gone.contains(&pid)))
    }

    /// Returns the link through which a process is in a namespace.
    fn link_of(&self, pid: Pid, id: NsId) -> Option<Holder> {
        self.link_holders(&[pid], id, false).next()
    }

    fn link_holders(
        &self,
        pids: &[Pid],
        id: NsId,
        for_children: bool,
    ) -> impl Iterator<Item = Holder> {
        let link = id
            .kind
            .links()
            .iter()
            .find(|link| link.is_for_children() == for_children);
        pids.iter()
            .filter_map(move |pid| Some(self.process(*pid)?.holder(link?)))
    }

    /// Returns the namespaces that something leads to, sorted by number, and
    /// the processes that are still there. `holders` asks for every holder of
    /// each namespace.
    pub(crate) fn finish(self, holders: bool) -> (Vec<Namespace>, Vec<Process>) {
        let alive = self.alive();
        let mut namespaces: Vec<Namespace> = self
            .groups
            .iter()
            .filter(|group| alive.as_ref().is_none_or(|alive| alive.contains(&group.id)))
            .filter_map(|group| self.namespace(group, holders))
            .collect();
        namespaces.sort_unstable_by_key(|namespace| namespace.id);
        let mut processes = self.processes;
        processes.retain(|process| !self.gone.contains(&process.pid));
        (namespaces, processes)
    }

    fn namespace(&self, group: &Group, holders: bool) -> Option<Namespace> {
        let via = self.holders(group).next()?;
        let mut namespace = Namespace::new(group.id, via);
        namespace.nprocs = group.members.len();
        namespace.pid = group.members.first().copied();
        let mut seen = HashSet::new();
        for holder in self.found(group) {
            namespace.links.extend(holder.link());
            if let Holder::Mount(mount) = holder
                && mount.within.is_none()
                && seen.insert(&mount.path)
            {
                namespace.mounts.push(mount.path.clone());
            }
        }
        for link in group.id.kind.links().iter() {
            if !group.pids(link).is_empty() {
                namespace.links.insert(link);
            }
        }
        if holders {
            namespace.holders = self.all_holders(group);
        }
        if let Some(answer) = &group.answer {
            namespace.relations = answer.relations.clone();
            namespace.facts.clone_from(&answer.facts);
            namespace.is_closed = answer.is_closed;
            if let (Some(via), None) = (&answer.via, namespace.pid) {
                namespace.via = via.clone();
            }
        }
        Some(namespace)
    }

    /// Returns the namespaces that something other than a dead namespace leads
    /// to; `None` if nothing was lost, and so all are alive.
    fn alive(&self) -> Option<HashSet<NsId>> {
        if !self.has_lost {
            return None;
        }
        let mut alive: HashSet<NsId> = HashSet::new();
        loop {
            let known = alive.len();
            for group in &self.groups {
                let is_held = |holder: &Holder| match holder {
                    Holder::Child(below) | Holder::Owned(below) => alive.contains(below),
                    _ => true,
                };
                if !group.members.is_empty()
                    || !group.for_children.is_empty()
                    || self.found(group).any(is_held)
                {
                    alive.insert(group.id);
                }
            }
            // Namespaces nest 32 deep at most, so this ends after as many.
            if alive.len() == known {
                return Some(alive);
            }
        }
    }
}

#[cfg(test)]
mod tests;
