//! Threads that differ from their process: in their links, or because they have
//! a table of open files of their own. A thread has one if it was created
//! without CLONE_FILES, clone(2), or stopped sharing, unshare(2).

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Link, LinkSet, Source, Tid};
use crate::proc::{ProcessDir, ReadError};
use crate::scan::context::{Context, cause_of_open, cause_of_read};
use crate::scan::parallel;
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
    context: &Context<'_, K>,
    sightings: &mut [Sighting],
) -> Result<(), Error> {
    let mut with_threads: Vec<&mut Sighting> = sightings
        .iter_mut()
        .filter(|sighting| !sighting.tids.is_empty())
        .collect();
    let found = parallel::map(&with_threads, context.threads, |sighting| {
        read_files(context, sighting)
    })?;
    for (sighting, files) in with_threads.iter_mut().zip(found) {
        sighting.files.extend(files);
    }
    Ok(())
}

type Files = Vec<(crate::model::OpenFile, crate::proc::FdTarget)>;

fn read_files<K: Kernel>(context: &Context<'_, K>, sighting: &Sighting) -> Result<Files, Error> {
    let mut files = Vec::new();
    let path = || context.root.process_path(sighting.pid);
    // The thread whose files were read already.
    let first = sighting.thread.unwrap_or(sighting.pid);
    for tid in sighting.tids.iter().filter(|tid| **tid != first) {
        let cause = match has_own_table(context, first, *tid) {
            Ok(false) => continue,
            Ok(true) => {
                let process = ProcessDir::open(context.root, sighting.pid);
                match process.and_then(|process| process.files(Some(*tid))) {
                    Ok(mut table) => {
                        let trouble = table.trouble.take();
                        files.extend(table.of(sighting.pid, Some(*tid)));
                        match trouble {
                            None => continue,
                            Some(error) => cause_of_read(error, path)?,
                        }
                    }
                    // The thread ended, or a captured tree has none of its
                    // files.
                    Err(ReadError::Gone) => continue,
                    Err(error) => cause_of_read(error, path)?,
                }
            }
            Err(error) => cause_of_open(error, path)?,
        };
        context.miss(Source::Fds, cause);
        break;
    }
    Ok(files)
}

/// Returns whether a thread may have a table of open files of its own.
fn has_own_table<K: Kernel>(
    context: &Context<'_, K>,
    first: Tid,
    tid: Tid,
) -> Result<bool, OpenError> {
    match context
        .kernel
        .as_ref()
        .map(|kernel| kernel.share_files(first, tid))
    {
        None => Ok(true),
        Some(Ok(shares)) => Ok(!shares),
        Some(Err(OpenError::Gone)) => Ok(false),
        Some(Err(error)) => Err(error),
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
        let root = Sysroot::at("/nonexistent");
        let kernel = Fake {
            tables: Some([(5, 1), (6, 1), (7, 2), (9, 1)].into()),
            ..Fake::default()
        };
        let context = with_kernel(&root, kernel);
        let own = |first, tid| has_own_table(&context, first, tid);
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
