//! One function on many things, on several threads, each of which may block for
//! good.
//!
//! Some questions about a process wait for locks that the process can hold for
//! as long as it likes, with a page fault or a close on a FUSE mount whose server
//! does not answer: its command line for the lock of its memory map; kcmp(2),
//! pidfd_getfd(2) and, in newer kernels, its namespace links for
//! `exec_update_lock`. No signal but a fatal one ends the wait, so a thread that
//! waits cannot be interrupted, only left behind. It ends with this process.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::proc::pulse::{self, Pulse};

/// How often the work is looked after. Looks are counted rather than time, so
/// that being stopped and continued makes nothing late.
const LOOK: Duration = Duration::from_millis(50);

/// Work that takes less is not worth a second thread.
const WORTH_A_THREAD: Duration = Duration::from_micros(300);

/// The number of looks after which an item is given up.
const DEADLINE: usize = 20;

/// The number of looks after which an item is given up once a scan has lost its
/// patience.
const SHORT_DEADLINE: usize = 2;

/// The number of looks that one scan has patience for.
const PATIENCE: usize = 80;

/// The largest number of threads. An item that blocks costs one, and what is
/// left when all of them block is given up.
const MOST_THREADS: usize = 256;

/// How long a scan still waits for things that block.
#[derive(Debug)]
pub(crate) struct Patience(AtomicUsize);

impl Default for Patience {
    fn default() -> Self {
        Patience(AtomicUsize::new(PATIENCE))
    }
}

impl Patience {
    /// Returns after how many looks an item is given up.
    fn deadline(&self) -> usize {
        match self.0.load(Ordering::Relaxed) {
            0 => SHORT_DEADLINE,
            _ => DEADLINE,
        }
    }

    fn lose(&self) {
        let lose = |left: usize| left.checked_sub(1);
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, lose);
    }
}

/// Calls a function for every item and returns what it returned, in order;
/// `None` for an item that blocked: one of its system calls took longer than a
/// second, or the scan has lost its patience. Long work shows with
/// [`pulse::beat`] that it goes on.
pub(crate) fn map<I, T, F>(
    items: Vec<I>,
    threads: NonZeroUsize,
    patience: &Patience,
    read: F,
) -> Result<Vec<Option<T>>, Error>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: Fn(&I) -> T + Send + Sync + 'static,
{
    let slots: Arc<[Mutex<Option<T>>]> = items.iter().map(|_| Mutex::new(None)).collect();
    let results = Arc::clone(&slots);
    let count = items.len();
    let run = move |place| {
        if let (Some(item), Some(slot)) = (items.get(place), slots.get(place)) {
            let result = read(item);
            *lock(slot) = Some(result);
        }
    };
    Crew::default().run(Box::new(run), count, threads.get(), patience)?;
    Ok(results.iter().map(|slot| lock(slot).take()).collect())
}

/// Those who do the work.
#[derive(Default)]
struct Crew {
    shift: Arc<Shift>,
    workers: Vec<Arc<Worker>>,
}

/// What to do for each item, by its place.
struct Work {
    run: Box<dyn Fn(usize) + Send + Sync>,
    /// The number of items.
    count: usize,
    /// The place of the first item that no worker has taken.
    next: AtomicUsize,
}

/// What the last worker to end signals.
#[derive(Default)]
struct Shift {
    /// The number of workers that have not ended.
    alive: Mutex<usize>,
    over: Condvar,
    has_panicked: AtomicBool,
}

/// One thread, which may be left behind.
#[derive(Default)]
struct Worker {
    /// Grows while the work goes on.
    pulse: Pulse,
    has_ended: AtomicBool,
}

impl Crew {
    /// Does the work, until all workers have ended or are given up.
    fn run(
        &mut self,
        run: Box<dyn Fn(usize) + Send + Sync>,
        count: usize,
        threads: usize,
        patience: &Patience,
    ) -> Result<(), Error> {
        if count == 0 {
            return Ok(());
        }
        let next = AtomicUsize::new(0);
        let work = Arc::new(Work { run, count, next });
        self.employ(&work).map_err(Error::Thread)?;
        self.look_after(&work, threads, patience);
        if self.shift.has_panicked.load(Ordering::Relaxed) {
            std::panic::resume_unwind(Box::new("a thread of the scan panicked"));
        }
        Ok(())
    }

    /// Waits, and employs others beside those that are late.
    fn look_after(&mut self, work: &Arc<Work>, threads: usize, patience: &Patience) {
        // Of each worker the pulse at the last look, and since how many looks.
        let mut seen: Vec<(usize, usize)> = Vec::new();
        let mut is_full = false;
        let mut pause = WORTH_A_THREAD;
        while !self.shift.is_over(pause) {
            pause = LOOK;
            let deadline = patience.deadline();
            let (mut busy, mut late, mut given_up) = (0, 0, 0);
            for (number, worker) in self.workers.iter().enumerate() {
                let pulse = worker.pulse.read();
                if seen.len() == number {
                    seen.push((pulse, 0));
                }
                let Some((last, looks)) = seen.get_mut(number) else {
                    continue;
                };
                *looks = if *last == pulse { *looks + 1 } else { 1 };
                *last = pulse;
                if !worker.has_ended.load(Ordering::Relaxed) {
                    busy += 1;
                    late += usize::from(*looks > 1);
                    given_up += usize::from(*looks > deadline);
                }
            }
            let unclaimed = work.unclaimed();
            if given_up == busy && (is_full || unclaimed == 0) {
                return;
            }
            if late == busy {
                patience.lose();
            }
            // As many again as are late, so that many blocked items are met soon.
            let wanted = threads.max(late).saturating_sub(busy - late);
            for _ in 0..wanted.min(unclaimed) {
                is_full = self.workers.len() >= MOST_THREADS || self.employ(work).is_err();
                if is_full {
                    break;
                }
            }
        }
    }

