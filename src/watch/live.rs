//! The running system, asked about what exists now.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::kernel::{Kernel, Linux, NsFile, OpenError, perf_now};
use crate::model::{Kind, Links, Mount, NsId, Pid, Tid, TimeOffset};
use crate::proc::{ProcessDir, Sysroot, namespace_mounts};
use crate::scan::{Context, Scanner};
use crate::text::Text;
use crate::watch::{Examined, Probe};

/// The running system. What may block is asked by other threads.
pub(crate) struct Live {
    scanner: Scanner,
    kernel: Linux,
    /// By how many nanoseconds the clock of this process differs from that of the
    /// records, as it may in a time namespace.
    offset: i64,
    /// Has an event when the mounts of this process have changed.
    mounts: Option<File>,
    /// Its mounts of namespaces.
    mounted: HashMap<NsId, Mount>,
    has_read_mounts: bool,
}

/// No kernel has longer ticks.
const TICK: Duration = Duration::from_millis(20);

impl Live {
    pub(crate) fn new(scanner: Scanner, root: &Sysroot) -> Self {
        let kernel = Linux::new(root.proc_path());
        let own = ProcessDir::open(root, std::process::id());
        let offsets = own.and_then(|own| own.timens_offsets());
        let offset = offsets.map_or(0, |offsets| nanoseconds(offsets.monotonic));
        Live {
            scanner,
            kernel,
            offset,
            mounts: File::open(root.proc_path().join("self/mountinfo")).ok(),
            mounted: HashMap::new(),
            has_read_mounts: false,
        }
    }

    /// Returns the time on the clock of the records.
    pub(crate) fn now(&self) -> u64 {
        perf_now().saturating_add_signed(self.offset.saturating_neg())
    }

    /// Reads the mounts of namespaces, if they have changed.
    fn read_mounts(&mut self) {
        let has_changed = self.mounts.as_ref().is_none_or(|file| {
            let mut fds = [PollFd::new(file, PollFlags::PRI)];
            let now = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            poll(&mut fds, Some(&now)) != Ok(0)
        });
        if !has_changed && self.has_read_mounts {
            return;
        }
        self.has_read_mounts = true;
        let read = self.ask(vec![()], |context, ()| {
            let table = context.root.mountinfo().and_then(namespace_mounts).ok()?;
            Some(table.mounts)
        });
        let found = read.into_iter().flatten().flatten();
        self.mounted = found.flatten().collect();
    }

    /// Asks about those of these whose task exists. Most have ended after a storm,
    /// and another thread costs more than to find that out.
    fn ask_those_there<I, T, F>(
        &self,
        items: &[I],
        task: impl Fn(&I) -> Tid,
        read: F,
    ) -> Vec<Option<T>>
    where
        I: Clone + Send + Sync + 'static,
        T: Send + 'static,
        F: Fn(&Context<Linux>, &I) -> Option<T> + Send + Sync + 'static,
    {
        let is_there = |item: &&I| self.kernel.process_exists(task(item));
        let (places, there): (Vec<usize>, Vec<I>) = (0..)
            .zip(items)
            .filter(|(_, item)| is_there(item))
            .map(|(place, item)| (place, item.clone()))
            .unzip();
        let mut all: Vec<Option<T>> = items.iter().map(|_| None).collect();
        if !there.is_empty() {
            for (place, read) in places.into_iter().zip(self.ask(there, read)) {
                if let Some(slot) = all.get_mut(place) {
                    *slot = read;
                }
            }
        }
        all
    }

    /// Asks about each of these; nothing of what blocks, or cannot be read.
    fn ask<I, T, F>(&self, items: Vec<I>, read: F) -> Vec<Option<T>>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: Fn(&Context<Linux>, &I) -> Option<T> + Send + Sync + 'static,
    {
        let count = items.len();
        // A fresh one has its patience.
        let context = self.scanner.context();
        let read = context.map("things", items, move |context, item| {
            Ok(read(context, item))
        });
        match read {
            Ok(all) => all.into_iter().map(Option::flatten).collect(),
            Err(_) => (0..count).map(|_| None).collect(),
        }
    }
}

