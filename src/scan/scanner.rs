use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::{self, Linux};
use crate::model::{
    Cause, Gap, Kind, KindSet, Link, LinkSet, Links, Member, Namespace, NsId, Pid, Snapshot,
    Source, Sources, summary,
};
use crate::proc::{ProcessDir, Sysroot, Users};
use crate::scan::affiliate::{Affiliations, affiliate};
use crate::scan::answers::{Answers, below};
use crate::scan::contents::{Contents, read_contents, tell_host};
use crate::scan::details::{Seen, read_details};
use crate::scan::findings::Findings;
use crate::scan::goal::Goal;
use crate::scan::group::group;
use crate::scan::infer::{group_fingerprints, liken, take_fingerprints};
use crate::scan::links::{Look, Sighting, read_process, settle};
use crate::scan::lists::{list_mount_namespaces, list_namespaces};
use crate::scan::mounts::{read_other_mounts, read_own_mounts};
use crate::scan::open_files::{ask_sockets, ask_tuns, look_at_files};
use crate::scan::peers::find_peers;
use crate::scan::plan::Plan;
use crate::scan::relations::Inquiry;
use crate::scan::tally::Tally;
use crate::scan::target::Wanted;
use crate::scan::walk::{apart, walk};
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
    root: Sysroot,
    kinds: KindSet,
    target: Target,
    needs: Needs,
    sources: Sources,
    is_chosen: bool,
    threads: Option<NonZeroUsize>,
}

