use std::collections::{HashMap, HashSet};

use crate::error::Error;
use crate::model::{Cause, Fingerprint, Holder, LinkSet, Links, NsId, Pid, Process, Source};
use crate::proc::Sysroot;
use crate::scan::group::Find;
use crate::scan::sources::processes::{Look, read_process};
use crate::scan::tally::Tally;

/// What was found so far, before it is grouped.
pub(crate) struct Findings {
    /// Processes with their links, by pid.
    pub(crate) processes: Vec<Process>,
    /// Everything else that leads to a namespace.
    pub(crate) finds: Vec<Find>,
    /// What tells something of processes whose links may not be read.
    pub(crate) fingerprints: Vec<(Pid, Vec<Fingerprint>)>,
}

impl Findings {
    /// A process that was found.
    pub(crate) fn process(&mut self, pid: Pid) -> Option<&mut Process> {
        let place = self
            .processes
            .binary_search_by_key(&pid, |process| process.pid)
            .ok()?;
        self.processes.get_mut(place)
    }

    /// Adds processes of which no link may be read.
    pub(crate) fn add_refused(&mut self, pids: Vec<Pid>) {
        self.processes.extend(pids.into_iter().map(|pid| Process {
            pid,
            links: Links::default(),
            thread: None,
            affiliation: None,
            details: None,
        }));
        self.processes.sort_unstable_by_key(|process| process.pid);
    }

    /// The fingerprints of the processes that are still there.
    pub(crate) fn fingerprints(&self) -> impl Iterator<Item = &(Pid, Vec<Fingerprint>)> {
        let pids: HashSet<Pid> = self.processes.iter().map(|process| process.pid).collect();
        let taken = self.fingerprints.iter();
        taken.filter(move |(pid, _)| pids.contains(pid))
    }

    /// What leads to each namespace, other than links.
    pub(crate) fn holders(&self) -> HashMap<NsId, Vec<&Holder>> {
        let mut holders: HashMap<NsId, Vec<&Holder>> = HashMap::new();
        for (id, holder) in &self.finds {
            holders.entry(*id).or_default().push(holder);
        }
        holders
    }

    /// Takes out what does not lead to its namespace any more. A process that
    /// only went elsewhere is looked at again. Returns the namespaces to which
    /// it leads as before, although its link could not be opened.
    pub(crate) fn lose(
        &mut self,
        root: &Sysroot,
        lost: &HashSet<Holder>,
        tally: &mut Tally,
    ) -> Result<Vec<NsId>, Error> {
        let mut unopened = Vec::new();
        self.finds.retain(|(_, holder)| !lost.contains(holder));
        let pids: HashSet<Pid> = lost
            .iter()
            .filter_map(|holder| match holder {
                Holder::Process { pid, .. }
                | Holder::ForChildren { pid, .. }
                | Holder::Thread { pid, .. } => Some(*pid),
                _ => None,
            })
            .collect();
        for pid in &pids {
            let Some(process) = self.process(*pid) else {
                continue;
            };
            let look = Look {
                links: process.links.iter().map(|(link, _)| link).collect(),
                threads: false,
                fds: false,
                cgroup: false,
            };
            let seen = read_process(root, *pid, look)?;
            let same = process.thread == seen.thread;
            let before = seen.links.iter().filter(|(link, id)| {
                let is_lost = lost.contains(&process.holder(*link));
                same && is_lost && process.links.ino(*link) == Some(id.ino)
            });
            unopened.extend(before.map(|(_, id)| id));
            process.links = seen.links;
            process.thread = seen.thread;
            if process.links.is_empty() {
                tally.add(Source::Processes, Cause::Vanished, LinkSet::EMPTY);
            }
        }
        self.processes
            .retain(|process| !(pids.contains(&process.pid) && process.links.is_empty()));
        Ok(unopened)
    }
}
