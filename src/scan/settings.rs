use std::num::NonZeroUsize;
use std::sync::OnceLock;

use crate::kernel::Linux;
use crate::model::KindSet;
use crate::proc::Sysroot;
use crate::scan::Needs;

/// How a scan is to be made, whatever it is for.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Below which root.
    pub(crate) root: Sysroot,
    /// Which types are asked for.
    pub(crate) kinds: KindSet,
    /// What to find out besides.
    pub(crate) needs: Needs,
    /// Whether somebody chose where to look.
    pub(crate) is_chosen: bool,
    /// On how many threads, if somebody chose that.
    pub(crate) threads: Option<NonZeroUsize>,
}

impl Settings {
    /// The kernel of the running system.
    pub(crate) fn linux(&self) -> Linux {
        Linux::new(self.root.proc_path())
    }

    /// On how many threads to scan.
    pub(crate) fn thread_count(&self) -> NonZeroUsize {
        // The question costs a dozen system calls.
        static CORES: OnceLock<NonZeroUsize> = OnceLock::new();
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.threads.unwrap_or_else(|| *CORES.get_or_init(cores))
    }
}
