//! Threads that differ from their process: in their links, or because they have
//! a table of open files of their own. A thread has one if it was created
//! without CLONE_FILES, clone(2), or stopped sharing, unshare(2).

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Link, LinkSet, OpenFile, Pid, Source, Tid};
use crate::proc::{FdTarget, ProcessDir, ReadError, pulse};
use crate::scan::context::{Context, cause_of_open, cause_of_read};
use crate::scan::sources::processes::{Reading, Sighting};

/// Reads the threads of a process, and those of their links that differ.
pub(crate) fn read_threads(
    process: &ProcessDir<'_>,
    wanted: LinkSet,
    sighting: &mut Sighting,
) -> Result<(), ReadError> {
    sighting.tids = process.threads()?;
    sighting.tids.retain(|tid| *tid != sighting.pid);
    for tid in &sighting.tids {
        pulse::beat();
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

/// Adds the open files of threads with tables of their own. Nearly all threads
/// share that of their process, which costs one question each.
pub(crate) fn read_thread_files<K: Kernel>(
    context: &Context<K>,
    sightings: &mut [Sighting],
) -> Result<(), Error> {
    let mut threads = Vec::new();
    for (place, sighting) in sightings.iter().enumerate() {
        // The thread whose files were read already.
        let first = sighting.thread.unwrap_or(sighting.pid);
        let others = sighting.tids.iter().filter(|tid| **tid != first);
        threads.extend(others.map(|tid| (place, first, *tid)));
    }
    let asked = context.map(threads.clone(), |context, (_, first, tid)| {
        Ok(has_own_table(context.kernel.as_deref(), *first, *tid))
    })?;
    let mut troubled = None;
    for ((place, _, tid), asked) in threads.into_iter().zip(asked) {
        let Some(sighting) = sightings.get_mut(place) else {
            continue;
        };
        let path = || context.root.process_path(sighting.pid);
        let trouble = match asked.unwrap_or(Err(OpenError::Blocked)) {
            Ok(false) => None,
            Ok(true) => match read_files(context, sighting.pid, tid) {
                Ok((files, trouble)) => {
                    sighting.files.extend(files);
                    trouble
                }
                Err(error) => Some(error),
            }
            .map(|error| cause_of_read(error, path)),
            Err(error) => Some(cause_of_open(error, path)),
        };
        // A process counts once.
        if let Some(cause) = trouble.transpose()?
            && troubled.replace(place) != Some(place)
        {
            context.miss(Source::Fds, cause);
        }
    }
    Ok(())
}

type Files = Vec<(OpenFile, FdTarget)>;

/// Reads the open files of a thread, and what went wrong meanwhile. A thread
/// that ended has none, nor has one of a captured tree that lacks them.
fn read_files<K>(
    context: &Context<K>,
    pid: Pid,
    tid: Tid,
) -> Result<(Files, Option<ReadError>), ReadError> {
    let process = ProcessDir::open(&context.root, pid);
    match process.and_then(|process| process.files(Some(tid))) {
        Ok(mut table) => {
            let trouble = table.trouble.take();
            Ok((table.of(pid, Some(tid)).collect(), trouble))
        }
        Err(ReadError::Gone) => Ok((Files::new(), None)),
        Err(error) => Err(error),
    }
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
    use crate::model::Cause;
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
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        let mut sightings = [Sighting::default(), Sighting::default()];
        sightings[0].tids = vec![7, 8];
        read_thread_files(&context, &mut sightings).unwrap();
        let cause = Cause::Failed(Errno::NOSYS.raw_os_error());
        assert_eq!(context.gaps(9), [one(Source::Fds, cause)]);
    }
}
