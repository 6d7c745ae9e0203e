//! The links of one process, what it means when one is not there, and its open
//! files.

use std::path::PathBuf;

use crate::containers::Affiliations;
use crate::error::Error;
use crate::model::{Cause, Holder, Link, LinkSet, Links, OpenFile, Pid, Process, Source, Tid};
use crate::proc::{FdTarget, NsDir, PathHash, ProcessDir, ReadError, Sysroot};
use crate::scan::group::Find;
use crate::scan::tally::{Tally, cause_of};

/// What was seen of one process.
pub(crate) struct Sighting {
    pub(crate) pid: Pid,
    /// The links that were read.
    pub(crate) links: Links,
    /// The links that are not there, although the process lives: the kernel
    /// has none of that name, or, for `pid_for_children`, no child is born.
    pub(crate) absent: LinkSet,
    /// What else went wrong, and with which links.
    pub(crate) troubles: Vec<(Cause, LinkSet)>,
    /// The thread through which links were read, if the leader is a zombie.
    pub(crate) thread: Option<Tid>,
    /// Links of other threads that lead elsewhere.
    pub(crate) threads: Vec<(Tid, Links)>,
    /// Its threads besides its leader, if they are looked at.
    pub(crate) tids: Vec<Tid>,
    /// Its open files that can hold a namespace.
    pub(crate) files: Vec<(OpenFile, FdTarget)>,
    /// The text of its cgroup file.
    pub(crate) cgroup: Option<Vec<u8>>,
    /// Why some of that could not be read.
    pub(crate) other_troubles: Vec<(Source, Cause)>,
}

impl Sighting {
    /// A process of which nothing was seen yet.
    pub(crate) fn of(pid: Pid) -> Self {
        Sighting {
            pid,
            links: Links::default(),
            absent: LinkSet::EMPTY,
            troubles: Vec::new(),
            thread: None,
            threads: Vec::new(),
            tids: Vec::new(),
            files: Vec::new(),
            cgroup: None,
            other_troubles: Vec::new(),
        }
    }
}

/// What to read of each process.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) links: LinkSet,
    pub(crate) threads: bool,
    pub(crate) fds: bool,
    pub(crate) cgroup: bool,
}

/// Reads the links of one process, and its open files where they are wanted. A
/// process that refuses its links refuses those too.
pub(crate) fn read_process(root: &Sysroot, pid: Pid, look: Look) -> Result<Sighting, Error> {
    let mut sighting = Sighting::of(pid);
    let trouble = match ProcessDir::open(root, pid) {
        Ok(process) => return read_open(root, &process, look, sighting),
        Err(error) => cause_of(error, || root.process_path(pid))?,
    };
    sighting.troubles.push((trouble, look.links));
    Ok(sighting)
}

