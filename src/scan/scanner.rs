use std::any::Any;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustix::io::Errno;

use crate::error::{self, Error};
use crate::kernel::{Kernel, Linux};
use crate::model::{
    Cause, KindSet, LinkSet, Links, MountQuery, NsId, Pid, Snapshot, Source, Sources,
};
use crate::proc::{ProcessDir, Sysroot};
use crate::scan::progress::Progress;
use crate::scan::request::{Goal, Request};
use crate::scan::sources::processes::{Look, Sighting, read_process};
use crate::scan::target::Wanted;
use crate::scan::{Context, Need, Needs, NsRef, Target, details, mounted, scan};

/// Scans for namespaces.
///
/// ```no_run
/// # fn main() -> Result<(), nsls::Error> {
/// use nsls::{Kind, Scanner, Sysroot};
///
/// let snapshot = Scanner::new(Sysroot::live()).kinds(Kind::Net).scan()?;
/// for namespace in &snapshot.namespaces {
///     println!("{} has {} processes", namespace.id, namespace.nprocs);
/// }
/// if !snapshot.is_complete() {
///     println!("some namespaces may be missing");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a scanner does nothing until scan() is called"]
pub struct Scanner {
    root: Sysroot,
    target: Target,
    kinds: KindSet,
    needs: Needs,
    mounts: Arc<[MountQuery]>,
    sources: Sources,
    has_chosen_sources: bool,
    uses_bpf: bool,
    threads: Option<NonZeroUsize>,
    show: Option<Show>,
}

/// Shows how far a scan has come until what it returns is dropped.
type Show = fn(Arc<Progress>) -> Box<dyn Any>;

impl Scanner {
    /// Makes a scanner for all namespaces of all types, from all sources,
    /// without details of processes.
    pub fn new(root: Sysroot) -> Self {
        Scanner {
            root,
            target: Target::All,
            kinds: KindSet::all(),
            needs: Needs::EMPTY,
            mounts: Arc::default(),
            sources: Sources::all(),
            has_chosen_sources: false,
            uses_bpf: false,
            threads: None,
            show: None,
        }
    }

    /// Limits the result to namespaces of these types.
    pub fn kinds(mut self, kinds: impl Into<KindSet>) -> Self {
        self.kinds = kinds.into();
        self
    }

    /// Limits the result to the namespaces of one process, or to one namespace.
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Sets what to collect besides. Details are read of the processes that are
    /// shown: of representatives, or of all members with
    /// [`Target::Namespace`].
    pub fn needs(mut self, needs: impl Into<Needs>) -> Self {
        self.needs = needs.into();
        self
    }

    /// Sets which mounts to look for in every mount namespace,
    /// [`Facts::mounts`](crate::Facts::mounts); requires [`Need::MountFacts`].
    pub fn mounts(mut self, mounts: impl Into<Vec<MountQuery>>) -> Self {
        self.mounts = mounts.into().into();
        self
    }

    /// Sets where to look for namespaces, instead of everywhere this kernel
    /// allows. The links of processes are always read.
    pub fn sources(mut self, sources: impl Into<Sources>) -> Self {
        self.sources = sources.into();
        self.has_chosen_sources = true;
        self
    }

    /// Sets whether to ask the kernel itself for the namespaces and open files
    /// of processes, by BPF iterators, rather than to read them in `/proc`. That
    /// is faster, and shows more. Requires CAP_BPF and CAP_PERFMON in the
    /// initial user namespace, and a live root; if it is not possible, a
    /// [`Gap`](crate::Gap) says why, and `/proc` is read.
    pub fn bpf(mut self, uses_bpf: bool) -> Self {
        self.uses_bpf = uses_bpf;
        self
    }

    /// Sets the number of threads to scan with. The default is one for each
    /// core, if there is enough work.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Sets what shows how far a scan has come. It is called when the scan begins,
    /// and what it returns is dropped when the scan ends.
    pub fn progress(mut self, show: fn(Arc<Progress>) -> Box<dyn Any>) -> Self {
        self.show = Some(show);
        self
    }

