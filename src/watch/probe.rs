//! What a watch asks the system beside records and scans.

use crate::model::{Links, NsId, Pid, Tid};
use crate::text::Text;

/// What a look at a namespace shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Examined {
    /// The number that is never reused.
    pub(crate) unique_id: Option<u64>,
    /// Whether it was open, or mounted, before: it was there then, and the task has
    /// entered it.
    pub(crate) was_open: bool,
}

/// A system that can be asked about what exists now. Tests have one of their own.
pub(crate) trait Probe {
    /// Returns whether a namespace still exists, by its unique ID; `None` if that
    /// cannot be known, as before Linux 6.18.
    fn is_alive(&mut self, id: NsId, unique_id: u64) -> Option<bool>;

    /// Returns the unique IDs of namespaces that tasks are in, `None` for one that
    /// the task is not in any more.
    fn identify(&mut self, asked: &[(Tid, NsId)]) -> Vec<Option<u64>>;

    /// Returns the unique IDs of namespaces that are mounted where this process sees
    /// it.
    fn identify_mounted(&mut self, ids: &[NsId]) -> Vec<Option<u64>>;

    /// Looks at the namespace that a task has been in since that time; `None` if it
    /// is not in it any more.
    fn examine(&mut self, tid: Tid, id: NsId, since: u64) -> Option<Examined>;

    /// Returns the links of processes, as far as they are readable.
    fn links(&mut self, pids: &[Pid]) -> Vec<Option<Links>>;

    /// Returns the command lines of processes.
    fn commands(&mut self, pids: &[Pid]) -> Vec<Option<Text>>;

    /// Returns whether a process has threads beside its first one, which may have
    /// ended.
    fn has_threads(&mut self, pid: Pid) -> bool;

    /// Returns whether a process or thread exists.
    fn exists(&mut self, tid: Tid) -> bool;
}
