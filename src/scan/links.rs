//! The links of one process, what it means when one is not there, and its open
//! files.

use std::collections::HashSet;

use crate::error::Error;
use crate::model::{Cause, Fd, Holder, Link, LinkSet, Links, Pid, Process, Source};
use crate::proc::{FdTarget, NsDir, ProcessDir, ReadError, Sysroot, Tid};
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
    /// Its open files that can hold a namespace.
    pub(crate) fds: Vec<(Fd, FdTarget)>,
    /// Why those could not be read.
    pub(crate) fd_trouble: Option<Cause>,
}

/// What to read of each process.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) links: LinkSet,
    pub(crate) fds: bool,
}

/// Reads the links of one process, and its open files where they are wanted. A
/// process that refuses its links refuses those too.
pub(crate) fn read_process(root: &Sysroot, pid: Pid, look: Look) -> Result<Sighting, Error> {
    let mut sighting = Sighting {
        pid,
        links: Links::default(),
        absent: LinkSet::EMPTY,
        troubles: Vec::new(),
        fds: Vec::new(),
        fd_trouble: None,
    };
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
    let mut thread = None;
    let path = || root.process_path(sighting.pid).join("ns");
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
                let cause = match living_thread(process, sighting.pid, lost) {
                    Some((tid, seen)) => {
                        reading.links.fill(&seen.links);
                        reading.errors.extend(seen.errors);
                        thread = Some(tid);
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
    if look.fds && !sighting.links.is_empty() {
        match process.fds(thread) {
            Ok(fds) => sighting.fds = fds,
            // A zombie, or a captured tree: it has none.
            Err(ReadError::Gone) => {}
            Err(error) => sighting.fd_trouble = Some(cause_of(error, path)?),
        }
    }
    Ok(sighting)
}

/// What each link of one `ns` directory said.
struct Reading {
    links: Links,
    absent: LinkSet,
    errors: Vec<(ReadError, LinkSet)>,
}

impl Reading {
    fn of(ns: &NsDir<'_>, wanted: LinkSet) -> Self {
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
    /// The open files that are sockets, each socket once.
    pub(crate) sockets: Vec<OpenSocket>,
}

/// A socket that a process has open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenSocket {
    pub(crate) pid: Pid,
    pub(crate) fd: Fd,
}

/// Makes processes of sightings, and counts what is missing.
///
/// Only all sightings together tell what an absent link means: if no process
/// has one of that name, the kernel has none.
pub(crate) fn settle(sightings: Vec<Sighting>, tally: &mut Tally) -> Settled {
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
    let mut sockets = HashSet::new();
    for sighting in sightings {
        let pid = sighting.pid;
        for (cause, of) in sighting.troubles {
            tally.add(Source::Processes, cause, of);
        }
        if let Some(cause) = sighting.fd_trouble {
            tally.add(Source::Fds, cause, LinkSet::EMPTY);
        }
        let unsupported = sighting.absent.without(known);
        if !unsupported.is_empty() {
            tally.add(Source::Processes, Cause::Unsupported, unsupported);
        }
        let lost = sighting.absent.without(unsupported);
        if lost == LinkSet::of(Link::PidForChildren) {
            tally.add(Source::Processes, Cause::Unborn, lost);
        } else if !lost.is_empty() {
            tally.add(Source::Processes, Cause::Vanished, lost);
            continue;
        }
        if sighting.links.is_empty() {
            continue;
        }
        settled.processes.push(Process {
            pid,
            links: sighting.links,
            details: None,
        });
        for (fd, target) in sighting.fds {
            match target {
                FdTarget::Namespace(id) => settled.finds.push((id, Holder::Fd { pid, fd })),
                FdTarget::Socket(ino) if sockets.insert(ino) => {
                    settled.sockets.push(OpenSocket { pid, fd });
                }
                FdTarget::Socket(_) => {}
            }
        }
    }
    settled
}
