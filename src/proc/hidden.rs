//! Processes that the proc tree does not list, proc(5) on `hidepid`, and what
//! the kernel itself told of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::model::{HiddenProcess, Pid};

/// Returns whether a process exists.
type Exists = dyn Fn(Pid) -> bool + Send + Sync;

/// The hidden processes of a scan; most have none.
#[derive(Clone, Default)]
pub(super) struct Hidden(Arc<OnceLock<Known>>);

struct Known {
    processes: Mutex<HashMap<Pid, HiddenProcess>>,
    exists: Box<Exists>,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, HashMap<Pid, HiddenProcess>> {
        let processes = self.processes.lock();
        processes.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hidden {
    /// Adds processes. `exists` says whether one has ended since.
    pub(super) fn add(
        &self,
        processes: Vec<HiddenProcess>,
        exists: impl Fn(Pid) -> bool + Send + Sync + 'static,
    ) {
        let known = self.0.get_or_init(|| Known {
            processes: Mutex::default(),
            exists: Box::new(exists),
        });
        let processes = processes.into_iter();
        known
            .lock()
            .extend(processes.map(|process| (process.pid, process)));
    }

    /// Returns what is known of a process, if it is hidden and still there.
    pub(super) fn get(&self, pid: Pid) -> Option<HiddenProcess> {
        let known = self.0.get()?;
        let process = known.lock().get(&pid)?.clone();
        (known.exists)(pid).then_some(process)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let processes = self.0.get().map(|known| known.lock().len());
        f.debug_tuple("Hidden").field(&processes).finish()
    }
}
