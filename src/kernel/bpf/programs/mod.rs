//! What the iterators tell, and the programs that tell it. Each line of a
//! program is one of C, which stands in the names of the fields.

mod carried;
mod files;
mod lists;
mod tasks;
#[cfg(test)]
mod tests;

use crate::kernel::bpf::btf::{Btf, TypeId};
use crate::kernel::bpf::instructions::{Assembler, Pointer, R8, R9};
use crate::kernel::bytes::u32_at;
use crate::model::{Cause, Fd, Links, NsId, Pid, Tid};

pub(in crate::kernel::bpf) use carried::{Carried, Item};
pub(in crate::kernel::bpf) use files::Files;
pub(in crate::kernel::bpf) use lists::{Entrance, Listed, Lists};
pub(in crate::kernel::bpf) use tasks::{Names, Runs, Tasks};

/// A task, which is a thread: the first of a process has its PID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) pid: Pid,
    pub(crate) tid: Tid,
    /// Without those that it has left. A `pid_for_children` need not have a
    /// process yet.
    pub(crate) links: Links,
    /// Whether it moved meanwhile, so that the links may be neither the old nor
    /// the new ones.
    pub(crate) has_moved: bool,
    /// The number of its `pid_for_children` that is never given to another
    /// namespace, since Linux 6.18.
    pub(crate) for_children: Option<u64>,
    pub(crate) run: Run,
    /// Whether it is on a processor.
    pub(crate) is_running: bool,
}

/// How far a task has come: one that is not on a processor now, and has the same
/// value as before, did not run in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    /// Its number in the initial pid namespace.
    pub(crate) task: u32,
    /// Its table of open files; 0 for a kernel thread or a task that has ended,
    /// which have none.
    pub(crate) table: u64,
    /// When it started, in nanoseconds, and how often it has left a processor
    /// since: the sum. It leaves one far less than once in a nanosecond, so that
    /// no later task of the same number comes to the same sum.
    pub(crate) sum: u64,
}

/// An open file that holds a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskFile {
    pub(crate) pid: Pid,
    pub(crate) tid: Tid,
    pub(crate) fd: Fd,
    /// Which table of open files it is in: threads with the same number share
    /// theirs.
    pub(crate) table: u64,
    pub(crate) ns: NsId,
    pub(crate) what: FileType,
    /// The inode number of a socket, else 0.
    pub(crate) ino: u64,
    /// What carries it, if it is not open itself: `fd` is that of the carrier.
    pub(crate) carrier: Option<Carrier>,
    /// The number of a namespace that is never given to another, of one that is
    /// carried, since Linux 6.18.
    pub(crate) unique_id: Option<u64>,
}

/// An open file that carries others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// A unix socket: they are in messages that nobody has received yet.
    Socket,
    /// An io_uring, in which they are registered.
    Ring,
}

/// What the iterators tell of open files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskFiles {
    pub(crate) all: Vec<TaskFile>,
    /// Processes that have a file which carries others that are not in `all`,
    /// and why.
    pub(crate) unseen: Vec<(Pid, Cause)>,
}

/// An open file, as the iterator tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel::bpf) struct Seen {
    /// What it holds, if it holds a namespace.
    pub(in crate::kernel::bpf) file: Option<TaskFile>,
    /// The process, if the file may carry others.
    pub(in crate::kernel::bpf) carries: Option<Pid>,
}

/// What an open file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileType {
    /// The namespace itself.
    Namespace,
    /// A socket created in it.
    Socket,
    /// A tun file opened in it.
    Tun,
}

