//! Where a watch gets to know what happens: records of the kernel, scans beside,
//! and changes of mounts.

use std::fs::File;
use std::io::Stdout;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::cli::commands::watch::pace::{Bucket, Pace, Wishes, look_again, look_pause};
use crate::error::Error;
use crate::kernel::{Perf, Record, Signals};
use crate::model::Snapshot;
use crate::proc::Sysroot;
use crate::scan::Scanner;
use crate::watch::{Live, Notice, Watcher};

/// How long after its time a record may still be on its way into its ring, in
/// nanoseconds.
const ON_ITS_WAY: u64 = 100_000;
/// How soon to find out what became of a namespace that was just left.
const SOON: u64 = 50_000_000;

/// What a wait has brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Woken {
    /// A signal may have come.
    pub(super) by_signal: bool,
    /// Standard output takes something.
    pub(super) can_write: bool,
    /// Nobody reads standard output any more.
    pub(super) is_closed: bool,
}

impl Woken {
    fn new(signals: PollFlags, output: PollFlags) -> Self {
        Woken {
            by_signal: !signals.is_empty(),
            can_write: output.contains(PollFlags::OUT),
            is_closed: output.intersects(PollFlags::ERR | PollFlags::NVAL),
        }
    }
}

/// A scan that another thread does.
struct Running {
    began: u64,
    result: Receiver<Result<Snapshot, Error>>,
    /// Readable when the thread has ended.
    done: OwnedFd,
}

/// Sources, and what is known.
pub(super) struct Engine {
    perf: Option<Perf>,
    pub(super) watcher: Watcher,
    pub(super) live: Live,
    scanner: Scanner,
    running: Option<Running>,
    /// Readable, with POLLPRI, when a mount came or went.
    mounts: Option<File>,
    /// Records that others may precede.
    early: Vec<Record>,
    pace: Pace,
    bucket: Bucket,
    /// When to read records at the earliest.
    drain_at: u64,
    /// When to look at namespaces without a process.
    look_at: u64,
    looked: u64,
    has_changed: bool,
    lost: u64,
}

impl Engine {
    pub(super) fn new(
        perf: Option<Perf>,
        scanner: Scanner,
        root: &Sysroot,
        interval: Option<Duration>,
    ) -> Self {
        let live = Live::new(scanner.clone(), root);
        let now = live.now();
        Engine {
            pace: Pace::new(interval, perf.is_none()),
            perf,
            watcher: Watcher::default(),
            live,
            scanner,
            running: None,
            mounts: File::open(root.proc_path().join("self/mountinfo")).ok(),
            early: Vec::new(),
            bucket: Bucket::new(now),
            drain_at: 0,
            look_at: u64::MAX,
            looked: now,
            has_changed: false,
            lost: 0,
        }
    }

    /// Returns how many records were lost in all.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Begins a scan in another thread.
    pub(super) fn begin_scan(&mut self) -> Result<(), Error> {
        let (done, end) = pipe_with(PipeFlags::CLOEXEC).map_err(thread_error)?;
        let (sender, result) = channel();
        let scanner = self.scanner.clone();
        if let Some(perf) = &mut self.perf {
            // Of a CPU that was offline nothing is known.
            perf.reopen();
        }
        let began = self.live.now();
        self.watcher.begin_scan();
        self.has_changed = false;
        let spawned = thread::Builder::new().spawn(move || {
            let _ = sender.send(scanner.scan());
            drop(end);
        });
        spawned.map_err(Error::Thread)?;
        self.running = Some(Running {
            began,
            result,
            done,
        });
        Ok(())
    }

    /// Takes the scan that has ended, if one has.
    pub(super) fn end_scan(&mut self) -> Result<Option<(Snapshot, Vec<Notice>)>, Error> {
        let Some(running) = &self.running else {
            return Ok(None);
        };
        let result = match running.result.try_recv() {
            Err(TryRecvError::Empty) => return Ok(None),
            Err(TryRecvError::Disconnected) => Err(thread_error(Errno::CHILD)),
            Ok(result) => result,
        };
        let began = running.began;
        self.running = None;
        let now = self.live.now();
        self.pace.scanned(began, now);
        match result {
            Ok(snapshot) => {
                // What it saw may be newer than the records that were read: without
                // them it would hide that something happened.
                thread::sleep(Duration::from_nanos(ON_ITS_WAY));
                self.read_records();
                let notices = self.watcher.merge(&snapshot, began, now, &mut self.live);
                Ok(Some((snapshot, notices)))
            }
            Err(error) => {
                self.watcher.abandon_scan();
                Err(error)
            }
        }
    }

    /// Reads what was recorded, if it is time to.
    pub(super) fn drain(&mut self) {
        if self.live.now() >= self.drain_at {
            self.read_records();
        }
    }

    /// Reads what was recorded, and applies what no other record can precede.
    fn read_records(&mut self) {
        let now = self.live.now();
        if self.fetch().is_none() {
            return;
        }
        let mut records = std::mem::take(&mut self.early);
        let until = now.saturating_sub(ON_ITS_WAY);
        let ready = records.partition_point(|record| record.time <= until);
        self.early = records.split_off(ready);
        if !records.is_empty() {
            self.look_at = self
                .look_at
                .min(self.looked + look_again(self.watcher.vacant()));
        }
        let own = std::process::id();
        // Threads of this process enter namespaces to look around.
        let others = records.into_iter();
        for record in others.filter(|record| record.pid != own || record.tid == own) {
            self.watcher.apply(record, &mut self.live);
        }
    }

