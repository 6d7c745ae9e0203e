//! The links of each process in `/proc/PID/ns`, and what a missing one means.

use crate::containers::Affiliations;
use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Cause, Link, LinkSet, Links, OpenFile, Pid, Process, Source, Tid};
use crate::proc::{FdTarget, NsDir, ProcessDir, ReadError};
use crate::scan::context::{Context, cause_of_read};

/// What to read of each process.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) links: LinkSet,
    pub(crate) threads: bool,
    /// Whether links of threads are read, rather than their files only.
    pub(crate) thread_links: bool,
    pub(crate) fds: bool,
    pub(crate) cgroup: bool,
}

impl Look {
    /// Reads links only.
    pub(crate) const fn links(links: LinkSet) -> Self {
        Look {
            links,
            threads: false,
            thread_links: false,
            fds: false,
            cgroup: false,
        }
    }
}

/// What was seen of one process.
#[derive(Default)]
pub(crate) struct Sighting {
    pub(crate) pid: Pid,
    /// The links that were read.
    pub(crate) links: Links,
    /// The links that do not exist although the process lives: the kernel lacks
    /// them, or, for `pid_for_children`, no child exists yet.
    pub(crate) absent: LinkSet,
    /// What else went wrong, and with which links.
    pub(crate) troubles: Vec<(Cause, LinkSet)>,
    /// The thread through which links were read, if the leader is a zombie.
    pub(crate) thread: Option<Tid>,
    /// Links of other threads that differ.
    pub(crate) threads: Vec<(Tid, Links)>,
    /// All threads, if there are several and they are read.
    pub(crate) tids: Vec<Tid>,
    /// The open files that can hold a namespace.
    pub(crate) files: Vec<(OpenFile, FdTarget)>,
    /// The text of the cgroup file.
    pub(crate) cgroup: Option<Vec<u8>>,
}

impl Sighting {
    /// Returns that of a process that does not answer.
    pub(crate) fn blocked(pid: Pid, wanted: LinkSet) -> Self {
        Sighting {
            pid,
            troubles: vec![(Cause::Blocked, wanted)],
            ..Sighting::default()
        }
    }

    /// Returns whether the process ended before it could be read.
    fn has_vanished(&self) -> bool {
        self.links.is_empty() && self.has_trouble(Cause::Vanished)
    }

    /// Returns whether the process refuses all its links.
    fn is_refused(&self) -> bool {
        self.links.is_empty() && self.has_trouble(Cause::Denied)
    }

    fn has_trouble(&self, cause: Cause) -> bool {
        self.troubles.iter().any(|(known, _)| *known == cause)
    }
}

/// Reads the links of one process, and its open files if they are wanted. A
/// process that refuses its links refuses those, too.
pub(crate) fn read_process<K: Kernel>(
    context: &Context<K>,
    pid: Pid,
    look: Look,
) -> Result<Sighting, Error> {
    let mut sighting = Sighting {
        pid,
        ..Sighting::default()
    };
    let root = &context.root;
    match ProcessDir::open(root, pid) {
        Ok(process) => read_open(context, &process, look, &mut sighting)?,
        Err(error) => {
            let cause = cause_of_read(error, || root.process_path(pid))?;
            sighting.troubles.push((cause, look.links));
        }
    }
    Ok(sighting)
}

