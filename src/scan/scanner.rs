use std::num::NonZeroUsize;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel;
use crate::model::{
    Cause, KindSet, LinkSet, Links, Namespace, Pid, Process, Snapshot, Source, summary,
};
use crate::proc::{Sysroot, Users};
use crate::scan::details::{Seen, read_details};
use crate::scan::group::group;
use crate::scan::links::{Sighting, read_links, settle};
use crate::scan::tally::Tally;
use crate::scan::target::Wanted;
use crate::scan::walk::walk;
use crate::scan::{Need, Needs, Target};

/// Finds out which namespaces there are.
///
/// ```
/// # fn main() -> Result<(), nsls::Error> {
/// use nsls::{Kind, KindSet, Scanner, Sysroot};
///
/// let snapshot = Scanner::new(Sysroot::live()).kinds(KindSet::of(Kind::Net)).scan()?;
/// for namespace in &snapshot.namespaces {
///     println!("{} has {} processes", namespace.id, namespace.nprocs);
/// }
/// if !snapshot.is_complete() {
///     println!("and there is more that may not be seen");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Scanner {
    root: Sysroot,
    kinds: KindSet,
    target: Target,
    needs: Needs,
    threads: Option<NonZeroUsize>,
}

impl Scanner {
    /// A scan of all namespaces of all types, without details of processes.
    pub fn new(root: Sysroot) -> Self {
        Scanner {
            root,
            kinds: KindSet::all(),
            target: Target::All,
            needs: Needs::EMPTY,
            threads: None,
        }
    }

    /// Only namespaces of these types.
    pub fn kinds(self, kinds: KindSet) -> Self {
        Scanner { kinds, ..self }
    }

    /// Only the namespaces of a process, or one namespace.
    pub fn target(self, target: Target) -> Self {
        Scanner { target, ..self }
    }

    /// Which details to read of the processes that are shown: the
    /// representatives, or with [`Target::Namespace`] all members.
    pub fn needs(self, needs: Needs) -> Self {
        Scanner { needs, ..self }
    }

    /// On how many threads to scan; otherwise on one a core, as far as that
    /// pays.
    pub fn threads(self, threads: NonZeroUsize) -> Self {
        Scanner {
            threads: Some(threads),
            ..self
        }
    }

    /// Scans.
    ///
    /// # Errors
    ///
    /// There is nothing that can be read, the target does not exist or may not
    /// be read, or this process is short of files or memory. What is merely
    /// missing is no error but a [`Gap`](crate::Gap).
    pub fn scan(&self) -> Result<Snapshot, Error> {
        let wanted = match &self.target {
            Target::Namespace(namespace) => Some(namespace.resolve(&self.root)?),
            Target::All | Target::Process(_) => None,
        };
        let kinds = wanted.map_or(self.kinds, Wanted::kinds);
        let links: LinkSet = kinds.iter().flat_map(|kind| kind.links().iter()).collect();
        let subject = match self.target {
            Target::Process(pid) => Some(self.subject(pid, links)?),
            Target::All | Target::Namespace(_) => None,
        };
        let pids = self.root.pids()?;
        if pids.is_empty() {
            return Err(Error::NoProcesses(self.root.proc_path()));
        }
        let sightings = walk(&pids, self.thread_count(), |pid| {
            read_links(&self.root, pid, links)
        })?;
        let mut tally = Tally::new(pids.len());
        if self.root.hides_processes() {
            tally.add_uncounted(Source::Processes, Cause::Hidden);
        }
        let mut processes = settle(sightings, &mut tally);
        let namespaces = loop {
            let mut namespaces = group(&processes, kinds, subject.as_ref());
            if let Some(wanted) = wanted {
                namespaces.retain(|namespace| wanted.is(namespace));
            }
            if !self.add_details(&mut processes, &namespaces, &mut tally)? {
                break namespaces;
            }
        };
        let snapshot = Snapshot {
            namespaces,
            processes,
            gaps: tally.gaps(),
        };
        self.refuse_nothing(&snapshot)?;
        Ok(snapshot)
    }

    fn thread_count(&self) -> NonZeroUsize {
        self.threads
            .or_else(|| std::thread::available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN)
    }

