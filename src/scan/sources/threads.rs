//! Threads that differ from their process: in their links, or because they have
//! a table of open files of their own. A thread has one if it was created
//! without CLONE_FILES, clone(2), or stopped sharing, unshare(2).

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Link, LinkSet, Links, OpenFile, Pid, Source, Tid};
use crate::proc::{FdTarget, ProcessDir, ReadError, Tasks, pulse};
use crate::scan::context::{Context, cause_of_open, cause_of_read};
use crate::scan::sources::processes::{Look, Reading, Sighting};

/// The links that cannot differ between the threads of a process, so that those
/// of its leader are enough.
///
/// A thread may enter or create a user or time namespace only while it is alone
/// (userns_install and timens_install in the kernel, copy_process for clone(2)),
/// its pid namespace is that of the PID it shares with the others, and another
/// time namespace begins with exec or a new process.
const SHARED: [Link; 3] = [Link::User, Link::Pid, Link::Time];

/// The number of threads of one process that are read at a time.
const BATCH: usize = 64;

/// Some threads of a process.
struct Batch {
    /// The place of the process.
    place: usize,
    pid: Pid,
    /// The thread whose links and files are known.
    first: Tid,
    links: Links,
    tids: Vec<Tid>,
}

/// What was seen of some threads.
#[derive(Default)]
struct Seen {
    /// Links that differ from the known ones.
    threads: Vec<(Tid, Links)>,
    /// Whether a thread waits for its first child, as a process may.
    has_unborn: bool,
    files: Vec<(OpenFile, FdTarget)>,
    /// Why something is missing.
    troubles: Vec<(Source, Cause)>,
}

/// Reads the links of threads that differ from those of their process, and the
/// open files of threads with tables of their own.
///
/// A thread costs seven readlink(2), and one kcmp(2) where files are wanted,
/// because nearly all share the table of their process.
pub(crate) fn read<K: Kernel>(
    context: &Context<K>,
    look: Look,
    sightings: &mut [Sighting],
) -> Result<(), Error> {
    let mut batches = Vec::new();
    for (place, sighting) in sightings.iter().enumerate() {
        let first = sighting.thread.unwrap_or(sighting.pid);
        let mut tids = sighting.tids.clone();
        tids.retain(|tid| *tid != first && *tid != sighting.pid);
        batches.extend(tids.chunks(BATCH).map(|tids| Batch {
            place,
            pid: sighting.pid,
            first,
            links: sighting.links.clone(),
            tids: tids.to_vec(),
        }));
    }
    let places: Vec<usize> = batches.iter().map(|batch| batch.place).collect();
    let read = context.map_batches(
        "threads",
        batches,
        |batch| batch.tids.len(),
        move |context, batch| read_batch(context, look, batch),
    )?;
    let mut counted: Vec<(usize, Source)> = Vec::new();
    for (place, seen) in places.into_iter().zip(read) {
        let Some(sighting) = sightings.get_mut(place) else {
            continue;
        };
        let seen = seen.unwrap_or_else(|| Seen {
            troubles: vec![(Source::Threads, Cause::Blocked)],
            ..Seen::default()
        });
        sighting.threads.extend(seen.threads);
        sighting.files.extend(seen.files);
        if seen.has_unborn {
            sighting.absent.insert(Link::PidForChildren);
        }
        for (source, cause) in seen.troubles {
            // A process counts once.
            if !counted.contains(&(place, source)) {
                counted.retain(|(counted, _)| *counted == place);
                counted.push((place, source));
                context.miss(source, cause);
            }
        }
    }
    Ok(())
}

fn read_batch<K: Kernel>(context: &Context<K>, look: Look, batch: &Batch) -> Result<Seen, Error> {
    let mut seen = Seen::default();
    let path = || context.root.process_path(batch.pid);
    let process = match ProcessDir::open(&context.root, batch.pid) {
        Ok(process) => process,
        Err(ReadError::Gone) => return Ok(seen),
        Err(error) => {
            let cause = cause_of_read(error, path)?;
            seen.troubles.push((Source::Threads, cause));
            return Ok(seen);
        }
    };
    let tasks = process.tasks();
    let mut wanted = look.links;
    for link in SHARED {
        wanted = wanted.without(link.into());
    }
    for tid in &batch.tids {
        pulse::beat();
        let read = match &tasks {
            _ if !look.thread_links || wanted.is_empty() => Ok(()),
            Ok(tasks) => read_links(tasks, *tid, wanted, &batch.links, &mut seen),
            Err(error) => Err(*error),
        };
        let trouble = match read {
            Ok(()) | Err(ReadError::Gone) => None,
            Err(error) => Some((Source::Threads, cause_of_read(error, path)?)),
        };
        seen.troubles.extend(trouble);
        if look.fds {
            add_files(context, &process, batch, *tid, &mut seen)?;
        }
    }
    Ok(seen)
}

