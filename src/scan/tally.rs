use std::collections::BTreeMap;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::OpenError;
use crate::model::{Cause, Gap, LinkSet, Source};
use crate::proc::ReadError;

/// Counts what is missing, by source and cause.
pub(crate) struct Tally {
    total: usize,
    counts: BTreeMap<(Source, Cause), (Option<usize>, LinkSet)>,
}

impl Tally {
    /// Nothing is missing yet, of so many processes.
    pub(crate) fn new(total: usize) -> Self {
        Tally {
            total,
            counts: BTreeMap::new(),
        }
    }

    /// One process more, and the links that this is about.
    pub(crate) fn add(&mut self, source: Source, cause: Cause, links: LinkSet) {
        let (count, all) = self
            .counts
            .entry((source, cause))
            .or_insert((Some(0), LinkSet::EMPTY));
        *count = count.map(|count| count + 1);
        *all = all.union(links);
    }

    /// Processes are missing, and nobody can say how many.
    pub(crate) fn add_uncounted(&mut self, source: Source, cause: Cause) {
        self.counts.insert((source, cause), (None, LinkSet::all()));
    }

    /// What is missing.
    pub(crate) fn gaps(self) -> Vec<Gap> {
        let gap = |((source, cause), (count, links))| Gap {
            source,
            cause,
            count,
            total: self.total,
            links,
        };
        self.counts.into_iter().map(gap).collect()
    }
}

/// The cause to count for an error of a question to the kernel, where EPERM
/// means what it says.
pub(crate) fn cause_of_errno(errno: Errno, path: impl FnOnce() -> PathBuf) -> Result<Cause, Error> {
    match errno {
        Errno::PERM => Ok(Cause::Denied),
        errno => cause_of(errno.into(), path),
    }
}

/// Returns the cause to count for what could not be opened.
pub(crate) fn cause_of_open_error(
    error: OpenError,
    path: impl FnOnce() -> PathBuf,
) -> Result<Cause, Error> {
    Ok(match error {
        OpenError::Gone | OpenError::Moved => Cause::Vanished,
        OpenError::Covered => Cause::Covered,
        OpenError::FileServer => Cause::FileServer,
        OpenError::Unreachable => Cause::Unreachable,
        OpenError::ForeignProc => Cause::ForeignProc,
        OpenError::Errno(errno) => return cause_of_errno(errno, path),
    })
}

/// The cause to count for an error of reading, other than that a thing is
/// gone.
///
/// A shortage of this process's own means is no property of what it reads:
/// it ends the scan, for otherwise the list would only be shorter.
pub(crate) fn cause_of(error: ReadError, path: impl FnOnce() -> PathBuf) -> Result<Cause, Error> {
    Ok(match error {
        ReadError::Malformed => Cause::Malformed,
        ReadError::TooLong => Cause::Malformed,
        ReadError::Gone => Cause::Vanished,
        ReadError::Errno(Errno::ACCESS) => Cause::Denied,
        ReadError::Errno(Errno::PERM) => Cause::Hidden,
        ReadError::Errno(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => {
            return Err(Error::read(path(), errno));
        }
        ReadError::Errno(errno) => Cause::Failed(errno.raw_os_error()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::errno_of;
    use crate::model::Link;

    #[test]
    fn gaps_are_counted_by_cause_with_all_their_links() {
        let mut tally = Tally::new(9);
        tally.add(Source::Processes, Cause::Zombie, LinkSet::of(Link::Net));
        tally.add(Source::Processes, Cause::Denied, LinkSet::of(Link::Net));
        tally.add(Source::Processes, Cause::Denied, LinkSet::of(Link::Uts));
        let gap = |cause, count, links| Gap {
            source: Source::Processes,
            cause,
            count: Some(count),
            total: 9,
            links,
        };
        let both = [Link::Net, Link::Uts].into_iter().collect();
        assert_eq!(
            tally.gaps(),
            [
                gap(Cause::Denied, 2, both),
                gap(Cause::Zombie, 1, LinkSet::of(Link::Net))
            ]
        );
    }

    #[test]
    fn what_cannot_be_opened_has_a_cause_of_its_own() {
        for (error, cause) in [
            (OpenError::Gone, Cause::Vanished),
            (OpenError::Moved, Cause::Vanished),
            (OpenError::Covered, Cause::Covered),
            (OpenError::FileServer, Cause::FileServer),
            (OpenError::Unreachable, Cause::Unreachable),
            (OpenError::ForeignProc, Cause::ForeignProc),
            (OpenError::Errno(Errno::PERM), Cause::Denied),
            (
                OpenError::Errno(Errno::IO),
                Cause::Failed(Errno::IO.raw_os_error()),
            ),
        ] {
            assert_eq!(cause_of_open_error(error, || "/x".into()).unwrap(), cause);
        }
    }

    #[test]
    fn a_shortage_ends_the_scan() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM] {
            let cause = cause_of(ReadError::Errno(errno), || "/x".into());
            assert!(matches!(cause, Err(Error::Read { source, .. }) if errno_of(&source) == errno));
        }
    }
}