impl Scanner {
    /// A scan of all namespaces of all types, from all sources, without
    /// details of processes.
    pub fn new(root: Sysroot) -> Self {
        Scanner {
            root,
            kinds: KindSet::all(),
            target: Target::All,
            needs: Needs::EMPTY,
            sources: Sources::all(),
            is_chosen: false,
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

    /// What to find out besides. Details of processes are read of those that
    /// are shown: the representatives, or with [`Target::Namespace`] all
    /// members.
    pub fn needs(self, needs: Needs) -> Self {
        Scanner { needs, ..self }
    }

    /// Where to look for namespaces, rather than wherever this kernel can. The
    /// links of processes are always read.
    pub fn sources(self, sources: Sources) -> Self {
        Scanner {
            sources,
            is_chosen: true,
            ..self
        }
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
        let goal = match &self.target {
            Target::All => Goal::All,
            Target::Process(pid) => Goal::Process(*pid, self.links_of(*pid)?),
            Target::Namespace(name) => Goal::Namespace(self.wanted(name)?),
        };
        let snapshot = match goal {
            Goal::All => self.scan_for(&goal, self.sources)?,
            // Nothing but its own links leads to the namespaces of a process.
            Goal::Process(..) => self.scan_for(&goal, Sources::EMPTY)?,
            Goal::Namespace(_) if self.needs.contains(Need::Holders) => {
                self.scan_for(&goal, self.sources)?
            }
            Goal::Namespace(_) => {
                let near = self.sources.intersection(Sources::of(Source::Threads));
                let snapshot = self.scan_for(&goal, near)?;
                if snapshot.namespaces.is_empty() {
                    self.scan_for(&goal, self.sources)?
                } else {
                    snapshot
                }
            }
        };
        self.refuse_nothing(&snapshot)?;
        Ok(snapshot)
    }

    /// One pass over the system, through the links of all processes and these
    /// sources.
    fn scan_for(&self, goal: &Goal, sources: Sources) -> Result<Snapshot, Error> {
        let plan = Plan::new(goal, self.kinds, self.needs, sources, self.root.is_live());
        let pids = self.root.pids()?;
        if pids.is_empty() {
            return Err(Error::NoProcesses(self.root.proc_path()));
        }
        let mut tally = Tally::new(pids.len());
        let mut findings = self.find(&plan, &pids, &mut tally)?;
        findings.finds.extend(goal.finds());
        let mut answers = Answers::default();
        let mut users = Users::below(&self.root);
        // Each round takes out what ended meanwhile, or adds what was found.
        let mut contents = Contents::default();
        let (shown, (mut namespaces, ancestors), mut inferred) = loop {
            let all = group(
                &findings.processes,
                &findings.finds,
                plan.kinds,
                self.needs.contains(Need::Holders),
            );
            if self.ask(&plan, goal, &all, &mut findings, &mut answers, &mut tally)? {
                continue;
            }
            let wants = |namespace: &Namespace| goal.wants(namespace, self.kinds);
            let below = match goal {
                Goal::Namespace(_) => below(&all, wants),
                Goal::All | Goal::Process(..) => HashSet::new(),
            };
            let up = self.needs.contains(Need::Relations);
            let found = answers.split(all, wants, up, &below);
            let inferred = group_fingerprints(findings.fingerprints());
            let mut shown = goal.shown(&findings.processes, &found.0, &found.1);
            shown.extend(inferred.iter().filter_map(|namespace| namespace.pid));
            shown.sort_unstable();
            shown.dedup();
            if self.add_details(&shown, &mut findings, &mut users, &mut tally)? {
                continue;
            }
            if self.add_contents(&found.0, &mut contents, &mut findings, &mut tally)? {
                continue;
            }
            break (shown, found, inferred);
        };
        drop(answers);
        contents.tell(&mut namespaces);
        if self.needs.contains(Need::Interfaces) && self.root.is_live() {
            let linux = self.linux();
            let inquiry = Inquiry::new(&linux, plan.questions, plan.kinds, HashSet::new());
            find_peers(&inquiry, &mut namespaces, self.thread_count())?;
        }
        if self.needs.contains(Need::Host) {
            tell_host(&mut namespaces, &self.root, &mut tally);
        }
        if self.needs.contains(Need::Affiliation) {
            affiliate(&mut namespaces, &findings.processes);
        }
        self.count_unknown(&mut tally);
        liken(&mut inferred, &self.root, &findings.processes);
        let mut gaps = tally.gaps();
        let absent = |gap: &Gap| {
            gap.source.is_list() && matches!(gap.cause, Cause::Unsupported | Cause::Outside)
        };
        let absent: Sources = gaps
            .iter()
            .filter(|gap| absent(gap))
            .map(|gap| gap.source)
            .collect();
        if !self.is_chosen {
            // Only who asks for a list wants to hear that there is none.
            gaps.retain(|gap| !absent.contains(gap.source));
        }
        let mut snapshot = Snapshot {
            namespaces,
            ancestors,
            inferred,
            processes: findings.processes,
            parents: self.parents(shown),
            sources: plan.sources.without(absent),
            gaps,
        };
        if let Goal::Process(_, links) = goal {
            for namespace in &mut snapshot.namespaces {
                namespace.links = links.leading_to(namespace.id);
            }
        }
        if self.needs.contains(Need::User) {
            let all = snapshot
                .namespaces
                .iter_mut()
                .chain(&mut snapshot.ancestors);
            for Namespace { relations, .. } in all {
                relations.owner_user = relations.owner_uid.and_then(|uid| users.name(uid));
            }
        }
        Ok(snapshot)
    }

    /// Everything that leads to a namespace, source by source.
    fn find(&self, plan: &Plan, pids: &[Pid], tally: &mut Tally) -> Result<Findings, Error> {
        let (root, threads, linux) = (&self.root, self.thread_count(), self.linux());
        let runs = |source| plan.sources.contains(source);
        let kinds = plan.kinds.iter();
        let asked: LinkSet = kinds.flat_map(|kind| kind.links().iter()).collect();
        let mut links = asked;
        if runs(Source::Mounts) || runs(Source::MountNamespaces) {
            links.insert(Link::Mnt);
        }
        let look = Look {
            links,
            threads: runs(Source::Threads),
            fds: runs(Source::Fds) || runs(Source::Sockets) || runs(Source::Tuns),
            cgroup: self.needs.contains(Need::Affiliation),
        };
        let sightings = walk(pids, threads, |pid| read_process(root, *pid, look))?;
        if root.hides_processes() {
            tally.add_uncounted(Source::Processes, Cause::Hidden);
        }
        let settled = settle(sightings, asked, &mut Affiliations::below(root), tally);
        let mut finds = settled.finds;
        if runs(Source::Sockets) {
            finds.extend(ask_sockets(&linux, &settled.sockets, threads, tally)?);
        }
        if runs(Source::Tuns) {
            finds.extend(ask_tuns(&linux, &settled.tuns, threads, tally)?);
        }
        if runs(Source::Mounts) || self.needs.contains(Need::Mounts) {
            finds.extend(read_own_mounts(root, tally)?);
        }
        if runs(Source::Mounts) {
            let processes = &settled.processes;
            finds.extend(read_other_mounts(root, processes, threads, tally)?);
        }
        let is_inside = !self.root.is_initial();
        if runs(Source::MountNamespaces) {
            let processes = settled.processes.iter();
            let known = processes.filter_map(|process| process.links.ino(Link::Mnt));
            finds.extend(list_mount_namespaces(
                &linux,
                is_inside,
                &known.collect(),
                tally,
            )?);
        }
        if runs(Source::Listns) {
            finds.extend(list_namespaces(&linux, is_inside, tally)?);
        }
        if runs(Source::Fds) && root.is_live() {
            let files = &settled.files;
            let seen = look_at_files(&linux, root, files, &finds, threads, tally)?;
            finds.extend(seen);
        }
        let mut findings = Findings {
            processes: settled.processes,
            finds,
            fingerprints: Vec::new(),
        };
        if self.needs.contains(Need::Inference) {
            let refused = settled.refused;
            findings.fingerprints = take_fingerprints(root, &refused, self.kinds, threads)?;
            findings.add_refused(refused);
        }
        Ok(findings)
    }

    /// Asks the kernel about what was found, as far as somebody wants to know
    /// and it was not asked before. Tells whether something is gone or new, and
    /// so the grouping is stale.
    fn ask(
        &self,
        plan: &Plan,
        goal: &Goal,
        all: &[Namespace],
        findings: &mut Findings,
        answers: &mut Answers,
        tally: &mut Tally,
    ) -> Result<bool, Error> {
        let wanted = |namespace: &&Namespace| plan.look_up || goal.wants(namespace, self.kinds);
        let known: HashSet<NsId> = all.iter().map(|namespace| namespace.id).collect();
        let holders = findings.holders();
        let linux = self.linux();
        let inquiry = Inquiry::new(&linux, plan.questions, plan.kinds, known);
        let mut lost = HashSet::new();
        let mut finds = Vec::new();
        loop {
            let reached = answers.reach(all.iter().filter(wanted).map(|namespace| namespace.id));
            let to_ask: Vec<&Namespace> = all
                .iter()
                .filter(|namespace| plan.questions.concern(namespace))
                .filter(|namespace| reached.contains(&namespace.id))
                .filter(|namespace| !answers.contains(namespace.id))
                .collect();
            if to_ask.is_empty() {
                break;
            }
            let ask = || {
                walk(&to_ask, self.thread_count(), |namespace| {
                    let others = holders.get(&namespace.id).into_iter().flatten().copied();
                    let others = others.filter(|holder| **holder != namespace.via);
                    inquiry.ask(namespace, std::iter::once(&namespace.via).chain(others))
                })
            };
            let goes_inside = Kind::ALL
                .iter()
                .any(|kind| self.needs.inside(*kind).is_some());
            let asked = if goes_inside { apart(ask) } else { ask() }?;
            for (namespace, asked) in to_ask.into_iter().zip(asked) {
                lost.extend(asked.lost.iter().cloned());
                finds.extend(asked.finds.iter().cloned());
                for (source, cause) in answers.add(namespace.id, asked) {
                    tally.add(source, cause, LinkSet::EMPTY);
                }
            }
            if !lost.is_empty() {
                break;
            }
        }
        // Who is held is known already, unless holders are to be named.
        let holders = self.needs.contains(Need::Holders);
        let is_new = finds.iter().any(|(id, _)| holders || inquiry.found(*id));
        findings.finds.extend(finds);
        for id in findings.lose(&self.root, &lost, tally)? {
            answers.close(id);
            let cause = Cause::Failed("it could not be opened".to_owned());
            tally.add(Source::Relations, cause, LinkSet::EMPTY);
        }
        Ok(is_new || !lost.is_empty())
    }

    fn linux(&self) -> Linux {
        Linux::new(self.root.proc_path())
    }

    fn thread_count(&self) -> NonZeroUsize {
        // The question costs a dozen system calls.
        static CORES: OnceLock<NonZeroUsize> = OnceLock::new();
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.threads.unwrap_or_else(|| *CORES.get_or_init(cores))
    }

    /// The namespace that was asked for.
    fn wanted(&self, name: &NsRef) -> Result<Wanted, Error> {
        match name.resolve(&self.root)? {
            Wanted::Id(id, _) if !self.kinds.contains(id.kind) => Err(Error::OtherType {
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
            let process = ProcessDir::open(&self.root, *pid);
            Ok(process.and_then(|process| process.nspid()).ok())
        };
        let read = walk(pids, self.thread_count(), read)?;
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
        } = read_process(&self.root, pid, look)?;
        if !links.is_empty() {
            return Ok(links);
        }
        let path = || self.root.process_path(pid);
        let denied = |errno| Err(Error::ProcessDenied { pid, errno });
        match troubles.into_iter().next() {
            Some((Cause::Denied, _)) => denied(Errno::ACCESS),
            Some((Cause::Hidden, _)) => denied(Errno::PERM),
            Some((Cause::Vanished, _)) if self.root.is_live() && kernel::process_exists(pid) => {
                denied(Errno::PERM)
            }
            Some((Cause::Malformed | Cause::Failed(_), _)) => Err(Error::Read {
                path: path(),
                errno: Errno::IO,
            }),
            _ if self.root.hides_processes() => Err(Error::HiddenProcess(pid)),
            _ => Err(Error::NoProcess(pid)),
        }
    }

    /// Reads the details of those of some processes that have none yet. Tells
    /// whether one of them is gone, and so the grouping is stale.
    fn add_details(
        &self,
        pids: &[Pid],
        findings: &mut Findings,
        users: &mut Users,
        tally: &mut Tally,
    ) -> Result<bool, Error> {
        if !self.needs.of_processes() {
            return Ok(false);
        }
        let mut pids = pids.to_vec();
        pids.retain(|pid| {
            findings
                .process(*pid)
                .is_some_and(|process| process.details.is_none())
        });
        let seen = walk(&pids, self.thread_count(), |pid| {
            read_details(&self.root, *pid, self.needs)
        })?;
        let mut vanished = HashSet::new();
        for (pid, seen) in pids.into_iter().zip(seen) {
            let Some(process) = findings.process(pid) else {
                continue;
            };
            match seen {
                Seen::Details(mut details, causes) => {
                    if self.needs.contains(Need::User) {
                        details.user = details.uid.and_then(|uid| users.name(uid));
                    }
                    process.details = Some(details);
                    for cause in causes {
                        tally.add(Source::Details, cause, LinkSet::EMPTY);
                    }
                }
                Seen::Vanished => {
                    vanished.insert(pid);
                    tally.add(Source::Processes, Cause::Vanished, LinkSet::EMPTY);
                }
            }
        }
        findings
            .processes
            .retain(|process| !vanished.contains(&process.pid));
        Ok(!vanished.is_empty())
    }

    /// Reads what files of processes tell of those namespaces of which it was
    /// not read yet. Tells whether one of them is gone, and so the grouping is
    /// stale.
    fn add_contents(
        &self,
        namespaces: &[Namespace],
        contents: &mut Contents,
        findings: &mut Findings,
        tally: &mut Tally,
    ) -> Result<bool, Error> {
        let questions = contents.questions(namespaces, &findings.processes, self.needs);
        let told = walk(&questions, self.thread_count(), |question| {
            read_contents(&self.root, *question, self.needs)
        })?;
        let gone = contents.add(questions, told, tally);
        for _ in &gone {
            tally.add(Source::Processes, Cause::Vanished, LinkSet::EMPTY);
        }
        let processes = &mut findings.processes;
        processes.retain(|process| !gone.contains(&process.pid));
        Ok(!gone.is_empty())
    }

    /// Counts what this tree, or this place on the system, cannot tell at all.
    fn count_unknown(&self, tally: &mut Tally) {
        let inside = |kind: &Kind| self.kinds.contains(*kind) && self.needs.inside(*kind).is_some();
        if !self.root.is_live() && Kind::ALL.iter().any(inside) {
            tally.add_uncounted(Source::Contents, Cause::Unsupported);
        }
        if self.needs.contains(Need::Affiliation) && !self.root.sees_all_cgroups() {
            tally.add_uncounted(Source::Cgroups, Cause::Outside);
        }
    }

    /// The parents of processes, and those of their ancestors. Whose parent
    /// cannot be read is as if it had none.
    fn parents(&self, pids: Vec<Pid>) -> BTreeMap<Pid, Pid> {
        let mut parents = BTreeMap::new();
        let mut next = pids;
        if !self.needs.contains(Need::Ancestry) {
            next.clear();
        }
        while let Some(pid) = next.pop() {
            if parents.contains_key(&pid) {
                continue;
            }
            let process = ProcessDir::open(&self.root, pid);
            if let Ok(stat) = process.and_then(|process| process.stat()) {
                parents.insert(pid, stat.ppid);
                next.push(stat.ppid);
            }
        }
        parents
    }

    /// An empty list is no answer where there must be something.
    fn refuse_nothing(&self, snapshot: &Snapshot) -> Result<(), Error> {
        let why = || summary(&snapshot.gaps, None);
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
