//! Open files that only a thread has: one that was made without CLONE_FILES,
//! clone(2), or gave up to share them, unshare(2), has a table of its own.

use std::num::NonZeroUsize;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, OpenFile, Source, Tid};
use crate::proc::{FdTarget, ProcessDir, ReadError, Sysroot};
use crate::scan::parallel::walk;
use crate::scan::sources::processes::Sighting;
use crate::scan::tally::{cause_of, cause_of_open_error};

/// What came of the threads of one process.
type Seen = (Vec<(OpenFile, FdTarget)>, Option<Cause>);

/// Adds the open files of such threads to what was seen of processes. All but
/// few threads share those of their process, which costs one question each.
pub(crate) fn read_thread_files<K: Kernel>(
    kernel: &K,
    root: &Sysroot,
    sightings: &mut [Sighting],
    threads: NonZeroUsize,
) -> Result<(), Error> {
    let mut several: Vec<&mut Sighting> = sightings
        .iter_mut()
        .filter(|sighting| !sighting.tids.is_empty())
        .collect();
    let seen = walk(&several, threads, |sighting| read(kernel, root, sighting))?;
    for (sighting, (files, cause)) in several.iter_mut().zip(seen) {
        sighting.files.extend(files);
        let troubles = cause.map(|cause| (Source::Fds, cause));
        sighting.other_troubles.extend(troubles);
    }
    Ok(())
}

fn read<K: Kernel>(kernel: &K, root: &Sysroot, sighting: &Sighting) -> Result<Seen, Error> {
    let mut files = Vec::new();
    for tid in own_tables(kernel, root, sighting) {
        let read = match tid {
            Ok(tid) => {
                ProcessDir::open(root, sighting.pid).and_then(|process| process.files(Some(tid)))
            }
            Err(error) => {
                let path = || root.process_path(sighting.pid);
                return Ok((files, Some(cause_of_open_error(error, path)?)));
            }
        };
        match read {
            Ok(more) => files.extend(more),
            // The thread is gone, or a captured tree has none of its files.
            Err(ReadError::Gone) => {}
            Err(error) => {
                let path = || root.process_path(sighting.pid);
                return Ok((files, Some(cause_of(error, path)?)));
            }
        }
    }
    Ok((files, None))
}

/// The threads that may have a table of their own.
fn own_tables<K: Kernel>(
    kernel: &K,
    root: &Sysroot,
    sighting: &Sighting,
) -> impl Iterator<Item = Result<Tid, OpenError>> {
    // Whose files were read already.
    let first = sighting.thread.unwrap_or(sighting.pid);
    let others = sighting.tids.iter().filter(move |tid| **tid != first);
    others.filter_map(move |tid| {
        if !root.is_live() {
            return Some(Ok(*tid));
        }
        match kernel.share_files(first, *tid) {
            Ok(true) | Err(OpenError::Gone) => None,
            Ok(false) => Some(Ok(*tid)),
            Err(error) => Some(Err(error)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Fake;

    fn own(kernel: &Fake, sighting: &Sighting) -> Vec<Result<Tid, OpenError>> {
        own_tables(kernel, &Sysroot::live(), sighting).collect()
    }

    #[test]
    fn threads_that_share_no_files_with_their_process_are_told_from_the_others() {
        let kernel = Fake {
            tables: Some([(5, 1), (6, 1), (7, 2), (9, 1)].into()),
            ..Fake::default()
        };
        let mut sighting = Sighting::of(5);
        sighting.tids = vec![6, 7, 8];
        assert_eq!(own(&kernel, &sighting), [Ok(7)]);
        // The files of that one are taken for those of its process.
        sighting.thread = Some(7);
        assert_eq!(own(&kernel, &sighting), [Ok(6)]);
    }

    #[test]
    fn where_the_kernel_does_not_compare_them_that_is_counted() {
        let mut sightings = [Sighting::of(5), Sighting::of(6)];
        sightings[0].tids = vec![7, 8];
        let kernel = Fake::default();
        let root = Sysroot::live();
        read_thread_files(&kernel, &root, &mut sightings, NonZeroUsize::MIN).unwrap();
        let why = Cause::Failed(rustix::io::Errno::NOSYS.raw_os_error());
        assert_eq!(sightings[0].other_troubles, [(Source::Fds, why)]);
        assert_eq!(sightings[1].other_troubles, []);
    }
}
