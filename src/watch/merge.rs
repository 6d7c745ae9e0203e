//! What a scan changes: it is the ground of a watch, finds what no record tells,
//! and repairs what was lost.

use std::collections::HashSet;

use crate::model::{Kind, Namespace, NsId, Pid, Process, Snapshot, Tid};
use crate::watch::{Ended, Event, Happening, Means, Notice, Probe, Space, Task, Watcher, Who, own};

impl Watcher {
    /// Takes note that a scan begins.
    pub(crate) fn begin_scan(&mut self) {
        self.ended = Some(Ended::default());
        self.repairing = self
            .repairing
            .saturating_add(std::mem::take(&mut self.lost));
    }

    /// Takes note that the scan failed.
    pub(crate) fn abandon_scan(&mut self) {
        self.ended = None;
        self.lost = self
            .lost
            .saturating_add(std::mem::take(&mut self.repairing));
    }

    /// Takes what a scan found that began at that time. Records that came meanwhile
    /// are newer than what it says of their tasks.
    pub(crate) fn merge(
        &mut self,
        snapshot: &Snapshot,
        started: u64,
        now: u64,
        probe: &mut impl Probe,
    ) -> Vec<Notice> {
        let ended = self.ended.take().unwrap_or_default();
        self.take_processes(&snapshot.processes, &ended.tasks, started, now, probe);
        let found: HashSet<NsId> = snapshot.namespaces.iter().map(|one| one.id).collect();
        for namespace in &snapshot.namespaces {
            self.take_namespace(namespace, &ended.spaces, started, now, probe);
        }
        self.recount(now);
        self.drop_missing(&found, snapshot.is_complete(), started, now, probe);
        if !self.has_ground {
            self.has_ground = true;
            // Nobody saw it begin.
            self.pending.clear();
            for space in self.spaces.values_mut() {
                space.since = None;
                space.is_kept = space.members == 0;
            }
        }
        match std::mem::take(&mut self.repairing) {
            0 => Vec::new(),
            records => vec![Notice::Lost { time: now, records }],
        }
    }

    fn take_processes(
        &mut self,
        processes: &[Process],
        ended: &HashSet<Tid>,
        started: u64,
        now: u64,
        probe: &mut impl Probe,
    ) {
        let mut found = HashSet::with_capacity(processes.len());
        for process in processes {
            if ended.contains(&process.pid) || is_zombie(process) {
                continue;
            }
            found.insert(process.pid);
            match self.tasks.get_mut(&process.pid) {
                Some(task) if task.touched > started => {
                    // Of time namespaces only a scan tells.
                    let links = &process.links;
                    task.links.fill(&links.only(Kind::Time.links()));
                }
                Some(task) => {
                    let mut links = process.links.clone();
                    links.fill(&task.links);
                    task.links = links;
                    task.is_in = true;
                }
                None => {
                    let task = Task {
                        pid: process.pid,
                        links: process.links.clone(),
                        comm: None,
                        is_in: true,
                        touched: started,
                    };
                    self.tasks.insert(process.pid, task);
                }
            }
        }
        let suspects = self
            .tasks
            .iter()
            .filter(|(tid, task)| task.touched <= started && !found.contains(*tid));
        let suspects: Vec<Tid> = suspects.map(|(tid, _)| *tid).collect();
        for tid in suspects {
            if !probe.exists(tid) {
                self.forget(tid, now);
            }
        }
    }

    fn take_namespace(
        &mut self,
        namespace: &Namespace,
        ended: &HashSet<NsId>,
        started: u64,
        now: u64,
        probe: &mut impl Probe,
    ) {
        let id = namespace.id;
        let unique_id = namespace.relations.unique_id;
        let mut is_alive = || {
            let alive = unique_id.and_then(|unique_id| probe.is_alive(id, unique_id));
            alive == Some(true)
        };
        let is_new = match self.spaces.get_mut(&id) {
            // It may have ended since the scan saw it.
            None => !ended.contains(&id) || is_alive(),
            Some(space) if space.unique_id == unique_id || unique_id.is_none() => {
                space.confirmed = started;
                false
            }
            Some(space) if space.unique_id.is_none() => {
                // The number may have been that of another when the scan saw it.
                if space.seen <= started || is_alive() {
                    space.unique_id = unique_id;
                    space.confirmed = started;
                }
                false
            }
            Some(space) => {
                let is_other = is_alive();
                if is_other {
                    let time = space.vacated.map_or(now, |(time, _)| time);
                    self.end(id, time, Means::Scan, true);
                }
                is_other
            }
        };
        if !is_new {
            return;
        }
        self.appear(Event {
            time: now,
            what: Happening::Appeared,
            id,
            unique_id,
            means: Means::Scan,
            who: namespace.pid.map(|pid| Who {
                pid,
                tid: pid,
                comm: None,
                command: None,
            }),
            lived: None,
            is_certain: true,
        });
        if let Some(space) = self.spaces.get_mut(&id) {
            space.confirmed = started;
        }
    }

    /// Counts the tasks in each namespace anew.
    fn recount(&mut self, now: u64) {
        let before = std::mem::take(&mut self.spaces);
        let mut spaces = before.clone();
        for space in spaces.values_mut() {
            space.members = 0;
        }
        for task in self.tasks.values().filter(|task| task.is_in) {
            for id in own(&task.links) {
                let space = spaces.entry(id).or_insert_with(|| Space {
                    seen: now,
                    ..Space::default()
                });
                space.members += 1;
            }
        }
        self.vacant.clear();
        for (id, space) in &mut spaces {
            if space.members > 0 {
                space.vacated = None;
                space.is_kept = false;
                continue;
            }
            self.vacant.insert(*id);
            if before.get(id).is_some_and(|before| before.members > 0) {
                space.vacated = Some((now, 0));
            }
        }
        self.spaces = spaces;
    }

    /// Ends what the scan would have found.
    fn drop_missing(
        &mut self,
        found: &HashSet<NsId>,
        is_complete: bool,
        started: u64,
        now: u64,
        probe: &mut impl Probe,
    ) {
        let missing = self.spaces.iter();
        let missing = missing.filter(|(id, space)| !found.contains(id) && space.seen < started);
        let missing: Vec<(NsId, Space)> = missing.map(|(id, space)| (*id, space.clone())).collect();
        for (id, space) in missing {
            let alive = space.unique_id.and_then(|known| probe.is_alive(id, known));
            let has_ended = match alive {
                Some(alive) => !alive,
                None => space.members == 0 && space.vacated.is_none_or(|(time, _)| time < started),
            };
            if has_ended {
                let left = space.vacated.filter(|_| !space.is_kept);
                let time = left.map_or(now, |(time, _): (u64, Pid)| time);
                self.end(id, time, Means::Scan, alive.is_some() || is_complete);
            }
        }
    }
}

/// Returns whether a process has ended and waits for its parent: it has left all
/// its namespaces but two.
fn is_zombie(process: &Process) -> bool {
    let is_in = |kind| process.links.own(kind).is_some();
    is_in(Kind::Pid) && !is_in(Kind::Net) && !is_in(Kind::Mnt) && !is_in(Kind::Uts)
}
