//! Everything that leads to a namespace, one file a source, named as in
//! `--sources`.

pub(crate) mod fds;
pub(crate) mod listns;
pub(crate) mod mount_namespaces;
pub(crate) mod mounts;
pub(crate) mod processes;
pub(crate) mod relations;
pub(crate) mod sockets;
pub(crate) mod threads;
pub(crate) mod tuns;

use std::collections::HashSet;

use crate::containers::Affiliations;
use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Cause, Holder, Link, OpenFile, Pid, Process, Source};
use crate::proc::{FdTarget, PathHash};
use crate::scan::context::Context;
use crate::scan::groups::{Find, Groups};
use crate::scan::inference::{Fingerprints, take_fingerprints};
use crate::scan::parallel;
use crate::scan::request::{Need, Plan};
use crate::scan::sources::processes::{Look, Sighting, read_process, settle};
use crate::scan::sources::threads::read_thread_files;

/// How often the list of processes is read again because some ended before
/// they could be read. Their successors may hold what they held.
const MOST_LISTS: usize = 5;

/// What was found before the kernel is asked.
pub(crate) struct Discovery {
    pub(crate) groups: Groups,
    /// What is known of processes with unreadable links.
    pub(crate) fingerprints: Fingerprints,
    /// The number of processes that were listed.
    pub(crate) total: usize,
}

/// Reads every source of the plan.
pub(crate) fn discover<K: Kernel>(
    context: &Context<'_, K>,
    plan: &Plan,
) -> Result<Discovery, Error> {
    let mut found = Found::default();
    read_processes(context, plan, &mut found)?;
    if context.root.hides_processes() {
        context.miss_uncounted(Source::Processes, Cause::Hidden);
    }
    let mut finds = found.finds;
    if let Some(kernel) = &context.kernel {
        if plan.reads(Source::Sockets) {
            finds.extend(sockets::find(context, kernel, &found.sockets)?);
        }
        if plan.reads(Source::Tuns) {
            finds.extend(tuns::find(context, kernel, &found.tuns)?);
        }
    }
    if plan.reads(Source::Mounts) || plan.needs(Need::Mounts) {
        finds.extend(mounts::find_own(context)?);
    }
    let insiders = mounts::insiders(found.processes.iter(), &finds);
    if plan.reads(Source::Mounts) {
        finds.extend(mounts::find_elsewhere(context, &insiders)?);
    }
    if let Some(kernel) = &context.kernel {
        if plan.reads(Source::MountNamespaces) {
            let known = insiders.keys().copied().collect();
            finds.extend(mount_namespaces::find(context, kernel, &known)?);
        }
        if plan.reads(Source::Listns) {
            finds.extend(listns::find(context, kernel)?);
        }
        if plan.reads(Source::Fds) {
            let files = &found.files;
            finds.extend(fds::find_behind_mounts(context, kernel, files, &finds)?);
        }
    }
    finds.extend(plan.request.known_holders());
    let mut fingerprints = Fingerprints::default();
    if plan.needs(Need::Inference) {
        fingerprints = take_fingerprints(context, &found.refused, plan.request.kinds)?;
        let refused = found.refused.iter();
        found
            .processes
            .extend(refused.map(|pid| Process::new(*pid, Default::default())));
    }
    let mut groups = Groups::new(plan.kinds);
    groups.add(found.processes);
    for find in finds {
        groups.insert(find);
    }
    Ok(Discovery {
        groups,
        fingerprints,
        total: found.total,
    })
}

/// What the processes lead to.
#[derive(Default)]
struct Found {
    processes: Vec<Process>,
    finds: Vec<Find>,
    /// Sockets, with their inode numbers.
    sockets: Vec<(OpenFile, u64)>,
    tuns: Vec<OpenFile>,
    /// Other files, any of which may be a namespace behind a bind mount.
    files: Vec<(OpenFile, PathHash)>,
    /// The processes that refuse all their links.
    refused: Vec<Pid>,
    total: usize,
}

/// Reads all processes. If some end before they can be read, those that came
/// since are read, too, so that nothing hides by hopping from PID to PID.
fn read_processes<K: Kernel>(
    context: &Context<'_, K>,
    plan: &Plan,
    found: &mut Found,
) -> Result<(), Error> {
    let wanted = plan.links();
    let mut links = wanted;
    if plan.reads(Source::Mounts) || plan.reads(Source::MountNamespaces) {
        links.insert(Link::Mnt);
    }
    let look = Look {
        links,
        threads: plan.reads(Source::Threads),
        fds: [Source::Fds, Source::Sockets, Source::Tuns]
            .into_iter()
            .any(|source| plan.reads(source)),
        cgroup: plan.needs(Need::Affiliation),
    };
    let mut affiliations = Affiliations::below(context.root);
    let mut known: HashSet<Pid> = HashSet::new();
    for _ in 0..MOST_LISTS {
        let mut pids = context.root.pids()?;
        if pids.is_empty() {
            return Err(Error::NoProcesses(context.root.proc_path()));
        }
        pids.retain(|pid| known.insert(*pid));
        found.total += pids.len();
        let mut sightings = parallel::map(&pids, context.threads, |pid| {
            read_process(context, *pid, look)
        })?;
        if look.fds && look.threads {
            read_thread_files(context, &mut sightings)?;
        }
        let settled = settle(context, sightings, wanted, &mut affiliations);
        found.refused.extend(settled.refused);
        for (process, sighting) in settled.seen {
            found.sort(&process, sighting);
            found.processes.push(process);
        }
        if settled.vanished == 0 {
            return Ok(());
        }
    }
    context.miss(Source::Processes, Cause::Unstable);
    Ok(())
}

impl Found {
    /// Sorts what a process holds besides its links.
    fn sort(&mut self, process: &Process, sighting: Sighting) {
        let pid = process.pid;
        for (tid, links) in sighting.threads {
            let thread = |link| Holder::Thread { pid, tid, link };
            self.finds
                .extend(links.iter().map(|(link, id)| (id, thread(link))));
        }
        for (file, target) in sighting.files {
            match target {
                FdTarget::Tun => self.tuns.push(file),
                FdTarget::File(path) => self.files.push((file, path)),
                FdTarget::Namespace(id) => self.finds.push((id, Holder::Fd(file))),
                FdTarget::Socket(ino) => self.sockets.push((file, ino)),
            }
        }
    }
}