/// Opens the namespace of a task by its own link.
fn open_own(context: &Context<Linux>, tid: Tid, id: NsId) -> Option<NsFile> {
    let kernel = context.kernel.as_ref()?;
    id.kind.links().iter().find_map(|link| {
        let path = context.root.process_path(tid).join("ns").join(link.name());
        let is_own = !link.is_for_children() || id.kind != Kind::Pid;
        kernel.open_link(&path, id).ok().filter(|_| is_own)
    })
}

impl Probe for Live {
    fn is_alive(&mut self, id: NsId, unique_id: u64) -> Option<bool> {
        match self.kernel.open_listed(unique_id, id) {
            Ok(_) => Some(true),
            Err(OpenError::Gone) => Some(false),
            Err(_) => None,
        }
    }

    fn identify(&mut self, asked: &[(Tid, NsId)]) -> Vec<Option<u64>> {
        self.ask_those_there(
            asked,
            |(tid, _)| *tid,
            |context, (tid, id)| {
                let kernel = context.kernel.as_ref()?;
                kernel.unique_id(&open_own(context, *tid, *id)?).ok()
            },
        )
    }

    fn identify_mounted(&mut self, ids: &[NsId]) -> Vec<Option<u64>> {
        self.read_mounts();
        let mounts = ids.iter().map(|id| self.mounted.get(id));
        let mounts = mounts.map(|mount| mount.cloned());
        let asked: Vec<_> = ids.iter().copied().zip(mounts).collect();
        if asked.iter().all(|(_, mount)| mount.is_none()) {
            return vec![None; ids.len()];
        }
        self.ask(asked, |context, (id, mount)| {
            let kernel = context.kernel.as_ref()?;
            let ns = kernel.open_mount(mount.as_ref()?, *id).ok()?;
            kernel.unique_id(&ns).ok()
        })
    }

    fn examine(&mut self, tid: Tid, id: NsId, since: u64) -> Option<Examined> {
        if !self.kernel.process_exists(tid) {
            return None;
        }
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let age = Duration::from_nanos(self.now().saturating_sub(since));
        // The kernel marks inodes with the time of its last tick.
        let then = wall.unwrap_or_default().saturating_sub(age + TICK);
        let seen = self.ask(vec![(tid, id)], move |context, (tid, id)| {
            let kernel = context.kernel.as_ref()?;
            let ns = open_own(context, *tid, *id)?;
            let seen = rustix::fs::fstat(ns.as_fd()).ok()?;
            let nanoseconds = u32::try_from(seen.st_ctime_nsec).ok()?;
            let opened = Duration::new(u64::try_from(seen.st_ctime).ok()?, nanoseconds);
            Some(Examined {
                unique_id: kernel.unique_id(&ns).ok(),
                was_open: opened < then,
            })
        });
        seen.into_iter().flatten().next()
    }

    fn links(&mut self, pids: &[Pid]) -> Vec<Option<Links>> {
        let links = pids.iter().map(|pid| {
            let exists = self.kernel.process_exists(*pid);
            exists.then(|| self.scanner.links_of(*pid).ok()).flatten()
        });
        links.collect()
    }

    fn commands(&mut self, pids: &[Pid]) -> Vec<Option<Text>> {
        self.ask_those_there(
            pids,
            |pid| *pid,
            |context, pid| {
                let process = ProcessDir::open(&context.root, *pid).ok()?;
                let line = process.cmdline().ok()??;
                Some(line.text.into())
            },
        )
    }

    fn has_threads(&mut self, pid: Pid) -> bool {
        let threads = self.ask(vec![pid], |context, pid| {
            let process = ProcessDir::open(&context.root, *pid).ok()?;
            let threads = process.threads().ok()?;
            Some(threads.iter().any(|tid| tid != pid))
        });
        threads.into_iter().flatten().any(|has| has)
    }

    fn exists(&mut self, tid: Tid) -> bool {
        // A zombie has left its namespaces.
        self.kernel.process_exists(tid)
            && !self
                .ask(vec![tid], |context, tid| {
                    let path = context.root.process_path(*tid).join("ns/net");
                    Some(rustix::fs::readlink(path, Vec::new()) == Err(Errno::NOENT))
                })
                .contains(&Some(true))
    }
}

fn nanoseconds(offset: TimeOffset) -> i64 {
    let seconds = offset.seconds.saturating_mul(1_000_000_000);
    seconds.saturating_add(i64::from(offset.nanoseconds))
}
