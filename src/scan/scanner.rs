use std::num::NonZeroUsize;

use rustix::io::Errno;

use crate::error::Error;
use crate::model::{Cause, KindSet, LinkSet, Links, Pid, Snapshot, Source, Sources};
use crate::proc::{ProcessDir, Sysroot};
use crate::scan::goal::Goal;
use crate::scan::parallel::walk;
use crate::scan::pass::pass;
use crate::scan::settings::Settings;
use crate::scan::sources::processes::{Look, Sighting, read_process};
use crate::scan::target::Wanted;
use crate::scan::{Need, Needs, NsRef, Target};

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
    settings: Settings,
    target: Target,
    sources: Sources,
}

impl Scanner {
    /// A scan of all namespaces of all types, from all sources, without
    /// details of processes.
    pub fn new(root: Sysroot) -> Self {
        Scanner {
            settings: Settings {
                root,
                kinds: KindSet::all(),
                needs: Needs::EMPTY,
                is_chosen: false,
                threads: None,
            },
            target: Target::All,
            sources: Sources::all(),
        }
    }

    /// Only namespaces of these types.
    pub fn kinds(mut self, kinds: impl Into<KindSet>) -> Self {
        self.settings.kinds = kinds.into();
        self
    }

    /// Only the namespaces of a process, or one namespace.
    pub fn target(self, target: Target) -> Self {
        Scanner { target, ..self }
    }

    /// What to find out besides. Details of processes are read of those that
    /// are shown: the representatives, or with [`Target::Namespace`] all
    /// members.
    pub fn needs(mut self, needs: impl Into<Needs>) -> Self {
        self.settings.needs = needs.into();
        self
    }

    /// Where to look for namespaces, rather than wherever this kernel can. The
    /// links of processes are always read.
    pub fn sources(mut self, sources: impl Into<Sources>) -> Self {
        self.settings.is_chosen = true;
        let sources = sources.into();
        Scanner { sources, ..self }
    }

    /// On how many threads to scan; otherwise on one a core, as far as that
    /// pays.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.settings.threads = Some(threads);
        self
    }

    /// Scans.
    ///
    /// # Errors
    ///
    /// There is nothing that can be read, the target does not exist or may not
    /// be read, or this process is short of files or memory. What is merely
    /// missing is no error but a [`Gap`](crate::Gap).
    pub fn scan(&self) -> Result<Snapshot, Error> {
        let goal = match &self.target {
            Target::All => Goal::All,
            Target::Process(pid) => Goal::Process(*pid, self.links_of(*pid)?),
            Target::Namespace(name) => Goal::Namespace(self.wanted(name)?),
        };
        let snapshot = match goal {
            Goal::All => pass(&self.settings, &goal, self.sources)?,
            // Nothing but its own links leads to the namespaces of a process.
            Goal::Process(..) => pass(&self.settings, &goal, Sources::EMPTY)?,
            Goal::Namespace(_) if self.settings.needs.contains(Need::Holders) => {
                pass(&self.settings, &goal, self.sources)?
            }
            Goal::Namespace(_) => {
                let near = self.sources.intersection(Sources::of(Source::Threads));
                let snapshot = pass(&self.settings, &goal, near)?;
                if snapshot.namespaces.is_empty() {
                    pass(&self.settings, &goal, self.sources)?
                } else {
                    snapshot
                }
            }
        };
        self.refuse_nothing(&snapshot)?;
        Ok(snapshot)
    }

    /// The namespace that was asked for.
    fn wanted(&self, name: &NsRef) -> Result<Wanted, Error> {
        match name.resolve(&self.settings.root)? {
            Wanted::Id(id, _) if !self.settings.kinds.contains(id.kind) => Err(Error::OtherType {
                name: name.to_string(),
                kind: id.kind,
            }),
            wanted => Ok(wanted),
        }
    }

    /// The ids of processes in their pid namespaces, from that of the proc tree
    /// on; of none that is gone or may not be read.
    pub(crate) fn nspids(&self, pids: &[Pid]) -> Result<Vec<(Pid, Vec<Pid>)>, Error> {
        let read = |pid: &Pid| {
            let process = ProcessDir::open(&self.settings.root, *pid);
            Ok(process.and_then(|process| process.nspid()).ok())
        };
        let read = walk(pids, self.settings.thread_count(), read)?;
        let found = pids.iter().zip(read);
        Ok(found
            .filter_map(|(pid, nspid)| Some((*pid, nspid?)))
            .collect())
    }

    /// The links of one process, or why there are none. It may be a thread,
    /// which the proc tree does not list.
    pub(crate) fn links_of(&self, pid: Pid) -> Result<Links, Error> {
        let look = Look {
            links: LinkSet::all(),
            threads: false,
            fds: false,
            cgroup: false,
        };
        let Sighting {
            links, troubles, ..
        } = read_process(&self.settings.root, pid, look)?;
        if !links.is_empty() {
            return Ok(links);
        }
        let path = || self.settings.root.process_path(pid);
        let denied = |errno: Errno| {
            Err(Error::ProcessDenied {
                pid,
                source: errno.into(),
            })
        };
        match troubles.into_iter().next() {
            Some((Cause::Denied, _)) => denied(Errno::ACCESS),
            Some((Cause::Hidden, _)) => denied(Errno::PERM),
            Some((Cause::Vanished, _))
                if self.settings.root.is_live() && self.settings.linux().process_exists(pid) =>
            {
                denied(Errno::PERM)
            }
            Some((Cause::Malformed | Cause::Failed(_), _)) => Err(Error::read(path(), Errno::IO)),
            _ if self.settings.root.hides_processes() => Err(Error::HiddenProcess(pid)),
            _ if self.settings.root.pids()?.is_empty() => {
                Err(Error::NoProcesses(self.settings.root.proc_path()))
            }
            _ => Err(Error::NoProcess(pid)),
        }
    }

    /// An empty list is no answer where there must be something.
    fn refuse_nothing(&self, snapshot: &Snapshot) -> Result<(), Error> {
        match &self.target {
            Target::Namespace(name) if snapshot.namespaces.is_empty() => Err(Error::NoNamespace {
                name: name.to_string(),
                gaps: snapshot.hiding_gaps(),
            }),
            _ if snapshot.processes.is_empty() && !snapshot.is_complete() => {
                Err(Error::NothingReadable {
                    path: self.settings.root.proc_path(),
                    gaps: snapshot.gaps.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}
