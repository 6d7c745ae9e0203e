//! The running system, asked about what exists now.

use rustix::io::Errno;

use crate::kernel::{Kernel, Linux, OpenError, perf_now};
use crate::model::{LinkSet, Links, NsId, Pid, Tid, TimeOffset};
use crate::proc::{ProcessDir, Sysroot};
use crate::scan::{Context, Scanner};
use crate::text::Text;
use crate::watch::Probe;

/// The running system. What may block is asked by other threads.
pub(crate) struct Live {
    scanner: Scanner,
    kernel: Linux,
    /// By how many nanoseconds the clock of this process differs from that of the
    /// records, as it may in a time namespace.
    offset: i64,
}

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
        }
    }

    /// Returns the time on the clock of the records.
    pub(crate) fn now(&self) -> u64 {
        perf_now().saturating_add_signed(self.offset.saturating_neg())
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
        let read = context.map(items, move |context, item| Ok(read(context, item)));
        match read {
            Ok(all) => all.into_iter().map(Option::flatten).collect(),
            Err(_) => (0..count).map(|_| None).collect(),
        }
    }
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
        self.ask(asked.to_vec(), |context, (tid, id)| {
            let kernel = context.kernel.as_ref()?;
            let links: LinkSet = id.kind.links();
            links.iter().find_map(|link| {
                let path = context.root.process_path(*tid).join("ns").join(link.name());
                let ns = kernel.open_link(&path, *id).ok()?;
                kernel.unique_id(&ns).ok()
            })
        })
    }

    fn links(&mut self, pids: &[Pid]) -> Vec<Option<Links>> {
        let links = pids.iter().map(|pid| self.scanner.links_of(*pid).ok());
        links.collect()
    }

    fn commands(&mut self, pids: &[Pid]) -> Vec<Option<Text>> {
        self.ask(pids.to_vec(), |context, pid| {
            let process = ProcessDir::open(&context.root, *pid).ok()?;
            let line = process.cmdline().ok()??;
            Some(line.text.into())
        })
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