    /// The links of the process that was asked for. It may be a thread, which
    /// `/proc` does not list.
    fn subject(&self, pid: Pid, links: LinkSet) -> Result<Links, Error> {
        let Sighting {
            links, troubles, ..
        } = read_links(&self.root, pid, links)?;
        if !links.is_empty() {
            return Ok(links);
        }
        let path = || self.root.process_path(pid);
        match troubles.into_iter().next() {
            Some((Cause::Denied, _)) => Err(Error::ProcessDenied {
                pid,
                errno: Errno::ACCESS,
            }),
            Some((Cause::Hidden, _)) => Err(Error::ProcessDenied {
                pid,
                errno: Errno::PERM,
            }),
            Some((Cause::Vanished, _)) if self.root.is_live() && kernel::process_exists(pid) => {
                Err(Error::ProcessDenied {
                    pid,
                    errno: Errno::PERM,
                })
            }
            Some((Cause::Malformed | Cause::Failed(_), _)) => Err(Error::Read {
                path: path(),
                errno: Errno::IO,
            }),
            // A zombie or a process on an older kernel: it is there, and has
            // no namespace of the types that were asked for.
            Some((Cause::Zombie | Cause::ZombieLeader, _)) => Ok(links),
            None if path().exists() => Ok(links),
            _ => Err(Error::NoProcess(pid)),
        }
    }

    /// Reads the details of the processes that will be shown and have none
    /// yet. Tells whether one of them is gone, and so the grouping is stale.
    fn add_details(
        &self,
        processes: &mut Vec<Process>,
        namespaces: &[Namespace],
        tally: &mut Tally,
    ) -> Result<bool, Error> {
        if self.needs.is_empty() {
            return Ok(false);
        }
        let pids = self.shown(processes, namespaces);
        let seen = walk(&pids, self.thread_count(), |pid| {
            read_details(&self.root, pid, self.needs)
        })?;
        let mut users = Users::below(&self.root);
        let mut vanished = false;
        for (pid, seen) in pids.into_iter().zip(seen) {
            let Ok(place) = processes.binary_search_by_key(&pid, |process| process.pid) else {
                continue;
            };
            match seen {
                Seen::Details(mut details, causes) => {
                    if self.needs.contains(Need::User) {
                        details.user = details.uid.and_then(|uid| users.name(uid));
                    }
                    for cause in causes {
                        tally.add(Source::Details, cause, LinkSet::EMPTY);
                    }
                    processes[place].details = Some(details);
                }
                Seen::Vanished => {
                    tally.add(Source::Processes, Cause::Vanished, LinkSet::EMPTY);
                    processes[place].links = Links::default();
                    vanished = true;
                }
            }
        }
        if vanished {
            processes.retain(|process| !process.links.is_empty());
        }
        Ok(vanished)
    }

    /// The processes that will be shown and have no details yet, by pid.
    fn shown(&self, processes: &[Process], namespaces: &[Namespace]) -> Vec<Pid> {
        let fresh = |process: &&Process| process.details.is_none();
        if let Target::Namespace(_) = self.target {
            let ids: Vec<_> = namespaces.iter().map(|namespace| namespace.id).collect();
            let member = |process: &&Process| ids.iter().any(|id| process.links.is_in(*id));
            return processes
                .iter()
                .filter(fresh)
                .filter(member)
                .map(|found| found.pid)
                .collect();
        }
        let mut pids: Vec<Pid> = namespaces
            .iter()
            .filter_map(|namespace| namespace.pid)
            .collect();
        pids.sort_unstable();
        pids.dedup();
        let place = |pid: &Pid| processes.binary_search_by_key(pid, |process| process.pid);
        pids.retain(|pid| place(pid).is_ok_and(|place| processes[place].details.is_none()));
        pids
    }

    /// An empty list is no answer where there must be something.
    fn refuse_nothing(&self, snapshot: &Snapshot) -> Result<(), Error> {
        let why = || summary(&snapshot.gaps, true);
        match &self.target {
            Target::Namespace(name) if snapshot.namespaces.is_empty() => {
                let why = if snapshot.is_complete() { None } else { why() };
                Err(Error::NoNamespace {
                    name: name.to_string(),
                    why,
                })
            }
            _ if snapshot.processes.is_empty() && !snapshot.is_complete() => {
                Err(Error::NothingReadable {
                    path: self.root.proc_path(),
                    why: why().unwrap_or_default(),
                })
            }
            _ => Ok(()),
        }
    }
}
