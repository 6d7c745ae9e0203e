//! What every step of a scan has at hand, and where it counts what it misses.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Gap, LinkSet, Source, Tid};
use crate::proc::{ReadError, Sysroot};
use crate::scan::parallel::{self, Patience};
use crate::scan::progress::Progress;

/// What a scan reads from and asks, shared by all its threads.
pub(crate) struct Context<K>(Arc<Shared<K>>);

/// What the threads of a scan share.
pub(crate) struct Shared<K> {
    /// The root of the proc tree.
    pub(crate) root: Sysroot,
    /// The kernel behind the proc tree; `None` for a captured tree.
    pub(crate) kernel: Option<Arc<K>>,
    /// The number of threads to use.
    pub(crate) threads: NonZeroUsize,
    /// Where to count what was read, if anyone is interested.
    progress: Option<Arc<Progress>>,
    patience: Patience,
    gaps: Mutex<Gaps>,
}

/// Counts by source and cause; `None` if the count cannot be known.
type Gaps = BTreeMap<(Source, Cause), (Option<usize>, LinkSet)>;

impl<K> Clone for Context<K> {
    fn clone(&self) -> Self {
        Context(Arc::clone(&self.0))
    }
}

impl<K> Deref for Context<K> {
    type Target = Shared<K>;

    fn deref(&self) -> &Shared<K> {
        &self.0
    }
}

impl<K> Context<K> {
    pub(crate) fn new(
        root: &Sysroot,
        kernel: Option<K>,
        threads: NonZeroUsize,
        progress: Option<Arc<Progress>>,
    ) -> Self {
        Context(Arc::new(Shared {
            root: root.for_scan(),
            kernel: kernel.map(Arc::new),
            threads,
            progress,
            patience: Patience::default(),
            gaps: Mutex::default(),
        }))
    }
}

impl<K: Kernel> Context<K> {
    /// Calls a function for every item, on several threads that end with the
    /// work, and returns what it returned, in order; `None` for an item that
    /// blocked. `what` names the items: "processes".
    ///
    /// An error of the function ends the scan.
    pub(crate) fn map<I, T, F>(
        &self,
        what: &'static str,
        items: Vec<I>,
        read: F,
    ) -> Result<Vec<Option<T>>, Error>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: Fn(&Self, &I) -> Result<T, Error> + Send + Sync + 'static,
    {
        self.map_batches(what, items, |_| 1, read)
    }

    /// Calls a function for every item, as [`map`](Context::map) does. `size` returns
    /// of how many things an item consists, which `what` names.
    pub(crate) fn map_batches<I, T, F>(
        &self,
        what: &'static str,
        items: Vec<I>,
        size: fn(&I) -> usize,
        read: F,
    ) -> Result<Vec<Option<T>>, Error>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: Fn(&Self, &I) -> Result<T, Error> + Send + Sync + 'static,
    {
        if let Some(progress) = &self.progress {
            progress.begin(what, items.iter().map(size).sum());
        }
        let read = move |context: &Self, item: &I| {
            let read = read(context, item);
            if let Some(progress) = &context.progress {
                progress.advance(size(item));
            }
            read
        };
        self.run(items, read)
    }

    fn run<I, T, F>(&self, items: Vec<I>, read: F) -> Result<Vec<Option<T>>, Error>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: Fn(&Self, &I) -> Result<T, Error> + Send + Sync + 'static,
    {
        // Nothing blocks in a captured tree.
        if !self.root.is_live() && self.threads == NonZeroUsize::MIN {
            return items
                .iter()
                .map(|item| read(self, item).map(Some))
                .collect();
        }
        let context = self.clone();
        let read = move |item: &I| read(&context, item);
        let done = parallel::map(items, self.threads, &self.patience, read)?;
        done.into_iter().map(Option::transpose).collect()
    }