    /// Starts a thread that takes items until none is left.
    fn employ(&mut self, work: &Arc<Work>) -> std::io::Result<()> {
        let worker = Arc::new(Worker::default());
        *lock(&self.shift.alive) += 1;
        let end = End(Arc::clone(&self.shift), Arc::clone(&worker));
        let work = Arc::clone(work);
        thread::Builder::new().spawn(move || {
            let end = end;
            // What the work owns is dropped before the end is known.
            let work = work;
            end.1.pulse.feel();
            while let Some(place) = work.claim() {
                pulse::beat();
                (work.run)(place);
            }
        })?;
        self.workers.push(worker);
        Ok(())
    }
}

impl Work {
    /// Takes the place of the next item.
    fn claim(&self) -> Option<usize> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        (place < self.count).then_some(place)
    }

    /// Returns the number of items that no worker has taken.
    fn unclaimed(&self) -> usize {
        let next = self.next.load(Ordering::Relaxed);
        self.count.saturating_sub(next)
    }
}

impl Shift {
    /// Waits until all workers have ended, for so long at most. Returns whether
    /// they have.
    fn is_over(&self, pause: Duration) -> bool {
        let alive = lock(&self.alive);
        let waited = self
            .over
            .wait_timeout_while(alive, pause, |alive| *alive > 0);
        let (alive, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *alive == 0
    }
}

/// Notes the end of a worker, even of one that panics or never began.
struct End(Arc<Shift>, Arc<Worker>);

impl Drop for End {
    fn drop(&mut self) {
        self.1.has_ended.store(true, Ordering::Relaxed);
        if thread::panicking() {
            self.0.has_panicked.store(true, Ordering::Relaxed);
        }
        let mut alive = lock(&self.0.alive);
        *alive -= 1;
        if *alive == 0 {
            self.0.over.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

    #[test]
    fn results_come_in_order() {
        for threads in [NonZeroUsize::MIN, TWO] {
            let patience = Patience::default();
            let doubled = map((0..2000).collect(), threads, &patience, |n: &i32| n * 2);
            let expected: Vec<Option<i32>> = (0..2000).map(|n| Some(n * 2)).collect();
            assert_eq!(doubled.unwrap(), expected);
        }
        let nothing = map(Vec::new(), TWO, &Patience::default(), |n: &i32| *n);
        assert_eq!(nothing.unwrap(), []);
    }

    #[test]
    fn what_blocks_is_given_up_and_the_rest_is_read() {
        let patience = Patience::default();
        // Nothing is ever sent, and the senders outlive the work.
        let (sender, receiver) = channel::<()>();
        let receiver = Arc::new(Mutex::new(receiver));
        let items = (0..500).collect();
        let read = map(items, NonZeroUsize::MIN, &patience, move |n: &i32| {
            if n % 100 == 7 {
                let _ = lock(&receiver).recv();
            }
            *n
        });
        let expected = (0..500).map(|n| (n % 100 != 7).then_some(n));
        assert_eq!(read.unwrap(), expected.collect::<Vec<_>>());
        drop(sender);
    }

    #[test]
    fn more_blocking_items_than_threads_end_the_work() {
        let patience = Patience(AtomicUsize::new(0));
        let (sender, receiver) = channel::<()>();
        let receiver = Arc::new(Mutex::new(receiver));
        let items: Vec<usize> = (0..MOST_THREADS * 3).collect();
        let read = map(items, TWO, &patience, move |n: &usize| {
            if *n > 0 {
                let _ = lock(&receiver).recv();
            }
            *n
        });
        let read = read.unwrap();
        assert_eq!(read.first(), Some(&Some(0)));
        assert!(read.iter().skip(1).all(Option::is_none));
        drop(sender);
    }

    #[test]
    fn what_is_slow_is_not_given_up() {
        let patience = Patience(AtomicUsize::new(0));
        let read = map(vec![1, 2], TWO, &patience, |n: &i32| {
            for _ in 0..SHORT_DEADLINE * 4 {
                thread::sleep(LOOK / 2);
                pulse::beat();
            }
            *n
        });
        assert_eq!(read.unwrap(), [Some(1), Some(2)]);
    }

    #[test]
    fn the_work_is_dropped_before_the_results_are_returned() {
        let owned = Arc::new(());
        for _ in 0..100 {
            let shared = Arc::clone(&owned);
            let patience = Patience::default();
            let read = map((0..50).collect(), TWO, &patience, move |n: &i32| {
                let _ = &shared;
                *n
            });
            assert_eq!(read.unwrap().len(), 50);
            assert_eq!(Arc::strong_count(&owned), 1);
        }
    }

    #[test]
    #[should_panic(expected = "a thread of the scan panicked")]
    fn a_panic_is_passed_on() {
        let zero = vec![0];
        let _ = map(zero, TWO, &Patience::default(), |n: &i32| 1 / n);
    }

    #[test]
    fn patience_ends() {
        let patience = Patience::default();
        assert_eq!(patience.deadline(), DEADLINE);
        for _ in 0..=PATIENCE {
            patience.lose();
        }
        assert_eq!(patience.deadline(), SHORT_DEADLINE);
    }
}