fn read_open<K: Kernel>(
    context: &Context<K>,
    process: &ProcessDir<'_>,
    look: Look,
    sighting: &mut Sighting,
) -> Result<(), Error> {
    let path = || context.root.process_path(sighting.pid).join("ns");
    let ns = match process.ns() {
        Ok(ns) => ns,
        Err(error) => {
            let is_broken = error == ReadError::Gone && process.exists();
            let error = if is_broken {
                ReadError::Malformed
            } else {
                error
            };
            let cause = cause_of_read(error, path)?;
            sighting.troubles.push((cause, look.links));
            return Ok(());
        }
    };
    let mut reading = Reading::of(&ns, look.links);
    if !reading.absent.is_empty() {
        match life(process, &ns, &reading) {
            Life::Alive => sighting.absent = reading.absent,
            Life::Gone => {
                sighting.troubles.push((Cause::Vanished, look.links));
                return Ok(());
            }
            Life::Zombie => {
                let lost = reading.absent;
                let cause = match living_thread(process, sighting.pid, lost) {
                    Some((tid, seen)) => {
                        reading.links.fill(&seen.links);
                        reading.errors.extend(seen.errors);
                        sighting.thread = Some(tid);
                        Cause::ZombieLeader
                    }
                    None => Cause::Zombie,
                };
                sighting.troubles.push((cause, lost));
            }
        }
    }
    for (error, links) in reading.errors {
        sighting.troubles.push((cause_of_read(error, path)?, links));
    }
    sighting.links = reading.links;
    if sighting.links.is_empty() {
        return Ok(());
    }
    if look.threads && ns.may_have_threads() {
        let tids = note(context, process.threads(), Source::Threads, sighting.pid)?;
        sighting.tids = tids.unwrap_or_default();
    }
    if look.cgroup {
        sighting.cgroup = note(context, process.cgroup(), Source::Cgroups, sighting.pid)?;
    }
    if look.fds {
        sighting.files = read_files(context, process, sighting.pid, sighting.thread)?;
    }
    Ok(())
}

/// Reads the open files of a process, or of one of its threads.
pub(super) fn read_files<K: Kernel>(
    context: &Context<K>,
    process: &ProcessDir<'_>,
    pid: Pid,
    thread: Option<Tid>,
) -> Result<Vec<(OpenFile, FdTarget)>, Error> {
    let table = process.files(thread, |one, other| context.share_files(one, other));
    let Some(mut table) = note(context, table, Source::Fds, pid)? else {
        return Ok(Vec::new());
    };
    if let Some(error) = table.trouble.take() {
        note(context, Err::<(), _>(error), Source::Fds, pid)?;
    }
    Ok(table.of(pid, thread).collect())
}

/// Counts why something could not be read. A file that does not exist (in a
/// zombie, or in a captured tree) is no gap.
pub(super) fn note<K, T>(
    context: &Context<K>,
    read: Result<T, ReadError>,
    source: Source,
    pid: Pid,
) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(ReadError::Gone) => Ok(None),
        Err(error) => {
            let cause = cause_of_read(error, || context.root.process_path(pid))?;
            context.miss(source, cause);
            Ok(None)
        }
    }
}

/// What each link of one `ns` directory said.
pub(crate) struct Reading {
    pub(crate) links: Links,
    pub(crate) absent: LinkSet,
    pub(crate) errors: Vec<(ReadError, LinkSet)>,
}

impl Reading {
    pub(crate) fn of(ns: &NsDir<'_>, wanted: LinkSet) -> Self {
        let mut reading = Reading {
            links: Links::default(),
            absent: LinkSet::EMPTY,
            errors: Vec::new(),
        };
        reading.read(ns, wanted);
        // A process that ends between two steps of one readlink(2) answers
        // EACCES. If other links could be read, ask again for the truth.
        if !reading.links.is_empty() && !reading.errors.is_empty() {
            let mut refused = LinkSet::EMPTY;
            for (_, links) in std::mem::take(&mut reading.errors) {
                refused = refused.union(links);
            }
            reading.read(ns, refused);
        }
        reading
    }

    fn read(&mut self, ns: &NsDir<'_>, wanted: LinkSet) {
        for link in wanted.iter() {
            match ns.read(link) {
                Ok(ino) => self.links.set(link, ino),
                Err(ReadError::Gone) => self.absent.insert(link),
                Err(error) => match self.errors.iter_mut().find(|(known, _)| *known == error) {
                    Some((_, links)) => links.insert(link),
                    None => self.errors.push((error, LinkSet::of(link))),
                },
            }
        }
    }

    /// Returns whether a link was read that a zombie lacks.
    fn shows_life(&self) -> bool {
        self.links
            .iter()
            .any(|(link, _)| !matches!(link, Link::Pid | Link::User))
    }
}

