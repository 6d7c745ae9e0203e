//! What the kernel itself tells of all tasks and their open files, by BPF
//! iterators. It takes the place of the sources `processes`, `threads`, `fds`,
//! `sockets` and `tuns`.
//!
//! The proc tree stays the list of processes: one that the kernel did not tell
//! of, or that moved meanwhile, is read there.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;

use crate::containers::Affiliations;
use crate::error::Error;
use crate::kernel::{BpfError, FileType, Kernel, Task, TaskFile};
use crate::model::{Cause, Holder, Kind, Link, LinkSet, NsId, OpenFile, Pid, Process, Source, Tid};
use crate::proc::ProcessDir;
use crate::scan::context::{Context, cause_of_errno};
use crate::scan::groups::{Find, Groups};
use crate::scan::plan::Plan;
use crate::scan::sources::processes::{Look, note};

/// How long a new task may take between getting its time of birth and being
/// there: it is not preempted for so long.
const BIRTH: u64 = 20_000_000;

/// What the kernel told of all processes.
pub(super) struct Answer {
    /// By process and thread.
    tasks: Vec<Task>,
    files: Vec<TaskFile>,
}

/// What the kernel told of some processes.
pub(super) struct Told {
    /// The processes, by PID.
    pub(super) processes: Vec<Process>,
    /// What they hold besides their links.
    pub(super) finds: Vec<Find>,
    /// The lasting numbers of namespaces that no path may open.
    pub(super) ids: Vec<(NsId, u64)>,
    /// The processes to read in the proc tree.
    pub(super) rest: Vec<Pid>,
}

/// Makes processes of what the kernel told of them. They are given by PID.
pub(super) fn read<K: Kernel>(
    context: &Context<K>,
    plan: &Plan,
    look: Look,
    pids: &[Pid],
    answer: Answer,
    affiliations: &mut Affiliations<'_>,
) -> Result<Told, Error> {
    let mut told = Told {
        processes: Vec::with_capacity(pids.len()),
        finds: Vec::new(),
        ids: Vec::new(),
        rest: Vec::new(),
    };
    let Answer { tasks, mut files } = answer;
    let lacking = lacking(context, look.links);
    let wanted = look.links.without(lacking);
    // The thread whose files are those of the process, if it is not the first.
    let mut firsts = HashMap::new();
    let mut tasks = tasks.chunk_by(|one, next| one.pid == next.pid).peekable();
    let first_pid = |tasks: &[Task]| tasks.first().map_or(Pid::MAX, |task| task.pid);
    for pid in pids {
        while tasks.next_if(|tasks| first_pid(tasks) < *pid).is_some() {}
        let tasks = tasks.next_if(|tasks| first_pid(tasks) == *pid);
        let tasks = tasks.unwrap_or_default();
        let Some((process, trouble)) = settle(tasks, *pid, wanted) else {
            told.rest.push(*pid);
            continue;
        };
        told.ids.extend(tasks.iter().filter_map(for_children));
        firsts.extend(process.thread.map(|tid| (*pid, tid)));
        if look.threads {
            told.finds.extend(threads(tasks, &process, wanted));
        }
        let unsupported = (!lacking.is_empty()).then_some((Cause::Unsupported, lacking));
        for (cause, links) in trouble.into_iter().chain(unsupported) {
            let links = links.intersection(plan.links());
            if !links.is_empty() {
                context.miss_links(Source::Processes, cause, links);
            }
        }
        told.processes.push(process);
    }
    let is_told = |pid| {
        let found = told
            .processes
            .binary_search_by_key(&pid, |process| process.pid);
        found.is_ok()
    };
    files.retain(|file| is_told(file.pid));
    told.finds.extend(find_files(plan, look, &firsts, &files));
    if look.cgroup {
        let pids = told.processes.iter().map(|process| process.pid).collect();
        let texts = context.map(pids, |context, pid| {
            let process = ProcessDir::open(&context.root, *pid);
            let text = process.and_then(|process| process.cgroup());
            note(context, text, Source::Cgroups, *pid)
        })?;
        for (process, text) in told.processes.iter_mut().zip(texts) {
            process.affiliation = text.flatten().map(|text| affiliations.of(text));
        }
    }
    Ok(told)
}

