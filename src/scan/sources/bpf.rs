//! What the kernel itself tells of all tasks and their open files, by BPF
//! iterators. It takes the place of the sources `processes`, `threads`, `fds`,
//! `sockets` and `tuns`.
//!
//! The proc tree stays the list of processes: one that the kernel did not tell
//! of, or that moved meanwhile, is read there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread;

use crate::containers::Affiliations;
use crate::error::Error;
use crate::kernel::{
    BpfError, Carrier, FileType, Kernel, OpenError, Run, Task, TaskFile, TaskFiles,
};
use crate::model::{Cause, Holder, Kind, Link, LinkSet, NsId, OpenFile, Pid, Process, Source, Tid};
use crate::proc::{FdTarget, ProcessDir, ReadError};
use crate::scan::context::{Context, cause_of_errno};
use crate::scan::groups::{Find, Group, Groups};
use crate::scan::plan::Plan;
use crate::scan::request::Need;
use crate::scan::sources::processes::{self, Look, Sighting, note};
use crate::scan::sources::threads;

/// What the kernel told of all processes.
pub(super) struct Answer {
    /// By process and thread.
    tasks: Vec<Task>,
    files: TaskFiles,
    /// The processes whose files may have been missed.
    doubtful: HashSet<Pid>,
}

/// What the kernel told of some processes.
pub(super) struct Told {
    /// The processes, by PID.
    pub(super) processes: Vec<Process>,
    /// What they hold besides their links.
    pub(super) finds: Vec<Find>,
    /// Sockets whose net namespaces it told, with their inode numbers; only if
    /// they are needed.
    pub(super) sockets: Vec<(OpenFile, u64)>,
    /// The lasting numbers of namespaces that no path may open.
    pub(super) ids: Vec<(NsId, u64)>,
    /// Processes of which the files were read in the proc tree, and nothing else.
    pub(super) sightings: Vec<Sighting>,
    /// Processes that ended before their files could be read.
    pub(super) vanished: Vec<Pid>,
    /// The number of processes that had ended and not been waited for.
    pub(super) zombies: usize,
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
        sockets: Vec::new(),
        ids: Vec::new(),
        sightings: Vec::new(),
        vanished: Vec::new(),
        zombies: 0,
        rest: Vec::new(),
    };
    let Answer {
        tasks,
        files: TaskFiles {
            all: mut files,
            unseen,
        },
        mut doubtful,
    } = answer;
    let unseen: HashSet<_> = unseen.into_iter().collect();
    for (pid, cause) in unseen {
        if pids.binary_search(&pid).is_ok() {
            context.miss(Source::Fds, cause);
        }
    }
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
            told.finds.extend(other_links(tasks, &process, wanted));
        }
        if doubtful.contains(pid) && context.root.hidden(*pid).is_some() {
            // Its files are those that the kernel told of, and perhaps more.
            doubtful.remove(pid);
            context.miss(Source::Fds, Cause::Hidden);
        }
        if doubtful.contains(pid) {
            let tids = tasks.iter().map(|task| task.tid);
            told.sightings.push(Sighting {
                pid: *pid,
                thread: process.thread,
                tids: if look.threads {
                    tids.collect()
                } else {
                    Vec::new()
                },
                ..Sighting::default()
            });
        }
        let unsupported = (!lacking.is_empty()).then_some((Cause::Unsupported, lacking));
        for (cause, links) in trouble.into_iter().chain(unsupported) {
            told.zombies += usize::from(cause == Cause::Zombie);
            let links = links.intersection(plan.links());
            if !links.is_empty() {
                context.miss_links(Source::Processes, cause, links);
            }
        }
        told.processes.push(process);
    }
    read_files(context, plan, look, &mut told, &files)?;
    let Told {
        processes,
        finds,
        sockets,
        vanished,
        rest,
        ..
    } = &mut told;
    let gone: HashSet<Pid> = vanished.iter().copied().collect();
    processes.retain(|process| !gone.contains(&process.pid));
    finds.retain(|(_, holder)| holder.pid().is_none_or(|pid| !gone.contains(&pid)));
    sockets.retain(|(file, _)| !gone.contains(&file.pid));
    let is_told = |pid| {
        processes
            .binary_search_by_key(&pid, |process| process.pid)
            .is_ok()
    };
    // The proc tree shows nothing that files carry.
    files.retain(|file| match file.carrier {
        None => !doubtful.contains(&file.pid) && is_told(file.pid),
        Some(_) => is_told(file.pid) || rest.binary_search(&file.pid).is_ok(),
    });
    let numbers = files
        .iter()
        .filter_map(|file| Some((file.ns, file.unique_id?)));
    told.ids.extend(numbers);
    for (file, open) in open_files(look, &firsts, &files) {
        told.finds.extend(find_file(plan, file, open));
        let is_open = file.what == FileType::Socket && file.carrier.is_none();
        if is_open && plan.needs(Need::SocketFiles) {
            told.sockets.push((open, file.ino));
        }
    }
    if look.cgroup {
        let pids = told.processes.iter().map(|process| process.pid).collect();
        let texts = context.map("processes", pids, |context, pid| {
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
/// that was not looked at. Those that are `listed` in place of a look at everything
/// need no other explanation. Those that do not open are being removed, or were never
/// there, unless the kernel opens none that is not active.
pub(super) fn find_chained<K: Kernel>(
    kernel: &K,
    plan: &Plan,
    groups: &Groups,
    listed: &HashSet<NsId>,
    before: &[(u64, NsId)],
) -> Vec<Find> {
    let chained = kernel.chained().unwrap_or_default();
    let is_unheld = |group: &Group| groups.first_holder(group).is_none();
    let mut finds = Vec::new();
    for (unique_id, id) in chained {
        let is_old = before.binary_search(&(unique_id, id)).is_ok();
        if is_old
            && plan.kinds.contains(id.kind)
            && groups.get(id).is_none_or(is_unheld)
            && !listed.contains(&id)
            && matches!(
                kernel.open_listed(unique_id, id),
                Ok(_) | Err(OpenError::Unreachable)
            )
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
fn other_links(tasks: &[Task], process: &Process, wanted: LinkSet) -> impl Iterator<Item = Find> {
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

/// Returns the open files of processes. Those of a process are those of its
/// first thread, or of another, given in `firsts`; other threads may have more.
fn open_files<'a>(
    look: Look,
    firsts: &HashMap<Pid, Tid>,
    files: &'a [TaskFile],
) -> impl Iterator<Item = (&'a TaskFile, OpenFile)> {
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
        .filter(move |file| {
            let is_first = file.tid == first_of(file.pid);
            is_first || (look.threads && tables.get(&file.pid) != Some(&file.table))
        })
        .map(|file| {
            let TaskFile { pid, fd, .. } = *file;
            let tid = (file.tid != pid).then_some(file.tid);
            (file, OpenFile { pid, tid, fd })
        })
}

/// Returns what an open file holds.
fn find_file(plan: &Plan, file: &TaskFile, open: OpenFile) -> Option<Find> {
    let (source, holder) = match file.what {
        FileType::Namespace => (Source::Fds, Holder::Fd(open)),
        FileType::Socket => (Source::Sockets, Holder::Socket(open)),
        FileType::Tun => (Source::Tuns, Holder::Tun(open)),
    };
    let holder = match file.carrier {
        None => holder,
        Some(Carrier::Socket) => Holder::InFlight(open),
        Some(Carrier::Ring) => Holder::IoUring(open),
    };
    plan.reads(source).then_some((file.ns, holder))
}

/// Lists processes and asks the kernel about all; no answer if it does not,
/// which is counted.
///
/// Files are told between two looks at how far each task has come, meanwhile
/// the processes are listed if there may be a second thread.
pub(super) fn ask<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
    look: Look,
    list: impl FnOnce() -> Result<Vec<Pid>, Error>,
) -> Result<(Vec<Pid>, Option<Answer>), Error> {
    let before = look.fds.then(|| kernel.runs()).transpose();
    let has_helper = look.fds && before.is_ok() && context.threads.get() > 1;
    let (pids, early) = thread::scope(|scope| {
        let helper = move || kernel.task_files();
        let helper = has_helper
            .then(|| thread::Builder::new().spawn_scoped(scope, helper).ok())
            .flatten();
        let pids = list()?;
        match helper.map(thread::ScopedJoinHandle::join).transpose() {
            Ok(early) => Ok::<_, Error>((pids, early)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    let answer = before.and_then(|before| {
        let files = match before {
            Some(_) => early.unwrap_or_else(|| kernel.task_files())?,
            None => TaskFiles::default(),
        };
        // After the list, so that it has the processes that are listed.
        let mut tasks = kernel.tasks()?;
        // Nearly in order already.
        tasks.sort_by_key(|task| (task.pid, task.tid));
        let doubtful = before.map_or_else(HashSet::new, |before| doubtful(before, &tasks));
        Ok(Answer {
            tasks,
            files,
            doubtful,
        })
    });
    match answer {
        Ok(answer) => Ok((pids, Some(answer))),
        Err(error) => {
            context.miss_uncounted(Source::Bpf, cause(error)?);
            Ok((pids, None))
        }
    }
}

/// Returns the processes that the kernel told of and the proc tree does not show,
/// by PID, and adds them to the hidden ones of the root. The list is by PID, too.
pub(super) fn find_hidden<K: Kernel>(
    context: &Context<K>,
    kernel: &Arc<K>,
    pids: &[Pid],
    answer: &Answer,
) -> Result<Vec<Pid>, BpfError> {
    let is_told = |pid| {
        let tasks = &answer.tasks;
        tasks
            .binary_search_by_key(&(pid, pid), |task| (task.pid, task.tid))
            .is_ok()
    };
    // Those that are younger than the list are not hidden.
    let is_shown = |pid| ProcessDir::open(&context.root, pid).is_ok_and(|process| process.exists());
    let mut hidden = kernel.names()?;
    hidden.retain(|process| {
        let pid = process.pid;
        pids.binary_search(&pid).is_err() && is_told(pid) && !is_shown(pid)
    });
    let mut found: Vec<_> = hidden.iter().map(|process| process.pid).collect();
    found.sort_unstable();
    let kernel = Arc::clone(kernel);
    context
        .root
        .add_hidden(hidden, move |pid| kernel.process_exists(pid));
    found.retain(|pid| context.root.hidden(*pid).is_some());
    Ok(found)
}

/// Returns the processes whose tables of open files may have changed since
/// `before`: one of the tasks that share it ran, began or ended.
///
/// The kernel goes through a table by number, and misses a file that moves to a
/// number it has passed. Only the tasks that share a table change it.
fn doubtful(mut before: Vec<Run>, tasks: &[Task]) -> HashSet<Pid> {
    let mut after: Vec<Run> = tasks.iter().map(|task| task.run).collect();
    before.sort_unstable();
    after.sort_unstable();
    let running = tasks.iter().filter(|task| task.is_running);
    let mut tables: HashSet<u64> = running.map(|task| task.run.table).collect();
    for (runs, others) in [(&before, &after), (&after, &before)] {
        let ran = runs.iter().filter(|run| others.binary_search(run).is_err());
        tables.extend(ran.map(|run| run.table));
    }
    // Tasks that have none.
    tables.remove(&0);
    let own = std::process::id();
    let doubtful = tasks
        .iter()
        .filter(|task| task.pid != own && tables.contains(&task.run.table));
    doubtful.map(|task| task.pid).collect()
}

/// Reads the files of processes in the proc tree, and returns those that have
/// ended. Sockets that the kernel told of as files of anyone are not asked.
fn read_files<K: Kernel>(
    context: &Context<K>,
    plan: &Plan,
    look: Look,
    told: &mut Told,
    files: &[TaskFile],
) -> Result<(), Error> {
    let read: Vec<_> = told
        .sightings
        .iter()
        .map(|sighting| (sighting.pid, sighting.thread))
        .collect();
    let read = context.map("processes", read, |context, (pid, thread)| {
        read_table(context, *pid, *thread)
    })?;
    for (sighting, files) in told.sightings.iter_mut().zip(read) {
        match files {
            Some(Some(files)) => sighting.files = files,
            Some(None) => told.vanished.push(sighting.pid),
            None => context.miss(Source::Fds, Cause::Blocked),
        }
    }
    if look.threads {
        let look = Look {
            links: LinkSet::EMPTY,
            ..look
        };
        threads::read(context, look, &mut told.sightings)?;
    }
    let sockets: HashMap<u64, NsId> = files
        .iter()
        .filter(|file| file.what == FileType::Socket)
        .map(|file| (file.ino, file.ns))
        .collect();
    for sighting in &mut told.sightings {
        sighting.files.retain(|(file, target)| {
            let FdTarget::Socket(ino) = target else {
                return true;
            };
            let known = sockets.get(ino);
            if plan.needs(Need::SocketFiles) && known.is_some() {
                told.sockets.push((*file, *ino));
            }
            if plan.reads(Source::Sockets) {
                let find = known.map(|ns| (*ns, Holder::Socket(*file)));
                told.finds.extend(find);
            }
            known.is_none()
        });
    }
    Ok(())
}

/// Reads the open files of a process, or of one of its threads; `None` if it
/// has ended, which may be why they are missing.
fn read_table<K: Kernel>(
    context: &Context<K>,
    pid: Pid,
    thread: Option<Tid>,
) -> Result<Option<Vec<(OpenFile, FdTarget)>>, Error> {
    let process = match ProcessDir::open(&context.root, pid) {
        Ok(process) => process,
        Err(ReadError::Gone) => return Ok(None),
        Err(error) => return Ok(note(context, Err(error), Source::Fds, pid)?.or(Some(Vec::new()))),
    };
    let files = processes::read_files(context, &process, pid, thread)?;
    let life = match thread {
        Some(tid) => process
            .tasks()
            .and_then(|tasks| tasks.ns(tid)?.read(Link::Net)),
        None => process.ns().and_then(|ns| ns.read(Link::Net)),
    };
    Ok((life != Err(ReadError::Gone)).then_some(files))
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
    use crate::model::{HiddenProcess, KindSet, Links, Member, Sources};
    use crate::proc::Sysroot;
    use crate::scan::context::tests::with_kernel;
    use crate::scan::request::{Goal, Request};

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
            run: Run::default(),
            is_running: false,
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
            ino: 77,
            carrier: None,
            unique_id: None,
        }
    }

    /// Reads everything.
    fn everything() -> Look {
        Look {
            thread_links: true,
            links: LinkSet::all(),
            threads: true,
            fds: true,
            cgroup: false,
        }
    }

    fn plan() -> Plan {
        let request = Request {
            goal: Goal::All,
            kinds: KindSet::all(),
            needs: Need::SocketFiles.into(),
            mounts: Arc::default(),
            sources: Sources::all(),
            has_chosen_sources: false,
            uses_bpf: true,
        };
        Plan::new(request, true)
    }

    fn files_of(all: Vec<TaskFile>) -> TaskFiles {
        let unseen = Vec::new();
        TaskFiles { all, unseen }
    }

    /// Reads processes 5, 6 and 7 of which this is told, on this system.
    fn told(tasks: Vec<Task>, files: Vec<TaskFile>) -> (Told, Vec<(Cause, LinkSet)>) {
        let list = || Ok(vec![5, 6, 7]);
        let kernel = Fake {
            told: Some((tasks, files_of(files))),
            ..Fake::default()
        };
        let root = Sysroot::live();
        let context = with_kernel(&root, Fake::default());
        let plan = plan();
        let look = everything();
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
        assert_eq!(told.sockets, [(open, 77)]);
        assert_eq!(gaps, []);
    }

    #[test]
    fn processes_that_the_proc_tree_hides_are_what_the_kernel_told() {
        // No system has such PIDs.
        let (hidden, moved, ended, thread) = (5_000_001, 5_000_002, 5_000_003, 5_000_004);
        let own = std::process::id();
        let name = |pid| HiddenProcess {
            pid,
            ppid: 1,
            uid: 7,
            comm: b"name"[..].into(),
        };
        let mut others = task(moved, moved, Some(1));
        others.has_moved = true;
        let answer = Answer {
            tasks: vec![
                task(own, own, Some(1)),
                task(hidden, hidden, Some(1)),
                task(hidden, thread, Some(1)),
                others,
            ],
            files: files_of(vec![file(hidden, hidden, 3, 1)]),
            doubtful: [hidden].into(),
        };
        let names = [own, moved, ended, hidden].map(name).to_vec();
        let kernel = Fake {
            names,
            ..Fake::default()
        };
        let root = Sysroot::live();
        let context = with_kernel(&root, kernel);
        let kernel = context.kernel.as_ref().unwrap();
        // This process was not listed, and yet is there.
        let found = find_hidden(&context, kernel, &[], &answer).unwrap();
        assert_eq!(found, [hidden, moved]);
        let known = |pid| context.root.hidden(pid);
        assert_eq!(known(hidden), Some(name(hidden)));
        assert_eq!((known(own), known(ended)), (None, None));
        let open = |pid| ProcessDir::open(&context.root, pid).err();
        assert_eq!(open(hidden), Some(ReadError::Errno(Errno::PERM)));
        assert_eq!(open(ended), Some(ReadError::Gone));
        // Each scan has its own.
        assert_eq!(root.hidden(hidden), None);

        let mut affiliations = Affiliations::below(&root);
        let look = Look {
            cgroup: true,
            ..everything()
        };
        let pids = [hidden, moved];
        let told = read(&context, &plan(), look, &pids, answer, &mut affiliations).unwrap();
        let pids: Vec<_> = told.processes.iter().map(|process| process.pid).collect();
        assert_eq!((pids, told.rest), (vec![hidden], vec![moved]));
        let open = OpenFile {
            pid: hidden,
            tid: None,
            fd: 3,
        };
        assert_eq!(told.finds, [(net(9), Holder::Socket(open))]);
        assert_eq!(told.vanished, [0; 0]);
        let gaps = context.gaps(2).into_iter();
        let gaps: Vec<_> = gaps.map(|gap| (gap.source, gap.cause, gap.count)).collect();
        let expected = [
            (Source::Fds, Cause::Hidden, Some(1)),
            (Source::Cgroups, Cause::Hidden, Some(1)),
        ];
        assert_eq!(gaps, expected);
    }

    #[test]
    fn what_files_carry_is_told_of_listed_processes() {
        let mut moved = task(6, 6, Some(1));
        moved.has_moved = true;
        let tasks = vec![task(5, 5, Some(1)), moved];
        let carried = |pid, tid, fd, carrier, what| TaskFile {
            carrier: Some(carrier),
            what,
            unique_id: (what == FileType::Namespace).then_some(70),
            ..file(pid, tid, fd, 1)
        };
        let (socket, ring) = (Carrier::Socket, Carrier::Ring);
        let all = vec![
            carried(5, 5, 3, socket, FileType::Namespace),
            carried(5, 5, 3, socket, FileType::Socket),
            carried(6, 6, 4, ring, FileType::Tun),
            // It was not listed.
            carried(8, 8, 4, ring, FileType::Namespace),
        ];
        let unseen = [(5, Cause::Truncated), (5, Cause::Truncated)];
        let unseen = [&unseen[..], &[(6, Cause::Unstable), (8, Cause::Unstable)]].concat();
        let answer = Answer {
            tasks,
            files: TaskFiles { all, unseen },
            doubtful: HashSet::new(),
        };
        let root = Sysroot::live();
        let context = with_kernel(&root, Fake::default());
        let mut affiliations = Affiliations::below(&root);
        let look = everything();
        let pids = [5, 6];
        let told = read(&context, &plan(), look, &pids, answer, &mut affiliations).unwrap();
        assert_eq!(told.rest, [6]);
        let open = |pid, fd| OpenFile { pid, tid: None, fd };
        let expected = [
            (net(9), Holder::InFlight(open(5, 3))),
            (net(9), Holder::InFlight(open(5, 3))),
            (net(9), Holder::IoUring(open(6, 4))),
        ];
        assert_eq!(told.finds, expected);
        assert_eq!(told.ids, [(net(9), 70)]);
        let mut gaps: Vec<_> = context
            .gaps(2)
            .into_iter()
            .map(|gap| (gap.source, gap.cause, gap.count))
            .collect();
        gaps.sort_unstable();
        let expected = [
            (Source::Fds, Cause::Truncated, Some(1)),
            (Source::Fds, Cause::Unstable, Some(1)),
        ];
        assert_eq!(gaps, expected);
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

    /// Returns the processes in doubt of these tasks, each with its PID, TID,
    /// table and how far it has come.
    fn in_doubt(before: &[[u32; 4]], after: &[[u32; 4]], running: Option<Tid>) -> Vec<Pid> {
        let run = |[_, tid, table, sum]: [u32; 4]| Run {
            task: tid,
            table: table.into(),
            sum: sum.into(),
        };
        let before = before.iter().map(|numbers| run(*numbers)).collect();
        let after = after.iter().map(|numbers| {
            let [pid, tid, ..] = *numbers;
            Task {
                run: run(*numbers),
                is_running: running == Some(tid),
                ..task(pid, tid, Some(1))
            }
        });
        let mut pids: Vec<_> = doubtful(before, &after.collect::<Vec<_>>())
            .into_iter()
            .collect();
        pids.sort_unstable();
        pids
    }

    #[test]
    fn only_processes_of_which_no_thread_ran_have_the_files_they_had() {
        let asleep = [[5, 5, 1, 70], [5, 6, 1, 70], [7, 7, 2, 70]];
        let in_doubt = |after: &[_], running| in_doubt(&asleep, after, running);
        let none: [Pid; 0] = [];
        assert_eq!(in_doubt(&asleep, None), none);
        // A thread ran, and has stopped or runs still.
        let ran = [[5, 5, 1, 70], [5, 6, 1, 71], [7, 7, 2, 70]];
        assert_eq!(in_doubt(&ran, None), [5]);
        assert_eq!(in_doubt(&asleep, Some(7)), [7]);
        // One began, with a table that it shares or one of its own.
        let begun = |table| [asleep[0], asleep[1], asleep[2], [8, 8, table, 90]];
        assert_eq!(in_doubt(&begun(2), None), [7, 8]);
        assert_eq!(in_doubt(&begun(3), None), [8]);
        // One ended, or is a zombie.
        assert_eq!(in_doubt(&asleep[..2], None), none);
        assert_eq!(in_doubt(&[asleep[0], asleep[2]], None), [5]);
        let zombie = [asleep[0], [5, 6, 0, 71], asleep[2]];
        assert_eq!(in_doubt(&zombie, None), [5]);
        // Another took its table.
        let other = [[5, 5, 3, 70], asleep[1], asleep[2]];
        assert_eq!(in_doubt(&other, None), [5]);
    }

    #[test]
    fn processes_that_share_a_table_are_in_doubt_together() {
        let asleep = [[5, 5, 1, 70], [7, 7, 1, 70], [8, 8, 2, 70]];
        let ran = [[5, 5, 1, 71], [7, 7, 1, 70], [8, 8, 2, 70]];
        assert_eq!(in_doubt(&asleep, &ran, None), [5, 7]);
        // Also if the one that ran has ended.
        assert_eq!(in_doubt(&asleep, &asleep[1..], None), [7]);
        // Its number may be that of another by now.
        let reused = [[5, 5, 2, 999], [7, 7, 1, 70], [8, 8, 2, 70]];
        assert_eq!(in_doubt(&asleep, &reused, None), [5, 7, 8]);
    }

    #[test]
    fn kernel_threads_and_this_process_are_never_in_doubt() {
        let own = std::process::id();
        let before = [[own, own, 4, 70]];
        let after = [[own, own, 4, 71], [2, 2, 0, 0]];
        assert_eq!(in_doubt(&before, &after, Some(2)), [0; 0]);
    }

    #[test]
    fn files_in_doubt_are_those_that_proc_shows() {
        use std::os::fd::AsRawFd;

        let own = std::process::id();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let namespace = std::fs::File::open("/proc/self/ns/uts").unwrap();
        let ino = rustix::fs::fstat(&socket).unwrap().st_ino;
        let fd = |file: &dyn AsRawFd| file.as_raw_fd().cast_unsigned();
        let tasks = vec![task(own, own, Some(1)), task(own, 7, Some(1))];
        let (root, plan) = (Sysroot::live(), plan());
        let context = with_kernel(&root, Fake::default());
        let read = |pid, told: Vec<TaskFile>| {
            let answer = Answer {
                tasks: tasks.clone(),
                files: files_of(told),
                doubtful: [pid].into(),
            };
            let mut affiliations = Affiliations::below(&root);
            read(
                &context,
                &plan,
                everything(),
                &[own],
                answer,
                &mut affiliations,
            )
            .unwrap()
        };
        // One that is not there, and one that another process has, too.
        let mut shared = file(9, 9, 1, 2);
        shared.ino = ino;
        let told = read(own, vec![file(own, own, 99_999, 1), shared]);
        let open = |fd| OpenFile {
            pid: own,
            tid: None,
            fd,
        };
        assert!(
            told.finds
                .contains(&(net(9), Holder::Socket(open(fd(&socket)))))
        );
        let fds: Vec<_> = told
            .finds
            .iter()
            .filter_map(|(_, holder)| match holder {
                Holder::Socket(open) | Holder::Fd(open) => Some(open.fd),
                _ => None,
            })
            .collect();
        assert!(!fds.contains(&99_999));
        let [sighting] = &told.sightings[..] else {
            panic!("{:?}", told.sightings.len());
        };
        let named: Vec<_> = sighting.files.iter().map(|(open, _)| open.fd).collect();
        assert!(named.contains(&fd(&namespace)) && !named.contains(&fd(&socket)));
        // Known by its namespace, so that it is not asked again.
        assert_eq!(told.sockets, [(open(fd(&socket)), ino)]);
        assert_eq!(sighting.tids, [own, 7]);
        assert_eq!((told.processes.len(), told.vanished.len()), (1, 0));
    }

    #[test]
    fn a_process_that_ended_before_its_files_were_read_may_have_a_successor() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        // A zombie has no files.
        while !std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .unwrap()
            .contains(") Z ")
        {
            thread::yield_now();
        }
        let root = Sysroot::live();
        let context = with_kernel(&root, Fake::default());
        let vanished = |pid| {
            let answer = Answer {
                tasks: vec![task(pid, pid, Some(1))],
                files: files_of(vec![file(pid, pid, 3, 1)]),
                doubtful: [pid].into(),
            };
            let mut affiliations = Affiliations::below(&root);
            let told = read(
                &context,
                &plan(),
                everything(),
                &[pid],
                answer,
                &mut affiliations,
            )
            .unwrap();
            assert!(told.processes.is_empty() && told.finds.is_empty());
            told.vanished
        };
        assert_eq!(vanished(pid), [pid]);
        child.wait().unwrap();
        assert_eq!(vanished(pid), [pid]);
    }

    #[test]
    fn only_what_nothing_else_led_to_and_was_there_before_is_kept_by_the_kernel() {
        let kernel = Fake {
            listed: Some([(1, net(1)), (2, net(2)), (3, net(3)), (5, net(5))].into()),
            ..Fake::default()
        };
        let plan = plan();
        let mut groups = Groups::new(KindSet::all());
        groups.insert((net(1), Holder::Child(net(9))));
        // This does not say what holds it.
        groups.insert((net(3), Holder::Listed { unique_id: 3 }));
        let before = [(1, net(1)), (3, net(3)), (4, net(4)), (5, net(5))];
        let listed = [net(5)].into();
        let finds = find_chained(&kernel, &plan, &groups, &listed, &before);
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