    /// Scans.
    ///
    /// # Errors
    ///
    /// Fails if nothing is readable, if the target does not exist or is
    /// unreadable, or if this process runs out of descriptors or memory.
    /// Anything that is merely missing is a [`Gap`](crate::Gap) instead.
    pub fn scan(&self) -> Result<Snapshot, Error> {
        let progress = self.show.map(|_| Arc::<Progress>::default());
        let _shown = self.show.zip(progress.clone()).map(|(show, of)| show(of));
        let context = self.context_with(progress);
        let snapshot = match &self.target {
            Target::All => scan(&context, &self.request(Goal::All, self.sources)),
            Target::Process(pid) => {
                let goal = Goal::Process(*pid, self.links_of(*pid)?);
                // Nothing but its own links leads to the namespaces of a
                // process.
                scan(&context, &self.request(goal, Sources::EMPTY))
            }
            Target::Namespace(name) => self.scan_namespace(&context, name),
        }?;
        self.refuse_nothing(&snapshot)?;
        Ok(snapshot)
    }

    /// Looks for a namespace where it costs little first, if its holders are
    /// not needed.
    fn scan_namespace<K: Kernel>(
        &self,
        context: &Context<K>,
        name: &NsRef,
    ) -> Result<Snapshot, Error> {
        let goal = Goal::Namespace(self.resolve(name)?);
        if !self.needs.contains(Need::Holders) {
            let near = self.sources.intersection(Source::Threads.into());
            let snapshot = scan(context, &self.request(goal.clone(), near))?;
            if !snapshot.namespaces.is_empty() {
                return Ok(snapshot);
            }
            context.forget_gaps();
        }
        scan(context, &self.request(goal, self.sources))
    }

    fn request(&self, goal: Goal, sources: Sources) -> Request {
        Request {
            goal,
            kinds: self.kinds,
            needs: self.needs,
            mounts: Arc::clone(&self.mounts),
            sources,
            has_chosen_sources: self.has_chosen_sources,
            uses_bpf: self.uses_bpf,
        }
    }

    pub(crate) fn context(&self) -> Context<Linux> {
        self.context_with(None)
    }

