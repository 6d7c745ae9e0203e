//! What the kernel told of tasks, as processes and the links of their threads.

use crate::kernel::Task;
use crate::model::{Cause, Holder, Kind, Link, LinkSet, NsId, Pid, Process};
use crate::scan::context::Context;
use crate::scan::groups::Find;

/// Returns the links that this kernel lacks: those that this process lacks.
pub(super) fn lacking<K>(context: &Context<K>, wanted: LinkSet) -> LinkSet {
    let mut known = context.root.own_links();
    if known.contains(Link::Time) {
        // Time namespaces are younger, so this kernel has both.
        known.insert(Link::PidForChildren);
    }
    wanted.without(known)
}

/// Makes a process of its threads, and what its links lack. `None` if it has to
/// be read in the proc tree: one moved meanwhile, or the first is missing.
pub(super) fn settle(
    tasks: &[Task],
    pid: Pid,
    wanted: LinkSet,
) -> Option<(Process, Option<(Cause, LinkSet)>)> {
    let leader = tasks.iter().find(|task| task.tid == pid)?;
    if tasks.iter().any(|task| task.has_moved) {
        return None;
    }
    let mut process = Process::new(pid, leader.links.only(wanted));
    let known = process.links.iter().map(|(link, _)| link).collect();
    let lost = wanted.without(known);
    if lost.is_empty() {
        return Some((process, None));
    }
    // It has left them: the first thread has ended.
    let cause = match tasks.iter().find(|task| is_alive(task)) {
        Some(task) => {
            process.links.fill(&task.links.only(wanted));
            process.thread = Some(task.tid);
            Cause::ZombieLeader
        }
        None => Cause::Zombie,
    };
    Some((process, Some((cause, lost))))
}

/// Returns the lasting number of the pid namespace of the children of a task,
/// if it is another than its own: before the first child no path opens it.
pub(super) fn for_children(task: &Task) -> Option<(NsId, u64)> {
    let ino = task.links.ino(Link::PidForChildren)?;
    let kind = Kind::Pid;
    let id = NsId { ino, kind };
    let is_other = task.links.ino(Link::Pid) != Some(ino);
    is_other.then_some((id, task.for_children?))
}

/// Returns whether a task has not ended: every other is in a net namespace.
fn is_alive(task: &Task) -> bool {
    task.links.ino(Link::Net).is_some()
}

/// Returns the links of threads that differ from those of their process.
pub(super) fn other_links(
    tasks: &[Task],
    process: &Process,
    wanted: LinkSet,
) -> impl Iterator<Item = Find> {
    let pid = process.pid;
    let others = tasks.iter().filter(move |task| task.tid != pid);
    others.flat_map(move |task| {
        let links = task.links.only(wanted).without(&process.links);
        let tid = task.tid;
        let ids: Vec<_> = links.iter().collect();
        let holder = move |(link, id)| (id, Holder::Thread { pid, tid, link });
        ids.into_iter().map(holder)
    })
}