    /// Adds what was recorded to the records that are not applied yet, in the order
    /// of their times; `None` if nothing is recorded.
    fn fetch(&mut self) -> Option<()> {
        let drained = self.perf.as_mut()?.drain();
        self.lost = self.lost.saturating_add(drained.lost);
        self.watcher.lose(drained.lost);
        self.early.extend(drained.records);
        self.early.sort_by_key(|record| record.time);
        Some(())
    }

    /// Returns what there is to say.
    pub(super) fn settle(&mut self) -> Vec<Notice> {
        let now = self.live.now();
        if self.watcher.read(now, &mut self.live) {
            thread::sleep(Duration::from_nanos(ON_ITS_WAY));
            if self.fetch().is_some() {
                self.watcher.doubt(&self.early);
            }
        }
        let looks = now >= self.look_at;
        let notices = self.watcher.settle(now, looks, &mut self.live);
        if looks {
            self.looked = now;
        }
        let vacant = self.watcher.vacant();
        if vacant == 0 {
            self.look_at = u64::MAX;
        } else if looks || self.look_at == u64::MAX {
            self.look_at = now + look_pause(vacant);
        }
        self.has_changed |= self.watcher.take_changed();
        notices
    }

    /// Returns whether a scan should begin now.
    pub(super) fn is_scan_due(&self) -> bool {
        self.running.is_none() && self.live.now() >= self.pace.next_scan(self.wishes())
    }

    fn wishes(&self) -> Wishes {
        Wishes {
            needed: self.watcher.wants_scan(),
            changed: self.has_changed,
        }
    }

    /// Returns when there is something to do although nothing happens.
    fn wake_at(&self) -> u64 {
        let now = self.live.now();
        let mut at = self.look_at;
        if self.running.is_none() {
            at = at.min(self.pace.next_scan(self.wishes()));
        }
        if !self.early.is_empty() {
            at = at.min(self.drain_at.max(now + ON_ITS_WAY));
        }
        if self.watcher.is_waiting() {
            at = at.min(now + SOON);
        }
        if self.drain_at > now {
            at = at.min(self.drain_at);
        }
        at
    }

    /// Waits until something happens, at most until that time.
    pub(super) fn wait(
        &mut self,
        signals: &Signals,
        until: u64,
        writes: bool,
    ) -> Result<Woken, Errno> {
        let now = self.live.now();
        let pause = Duration::from_nanos(self.wake_at().min(until).saturating_sub(now));
        let pause = Timespec::try_from(pause).ok();
        let stdout = std::io::stdout();
        let mut fds = vec![PollFd::new(signals, PollFlags::IN), output(&stdout, writes)];
        let mounts = self.mounts.as_ref().map(|file| {
            fds.push(PollFd::new(file, PollFlags::PRI));
            fds.len() - 1
        });
        if let Some(running) = &self.running {
            fds.push(PollFd::new(&running.done, PollFlags::IN));
        }
        let rings = fds.len();
        if let Some(perf) = self.perf.as_ref().filter(|_| self.drain_at <= now) {
            fds.extend(
                perf.fds()
                    .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)),
            );
        }
        match poll(&mut fds, pause.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let events = |place: usize| fds.get(place).map_or(PollFlags::empty(), PollFd::revents);
        let woken = Woken::new(events(0), events(1));
        let has_mounted = mounts.is_some_and(|place| !events(place).is_empty());
        let is_readable = (rings..fds.len()).any(|place| events(place).contains(PollFlags::IN));
        let closed = (rings..fds.len()).rev();
        let closed: Vec<_> = closed
            .filter(|place| events(*place).intersects(PollFlags::HUP | PollFlags::ERR))
            .collect();
        drop(fds);
        let now = self.live.now();
        if has_mounted {
            self.look_at = now;
            // Without IDs only a scan tells what the mount kept.
            self.has_changed = true;
        }
        for place in closed {
            if let Some(perf) = &mut self.perf {
                perf.close(place - rings);
            }
        }
        if is_readable && let Err(later) = self.bucket.take(now) {
            self.drain_at = later;
        }
        Ok(woken)
    }
}

/// Waits for a signal, or for standard output.
pub(super) fn wait_for(signals: &Signals, writes: bool) -> Result<Woken, Errno> {
    let stdout = std::io::stdout();
    let mut fds = [PollFd::new(signals, PollFlags::IN), output(&stdout, writes)];
    match poll(&mut fds, None) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(errno),
    }
    let [signals, output] = fds.map(|fd| fd.revents());
    Ok(Woken::new(signals, output))
}

fn output(stdout: &Stdout, writes: bool) -> PollFd<'_> {
    // Without flags, errors are reported.
    let flags = match writes {
        true => PollFlags::OUT,
        false => PollFlags::empty(),
    };
    PollFd::new(stdout, flags)
}

fn thread_error(errno: Errno) -> Error {
    Error::Thread(errno.into())
}
