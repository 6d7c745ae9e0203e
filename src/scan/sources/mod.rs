//! Everything that leads to a namespace, one file a source, named as in
//! `--sources`.

pub(crate) mod bpf;
pub(crate) mod fds;
pub(crate) mod listns;
pub(crate) mod mount_namespaces;
pub(crate) mod mounts;
pub(crate) mod processes;
pub(crate) mod relations;
pub(crate) mod sockets;
pub(crate) mod threads;
pub(crate) mod tuns;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use crate::containers::Affiliations;
use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{
    Cause, Holder, KindSet, Link, LinkSet, Links, NsId, OpenFile, Pid, Process, Source,
};
use crate::proc::FdTarget;
use crate::scan::context::Context;
use crate::scan::groups::{Find, Groups};
use crate::scan::inference::{Fingerprints, take_fingerprints};
use crate::scan::plan::Plan;
use crate::scan::request::{Goal, Need};
use crate::scan::sources::processes::{Look, Sighting, read_process, settle};
use crate::scan::target::Wanted;

/// How often the list of processes is read again because some ended before
/// they could be read.
const MOST_LISTS: usize = 3;

/// The number of processes that are read before others, if one of them may show
/// that less is enough for the others.
const FIRST_PART: usize = 256;

/// How often only the newest processes are listed after that.
const MOST_CHASES: usize = 256;

/// For how long all chases of a scan go on.
const LONGEST_CHASE: Duration = Duration::from_millis(250);

/// Everything that was found, and what was looked at.
pub(crate) struct Discovery<'a> {
    pub(crate) groups: Groups,
    /// What is known of processes with unreadable links.
    pub(crate) fingerprints: Fingerprints,
    /// Whether the kernel itself is asked by BPF iterators, and answers.
    pub(crate) bpf: bool,
    /// Whether the proc tree does not list all processes.
    hides: bool,
    /// The processes that were read and, as far as is known, still exist.
    known: HashSet<Pid>,
    /// The links that any of them has.
    links: LinkSet,
    /// The number of processes that were listed.
    pub(crate) total: usize,
    /// How long processes that hop were chased.
    chased: Duration,
    /// Whether one was never caught.
    has_given_up: bool,
    /// The kernel's list, if it takes the place of other sources.
    listed: Vec<Find>,
    /// What was in the kernel's lists before anything was read, if they are to be
    /// followed.
    chained: Vec<(u64, NsId)>,
    /// The mount namespaces whose mount tables were read.
    mount_tables: HashSet<u64>,
    /// The sockets that are open, if it matters who has them, with their inode
    /// numbers.
    socket_files: Vec<(OpenFile, u64)>,
    pub(crate) affiliations: Affiliations<'a>,
}

/// What some processes lead to.
#[derive(Default)]
struct Found {
    processes: Vec<Process>,
    finds: Vec<Find>,
    /// The lasting numbers of namespaces that no path may open.
    ids: Vec<(NsId, u64)>,
    /// Sockets, with their inode numbers.
    sockets: Vec<(OpenFile, u64)>,
    /// Those whose net namespaces are among the finds.
    told_sockets: Vec<(OpenFile, u64)>,
    tuns: Vec<OpenFile>,
    /// Namespaces whose links do not name them.
    mounted: Vec<OpenFile>,
    /// The processes that refuse all their links.
    refused: Vec<Pid>,
    /// The processes that ended before they could be read.
    vanished: Vec<Pid>,
    /// The processes that had ended and not been waited for.
    zombies: usize,
}

