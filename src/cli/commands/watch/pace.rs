//! When to scan, and when to look again: often enough, and never so often that it
//! costs much.

use std::time::Duration;

/// How many nanoseconds a duration has.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;

/// Why a scan may be due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// Only a scan tells what became of something.
    pub(super) needed: bool,
    /// Something happened since the last one.
    pub(super) changed: bool,
}

/// When the last scan was, and how long it took.
#[derive(Debug)]
pub(super) struct Pace {
    /// What the user asked for.
    interval: Option<Duration>,
    /// Whether scans are all there is.
    is_polling: bool,
    began: u64,
    ended: u64,
}

impl Pace {
    pub(super) fn new(interval: Option<Duration>, is_polling: bool) -> Self {
        Pace {
            interval,
            is_polling,
            began: 0,
            ended: 0,
        }
    }

    /// Takes note of a scan.
    pub(super) fn scanned(&mut self, began: u64, ended: u64) {
        (self.began, self.ended) = (began, ended);
    }

    /// Returns when the next scan is due.
    pub(super) fn next_scan(&self, wishes: Wishes) -> u64 {
        let took = self.ended.saturating_sub(self.began);
        // At most so many parts of the time pass in scans.
        let (least, parts) = match (self.is_polling, wishes) {
            (true, _) => (SECOND, 10),
            (_, Wishes { needed: true, .. }) => (50 * MILLISECOND, 8),
            (_, Wishes { changed: true, .. }) => (5 * SECOND, 100),
            _ => (60 * SECOND, 2000),
        };
        let usual = least.max(took.saturating_mul(parts));
        let chosen = self.interval.map(nanoseconds);
        if let (Some(chosen), true) = (chosen, self.is_polling) {
            return self.began.saturating_add(chosen);
        }
        let pause = chosen.map_or(usual, |chosen| usual.min(chosen));
        self.ended.saturating_add(pause)
    }
}

/// How often records are read at once. On a busy system they are left for a while
/// and read together.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: u64,
    filled: u64,
}

const MOST_TOKENS: u64 = 50;
/// One more each 40 ms, in which 10,000 tasks may come and go without a loss.
const REFILL: u64 = 40 * MILLISECOND;

impl Bucket {
    pub(super) fn new(now: u64) -> Self {
        Bucket {
            tokens: MOST_TOKENS,
            filled: now,
        }
    }

    /// Takes a token; without one, returns when there will be.
    pub(super) fn take(&mut self, now: u64) -> Result<(), u64> {
        let more = now.saturating_sub(self.filled) / REFILL;
        if more > 0 {
            self.tokens = MOST_TOKENS.min(self.tokens + more);
            self.filled += more * REFILL;
        }
        match self.tokens.checked_sub(1) {
            Some(left) => {
                self.tokens = left;
                Ok(())
            }
            None => Err(self.filled + REFILL),
        }
    }
}

/// Returns after what time to look at so many namespaces without a process, each
/// of which costs some microseconds.
pub(super) fn look_pause(vacant: usize) -> u64 {
    SECOND.max(5 * MILLISECOND * vacant as u64)
}

/// How soon to look again after tasks have ended.
pub(super) fn look_again(vacant: usize) -> u64 {
    (100 * MILLISECOND).max(MILLISECOND * vacant as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(interval: Option<u64>, is_polling: bool, took: u64) -> Pace {
        let mut pace = Pace::new(interval.map(Duration::from_nanos), is_polling);
        pace.scanned(0, took);
        pace
    }

    const IDLE: Wishes = Wishes {
        needed: false,
        changed: false,
    };
    const CHANGED: Wishes = Wishes {
        changed: true,
        ..IDLE
    };
    const NEEDED: Wishes = Wishes {
        needed: true,
        changed: true,
    };

    #[test]
    fn the_more_a_scan_costs_the_less_often_there_is_one() {
        let next = |wishes, took| pace(None, false, took).next_scan(wishes) - took;
        assert_eq!(next(IDLE, MILLISECOND), 60 * SECOND);
        assert_eq!(next(IDLE, SECOND), 2000 * SECOND);
        assert_eq!(next(CHANGED, MILLISECOND), 5 * SECOND);
        assert_eq!(next(CHANGED, SECOND), 100 * SECOND);
        assert_eq!(next(NEEDED, MILLISECOND), 50 * MILLISECOND);
        assert_eq!(next(NEEDED, SECOND), 8 * SECOND);
    }

    #[test]
    fn an_interval_is_kept() {
        let next = |interval, is_polling| pace(Some(interval), is_polling, SECOND).next_scan(IDLE);
        assert_eq!(next(2 * SECOND, true), 2 * SECOND);
        assert_eq!(next(2 * SECOND, false), 3 * SECOND);
        assert_eq!(
            pace(None, true, MILLISECOND).next_scan(IDLE),
            SECOND + MILLISECOND
        );
        assert_eq!(pace(None, true, SECOND).next_scan(IDLE), 11 * SECOND);
    }

    #[test]
    fn what_comes_too_often_waits() {
        let mut bucket = Bucket::new(0);
        for _ in 0..MOST_TOKENS {
            assert_eq!(bucket.take(0), Ok(()));
        }
        assert_eq!(bucket.take(0), Err(REFILL));
        assert_eq!(bucket.take(REFILL), Ok(()));
        assert_eq!(bucket.take(REFILL + 1), Err(2 * REFILL));
        assert_eq!(bucket.take(1000 * REFILL), Ok(()));
        assert_eq!(bucket.tokens, MOST_TOKENS - 1);
    }
}