enum Life {
    Alive,
    Zombie,
    Gone,
}

/// Finds out whether a process lives of which some links do not exist.
///
/// A zombie is in its pid and user namespaces and no others, and every kernel
/// that has links has `net`, so that one decides.
fn life(process: &ProcessDir<'_>, ns: &NsDir<'_>, reading: &Reading) -> Life {
    if reading.shows_life() {
        return Life::Alive;
    }
    match (ns.read(Link::Net), process.exists()) {
        (Ok(_), _) => Life::Alive,
        (Err(_), false) => Life::Gone,
        (Err(ReadError::Gone), true) => Life::Zombie,
        (Err(_), true) => Life::Alive,
    }
}

/// Reads links through a living thread of a process whose leader is a zombie.
fn living_thread(process: &ProcessDir<'_>, leader: Pid, wanted: LinkSet) -> Option<(Tid, Reading)> {
    let threads = process.threads().ok()?;
    let tasks = process.tasks().ok()?;
    threads
        .into_iter()
        .filter(|tid| *tid != leader)
        .find_map(|tid| {
            let reading = Reading::of(&tasks.ns(tid).ok()?, wanted);
            (reading.absent != wanted).then_some((tid, reading))
        })
}

/// What all sightings together say about processes.
#[derive(Default)]
pub(crate) struct Settled {
    /// The processes of which a link was read, and what else was seen of each.
    pub(crate) seen: Vec<(Process, Sighting)>,
    /// The processes that refuse all links.
    pub(crate) refused: Vec<Pid>,
    /// The processes that ended before they could be read.
    pub(crate) vanished: Vec<Pid>,
    /// The processes that had ended and not been waited for.
    pub(crate) zombies: usize,
}

/// Makes processes of sightings, and counts what is missing.
///
/// Only all sightings together show what an absent link means: if no process
/// has it, the kernel lacks it. `known` are the links that processes had which were
/// seen before. Links that were not requested are not missed.
pub(crate) fn settle<K>(
    context: &Context<K>,
    sightings: Vec<Sighting>,
    requested: LinkSet,
    known: &mut LinkSet,
    affiliations: &mut Affiliations<'_>,
) -> Settled {
    for (link, _) in sightings.iter().flat_map(|sighting| sighting.links.iter()) {
        known.insert(link);
    }
    if known.contains(Link::Time) {
        // Time namespaces are younger, so this kernel has both.
        known.insert(Link::PidForChildren);
    }
    let mut settled = Settled::default();
    for mut sighting in sightings {
        if sighting.is_refused() {
            settled.refused.push(sighting.pid);
        }
        if sighting.has_vanished() {
            settled.vanished.push(sighting.pid);
        }
        settled.zombies += usize::from(sighting.has_trouble(Cause::Zombie));
        for (cause, links) in sighting.troubles.drain(..) {
            let links = links.intersection(requested);
            if !links.is_empty() {
                context.miss_links(Source::Processes, cause, links);
            }
        }
        let absent = sighting.absent.intersection(requested);
        let unsupported = absent.without(*known);
        if !unsupported.is_empty() {
            context.miss_links(Source::Processes, Cause::Unsupported, unsupported);
        }
        let lost = absent.without(unsupported);
        if lost == LinkSet::of(Link::PidForChildren) {
            context.miss_links(Source::Processes, Cause::Unborn, lost);
        } else if !lost.is_empty() {
            context.miss_links(Source::Processes, Cause::Vanished, lost);
            settled.vanished.push(sighting.pid);
            continue;
        }
        let links = std::mem::take(&mut sighting.links);
        if links.iter().any(|(link, _)| requested.contains(link)) {
            let mut process = Process::new(sighting.pid, links);
            process.thread = sighting.thread;
            process.affiliation = sighting.cgroup.take().map(|text| affiliations.of(text));
            settled.seen.push((process, sighting));
        }
    }
    settled
}