/// Reads every source of the plan.
pub(crate) fn discover<'a, K: Kernel>(
    context: &'a Context<K>,
    plan: &Plan,
) -> Result<Discovery<'a>, Error> {
    let mut discovery = Discovery {
        groups: Groups::new(plan.kinds),
        fingerprints: Fingerprints::new(),
        bpf: plan.request.uses_bpf,
        hides: plan.alone.is_none() && context.root.hides_processes(),
        known: HashSet::new(),
        links: LinkSet::EMPTY,
        total: 0,
        chased: Duration::ZERO,
        has_given_up: false,
        listed: Vec::new(),
        chained: Vec::new(),
        mount_tables: HashSet::new(),
        socket_files: Vec::new(),
        affiliations: Affiliations::below(&context.root),
    };
    if discovery.hides && !discovery.bpf {
        context.miss_uncounted(Source::Processes, Cause::Hidden);
    }
    // The kernel's lists have those of the whole system, wherever it is asked.
    let follows_lists = discovery.bpf && plan.reads(Source::Listns) && context.root.is_initial();
    discovery.chained = match &context.kernel {
        Some(kernel) if follows_lists => kernel.chained().unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut finds = plan.request.known_holders();
    if plan.reads(Source::Mounts) || plan.needs(Need::Mounts) || plan.trusts_list {
        finds.extend(mounts::find_own(context)?);
        discovery.mount_tables.extend(context.root.own_mount_ns());
    }
    discovery.add(finds);
    discovery.read_new(context, plan)?;
    let mut finds = Vec::new();
    if let Some(kernel) = &context.kernel {
        if plan.reads(Source::MountNamespaces) {
            let known = &discovery.mount_tables;
            let listed = mount_namespaces::find(context, kernel, known)?;
            for (mount_ns, found) in listed {
                discovery.mount_tables.insert(mount_ns);
                finds.extend(found);
            }
        }
        if plan.reads(Source::Listns)
            && let Some(listed) = listns::find(context, kernel)?
        {
            if !plan.needs(Need::Holders) {
                // The list has it, although the link does not resolve.
                context.forget(Source::Processes, Cause::Unborn);
            }
            if plan.trusts_list {
                discovery.listed = listed;
            } else {
                finds.extend(listed);
            }
        }
    }
    discovery.add(finds);
    discovery.enter_lonely(context, plan)?;
    Ok(discovery)
}

