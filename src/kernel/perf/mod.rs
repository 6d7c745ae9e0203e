//! Events of tasks as the kernel reports them: perf_event_open(2) with
//! `attr.task`, `attr.comm` and, since Linux 4.12, `attr.namespaces`.
//!
//! Each CPU has a ring. What finds no room there is lost, and counted. Requires
//! CAP_PERFMON, or CAP_SYS_ADMIN before Linux 5.8.

mod record;
mod ring;

use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use record::Parsed;
use ring::Ring;

pub(crate) use record::{Comm, Record, What, reported_kinds};

/// The memory that the rings of all CPUs share, as far as each has a few pages.
const MEMORY: usize = 16 << 20;
/// What one ring has at most: what perf_event_mlock_kb allows by default.
const MOST: usize = 512 << 10;
const LEAST: usize = 32 << 10;
/// No machine has more CPUs.
const MOST_CPUS: i32 = 1 << 14;

/// The rings of all CPUs.
#[derive(Debug)]
pub(crate) struct Perf {
    /// By CPU; `None` for one that is offline.
    rings: Vec<Option<Ring>>,
    pages: usize,
}

/// What was read from the rings.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    /// Those of each ring in the order of their times, one ring after the other.
    pub(crate) records: Vec<Record>,
    /// How many found no room.
    pub(crate) lost: u64,
}

impl Perf {
    /// Opens a ring of so many pages for each CPU, or of as many as are useful.
    /// EACCES or EPERM without permission.
    pub(crate) fn open(pages: Option<usize>) -> Result<Self, Errno> {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let room = (MEMORY / cpus).clamp(LEAST, MOST);
        let useful = (room / rustix::param::page_size()).max(1);
        let pages = pages.unwrap_or(useful).max(1);
        let mut perf = Perf {
            rings: Vec::new(),
            // Rounded down.
            pages: 1 << pages.ilog2(),
        };
        for cpu in 0..MOST_CPUS {
            match Ring::open(cpu, perf.pages) {
                Ok(ring) => perf.rings.push(Some(ring)),
                Err(Errno::NODEV) => perf.rings.push(None),
                // There are no more.
                Err(Errno::INVAL) if cpu > 0 => break,
                Err(errno) => return Err(errno),
            }
        }
        Ok(perf)
    }

    /// Opens rings for CPUs that are online by now. Returns how many.
    pub(crate) fn reopen(&mut self) -> usize {
        let mut opened = 0;
        for (cpu, ring) in (0..).zip(&mut self.rings) {
            if ring.is_none() {
                *ring = Ring::open(cpu, self.pages).ok();
                opened += usize::from(ring.is_some());
            }
        }
        opened
    }

    /// Returns what becomes readable when a record is written.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.rings.iter().flatten().map(AsFd::as_fd)
    }

    /// Closes a ring whose CPU is no longer there, by its place in
    /// [`fds`](Perf::fds).
    pub(crate) fn close(&mut self, place: usize) {
        let mut open = self.rings.iter_mut().filter(|ring| ring.is_some());
        if let Some(ring) = open.nth(place) {
            *ring = None;
        }
    }

    /// Reads what was written since the last time.
    pub(crate) fn drain(&mut self) -> Drained {
        let mut drained = Drained::default();
        for ring in self.rings.iter_mut().flatten() {
            let tells_losses = ring.tells_losses();
            let records = &mut drained.records;
            let mut told = 0;
            let counted = ring.drain(|bytes| match record::parse(bytes) {
                Parsed::Record(record) => records.push(record),
                Parsed::Lost(lost) if tells_losses => told += lost,
                Parsed::Lost(_) | Parsed::Other => {}
                // It told something that is not known now.
                Parsed::Malformed => told += 1,
            });
            drained.lost = drained.lost.saturating_add(told).saturating_add(counted);
        }
        drained
    }
}

/// Parses the records of a ring that has these bytes, one after the other.
#[cfg(feature = "fuzzing")]
pub(crate) fn parse_all(mut bytes: &[u8]) {
    while let Some(size) = record::size_of_record(bytes) {
        let Some((whole, rest)) = bytes.split_at_checked(size) else {
            return;
        };
        let _ = record::parse(whole);
        bytes = rest;
    }
}

/// Returns the time on the clock of the rings, in nanoseconds. In a time
/// namespace other than the initial one, it differs by that one's offset.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_record_makes_a_ring_readable() {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        let Ok(perf) = Perf::open(Some(8)) else {
            // It takes CAP_PERFMON.
            return;
        };
        std::process::Command::new("true").status().unwrap();
        let rings = perf.fds();
        let mut rings: Vec<_> = rings
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        let at_most = Timespec {
            tv_sec: 30,
            tv_nsec: 0,
        };
        assert_ne!(poll(&mut rings, Some(&at_most)), Ok(0));
    }

    #[test]
    fn what_this_process_does_is_recorded() {
        let Ok(mut perf) = Perf::open(Some(8)) else {
            // It takes CAP_PERFMON.
            return;
        };
        let before = now();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let records = perf.drain().records;
        let own: Vec<_> = records.iter().filter(|record| record.pid == pid).collect();
        assert!(
            own.iter()
                .any(|record| matches!(record.what, What::Fork(_)))
        );
        assert!(own.iter().any(|record| record.what == What::Exit));
        let exec = What::Comm(Comm::new(b"true"), true);
        assert!(own.iter().any(|record| record.what == exec));
        let links = own.iter().find_map(|record| match &record.what {
            What::Namespaces(links) => Some(links),
            _ => None,
        });
        let link = std::fs::read_link("/proc/self/ns/net").unwrap();
        let net = links.unwrap().own(crate::model::Kind::Net).unwrap();
        assert_eq!(net.to_string(), link.to_str().unwrap());
        assert!(
            own.iter()
                .all(|record| (before..=now()).contains(&record.time))
        );
    }
}
