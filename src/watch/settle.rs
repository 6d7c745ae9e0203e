//! What follows from records once a batch of them is taken.

use std::collections::{BTreeMap, HashSet};

use crate::kernel::{Comm, Record, What, reported_kinds};
use crate::model::{Kind, LinkSet, NsId, Pid, Tid};
use crate::text::Text;
use crate::watch::{Event, GRACE, Happening, Means, Notice, Probe, Task, Watcher, Who, own};

/// The most commands that are read for one batch of records.
const MOST_COMMANDS: usize = 256;

/// The most processes whose links are read for one batch. Each may block for a
/// while.
const MOST_LINKS: usize = 16;

impl Watcher {
    /// Reads what records do not tell of namespaces and tasks. Returns whether an ID
    /// was read, which [`doubt`](Watcher::doubt) is to be asked about.
    pub(crate) fn read(&mut self, now: u64, probe: &mut impl Probe) -> bool {
        self.read_links(now, probe);
        self.identified.clear();
        self.identify(probe);
        self.identify_mounted(probe);
        !self.identified.is_empty()
    }

    /// Forgets the IDs just read that may be those of later namespaces: a task may
    /// have been in another one by then, which has the same number.
    ///
    /// These are all records up to the time of the reading that were not applied.
    pub(crate) fn doubt(&mut self, unapplied: &[Record]) {
        let mut changed: HashSet<(Tid, Kind)> = HashSet::new();
        let mut arrived: HashSet<NsId> = HashSet::new();
        for record in unapplied {
            let What::Namespaces(links) = &record.what else {
                continue;
            };
            let before = self.tasks.get(&record.tid).map(|task| &task.links);
            for id in own(links) {
                if before.and_then(|before| before.own(id.kind)) != Some(id) {
                    changed.insert((record.tid, id.kind));
                    arrived.insert(id);
                }
            }
        }
        for (tid, id) in std::mem::take(&mut self.identified) {
            let is_doubtful = match tid {
                Some(tid) => changed.contains(&(tid, id.kind)),
                None => arrived.contains(&id),
            };
            if let Some(space) = self.spaces.get_mut(&id).filter(|_| is_doubtful) {
                space.unique_id = None;
            }
        }
    }

    /// Finds out what became of the namespaces that the last records were about,
    /// and returns what there is to say, in the order of the times.
    ///
    /// `looks` is whether to look at namespaces that no task is in as well.
    pub(crate) fn settle(&mut self, now: u64, looks: bool, probe: &mut impl Probe) -> Vec<Notice> {
        self.look_at_vacant(now, looks, probe);
        let mut events = std::mem::take(&mut self.pending);
        events.sort_by_key(|event| event.time);
        name(&mut events, probe);
        for event in &mut events {
            // It was not known yet when the event was.
            if event.unique_id.is_none()
                && event.what != Happening::Ended
                && let Some(space) = self.spaces.get(&event.id)
                && space.since.is_some_and(|since| since <= event.time)
            {
                event.unique_id = space.unique_id;
            }
        }
        events.into_iter().map(Notice::Event).collect()
    }

    /// Reads the links of processes about which no record told enough.
    fn read_links(&mut self, now: u64, probe: &mut impl Probe) {
        let pids: Vec<Pid> = self.unread.iter().copied().take(MOST_LINKS).collect();
        for pid in &pids {
            self.unread.remove(pid);
        }
        if pids.is_empty() {
            return;
        }
        let found = probe.links(&pids);
        for (pid, links) in pids.into_iter().zip(found) {
            let Some(mut links) = links else { continue };
            let before = self.tasks.get(&pid).cloned();
            if let Some(before) = &before {
                // Records tell of the others, in their order.
                let told = reported_links();
                let untold = links.only(LinkSet::all().without(told));
                links = before.links.only(told);
                links.fill(&untold);
                links.fill(&before.links);
            }
            let comm = before.as_ref().and_then(|task| task.comm);
            let mut all: Vec<NsId> = links.iter().map(|(_, id)| id).collect();
            all.sort_unstable();
            all.dedup();
            for id in all {
                if !self.spaces.contains_key(&id) {
                    let who = Who {
                        pid,
                        tid: pid,
                        comm,
                        command: None,
                    };
                    self.fresh.push((pid, id));
                    self.appear(Event {
                        time: before.as_ref().map_or(now, |task| task.touched),
                        what: Happening::Appeared,
                        id,
                        unique_id: None,
                        means: Means::Unshare,
                        who: Some(who),
                        lived: None,
                        is_certain: true,
                    });
                }
            }
            for id in own(&links) {
                self.join(id);
            }
            self.forget(pid, now);
            self.tasks.insert(
                pid,
                Task {
                    pid,
                    links,
                    comm,
                    is_in: true,
                    touched: before.map_or(now, |task| task.touched),
                },
            );
        }
    }