impl Discovery<'_> {
    /// Reads the processes that were not listed before. If some end before they
    /// can be read, looks for their successors, so that nothing hides by
    /// hopping from PID to PID.
    pub(crate) fn read_new<K: Kernel>(
        &mut self,
        context: &Context<K>,
        plan: &Plan,
    ) -> Result<(), Error> {
        for _ in 0..MOST_LISTS {
            let list = || match plan.alone {
                Some(pid) => Ok(context.root.leader(pid).into_iter().collect()),
                None => context.root.pids(),
            };
            // Most processes are listed the first time; later there may be
            // nothing to ask about.
            let is_first = self.known.is_empty();
            let asks = is_first || self.hides;
            let (mut pids, mut answer) = match asks {
                true => self.ask(context, plan, list)?,
                false => (list()?, None),
            };
            if pids.is_empty() && plan.alone.is_none() {
                return Err(Error::NoProcesses(context.root.proc_path()));
            }
            // The PID of a process that ended may have been reused.
            self.known.retain(|pid| !self.groups.is_gone(*pid));
            pids.retain(|pid| self.known.insert(*pid));
            self.total += pids.len();
            if !asks && !pids.is_empty() {
                (pids, answer) = self.ask(context, plan, || Ok(pids))?;
            }
            if self.read_all(context, plan, &pids, answer)? {
                return Ok(());
            }
        }
        match plan.alone {
            Some(_) => Ok(()),
            None => self.chase(context, plan),
        }
    }

    /// Lists and reads the newest processes alone, until none of them ends in
    /// between. That takes less time than a process needs to hop on, while a list
    /// of thousands takes more. Whoever is never caught is a gap.
    fn chase<K: Kernel>(&mut self, context: &Context<K>, plan: &Plan) -> Result<(), Error> {
        if self.has_given_up() {
            return Ok(());
        }
        let start = Instant::now();
        let mut newest = self.known.iter().copied().max().unwrap_or_default();
        for _ in 0..MOST_CHASES {
            let mut pids = context.root.pids_after(newest)?;
            pids.retain(|pid| self.known.insert(*pid));
            self.total += pids.len();
            newest = pids.last().copied().unwrap_or(newest);
            if self.read_all(context, plan, &pids, None)? {
                // PIDs begin again at the lowest.
                let mut pids = context.root.pids()?;
                pids.retain(|pid| *pid < newest && !self.known.contains(pid));
                match pids.first() {
                    None => {
                        self.chased += start.elapsed();
                        return Ok(());
                    }
                    Some(pid) => newest = pid.saturating_sub(1),
                }
            }
            if self.chased + start.elapsed() > LONGEST_CHASE {
                break;
            }
        }
        self.give_up(context);
        Ok(())
    }

    /// Returns whether some process was never caught, or the time for that is
    /// over.
    pub(crate) const fn has_given_up(&self) -> bool {
        self.has_given_up
    }

    /// Counts, once, that some process was never caught.
    pub(crate) fn give_up<K>(&mut self, context: &Context<K>) {
        if !self.has_given_up {
            self.has_given_up = true;
            context.miss(Source::Processes, Cause::Unstable);
        }
    }

    /// Reads processes, and returns whether none of them had ended, and so may
    /// have a successor.
    ///
    /// If the type of the wanted namespace is unknown, parts of them are read
    /// until one shows it; of the others, one type of links is enough.
    fn read_all<K: Kernel>(
        &mut self,
        context: &Context<K>,
        plan: &Plan,
        pids: &[Pid],
        mut answer: Option<bpf::Answer>,
    ) -> Result<bool, Error> {
        let mut has_ended = false;
        let mut rest = pids;
        let mut size = match plan.request.goal {
            Goal::Namespace(Wanted::Ino(_)) if answer.is_none() => FIRST_PART,
            _ => usize::MAX,
        };
        let mut narrowed = None;
        while !rest.is_empty() {
            let (part, others) = rest.split_at(size.min(rest.len()));
            rest = others;
            let plan = narrowed.as_ref().unwrap_or(plan);
            let found = self.read(context, plan, part, answer.take())?;
            has_ended |= !found.vanished.is_empty() || found.zombies > 0;
            for pid in &found.vanished {
                self.known.remove(pid);
            }
            self.resolve(context, plan, found)?;
            if rest.is_empty() || narrowed.is_some() {
                continue;
            }
            let mut groups = self.groups.iter();
            match groups.find(|group| plan.request.wants(group.id)) {
                Some(wanted) => {
                    narrowed = Some(plan.narrowed(wanted.id));
                    size = usize::MAX;
                }
                None => size = size.saturating_mul(2),
            }
        }
        Ok(!has_ended)
    }

    /// Returns whether the kernel lists a namespace, of the requested types
    /// among some, that nothing else led to.
    pub(crate) fn lists_more<K: Kernel>(
        &self,
        context: &Context<K>,
        plan: &Plan,
        kinds: KindSet,
    ) -> bool {
        let Some(kernel) = &context.kernel else {
            return false;
        };
        self.listed.iter().any(|(id, holder)| {
            kinds.contains(id.kind)
                && plan.request.kinds.contains(id.kind)
                && self.groups.get(*id).is_none_or(|group| !self.groups.is_held(group))
                // Unless it is gone.
                && matches!(holder, Holder::Listed { unique_id }
                    if kernel.identify_listed(*unique_id) == Ok(Some(*id)))
        })
    }

    /// Adds the namespaces that only the kernel's lists lead to, once, when all
    /// others are known. Returns whether there are any.
    pub(crate) fn follow_lists<K: Kernel>(
        &mut self,
        context: &Context<K>,
        plan: &Plan,
    ) -> Result<bool, Error> {
        let before = std::mem::take(&mut self.chained);
        let (true, Some(kernel)) = (self.bpf && !before.is_empty(), &context.kernel) else {
            return Ok(false);
        };
        // Of the listed ones the holders were not looked at.
        let listed = self.listed.iter().map(|(id, _)| *id).collect();
        let finds = bpf::find_chained(&**kernel, plan, &self.groups, &listed, &before);
        let has_found = !finds.is_empty();
        self.add(finds);
        if has_found {
            self.enter_lonely(context, plan)?;
        }
        Ok(has_found)
    }

    /// Reads again what these processes hold besides their links.
    pub(crate) fn read_again<K: Kernel>(
        &mut self,
        context: &Context<K>,
        plan: &Plan,
        pids: &[Pid],
    ) -> Result<(), Error> {
        let (pids, answer) = self.ask(context, plan, || Ok(pids.to_vec()))?;
        let mut found = self.read(context, plan, &pids, answer)?;
        found.processes.clear();
        let again: HashSet<Pid> = pids.iter().copied().collect();
        self.socket_files
            .retain(|(file, _)| !again.contains(&file.pid));
        self.resolve(context, plan, found)?;
        self.enter_lonely(context, plan)
    }

    /// Lists processes, and asks the kernel itself about all, if it answers.
    fn ask<K: Kernel>(
        &mut self,
        context: &Context<K>,
        plan: &Plan,
        list: impl FnOnce() -> Result<Vec<Pid>, Error>,
    ) -> Result<(Vec<Pid>, Option<bpf::Answer>), Error> {
        let (true, Some(kernel)) = (self.bpf && plan.alone.is_none(), &context.kernel) else {
            return Ok((list()?, None));
        };
        let (mut pids, answer) = bpf::ask(context, kernel, look(plan), list)?;
        self.bpf = answer.is_some();
        if self.hides {
            let hidden = answer
                .as_ref()
                .map(|answer| bpf::find_hidden(context, kernel, &pids, answer));
            match hidden.transpose() {
                Ok(Some(hidden)) => {
                    pids.extend(hidden);
                    pids.sort_unstable();
                }
                Ok(None) | Err(_) => {
                    context.miss_uncounted(Source::Processes, Cause::Hidden);
                }
            }
        }
        Ok((pids, answer))
    }

    fn read<K: Kernel>(
        &mut self,
        context: &Context<K>,
        plan: &Plan,
        pids: &[Pid],
        answer: Option<bpf::Answer>,
    ) -> Result<Found, Error> {
        let look = look(plan);
        let mut found = Found::default();
        let mut rest = Cow::Borrowed(pids);
        if let Some(answer) = answer {
            let told = bpf::read(context, plan, look, pids, answer, &mut self.affiliations)?;
            rest = told.rest.into();
            found.processes = told.processes;
            found.finds = told.finds;
            found.told_sockets = told.sockets;
            found.ids = told.ids;
            found.vanished = told.vanished;
            found.zombies = told.zombies;
            for sighting in told.sightings {
                found.sort(sighting.pid, sighting);
            }
        }
        let read = context.map("processes", rest.to_vec(), move |context, pid| {
            read_process(context, *pid, look)
        })?;
        let mut sightings: Vec<Sighting> = rest
            .iter()
            .zip(read)
            .map(|(pid, read)| read.unwrap_or_else(|| Sighting::blocked(*pid, look.links)))
            .collect();
        if look.threads {
            threads::read(context, look, &mut sightings)?;
        }
        for (link, _) in found
            .processes
            .iter()
            .flat_map(|process| process.links.iter())
        {
            self.links.insert(link);
        }
        let settled = settle(
            context,
            sightings,
            plan.links(),
            &mut self.links,
            &mut self.affiliations,
        );
        found.refused = settled.refused;
        found.vanished.extend(settled.vanished);
        let gone: HashSet<Pid> = found.vanished.iter().copied().collect();
        let is_there = |holder: &Holder| holder.pid().is_none_or(|pid| !gone.contains(&pid));
        found.finds.retain(|(_, holder)| is_there(holder));
        found.zombies += settled.zombies;
        for (process, sighting) in settled.seen {
            found.sort(process.pid, sighting);
            found.processes.push(process);
        }
        Ok(found)
    }

    /// Finds out which namespaces files and mounts lead to, and groups
    /// everything.
    fn resolve<K: Kernel>(
        &mut self,
        context: &Context<K>,
        plan: &Plan,
        found: Found,
    ) -> Result<(), Error> {
        let mut finds = found.finds;
        if plan.needs(Need::SocketFiles) {
            let sockets = found.sockets.iter().chain(&found.told_sockets);
            self.socket_files.extend(sockets);
        }
        if let Some(kernel) = &context.kernel {
            if plan.reads(Source::Sockets) {
                finds.extend(sockets::find(context, kernel, &found.sockets)?);
            }
            if plan.reads(Source::Tuns) {
                finds.extend(tuns::find(context, kernel, &found.tuns)?);
            }
            if plan.reads(Source::Fds) {
                finds.extend(fds::identify(context, kernel, &found.mounted)?);
            }
        }
        let mut insiders = mounts::insiders(&found.processes, &finds);
        insiders.retain(|mount_ns, _| !self.mount_tables.contains(mount_ns));
        if plan.reads(Source::Mounts) {
            for (mount_ns, mounts) in mounts::find_elsewhere(context, insiders)? {
                self.mount_tables.insert(mount_ns);
                finds.extend(mounts);
            }
        } else {
            self.mount_tables.extend(insiders.into_keys());
        }
        let mut processes = found.processes;
        if plan.needs(Need::Inference) {
            let kinds = plan.request.kinds;
            let taken = take_fingerprints(context, &found.refused, kinds)?;
            self.fingerprints.extend(taken);
            let refused = found.refused.iter();
            processes.extend(refused.map(|pid| Process::new(*pid, Links::default())));
        }
        self.groups.add(processes);
        self.add(finds);
        for (id, unique_id) in found.ids {
            if let Some(group) = self.groups.get_mut(id) {
                group.unique_id = Some(unique_id);
            }
        }
        Ok(())
    }

    /// Reads the mount tables of mount namespaces without processes, and of those
    /// that are mounted there in turn.
    fn enter_lonely<K: Kernel>(&mut self, context: &Context<K>, plan: &Plan) -> Result<(), Error> {
        let Some(kernel) = context
            .kernel
            .as_ref()
            .filter(|_| plan.reads(Source::Mounts))
        else {
            return Ok(());
        };
        loop {
            let known = &self.mount_tables;
            let found = mounts::find_lonely(context, kernel, &self.groups, known)?;
            if found.is_empty() {
                return Ok(());
            }
            for (mount_ns, finds) in found {
                self.mount_tables.insert(mount_ns);
                self.add(finds);
            }
        }
    }

    /// Takes the open files that each of some sockets is, by its inode number, as
    /// far as the processes still exist.
    pub(crate) fn take_socket_files(
        &mut self,
        sockets: &HashSet<u64>,
    ) -> BTreeMap<u64, Vec<OpenFile>> {
        let mut found: BTreeMap<u64, Vec<OpenFile>> = BTreeMap::new();
        for (file, ino) in std::mem::take(&mut self.socket_files) {
            if sockets.contains(&ino) && !self.groups.is_gone(file.pid) {
                found.entry(ino).or_default().push(file);
            }
        }
        for files in found.values_mut() {
            files.sort_unstable();
            files.dedup();
        }
        found
    }

    fn add(&mut self, finds: Vec<Find>) {
        for find in finds {
            self.groups.insert(find);
        }
    }
}

