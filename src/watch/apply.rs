//! What a record changes.

use crate::kernel::{Comm, Record, What, reported_kinds};
use crate::model::{Kind, Link, Links, NsId, Tid};
use crate::watch::{Event, Happening, Means, Probe, Task, Watcher, Who, own};

impl Watcher {
    /// Takes one record, in the order of their times.
    pub(crate) fn apply(&mut self, record: Record, probe: &mut impl Probe) {
        let Record {
            time,
            pid,
            tid,
            what,
        } = record;
        if self.tasks.get(&tid).is_some_and(|task| task.touched > time) {
            // It comes late, from the ring of another CPU.
            return;
        }
        match what {
            What::Fork(maker) => {
                // The kernel gives a PID again only after the process has ended.
                self.forget(tid, time);
                let maker = self.tasks.get(&maker);
                if tid != pid && maker.is_none() {
                    // A thread that is where its process is.
                    return;
                }
                self.tasks.insert(
                    tid,
                    Task {
                        pid,
                        links: maker.map(|maker| born_of(&maker.links)).unwrap_or_default(),
                        comm: maker.and_then(|maker| maker.comm),
                        is_in: false,
                        touched: time,
                    },
                );
            }
            What::Exit => {
                self.forget(tid, time);
                self.unread.remove(&tid);
                if let Some(ended) = &mut self.ended {
                    ended.tasks.insert(tid);
                }
            }
            What::Comm(comm, is_exec) => self.rename(&At { pid, tid, time }, comm, is_exec),
            What::Namespaces(links) => self.place(&At { pid, tid, time }, links, probe),
        }
    }

    fn rename(&mut self, at: &At, comm: Comm, is_exec: bool) {
        match self.tasks.get_mut(&at.tid) {
            Some(task) => {
                task.comm = Some(comm);
                task.touched = at.time;
                if is_exec && let Some(ino) = task.links.ino(Link::TimeForChildren) {
                    self.retime(at, ino);
                }
            }
            // A thread that executes something takes the place of its process,
            // whose first thread has ended.
            None if is_exec && at.tid == at.pid => drop(self.unread.insert(at.pid)),
            None => {}
        }
    }

    /// Puts a task that executes a program into the time namespace that awaits it,
    /// time_namespaces(7).
    fn retime(&mut self, at: &At, ino: u64) {
        let kind = Kind::Time;
        let Some(task) = self.tasks.get_mut(&at.tid) else {
            return;
        };
        let old = task.links.own(kind);
        if old == Some(NsId { ino, kind }) || !task.is_in {
            return;
        }
        task.links.set(Link::Time, ino);
        if let Some(old) = old {
            self.leave(old, at.pid, at.time);
        }
        self.join(NsId { ino, kind });
    }

    /// Takes the namespaces that a task is in now.
    fn place(&mut self, at: &At, mut links: Links, probe: &mut impl Probe) {
        let known = self.tasks.get(&at.tid);
        let is_birth = known.is_some_and(|task| !task.is_in);
        let leader = self.tasks.get(&at.pid).filter(|_| at.tid != at.pid);
        let before = known.or(leader).map(|task| task.links.clone());
        // Nothing was known of its maker.
        let before = before.filter(|before| !before.is_empty());
        let comm = known.or(leader).and_then(|task| task.comm);
        let was_in = known.filter(|task| task.is_in).map(|task| own(&task.links));
        let is_like_leader = leader.is_some_and(|leader| {
            reported_kinds().all(|kind| leader.links.own(kind) == links.own(kind))
        });
        if let Some(before) = &before {
            // Of time namespaces no record tells.
            links.fill(&before.only(Kind::Time.links().union(Link::PidForChildren.into())));
        }
        for id in own(&links) {
            if before.as_ref().and_then(|before| before.own(id.kind)) == Some(id) {
                // In a tree that was lost track of, it may be unknown all the same.
                self.spaces.entry(id).or_default();
                continue;
            }
            let who = Who {
                pid: at.pid,
                tid: at.tid,
                comm,
                command: None,
            };
            self.arrive(id, at, who, is_birth, before.is_some(), probe);
        }
        if !is_birth && before.is_some() && at.tid == at.pid {
            // There may be a time namespace, too.
            self.unread.insert(at.pid);
        }
        let is_own = at.tid == at.pid || !is_like_leader;
        if is_own {
            for id in own(&links) {
                self.join(id);
            }
        }
        for id in was_in.unwrap_or_default() {
            self.leave(id, at.pid, at.time);
        }
        if is_own {
            let task = Task {
                pid: at.pid,
                links,
                comm,
                is_in: true,
                touched: at.time,
            };
            self.tasks.insert(at.tid, task);
        } else {
            self.tasks.remove(&at.tid);
        }
    }