    /// Reads the unique IDs of namespaces that are new.
    fn identify(&mut self, probe: &mut impl Probe) {
        let mut asked = std::mem::take(&mut self.fresh);
        asked.retain(|(tid, id)| {
            let lacks = |id| {
                self.spaces
                    .get(id)
                    .is_some_and(|one| one.unique_id.is_none())
            };
            lacks(id) && self.tasks.contains_key(tid)
        });
        if asked.is_empty() {
            return;
        }
        let found = probe.identify(&asked);
        for ((tid, id), found) in asked.into_iter().zip(found) {
            self.take_id(Some(tid), id, found);
        }
    }

    /// Reads the unique IDs of namespaces that were left before a task in them could
    /// be asked, as ip-netns(8) leaves them: mounted.
    fn identify_mounted(&mut self, probe: &mut impl Probe) {
        let asked = self.vacant.iter().filter(|id| {
            let space = self.spaces.get(id);
            space.is_some_and(|space| space.unique_id.is_none() && !space.is_kept)
        });
        let asked: Vec<NsId> = asked.copied().collect();
        if asked.is_empty() {
            return;
        }
        let found = probe.identify_mounted(&asked);
        for (id, found) in asked.into_iter().zip(found) {
            self.take_id(None, id, found);
        }
    }

    /// Takes the ID of a namespace that was read through a task, or a mount.
    fn take_id(&mut self, tid: Option<Tid>, id: NsId, found: Option<u64>) {
        if let (Some(space), Some(unique_id)) = (self.spaces.get_mut(&id), found) {
            space.unique_id = Some(unique_id);
            self.identified.push((tid, id));
        }
    }

    /// Finds out whether namespaces that no task is in still exist.
    fn look_at_vacant(&mut self, now: u64, looks: bool, probe: &mut impl Probe) {
        self.wants_scan = false;
        let vacant: Vec<NsId> = self.vacant.iter().copied().collect();
        for id in vacant {
            let Some(space) = self.spaces.get(&id) else {
                self.vacant.remove(&id);
                continue;
            };
            if space.is_kept && !looks {
                continue;
            }
            let (left, last) = space.vacated.unwrap_or((space.seen, 0));
            let was_left = space.vacated.is_some();
            let is_told = id.kind != Kind::Time;
            let is_confirmed = space.confirmed > left;
            let unique_id = space.unique_id;
            let alive = unique_id.and_then(|known| probe.is_alive(id, known));
            match alive {
                Some(false) => {
                    let (time, means) = match space.is_kept {
                        true => (now, Means::Look),
                        false => (left, Means::Leave),
                    };
                    self.end(id, time, means, true);
                }
                _ if space.is_kept => {}
                // Only a scan that began after it was left can tell.
                None if !is_confirmed => self.wants_scan = true,
                // Or who is in one of which no record tells.
                _ if was_left && !is_told && !is_confirmed => self.wants_scan = true,
                _ if now < left.saturating_add(GRACE) => {}
                _ if last != 0 && probe.has_threads(last) => {}
                _ => {
                    if let Some(space) = self.spaces.get_mut(&id) {
                        space.is_kept = true;
                    }
                    if was_left {
                        self.say(Event {
                            time: left,
                            what: Happening::Emptied,
                            id,
                            unique_id,
                            means: Means::Leave,
                            who: None,
                            lived: None,
                            is_certain: alive.is_some(),
                        });
                    }
                }
            }
        }
    }
}

/// Returns the links of which records tell.
fn reported_links() -> LinkSet {
    let links = reported_kinds().flat_map(|kind| kind.links().iter());
    links.filter(|link| !link.is_for_children()).collect()
}

/// Finds the commands of those who did something.
fn name(events: &mut [Event], probe: &mut impl Probe) {
    let whos = events.iter().filter_map(|event| event.who.as_ref());
    let mut pids: Vec<Pid> = whos.map(|who| who.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    pids.truncate(MOST_COMMANDS);
    let mut lines = BTreeMap::new();
    if !pids.is_empty() {
        let found = probe.commands(&pids);
        lines.extend(pids.into_iter().zip(found));
    }
    for who in events.iter_mut().filter_map(|event| event.who.as_mut()) {
        let line = lines.get(&who.pid).and_then(Option::as_ref);
        who.command = match (line, who.comm) {
            (Some(line), Some(comm)) if who.pid == who.tid && !belongs(line, comm) => {
                Some(comm.as_bytes().into())
            }
            (Some(line), _) => Some(line.clone()),
            (None, comm) => comm.map(|comm| comm.as_bytes().into()),
        };
    }
}

/// Returns whether a command line is of the program that gave a task its name. It
/// may execute another one by now.
fn belongs(line: &Text, comm: Comm) -> bool {
    let program = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    let name = program.rsplit(|byte| *byte == b'/').next();
    let name = name.unwrap_or_default();
    // Login shells are called `-sh`.
    let name = name.strip_prefix(b"-").unwrap_or(name);
    Comm::new(name) == comm
}