/// Returns what to read of each process.
fn look(plan: &Plan) -> Look {
    let mut links: LinkSet = plan.links();
    let by_mount_ns = [Source::Mounts, Source::MountNamespaces];
    if by_mount_ns.iter().any(|source| plan.reads(*source)) {
        links.insert(Link::Mnt);
    }
    Look {
        links,
        threads: plan.reads(Source::Threads)
            || plan.needs(Need::SocketFiles)
            || (plan.trusts_list && plan.reads(Source::Sockets)),
        thread_links: plan.reads(Source::Threads),
        fds: plan.needs(Need::SocketFiles)
            || [Source::Fds, Source::Sockets, Source::Tuns]
                .into_iter()
                .any(|source| plan.reads(source)),
        cgroup: plan.needs(Need::Affiliation),
    }
}

impl Found {
    /// Sorts what a process holds besides its links.
    fn sort(&mut self, pid: Pid, sighting: Sighting) {
        for (tid, links) in sighting.threads {
            let holders = links
                .iter()
                .map(|(link, id)| (id, Holder::Thread { pid, tid, link }));
            self.finds.extend(holders);
        }
        for (file, target) in sighting.files {
            match target {
                FdTarget::Tun => self.tuns.push(file),
                FdTarget::Mounted => self.mounted.push(file),
                FdTarget::Namespace(id) => self.finds.push((id, Holder::Fd(file))),
                FdTarget::Socket(ino) => self.sockets.push((file, ino)),
            }
        }
    }
}