    /// Calls a function for every item, as [`map`](Context::map) does. An item that
    /// blocked is counted and gives nothing.
    pub(crate) fn map_counting<I, T, F>(
        &self,
        source: Source,
        what: &'static str,
        items: Vec<I>,
        read: F,
    ) -> Result<Vec<T>, Error>
    where
        I: Send + Sync + 'static,
        T: Default + Send + 'static,
        F: Fn(&Self, &I) -> Result<T, Error> + Send + Sync + 'static,
    {
        let done = self.map(what, items, read)?.into_iter();
        let done = done.map(|done| {
            done.unwrap_or_else(|| {
                self.miss(source, Cause::Blocked);
                T::default()
            })
        });
        Ok(done.collect())
    }

    /// Calls a function for one item, as [`map`](Context::map) does.
    pub(crate) fn ask<I, T, F>(&self, item: I, read: F) -> Result<Option<T>, Error>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: Fn(&Self, &I) -> Result<T, Error> + Send + Sync + 'static,
    {
        Ok(self.run(vec![item], read)?.pop().flatten())
    }
}

impl<K: Kernel> Shared<K> {
    /// Returns whether two threads are known to share their table of open files.
    pub(crate) fn share_files(&self, one: Tid, other: Tid) -> bool {
        let kernel = self.kernel.as_deref();
        kernel.is_some_and(|kernel| kernel.share_files(one, other).unwrap_or(false))
    }
}

impl<K> Shared<K> {
    /// Counts something that is missing: one process, mount or namespace.
    pub(crate) fn miss(&self, source: Source, cause: Cause) {
        self.miss_links(source, cause, LinkSet::EMPTY);
    }

    /// Counts a process some of whose links are missing.
    pub(crate) fn miss_links(&self, source: Source, cause: Cause, links: LinkSet) {
        let mut gaps = self.lock();
        let (count, all) = gaps
            .entry((source, cause))
            .or_insert((Some(0), LinkSet::EMPTY));
        *count = count.map(|count| count + 1);
        *all = all.union(links);
    }

    /// Notes that something is missing which cannot be counted.
    pub(crate) fn miss_uncounted(&self, source: Source, cause: Cause) {
        self.lock().insert((source, cause), (None, LinkSet::all()));
    }

    /// Returns everything that was missed, of so many processes.
    pub(crate) fn gaps(&self, total: usize) -> Vec<Gap> {
        self.lock()
            .iter()
            .map(|((source, cause), (count, links))| Gap {
                source: *source,
                cause: *cause,
                count: *count,
                total,
                links: *links,
            })
            .collect()
    }

    /// Forgets what was missed, now that it is known from elsewhere.
    pub(crate) fn forget(&self, source: Source, cause: Cause) {
        self.lock().remove(&(source, cause));
    }

