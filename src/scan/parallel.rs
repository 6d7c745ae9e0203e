//! One function on many things, on several threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::error::Error;

/// The number of items a thread takes at a time: enough that threads rarely
/// meet at the counter, few enough that they finish together.
const BATCH: usize = 32;

/// Below this number of items a thread costs more than it brings.
const WORTH_A_THREAD: usize = 128;

/// Calls a function for every item and returns what it returned, in order.
///
/// An error of the function ends the whole scan. A thread that cannot be
/// started is no error: the others do its work.
pub(crate) fn map<I, T, F>(items: &[I], threads: NonZeroUsize, read: F) -> Result<Vec<T>, Error>
where
    I: Sync,
    T: Send,
    F: Fn(&I) -> Result<T, Error> + Sync,
{
    let batches: Vec<&[I]> = items.chunks(BATCH).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = batches.get(place) else {
                return Ok(done);
            };
            let batch: Result<Vec<T>, Error> = batch.iter().map(&read).collect();
            done.push((place, batch?));
        }
    };
    let helpers = threads
        .get()
        .min(items.len() / WORTH_A_THREAD)
        .saturating_sub(1);
    let mut done = thread::scope(|scope| {
        let helpers: Vec<_> = (0..helpers)
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut done = work()?;
        for helper in helpers {
            match helper.join() {
                Ok(more) => done.extend(more?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, Error>(done)
    })?;
    done.sort_unstable_by_key(|(place, _)| *place);
    Ok(done.into_iter().flat_map(|(_, batch)| batch).collect())
}

/// Runs work in a thread that ends with it, so that the thread and those it
/// starts may enter other namespaces.
pub(crate) fn in_own_thread<T: Send>(
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work);
        match thread.map_err(Error::Thread)?.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Pid;

    const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

    #[test]
    fn results_come_in_order_on_any_number_of_threads() {
        let pids: Vec<Pid> = (1..2000).collect();
        let doubled: Vec<Pid> = pids.iter().map(|pid| pid * 2).collect();
        for threads in [NonZeroUsize::MIN, TWO, TWO.saturating_mul(TWO)] {
            assert_eq!(map(&pids, threads, |pid| Ok(pid * 2)).unwrap(), doubled);
        }
        assert_eq!(map(&[], TWO, |pid: &Pid| Ok(*pid)).unwrap(), [] as [Pid; 0]);
    }

    #[test]
    fn the_error_of_one_item_ends_the_work() {
        let pids: Vec<Pid> = (1..2000).collect();
        let failed = map(&pids, TWO, |pid| match *pid {
            1500 => Err(Error::NoProcess(1500)),
            pid => Ok(pid),
        });
        assert!(matches!(failed, Err(Error::NoProcess(1500))));
    }
}