    fn context_with(&self, progress: Option<Arc<Progress>>) -> Context<Linux> {
        // Finding out costs a dozen system calls.
        static CORES: OnceLock<NonZeroUsize> = OnceLock::new();
        let threads = self.threads.unwrap_or_else(|| {
            *CORES.get_or_init(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
        });
        let kernel = self
            .root
            .is_live()
            .then(|| Linux::new(self.root.proc_path()));
        Context::new(&self.root, kernel, threads, progress)
    }

    /// Returns which namespace a name leads to, as far as that is known without a
    /// scan: `None` for a number of unknown type.
    ///
    /// # Errors
    ///
    /// Fails if a path leads to no namespace.
    pub fn identify(&self, name: &NsRef) -> Result<Option<NsId>, Error> {
        Ok(match self.resolve(name)? {
            Wanted::Id(id, _) => Some(id),
            Wanted::Ino(_) => None,
        })
    }

    fn resolve(&self, name: &NsRef) -> Result<Wanted, Error> {
        let resolved = self
            .context()
            .ask(name.clone(), |context, name| name.resolve(&context.root))?;
        let resolved = resolved.ok_or_else(|| Error::Read {
            path: name.to_string().into(),
            source: error::blocked(),
        });
        match resolved? {
            Wanted::Id(id, _) if !self.kinds.contains(id.kind) => Err(Error::OtherType {
                name: name.to_string(),
                kind: id.kind,
            }),
            wanted => Ok(wanted),
        }
    }

    /// Reads the details of more processes of a snapshot, as far as they are
    /// needed. Those that have ended are removed from it.
    ///
    /// # Errors
    ///
    /// Fails if this process runs out of descriptors or memory.
    pub fn describe(&self, snapshot: &mut Snapshot, pids: &BTreeSet<Pid>) -> Result<(), Error> {
        let context = self.context();
        let processes = snapshot.processes.iter_mut();
        let mut pending: Vec<_> = processes
            .filter(|process| process.details.is_none() && pids.contains(&process.pid))
            .collect();
        let vanished = details::describe(&context, self.needs, &mut pending)?;
        snapshot
            .processes
            .retain(|process| vanished.binary_search(&process.pid).is_err());
        for gap in context.gaps(snapshot.processes.len()) {
            snapshot.add_gap(gap);
        }
        Ok(())
    }

    /// Returns what to look for to find what is mounted at a path, or from the
    /// block device at that path.
    ///
    /// # Errors
    ///
    /// Fails if no thread can be started.
    pub fn mounts_of(&self, path: &Path) -> Result<Vec<MountQuery>, Error> {
        let asked = self.context().ask(path.to_owned(), |context, path| {
            Ok(mounted::at(&context.root, path))
        })?;
        let mut queries = asked.transpose()?.unwrap_or_default();
        queries.push(MountQuery::Point(path.to_owned()));
        queries.push(MountQuery::Source(path.to_owned()));
        Ok(queries)
    }

    /// Returns the PIDs of processes in each nested pid namespace, outermost
    /// first. Skips unreadable processes.
    ///
    /// # Errors
    ///
    /// Fails if no thread can be started.
    pub fn nspids(&self, pids: &[Pid]) -> Result<Vec<(Pid, Vec<Pid>)>, Error> {
        let context = self.context();
        let read = context.map("processes", pids.to_vec(), |context, pid| {
            let process = ProcessDir::open(&context.root, *pid);
            Ok(process.and_then(|process| process.nspid()).ok())
        })?;
        Ok(pids
            .iter()
            .zip(read)
            .filter_map(|(pid, nspid)| Some((*pid, nspid.flatten()?)))
            .collect())
    }

    /// Returns the links of one process, or of a thread, which the proc tree
    /// does not list.
    ///
    /// # Errors
    ///
    /// Fails if the process does not exist or refuses its links.
    pub fn links_of(&self, pid: Pid) -> Result<Links, Error> {
        let context = self.context();
        let all = Look::links(LinkSet::all());
        let seen = context.ask(pid, move |context, pid| read_process(context, *pid, all))?;
        let seen = seen.unwrap_or_else(|| Sighting::blocked(pid, all.links));
        if !seen.links.is_empty() {
            return Ok(seen.links);
        }
        if let (true, Some(kernel)) = (self.uses_bpf, &context.kernel)
            && let Ok(tasks) = kernel.tasks()
            && let Some(task) = tasks.iter().find(|task| task.tid == pid && !task.has_moved)
        {
            return Ok(task.links.only(self.root.own_links()));
        }
        let denied = |errno: Errno| Error::ProcessDenied {
            pid,
            source: errno.into(),
        };
        let exists = || {
            let kernel = context.kernel.as_ref();
            kernel.is_some_and(|kernel| kernel.process_exists(pid))
        };
        Err(match seen.troubles.first() {
            Some((Cause::Blocked, _)) => Error::ProcessDenied {
                pid,
                source: error::blocked(),
            },
            Some((Cause::Denied, _)) => denied(Errno::ACCESS),
            Some((Cause::Hidden, _)) => denied(Errno::PERM),
            Some((Cause::Vanished, _)) if exists() => denied(Errno::PERM),
            Some((Cause::Malformed, _)) => Error::Malformed(self.root.process_path(pid)),
            Some((Cause::Failed(errno), _)) => Error::read(
                self.root.process_path(pid),
                std::io::Error::from_raw_os_error(*errno),
            ),
            _ if self.root.hides_processes() => Error::HiddenProcess(pid),
            _ if self.root.pids()?.is_empty() => Error::NoProcesses(self.root.proc_path()),
            _ => Error::NoProcess(pid),
        })
    }

    /// Fails if nothing was found where something must exist.
    fn refuse_nothing(&self, snapshot: &Snapshot) -> Result<(), Error> {
        match &self.target {
            Target::Namespace(name) if snapshot.namespaces.is_empty() => Err(Error::NoNamespace {
                name: name.to_string(),
                gaps: snapshot.hiding_gaps(),
            }),
            _ if snapshot.processes.is_empty() && !snapshot.is_complete() => {
                Err(Error::NothingReadable {
                    path: self.root.proc_path(),
                    gaps: snapshot.gaps.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}