    /// Returns whether a task keeps a namespace for its children.
    fn is_for_children(&self, id: NsId) -> bool {
        let mut links = id.kind.links().iter().filter(|link| link.is_for_children());
        links.any(|link| {
            let mut tasks = self.tasks.values();
            tasks.any(|task| task.links.ino(link) == Some(id.ino))
        })
    }

    /// Takes note of a task in a namespace that it was not in.
    fn arrive(
        &mut self,
        id: NsId,
        at: &At,
        who: Who,
        is_birth: bool,
        is_known: bool,
        probe: &mut impl Probe,
    ) {
        // Clone makes a new one of each type but pid and time, where it may be
        // another task that made it.
        let is_made = is_birth && is_known && !matches!(id.kind, Kind::Pid | Kind::Time);
        let (is_new, is_certain) = match self.spaces.get(&id) {
            None => (true, true),
            // It waited for its children.
            Some(space) if space.members == 0 && self.is_for_children(id) => (false, true),
            Some(space) if is_made => {
                let time = space.vacated.map_or(at.time, |(time, _)| time);
                self.end(id, time, Means::Leave, true);
                (true, true)
            }
            Some(space) if space.members > 0 => {
                // The last task there gives the number back before the record of its
                // end: this may be another namespace already.
                let alive = space.unique_id.and_then(|known| probe.is_alive(id, known));
                (false, alive.unwrap_or(space.members > 1))
            }
            Some(space) => {
                let time = space.vacated.map_or(at.time, |(time, _)| time);
                let (known, is_kept) = (space.unique_id, space.is_kept);
                let alive = known.and_then(|known| probe.is_alive(id, known));
                let seen = match alive {
                    Some(true) => None,
                    _ => probe.examine(at.tid, id, at.time),
                };
                match (alive, seen) {
                    (Some(true), _) => (false, true),
                    (None, Some(seen)) if seen.was_open => (false, true),
                    (None, _) if is_kept => (false, false),
                    _ => {
                        // It may have ended only now, and this task have entered it.
                        let now = seen.and_then(|seen| seen.unique_id);
                        let is_other = known.is_some() && now.is_some() && now != known;
                        self.end(id, time, Means::Leave, is_other);
                        (true, is_other)
                    }
                }
            }
        };
        let means = match is_new {
            _ if is_birth => Means::Fork,
            true => Means::Unshare,
            false => Means::Setns,
        };
        let event = Event {
            time: at.time,
            what: Happening::Entered,
            id,
            unique_id: None,
            means,
            who: Some(who),
            lived: None,
            is_certain,
        };
        if is_new {
            self.fresh.push((at.tid, id));
            self.appear(Event {
                what: Happening::Appeared,
                ..event
            });
            return;
        }
        if self
            .spaces
            .get(&id)
            .is_some_and(|space| space.unique_id.is_none())
        {
            self.fresh.push((at.tid, id));
        }
        if is_known {
            let unique_id = self.spaces.get(&id).and_then(|space| space.unique_id);
            self.say(Event { unique_id, ..event });
        }
    }
}

/// Which task a record is about, and when.
struct At {
    pid: Tid,
    tid: Tid,
    time: u64,
}

/// Returns the links of a new child of a task with these, before the record that
/// tells them.
fn born_of(maker: &Links) -> Links {
    let mut links = maker.clone();
    if let Some(ino) = maker.ino(Link::TimeForChildren) {
        links.set(Link::Time, ino);
    }
    links
}