fn read_open(
    root: &Sysroot,
    process: &ProcessDir<'_>,
    look: Look,
    mut sighting: Sighting,
) -> Result<Sighting, Error> {
    let wanted = look.links;
    let pid = sighting.pid;
    let path = || root.process_path(pid).join("ns");
    let ns = match process.ns() {
        Ok(ns) => ns,
        Err(error) => {
            let broken = error == ReadError::Gone && process.exists();
            let error = if broken { ReadError::Malformed } else { error };
            sighting.troubles.push((cause_of(error, path)?, wanted));
            return Ok(sighting);
        }
    };
    let mut reading = Reading::of(&ns, wanted);
    if !reading.absent.is_empty() {
        match life(process, &ns, &reading) {
            Life::Alive => sighting.absent = reading.absent,
            Life::Gone => {
                sighting.troubles.push((Cause::Vanished, wanted));
                return Ok(sighting);
            }
            Life::Zombie => {
                let lost = reading.absent;
                let cause = match living_thread(process, pid, lost) {
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
        sighting.troubles.push((cause_of(error, path)?, links));
    }
    sighting.links = reading.links;
    if sighting.links.is_empty() {
        return Ok(sighting);
    }
    if look.threads
        && process.may_have_threads()
        && let Err(error) = read_threads(process, wanted, &mut sighting)
    {
        keep(error, Source::Threads, path, &mut sighting.other_troubles)?;
    }
    if look.cgroup {
        match process.cgroup() {
            Ok(text) => sighting.cgroup = Some(text),
            Err(error) => keep(error, Source::Cgroups, path, &mut sighting.other_troubles)?,
        }
    }
    if look.fds {
        match process.files(sighting.thread) {
            Ok(files) => sighting.files = files,
            Err(error) => keep(error, Source::Fds, path, &mut sighting.other_troubles)?,
        }
    }
    Ok(sighting)
}

/// Notes why something could not be read. What is not there (in a zombie, or in
/// a captured tree) is no trouble.
fn keep(
    error: ReadError,
    source: Source,
    path: impl FnOnce() -> PathBuf,
    troubles: &mut Vec<(Source, Cause)>,
) -> Result<(), Error> {
    if error != ReadError::Gone {
        troubles.push((source, cause_of(error, path)?));
    }
    Ok(())
}

/// The threads of a process, and those of their links that lead elsewhere.
fn read_threads(
    process: &ProcessDir<'_>,
    wanted: LinkSet,
    sighting: &mut Sighting,
) -> Result<(), ReadError> {
    sighting.tids = process.threads()?;
    sighting.tids.retain(|tid| *tid != sighting.pid);
    for tid in &sighting.tids {
        let ns = match process.thread_ns(*tid) {
            Ok(ns) => ns,
            Err(ReadError::Gone) => continue,
            Err(error) => return Err(error),
        };
        let reading = Reading::of(&ns, wanted);
        if let Some((error, _)) = reading.errors.first() {
            return Err(*error);
        }
        if reading.absent == LinkSet::of(Link::PidForChildren) {
            // It waits for its first child, as a process does.
            sighting.absent.insert(Link::PidForChildren);
        }
        let links = reading.links.without(&sighting.links);
        if !links.is_empty() {
            sighting.threads.push((*tid, links));
        }
    }
    Ok(())
}

/// What each link of one `ns` directory said.
struct Reading {
    links: Links,
    absent: LinkSet,
    errors: Vec<(ReadError, LinkSet)>,
}

impl Reading {
    fn of(ns: &NsDir, wanted: LinkSet) -> Self {
        let mut reading = Reading {
            links: Links::default(),
            absent: LinkSet::EMPTY,
            errors: Vec::new(),
        };
        reading.read(ns, wanted);
        // A process that ends between two steps of one readlink(2) gets EACCES
        // for it. If links before could be read, ask again for the truth.
        if !reading.links.is_empty() && !reading.errors.is_empty() {
            let refused = std::mem::take(&mut reading.errors);
            reading.read(
                ns,
                refused
                    .into_iter()
                    .fold(LinkSet::EMPTY, |all, (_, links)| all.union(links)),
            );
        }
        reading
    }

    fn read(&mut self, ns: &NsDir, wanted: LinkSet) {
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

    /// Whether a link was read that a zombie has no more.
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

/// Whether a process of which some links are not there lives.
///
/// A zombie has its pid and user namespace and no other, and every kernel that
/// has links has `net`: so that one tells.
fn life(process: &ProcessDir<'_>, ns: &NsDir, reading: &Reading) -> Life {
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

/// Reads links through a thread of a process whose leader is a zombie.
fn living_thread(process: &ProcessDir<'_>, leader: Pid, wanted: LinkSet) -> Option<(Tid, Reading)> {
    let threads = process.threads().ok()?;
    threads
        .into_iter()
        .filter(|tid| *tid != leader)
        .find_map(|tid| {
            let reading = Reading::of(&process.thread_ns(tid).ok()?, wanted);
            (reading.absent != wanted).then_some((tid, reading))
        })
}

/// What all sightings together say.
#[derive(Default)]
pub(crate) struct Settled {
    /// Every process of which a link was read, by pid.
    pub(crate) processes: Vec<Process>,
    /// The open files that are namespaces.
    pub(crate) finds: Vec<Find>,
    /// The open files that are sockets, with their inode numbers.
    pub(crate) sockets: Vec<(OpenFile, u64)>,
    /// The open files that are tun or tap devices.
    pub(crate) tuns: Vec<OpenFile>,
    /// The processes that refuse every link.
    pub(crate) refused: Vec<Pid>,
    /// Other open files, any of which may be a namespace seen through a mount.
    pub(crate) files: Vec<(OpenFile, PathHash)>,
}

/// Makes processes of sightings, and counts what is missing.
///
/// Only all sightings together tell what an absent link means: if no process
/// has one of that name, the kernel has none. Links that nobody asked for are
/// not missed.
pub(crate) fn settle(
    sightings: Vec<Sighting>,
    asked: LinkSet,
    affiliations: &mut Affiliations<'_>,
    tally: &mut Tally,
) -> Settled {
    let mut known: LinkSet = sightings
        .iter()
        .flat_map(|sighting| sighting.links.iter())
        .map(|(link, _)| link)
        .collect();
    if known.contains(Link::Time) {
        // Time namespaces are younger, so this kernel has both.
        known.insert(Link::PidForChildren);
    }
    let mut settled = Settled::default();
    for sighting in sightings {
        let pid = sighting.pid;
        let denies = |(cause, _): &(Cause, LinkSet)| *cause == Cause::Denied;
        if sighting.links.is_empty() && sighting.troubles.iter().any(denies) {
            settled.refused.push(pid);
        }
        for (cause, of) in sighting.troubles {
            let of = of.intersection(asked);
            if !of.is_empty() {
                tally.add(Source::Processes, cause, of);
            }
        }
        for (source, cause) in sighting.other_troubles {
            tally.add(source, cause, LinkSet::EMPTY);
        }
        let absent = sighting.absent.intersection(asked);
        let unsupported = absent.without(known);
        if !unsupported.is_empty() {
            tally.add(Source::Processes, Cause::Unsupported, unsupported);
        }
        let lost = absent.without(unsupported);
        if lost == LinkSet::of(Link::PidForChildren) {
            tally.add(Source::Processes, Cause::Unborn, lost);
        } else if !lost.is_empty() {
            tally.add(Source::Processes, Cause::Vanished, lost);
            continue;
        }
        if !sighting.links.iter().any(|(link, _)| asked.contains(link)) {
            continue;
        }
        settled.processes.push(Process {
            pid,
            links: sighting.links,
            thread: sighting.thread,
            affiliation: sighting.cgroup.map(|text| affiliations.of(text)),
            details: None,
        });
        for (tid, links) in sighting.threads {
            let holder = |link| Holder::Thread { pid, tid, link };
            let finds = links.iter().map(|(link, id)| (id, holder(link)));
            settled.finds.extend(finds);
        }
        for (file, target) in sighting.files {
            match target {
                FdTarget::Tun => settled.tuns.push(file),
                FdTarget::File(path) => settled.files.push((file, path)),
                FdTarget::Namespace(id) => settled.finds.push((id, Holder::Fd(file))),
                FdTarget::Socket(ino) => settled.sockets.push((file, ino)),
            }
        }
    }
    settled
}