/// Reads the links of a thread and keeps those that differ. One that ended has
/// none.
fn read_links(
    tasks: &Tasks,
    tid: Tid,
    wanted: LinkSet,
    known: &Links,
    seen: &mut Seen,
) -> Result<(), ReadError> {
    let ns = tasks.ns(tid)?;
    let mut reading = Reading::of(&ns, wanted);
    if !reading.errors.is_empty() {
        // A thread that is ending answers EACCES until it has.
        reading = Reading::of(&ns, wanted);
    }
    if let Some((error, _)) = reading.errors.first() {
        return Err(*error);
    }
    let links = reading.links.without(known);
    if !links.is_empty() {
        seen.threads.push((tid, links));
    }
    if reading.absent == LinkSet::of(Link::PidForChildren) {
        // Unless it ended meanwhile.
        ns.read(Link::Net)?;
        seen.has_unborn = true;
    }
    Ok(())
}

/// Adds the open files of a thread, if it has a table of its own. One that ended
/// has none, nor has one of a captured tree that lacks them.
fn add_files<K: Kernel>(
    context: &Context<K>,
    process: &ProcessDir<'_>,
    batch: &Batch,
    tid: Tid,
    seen: &mut Seen,
) -> Result<(), Error> {
    let path = || context.root.process_path(batch.pid);
    let trouble = match has_own_table(context.kernel.as_deref(), batch.first, tid) {
        Ok(false) => return Ok(()),
        Ok(true) => match process.files(Some(tid), |one, other| context.share_files(one, other)) {
            Ok(mut table) => {
                let trouble = table.trouble.take();
                seen.files.extend(table.of(batch.pid, Some(tid)));
                trouble
            }
            Err(ReadError::Gone) => None,
            Err(error) => Some(error),
        }
        .map(|error| cause_of_read(error, path)),
        Err(error) => Some(cause_of_open(error, path)),
    };
    if let Some(cause) = trouble.transpose()? {
        seen.troubles.push((Source::Fds, cause));
    }
    Ok(())
}

/// Returns whether a thread may have a table of open files of its own.
fn has_own_table<K: Kernel>(kernel: Option<&K>, first: Tid, tid: Tid) -> Result<bool, OpenError> {
    let Some(kernel) = kernel else {
        return Ok(true);
    };
    match kernel.share_files(first, tid) {
        Ok(shares) => Ok(!shares),
        Err(OpenError::Gone) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;
    use crate::kernel::Fake;
    use crate::proc::Sysroot;
    use crate::scan::context::tests::{one, with_kernel};

    #[test]
    fn only_threads_with_other_tables_have_files_of_their_own() {
        let kernel = Fake {
            tables: Some([(5, 1), (6, 1), (7, 2), (9, 1)].into()),
            ..Fake::default()
        };
        let own = |first, tid| has_own_table(Some(&kernel), first, tid);
        assert_eq!(own(5, 6), Ok(false));
        assert_eq!(own(5, 7), Ok(true));
        assert_eq!(own(7, 6), Ok(true));
        // It ended.
        assert_eq!(own(5, 8), Ok(false));
    }

    #[test]
    fn a_kernel_that_cannot_compare_tables_is_a_gap() {
        let root = Sysroot::live();
        let context = with_kernel(&root, Fake::default());
        let mut sightings = [Sighting::default(), Sighting::default()];
        sightings[0].pid = std::process::id();
        sightings[0].tids = (1..200).collect();
        let look = Look {
            threads: true,
            fds: true,
            ..Look::links(LinkSet::EMPTY)
        };
        read(&context, look, &mut sightings).unwrap();
        let cause = Cause::Failed(Errno::NOSYS.raw_os_error());
        assert_eq!(context.gaps(9), [one(Source::Fds, cause)]);
    }
}