/// The structures that programs begin at, and the functions that they call.
pub(in crate::kernel::bpf) struct Types {
    pub(in crate::kernel::bpf) task: TypeId,
    pub(in crate::kernel::bpf) file: TypeId,
    pub(in crate::kernel::bpf) socket: TypeId,
    pub(in crate::kernel::bpf) sock: TypeId,
    pub(in crate::kernel::bpf) ns_common: TypeId,
    pid_namespace: TypeId,
    /// Messages, and what those between unix sockets carry.
    pub(in crate::kernel::bpf) messages: Option<[TypeId; 3]>,
    pub(in crate::kernel::bpf) io_ring_ctx: Option<TypeId>,
    /// `bpf_rdonly_cast`, since Linux 6.2.
    cast: Option<TypeId>,
    /// Open-coded iterators over numbers, since Linux 6.4.
    pub(in crate::kernel::bpf) numbers: Option<[TypeId; 3]>,
    /// The functions that stand for iterators.
    pub(in crate::kernel::bpf) of_tasks: Option<TypeId>,
    pub(in crate::kernel::bpf) of_files: Option<TypeId>,
}

impl Types {
    pub(in crate::kernel::bpf) fn find(btf: &Btf<'_>) -> Option<Self> {
        let structs = [
            "task_struct",
            "file",
            "socket",
            "sock",
            "ns_common",
            "pid_namespace",
            "sk_buff",
            "unix_skb_parms",
            "scm_fp_list",
            "io_ring_ctx",
        ];
        let functions = [
            "bpf_rdonly_cast",
            "bpf_iter_num_new",
            "bpf_iter_num_next",
            "bpf_iter_num_destroy",
            "bpf_iter_task",
            "bpf_iter_task_file",
        ];
        let mut found = btf.find(&structs, &functions).into_iter();
        let mut next = || found.next().flatten();
        let three = |[one, two, three]: [Option<TypeId>; 3]| Some([one?, two?, three?]);
        Some(Types {
            task: next()?,
            file: next()?,
            socket: next()?,
            sock: next()?,
            ns_common: next()?,
            pid_namespace: next()?,
            messages: three([next(), next(), next()]),
            io_ring_ctx: next(),
            cast: next(),
            numbers: three([next(), next(), next()]),
            of_tasks: next(),
            of_files: next(),
        })
    }
}

/// Something to iterate over, and the program that runs for each.
pub(in crate::kernel::bpf) trait Iterate {
    /// The size of a record.
    const SIZE: i16;
    type Item;

    /// Writes the program; `None` if this kernel lacks a field.
    fn program(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>>;

    /// Parses a record; `None` if it is of nothing that can be named.
    fn parse(record: &[u8]) -> Option<Self::Item>;
}

// Places in the context of an iterator, struct bpf_iter__task_file. The first
// member is `meta`.
pub(in crate::kernel::bpf) const CONTEXT_TASK: i16 = 8;
pub(in crate::kernel::bpf) const CONTEXT_FD: i16 = 16;
pub(in crate::kernel::bpf) const CONTEXT_FILE: i16 = 24;

/// The number of a task in the pid namespace of the reader: the first of the 16
/// bytes of a `struct upid`.
pub(in crate::kernel::bpf) const TID: i16 = 0;
/// That of its process.
pub(in crate::kernel::bpf) const PID: i16 = 16;

/// `record.tid = task->thread_pid->numbers[level].nr` and the same for its
/// process, where level is that of the reader. Changes [`R8`] and [`R9`].
pub(in crate::kernel::bpf) fn put_ids(c: &mut Assembler<'_>, task: Pointer) -> Option<()> {
    let reader = c.current(R8, task);
    let reader = c.follow(R8, reader, "thread_pid")?;
    let pid = c.follow(R9, task, "thread_pid")?;
    c.copy_element(TID, pid, "numbers", (reader, "level"))?;
    let pid = c.follow(R9, task, "group_leader->thread_pid")?;
    c.copy_element(PID, pid, "numbers", (reader, "level"))
}

/// Returns a number of a task, which is 0 for one that is being released.
pub(in crate::kernel::bpf) fn some_id(record: &[u8], place: i16) -> Option<u32> {
    u32_at(record, place as usize).filter(|id| *id != 0)
}