    /// Forgets everything that was missed, for another try.
    pub(crate) fn forget_gaps(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Gaps> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the cause to count for an error of reading.
///
/// Running out of descriptors or memory is no property of what is read. It ends
/// the scan, because otherwise the result would just be shorter.
pub(crate) fn cause_of_read(
    error: ReadError,
    path: impl FnOnce() -> PathBuf,
) -> Result<Cause, Error> {
    Ok(match error {
        ReadError::Malformed => Cause::Malformed,
        ReadError::TooLong => Cause::Truncated,
        ReadError::Unstable => Cause::Unstable,
        ReadError::Gone => Cause::Vanished,
        ReadError::Errno(Errno::ACCESS) => Cause::Denied,
        ReadError::Errno(Errno::PERM) => Cause::Hidden,
        // So a capture records it.
        ReadError::Errno(Errno::TIMEDOUT) => Cause::Blocked,
        ReadError::Errno(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => {
            return Err(Error::read(path(), errno));
        }
        ReadError::Errno(errno) => Cause::Failed(errno.raw_os_error()),
    })
}

/// Returns the cause to count for an error of the kernel, for which EPERM means
/// denied. Some stand for what [`kernel`](crate::kernel) itself found.
pub(crate) fn cause_of_errno(errno: Errno, path: impl FnOnce() -> PathBuf) -> Result<Cause, Error> {
    match errno {
        Errno::PERM => Ok(Cause::Denied),
        // An answer that cannot be parsed.
        Errno::PROTO => Ok(Cause::Malformed),
        // A file beyond its limit.
        Errno::FBIG => Ok(Cause::Truncated),
        // A list that changed whenever it was read.
        Errno::INTR => Ok(Cause::Unstable),
        // A child that was stopped or killed.
        Errno::TIMEDOUT | Errno::CHILD => Ok(Cause::NoAnswer),
        errno => cause_of_read(errno.into(), path),
    }
}

/// Returns the cause to count for something that could not be opened.
pub(crate) fn cause_of_open(
    error: OpenError,
    path: impl FnOnce() -> PathBuf,
) -> Result<Cause, Error> {
    Ok(match error {
        OpenError::Gone | OpenError::Moved => Cause::Vanished,
        OpenError::Covered => Cause::Covered,
        OpenError::FileServer => Cause::FileServer,
        OpenError::Unreachable => Cause::Unreachable,
        OpenError::ForeignPidNamespace => Cause::ForeignPidNamespace,
        OpenError::NoSysctls => Cause::NoSysctls,
        OpenError::ForeignProc => Cause::ForeignProc,
        OpenError::Blocked => Cause::Blocked,
        OpenError::OldKernel => Cause::OldKernel,
        OpenError::NoSockDiag => Cause::NoSockDiag,
        OpenError::Errno(errno) => return cause_of_errno(errno, path),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::error::errno_of;
    use crate::kernel::Fake;
    use crate::model::Link;

    /// A context with a fake kernel and no proc tree.
    pub(crate) fn with_kernel(root: &Sysroot, kernel: Fake) -> Context<Fake> {
        Context::new(root, Some(kernel), NonZeroUsize::MIN, None)
    }

    /// A gap of one, of nine processes, that is not about links.
    pub(crate) fn one(source: Source, cause: Cause) -> Gap {
        Gap {
            source,
            cause,
            count: Some(1),
            total: 9,
            links: LinkSet::EMPTY,
        }
    }

    #[test]
    fn gaps_are_counted_by_cause_with_all_their_links() {
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        context.miss_links(Source::Processes, Cause::Zombie, Link::Net.into());
        context.miss_links(Source::Processes, Cause::Denied, Link::Net.into());
        context.miss_links(Source::Processes, Cause::Denied, Link::Uts.into());
        let denied = Gap {
            count: Some(2),
            links: LinkSet::from([Link::Net, Link::Uts]),
            ..one(Source::Processes, Cause::Denied)
        };
        let zombie = Gap {
            links: Link::Net.into(),
            ..one(Source::Processes, Cause::Zombie)
        };
        assert_eq!(context.gaps(9), [denied, zombie]);
    }

    #[test]
    fn a_shortage_ends_the_scan() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM] {
            let cause = cause_of_read(ReadError::Errno(errno), || "/x".into());
            assert!(matches!(cause, Err(Error::Read { source, .. }) if errno_of(&source) == errno));
        }
    }

    #[test]
    fn every_failure_to_open_has_its_cause() {
        for (error, cause) in [
            (OpenError::Gone, Cause::Vanished),
            (OpenError::Moved, Cause::Vanished),
            (OpenError::Covered, Cause::Covered),
            (OpenError::FileServer, Cause::FileServer),
            (OpenError::Unreachable, Cause::Unreachable),
            (OpenError::ForeignPidNamespace, Cause::ForeignPidNamespace),
            (OpenError::NoSysctls, Cause::NoSysctls),
            (OpenError::ForeignProc, Cause::ForeignProc),
            (OpenError::Blocked, Cause::Blocked),
            (OpenError::OldKernel, Cause::OldKernel),
            (OpenError::NoSockDiag, Cause::NoSockDiag),
            (OpenError::Errno(Errno::PERM), Cause::Denied),
            (OpenError::Errno(Errno::PROTO), Cause::Malformed),
            (OpenError::Errno(Errno::FBIG), Cause::Truncated),
            (OpenError::Errno(Errno::INTR), Cause::Unstable),
            (OpenError::Errno(Errno::TIMEDOUT), Cause::NoAnswer),
            (OpenError::Errno(Errno::CHILD), Cause::NoAnswer),
            (
                OpenError::Errno(Errno::IO),
                Cause::Failed(Errno::IO.raw_os_error()),
            ),
        ] {
            assert_eq!(cause_of_open(error, || "/x".into()).unwrap(), cause);
        }
    }
}