/// Follows the kernel's lists for namespaces that nothing else led to, and that
/// were there `before` anything was read: what is younger may have a holder
/// that was not looked at. Those that do not open are being removed, or were
/// never there.
pub(super) fn find_chained<K: Kernel>(
    kernel: &K,
    plan: &Plan,
    groups: &Groups,
    before: &[(u64, NsId)],
) -> Vec<Find> {
    let chained = kernel.chained().unwrap_or_default();
    let mut finds = Vec::new();
    for (unique_id, id) in chained {
        let is_old = before.binary_search(&(unique_id, id)).is_ok();
        if is_old
            && plan.kinds.contains(id.kind)
            && groups.get(id).is_none()
            && kernel.open_listed(unique_id, id).is_ok()
        {
            finds.push((id, Holder::Kernel { unique_id }));
        }
    }
    finds
}

/// Returns the links that this kernel lacks: those that this process lacks.
fn lacking<K>(context: &Context<K>, wanted: LinkSet) -> LinkSet {
    let mut known = context.root.own_links();
    if known.contains(Link::Time) {
        // Time namespaces are younger, so this kernel has both.
        known.insert(Link::PidForChildren);
    }
    wanted.without(known)
}

/// Makes a process of its threads, and what its links lack. `None` if it has to
/// be read in the proc tree: one moved meanwhile, or the first is missing.
fn settle(
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
fn for_children(task: &Task) -> Option<(NsId, u64)> {
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
fn threads(tasks: &[Task], process: &Process, wanted: LinkSet) -> impl Iterator<Item = Find> {
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

/// Returns what open files hold. The files of a process are those of its first
/// thread, or of another, given in `firsts`; other threads may have more.
fn find_files(
    plan: &Plan,
    look: Look,
    firsts: &HashMap<Pid, Tid>,
    files: &[TaskFile],
) -> Vec<Find> {
    let first_of = |pid: Pid| firsts.get(&pid).copied().unwrap_or(pid);
    // Under a zombie leader the kernel tells of every thread that shares a
    // table.
    let tables: HashMap<Pid, u64> = files
        .iter()
        .filter(|file| firsts.get(&file.pid) == Some(&file.tid))
        .map(|file| (file.pid, file.table))
        .collect();
    files
        .iter()
        .filter(|file| {
            let is_first = file.tid == first_of(file.pid);
            is_first || (look.threads && tables.get(&file.pid) != Some(&file.table))
        })
        .filter_map(|file| {
            let TaskFile { pid, fd, .. } = *file;
            let tid = (file.tid != pid).then_some(file.tid);
            let open = OpenFile { pid, tid, fd };
            let (source, holder) = match file.what {
                FileType::Namespace => (Source::Fds, Holder::Fd(open)),
                FileType::Socket => (Source::Sockets, Holder::Socket(open)),
                FileType::Tun => (Source::Tuns, Holder::Tun(open)),
            };
            plan.reads(source).then_some((file.ns, holder))
        })
        .collect()
}

/// Lists processes and asks the kernel about all; no answer if it does not,
/// which is counted.
///
/// With a second thread the files are told meanwhile. If a task is younger than
/// that thread, they are told again: it may have been missed.
pub(super) fn ask<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    look: Look,
    list: impl FnOnce() -> Result<Vec<Pid>, Error>,
) -> Result<(Vec<Pid>, Option<Answer>), Error> {
    let files = || match look.fds {
        true => kernel.task_files(),
        false => Ok(Vec::new()),
    };
    let has_threads = look.fds && context.threads.get() > 1;
    let (pids, tasks, early) = thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        let helper = move || {
            let told = (files(), gettid());
            // It has to be there when tasks are told.
            let _ = is_done.recv();
            told
        };
        let helper = has_threads
            .then(|| thread::Builder::new().spawn_scoped(scope, helper).ok())
            .flatten();
        let pids = list()?;
        let tasks = kernel.tasks();
        drop(done);
        let early = match helper.map(thread::ScopedJoinHandle::join).transpose() {
            Ok(early) => early,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        Ok::<_, Error>((pids, tasks, early))
    })?;
    let answer = tasks.and_then(|mut tasks| {
        let files = match early {
            Some((told, helper)) if !any_is_younger(&tasks, helper) => told,
            _ => files(),
        }?;
        // Nearly in order already.
        tasks.sort_by_key(|task| (task.pid, task.tid));
        Ok(Answer { tasks, files })
    });
    match answer {
        Ok(answer) => Ok((pids, Some(answer))),
        Err(error) => {
            context.miss_uncounted(Source::Bpf, cause(error)?);
            Ok((pids, None))
        }
    }
}

/// Returns whether a task of another process is younger than a thread of this
/// one, or may be.
fn any_is_younger(tasks: &[Task], thread: Tid) -> bool {
    let Some(thread) = tasks.iter().find(|task| task.tid == thread) else {
        return true;
    };
    let since = thread.start.saturating_sub(BIRTH);
    tasks
        .iter()
        .any(|task| task.start > since && task.pid != thread.pid)
}

/// Returns the number of this thread.
fn gettid() -> Tid {
    let tid = rustix::thread::gettid().as_raw_nonzero().get();
    tid.cast_unsigned()
}

fn cause(error: BpfError) -> Result<Cause, Error> {
    Ok(match error {
        BpfError::Lockdown => Cause::Lockdown,
        BpfError::NoBtf => Cause::NoBtf,
        BpfError::ForeignProc => Cause::ForeignProc,
        BpfError::Errno(errno) => cause_of_errno(errno, || "/sys/kernel/btf/vmlinux".into())?,
    })
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;
    use crate::kernel::Fake;
    use crate::model::{KindSet, Links, Member, Sources};
    use crate::proc::Sysroot;
    use crate::scan::context::tests::with_kernel;
    use crate::scan::request::{Goal, Needs, Request};

    fn task(pid: Pid, tid: Tid, net: Option<u64>) -> Task {
        let mut links = Links::default();
        for link in Link::ALL {
            let is_kept = matches!(link, Link::Pid | Link::User);
            if net.is_some() || is_kept {
                links.set(*link, 100 + link.index() as u64);
            }
        }
        links.set(Link::Net, net.unwrap_or(0));
        Task {
            pid,
            tid,
            links,
            has_moved: false,
            for_children: None,
            start: 0,
        }
    }

    const fn net(ino: u64) -> NsId {
        let kind = Kind::Net;
        NsId { ino, kind }
    }

    fn file(pid: Pid, tid: Tid, fd: u32, table: u64) -> TaskFile {
        TaskFile {
            pid,
            tid,
            fd,
            table,
            ns: net(9),
            what: FileType::Socket,
        }
    }

    /// Reads processes 5, 6 and 7 of which this is told, on this system.
    fn told(tasks: Vec<Task>, files: Vec<TaskFile>) -> (Told, Vec<(Cause, LinkSet)>) {
        let list = || Ok(vec![5, 6, 7]);
        let kernel = Fake {
            told: Some((tasks, files)),
            ..Fake::default()
        };
        let root = Sysroot::live();
        let context = with_kernel(&root, Fake::default());
        let request = Request {
            goal: Goal::All,
            kinds: KindSet::all(),
            needs: Needs::EMPTY,
            sources: Sources::all(),
            has_chosen_sources: false,
            uses_bpf: true,
        };
        let plan = Plan::new(request, true);
        let look = Look {
            threads: true,
            fds: true,
            ..Look::links(LinkSet::all())
        };
        let mut affiliations = Affiliations::below(&root);
        let (pids, answer) = ask(&context, &kernel, look, list).unwrap();
        let answer = answer.unwrap();
        let told = read(&context, &plan, look, &pids, answer, &mut affiliations);
        let gaps = context
            .gaps(3)
            .into_iter()
            .map(|gap| (gap.cause, gap.links));
        (told.unwrap(), gaps.collect())
    }

    #[test]
    fn what_was_not_told_or_moved_is_left_to_proc() {
        let mut moved = task(7, 8, Some(1));
        moved.has_moved = true;
        let tasks = vec![
            task(4, 4, Some(1)),
            task(7, 7, Some(1)),
            moved,
            // Its first thread was not told of.
            task(6, 9, Some(1)),
            task(5, 5, Some(1)),
        ];
        let (told, gaps) = told(tasks, vec![file(7, 7, 3, 1), file(5, 5, 3, 2)]);
        assert_eq!(told.rest, [6, 7]);
        let pids: Vec<_> = told.processes.iter().map(|process| process.pid).collect();
        assert_eq!(pids, [5]);
        let open = OpenFile {
            pid: 5,
            tid: None,
            fd: 3,
        };
        assert_eq!(told.finds, [(net(9), Holder::Socket(open))]);
        assert_eq!(gaps, []);
    }

    #[test]
    fn a_process_whose_first_thread_ended_is_read_through_the_next() {
        let tasks = vec![
            task(5, 5, None),
            task(6, 6, None),
            task(6, 8, None),
            task(6, 9, Some(1)),
            task(6, 10, Some(2)),
            task(7, 7, Some(1)),
        ];
        // Threads 9 and 10 share a table, 11 has its own.
        let files = vec![file(6, 9, 3, 1), file(6, 10, 3, 1), file(6, 11, 3, 2)];
        let (told, gaps) = told(tasks, files);
        let threads: Vec<_> = told
            .processes
            .iter()
            .map(|process| process.thread)
            .collect();
        assert_eq!(threads, [None, Some(9), None]);
        let (pid, link) = (6, Link::Net);
        let socket = |tid| {
            let tid = Some(tid);
            (net(9), Holder::Socket(OpenFile { pid, tid, fd: 3 }))
        };
        let thread = (net(2), Holder::Thread { pid, tid: 10, link });
        assert_eq!(told.finds, [thread, socket(9), socket(11)]);
        let lost = LinkSet::all().without(LinkSet::from([Link::Pid, Link::User]));
        assert_eq!(gaps, [(Cause::Zombie, lost), (Cause::ZombieLeader, lost)]);
    }

    #[test]
    fn only_another_pid_namespace_for_children_has_a_number_of_its_own() {
        let mut task = task(5, 5, Some(1));
        task.for_children = Some(70);
        task.links.set(Link::PidForChildren, 8);
        let id = NsId {
            ino: 8,
            kind: Kind::Pid,
        };
        assert_eq!(for_children(&task), Some((id, 70)));
        task.links.set(Link::Pid, 8);
        assert_eq!(for_children(&task), None);
    }

    #[test]
    fn files_told_before_a_task_was_there_do_not_count() {
        let mut tasks = [
            task(5, 5, Some(1)),
            task(6, 6, Some(1)),
            task(6, 7, Some(1)),
        ];
        tasks[2].start = 2 * BIRTH;
        // Another thread of the same process may be of any age.
        tasks[1].start = 9 * BIRTH;
        assert!(!any_is_younger(&tasks, 7));
        tasks[0].start = BIRTH + 1;
        assert!(any_is_younger(&tasks, 7));
        assert!(any_is_younger(&tasks, 8));
    }

    #[test]
    fn only_what_nothing_else_led_to_and_was_there_before_is_kept_by_the_kernel() {
        let kernel = Fake {
            listed: Some([(1, net(1)), (2, net(2)), (3, net(3))].into()),
            ..Fake::default()
        };
        let request = Request {
            goal: Goal::All,
            kinds: KindSet::all(),
            needs: Needs::EMPTY,
            sources: Sources::all(),
            has_chosen_sources: false,
            uses_bpf: true,
        };
        let plan = Plan::new(request, true);
        let mut groups = Groups::new(KindSet::all());
        groups.insert((net(1), Holder::Child(net(9))));
        let before = [(1, net(1)), (3, net(3)), (4, net(4))];
        let finds = find_chained(&kernel, &plan, &groups, &before);
        assert_eq!(finds, [(net(3), Holder::Kernel { unique_id: 3 })]);
    }

    #[test]
    fn each_refusal_has_its_cause() {
        for (error, expected) in [
            (BpfError::Lockdown, Cause::Lockdown),
            (BpfError::NoBtf, Cause::NoBtf),
            (BpfError::ForeignProc, Cause::ForeignProc),
            (Errno::PERM.into(), Cause::Denied),
            (
                Errno::NOSYS.into(),
                Cause::Failed(Errno::NOSYS.raw_os_error()),
            ),
        ] {
            assert_eq!(cause(error).unwrap(), expected);
        }
    }
}
