//! The programs that tell of tasks.

use crate::kernel::bpf::btf::Btf;
use crate::kernel::bpf::instructions::{Assembler, Jump, Pointer, R7, R8, R9};
use crate::kernel::bpf::programs::{
    CONTEXT_TASK, Iterate, PID, Run, TID, Task, Types, put_ids, some_id,
};
use crate::kernel::bytes::{u32_at, u64_at, until_nul};
use crate::model::{HiddenProcess, Link, Links, Member};

/// The flag of kernel threads, linux/sched.h.
const PF_KTHREAD: i32 = 0x0020_0000;

/// All tasks.
pub(in crate::kernel::bpf) struct Tasks;

impl Tasks {
    /// The namespace of the task itself: the second member of a `struct upid`.
    pub(super) const OWN: i16 = 32;
    /// Its links, 32 bits each.
    pub(super) const LINKS: i16 = 48;
    /// The `struct nsproxy` before and after the links were read.
    pub(super) const BEFORE: i16 = 88;
    pub(super) const AFTER: i16 = 96;
    pub(super) const FOR_CHILDREN: i16 = 104;
    pub(super) const RUN: i16 = 112;
    pub(super) const ON_CPU: i16 = 136;

    pub(super) const NSPROXY: [(Link, &str); 8] = [
        (Link::Uts, "uts_ns->ns.inum"),
        (Link::Ipc, "ipc_ns->ns.inum"),
        (Link::Mnt, "mnt_ns->ns.inum"),
        (Link::PidForChildren, "pid_ns_for_children->ns.inum"),
        (Link::Net, "net_ns->ns.inum"),
        (Link::Time, "time_ns->ns.inum"),
        (Link::TimeForChildren, "time_ns_for_children->ns.inum"),
        (Link::Cgroup, "cgroup_ns->ns.inum"),
    ];

    pub(super) fn place(link: Link) -> i16 {
        Self::LINKS + 4 * link.index() as i16
    }
}

impl Iterate for Tasks {
    const SIZE: i16 = 144;
    type Item = Task;

    fn program(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>> {
        let mut c = Assembler::new(btf, types.cast, Self::SIZE);
        let task = c.argument(R7, CONTEXT_TASK, types.task);
        // Long before `put_run`: a task that is not on a processor has counted by
        // then how often it left one.
        c.put(Self::ON_CPU, task, "on_cpu")?;
        let nsproxy = c.follow(R8, task, "nsproxy")?;
        c.put_pointer(Self::BEFORE, nsproxy);
        for (link, path) in Self::NSPROXY {
            c.put(Self::place(link), nsproxy, path)?;
        }
        // This field is younger, so that it may be missing.
        let _ = c.put(Self::FOR_CHILDREN, nsproxy, "pid_ns_for_children->ns.ns_id");
        c.put(Self::place(Link::User), task, "real_cred->user_ns->ns.inum")?;
        let pid = c.follow(R9, task, "thread_pid")?;
        c.copy_element(Self::OWN, pid, "numbers", (pid, "level"))?;
        let own = c.pointer_at(R9, Self::OWN + 8, types.pid_namespace);
        c.put(Self::place(Link::Pid), own, "ns.inum")?;
        put_ids(&mut c, task)?;
        let is_kernel_thread = put_run(&mut c, Self::RUN, task)?;
        c.land(is_kernel_thread);
        c.put(Self::AFTER, task, "nsproxy")?;
        c.write()
    }

    fn parse(record: &[u8]) -> Option<Task> {
        let mut links = Links::default();
        for link in Link::ALL {
            let ino = u32_at(record, Self::place(*link) as usize)?;
            links.set(*link, ino.into());
        }
        let word = |place: i16| u64_at(record, place as usize);
        Some(Task {
            pid: some_id(record, PID)?,
            tid: some_id(record, TID)?,
            links,
            has_moved: word(Self::BEFORE)? != word(Self::AFTER)?,
            run: parse_run(record.get(Self::RUN as usize..)?)?,
            is_running: u32_at(record, Self::ON_CPU as usize)? != 0,
            for_children: word(Self::FOR_CHILDREN).filter(|id| *id != 0),
        })
    }
}

/// How far each task has come.
pub(in crate::kernel::bpf) struct Runs;

impl Iterate for Runs {
    const SIZE: i16 = 24;
    type Item = Run;

    fn program(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>> {
        let mut c = Assembler::new(btf, types.cast, Self::SIZE);
        let task = c.argument(R7, CONTEXT_TASK, types.task);
        let is_kernel_thread = put_run(&mut c, 0, task)?;
        c.emit();
        c.land(is_kernel_thread);
        c.end()
    }

    fn parse(record: &[u8]) -> Option<Run> {
        parse_run(record)
    }
}

/// Puts a [`Run`] at this place, except for a kernel thread, for which it jumps:
/// those share one table and do not change it. Changes [`R9`].
fn put_run(c: &mut Assembler<'_>, place: i16, task: Pointer) -> Option<Jump> {
    let is_kernel_thread = c.unless_masked(task, "flags", PF_KTHREAD, 0)?;
    c.put(place, task, "pid")?;
    c.put(place + 8, task, "files")?;
    // The kernel counts before it clears `on_cpu`.
    c.put_sum(place + 16, R9, task, &["start_boottime", "nvcsw", "nivcsw"])?;
    Some(is_kernel_thread)
}

fn parse_run(record: &[u8]) -> Option<Run> {
    Some(Run {
        task: u32_at(record, 0)?,
        table: u64_at(record, 8)?,
        sum: u64_at(record, 16)?,
    })
}

/// What the proc tree shows of processes that it lists.
pub(in crate::kernel::bpf) struct Names;

impl Names {
    pub(super) const PARENT: i16 = 32;
    pub(super) const COMM: i16 = 48;
    pub(super) const UID: i16 = 64;
}

impl Iterate for Names {
    const SIZE: i16 = 72;
    type Item = HiddenProcess;

    fn program(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>> {
        let mut c = Assembler::new(btf, types.cast, Self::SIZE);
        let task = c.argument(R7, CONTEXT_TASK, types.task);
        c.put(Self::UID, task, "real_cred->euid.val")?;
        c.copy_member(Self::COMM, 16, task, "comm")?;
        put_ids(&mut c, task)?;
        let reader = c.current(R8, task);
        let reader = c.follow(R8, reader, "thread_pid")?;
        let pid = c.follow(R9, task, "real_parent->group_leader->thread_pid")?;
        c.copy_element(Self::PARENT, pid, "numbers", (reader, "level"))?;
        c.write()
    }

    /// Parses a record; `None` for other threads than the first.
    fn parse(record: &[u8]) -> Option<HiddenProcess> {
        let pid = some_id(record, PID)?;
        let uid = u32_at(record, Self::UID as usize)?;
        let comm = record.get(Self::COMM as usize..)?.get(..16)?;
        // In the pid namespace of the reader, or else in one above it.
        let namespace = |place: i16| u64_at(record, place as usize + 8);
        let is_inside = namespace(Self::PARENT)? == namespace(TID)?;
        let ppid = u32_at(record, Self::PARENT as usize)?;
        (some_id(record, TID)? == pid).then(|| HiddenProcess {
            pid,
            ppid: if is_inside { ppid } else { 0 },
            uid,
            comm: until_nul(comm).into(),
        })
    }
}
