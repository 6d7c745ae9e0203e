//! What the kernel told of open files, and which of it may lack some.

use std::collections::{HashMap, HashSet};

use crate::error::Error;
use crate::kernel::{Carrier, FileType, Kernel, Run, Task, TaskFile};
use crate::model::{Cause, Holder, Link, LinkSet, NsId, OpenFile, Pid, Source, Tid};
use crate::proc::{FdTarget, ProcessDir, ReadError};
use crate::scan::context::Context;
use crate::scan::groups::Find;
use crate::scan::plan::Plan;
use crate::scan::request::Need;
use crate::scan::sources::bpf::Told;
use crate::scan::sources::processes::{self, Look, note};
use crate::scan::sources::threads;

/// Returns the open files of processes. Those of a process are those of its
/// first thread, or of another, given in `firsts`; other threads may have more.
pub(super) fn open_files<'a>(
    look: Look,
    firsts: &HashMap<Pid, Tid>,
    files: &'a [TaskFile],
) -> impl Iterator<Item = (&'a TaskFile, OpenFile)> {
    let first_of = |pid: Pid| firsts.get(&pid).copied().unwrap_or(pid);
    // Under a zombie leader the kernel tells of every thread that shares a
    // table.
    let tables: HashMap<Pid, u64> = files
        .iter()
        .filter(|file| firsts.get(&file.pid) == Some(&file.tid))
        .map(|file| (file.pid, file.table))
        .collect();
    files
        .iter()
        .filter(move |file| {
            let is_first = file.tid == first_of(file.pid);
            is_first || (look.threads && tables.get(&file.pid) != Some(&file.table))
        })
        .map(|file| {
            let TaskFile { pid, fd, .. } = *file;
            let tid = (file.tid != pid).then_some(file.tid);
            (file, OpenFile { pid, tid, fd })
        })
}

/// Returns what an open file holds.
pub(super) fn find_file(plan: &Plan, file: &TaskFile, open: OpenFile) -> Option<Find> {
    let (source, holder) = match file.what {
        FileType::Namespace => (Source::Fds, Holder::Fd(open)),
        FileType::Socket => (Source::Sockets, Holder::Socket(open)),
        FileType::Tun => (Source::Tuns, Holder::Tun(open)),
    };
    let holder = match file.carrier {
        None => holder,
        Some(Carrier::Socket) => Holder::InFlight(open),
        Some(Carrier::Ring) => Holder::IoUring(open),
    };
    plan.reads(source).then_some((file.ns, holder))
}

/// Returns the processes whose tables of open files may have changed since
/// `before`: one of the tasks that share it ran, began or ended.
///
/// The kernel goes through a table by number, and misses a file that moves to a
/// number it has passed. Only the tasks that share a table change it.
pub(super) fn doubtful(mut before: Vec<Run>, tasks: &[Task]) -> HashSet<Pid> {
    let mut after: Vec<Run> = tasks.iter().map(|task| task.run).collect();
    before.sort_unstable();
    after.sort_unstable();
    let running = tasks.iter().filter(|task| task.is_running);
    let mut tables: HashSet<u64> = running.map(|task| task.run.table).collect();
    for (runs, others) in [(&before, &after), (&after, &before)] {
        let ran = runs.iter().filter(|run| others.binary_search(run).is_err());
        tables.extend(ran.map(|run| run.table));
    }
    // Tasks that have none.
    tables.remove(&0);
    let own = std::process::id();
    let doubtful = tasks
        .iter()
        .filter(|task| task.pid != own && tables.contains(&task.run.table));
    doubtful.map(|task| task.pid).collect()
}

/// Reads the files of processes in the proc tree, and returns those that have
/// ended. Sockets that the kernel told of as files of anyone are not asked.
pub(super) fn read_files<K: Kernel>(
    context: &Context<K>,
    plan: &Plan,
    look: Look,
    told: &mut Told,
    files: &[TaskFile],
) -> Result<(), Error> {
    let read: Vec<_> = told
        .sightings
        .iter()
        .map(|sighting| (sighting.pid, sighting.thread))
        .collect();
    let read = context.map(read, |context, (pid, thread)| {
        read_table(context, *pid, *thread)
    })?;
    for (sighting, files) in told.sightings.iter_mut().zip(read) {
        match files {
            Some(Some(files)) => sighting.files = files,
            Some(None) => told.vanished.push(sighting.pid),
            None => context.miss(Source::Fds, Cause::Blocked),
        }
    }
    if look.threads {
        let look = Look {
            links: LinkSet::EMPTY,
            ..look
        };
        threads::read(context, look, &mut told.sightings)?;
    }
    let sockets: HashMap<u64, NsId> = files
        .iter()
        .filter(|file| file.what == FileType::Socket)
        .map(|file| (file.ino, file.ns))
        .collect();
    for sighting in &mut told.sightings {
        sighting.files.retain(|(file, target)| {
            let FdTarget::Socket(ino) = target else {
                return true;
            };
            let known = sockets.get(ino);
            if plan.needs(Need::SocketFiles) && known.is_some() {
                told.sockets.push((*file, *ino));
            }
            if plan.reads(Source::Sockets) {
                let find = known.map(|ns| (*ns, Holder::Socket(*file)));
                told.finds.extend(find);
            }
            known.is_none()
        });
    }
    Ok(())
}

/// Reads the open files of a process, or of one of its threads; `None` if it
/// has ended, which may be why they are missing.
fn read_table<K: Kernel>(
    context: &Context<K>,
    pid: Pid,
    thread: Option<Tid>,
) -> Result<Option<Vec<(OpenFile, FdTarget)>>, Error> {
    let process = match ProcessDir::open(&context.root, pid) {
        Ok(process) => process,
        Err(ReadError::Gone) => return Ok(None),
        Err(error) => return Ok(note(context, Err(error), Source::Fds, pid)?.or(Some(Vec::new()))),
    };
    let files = processes::read_files(context, &process, pid, thread)?;
    let life = match thread {
        Some(tid) => process
            .tasks()
            .and_then(|tasks| tasks.ns(tid)?.read(Link::Net)),
        None => process.ns().and_then(|ns| ns.read(Link::Net)),
    };
    Ok((life != Err(ReadError::Gone)).then_some(files))
}
