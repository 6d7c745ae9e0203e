//! What the kernel itself tells of all tasks and their open files, by BPF
//! iterators. It takes the place of the sources `processes`, `threads`, `fds`,
//! `sockets` and `tuns`.
//!
//! The proc tree stays the list of processes: one that the kernel did not tell
//! of, or that moved meanwhile, is read there.

mod files;
mod lists;
mod tasks;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::thread;

use crate::containers::Affiliations;
use crate::error::Error;
use crate::kernel::{BpfError, FileType, Kernel, Task, TaskFile, TaskFiles};
use crate::model::{Cause, NsId, OpenFile, Pid, Process, Source, Tid};
use crate::proc::ProcessDir;
use crate::scan::context::{Context, cause_of_errno};
use crate::scan::groups::Find;
use crate::scan::plan::Plan;
use crate::scan::request::Need;
use crate::scan::sources::bpf::files::{doubtful, find_file, open_files, read_files};
use crate::scan::sources::bpf::tasks::{for_children, lacking, other_links, settle};
use crate::scan::sources::processes::{Look, Sighting, note};

pub(super) use crate::scan::sources::bpf::lists::{find_chained, find_hidden};

/// What the kernel told of all processes.
pub(super) struct Answer {
    /// By process and thread.
    tasks: Vec<Task>,
    files: TaskFiles,
    /// The processes whose files may have been missed.
    doubtful: HashSet<Pid>,
}

/// What the kernel told of some processes.
#[derive(Default)]
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

/// Makes processes of what the kernel told of them. They are given by PID.
pub(super) fn read<K: Kernel>(
    context: &Context<K>,
    plan: &Plan,
    look: Look,
    pids: &[Pid],
    answer: Answer,
    affiliations: &mut Affiliations<'_>,
) -> Result<Told, Error> {
    let Answer {
        tasks,
        files: TaskFiles { all: files, unseen },
        mut doubtful,
    } = answer;
    let unseen: HashSet<_> = unseen.into_iter().collect();
    for (pid, cause) in unseen {
        if pids.binary_search(&pid).is_ok() {
            context.miss(Source::Fds, cause);
        }
    }
    let mut told = Told::default();
    let firsts = told.take_tasks(context, plan, look, pids, &tasks, &mut doubtful);
    read_files(context, plan, look, &mut told, &files)?;
    told.forget_vanished();
    told.take_files(plan, look, &firsts, &doubtful, files);
    if look.cgroup {
        told.read_cgroups(context, affiliations)?;
    }
    Ok(told)
}

impl Told {
    /// Makes processes of tasks, and leaves the rest to the proc tree. Returns the
    /// threads whose files are those of their process in place of the first.
    ///
    /// Processes that the proc tree hides leave the `doubtful` ones, which it is to
    /// be asked about.
    fn take_tasks<K: Kernel>(
        &mut self,
        context: &Context<K>,
        plan: &Plan,
        look: Look,
        pids: &[Pid],
        tasks: &[Task],
        doubtful: &mut HashSet<Pid>,
    ) -> HashMap<Pid, Tid> {
        self.processes.reserve(pids.len());
        let lacking = lacking(context, look.links);
        let wanted = look.links.without(lacking);
        let mut firsts = HashMap::new();
        let mut tasks = tasks.chunk_by(|one, next| one.pid == next.pid).peekable();
        let first_pid = |tasks: &[Task]| tasks.first().map_or(Pid::MAX, |task| task.pid);
        for pid in pids {
            while tasks.next_if(|tasks| first_pid(tasks) < *pid).is_some() {}
            let tasks = tasks.next_if(|tasks| first_pid(tasks) == *pid);
            let tasks = tasks.unwrap_or_default();
            let Some((process, trouble)) = settle(tasks, *pid, wanted) else {
                self.rest.push(*pid);
                continue;
            };
            self.ids.extend(tasks.iter().filter_map(for_children));
            firsts.extend(process.thread.map(|tid| (*pid, tid)));
            if look.threads {
                self.finds.extend(other_links(tasks, &process, wanted));
            }
            if doubtful.contains(pid) && context.root.hidden(*pid).is_some() {
                // Its files are those that the kernel told of, and perhaps more.
                doubtful.remove(pid);
                context.miss(Source::Fds, Cause::Hidden);
            }
            if doubtful.contains(pid) {
                let threads = if look.threads { tasks } else { &[] };
                self.sightings.push(Sighting {
                    pid: *pid,
                    thread: process.thread,
                    tids: threads.iter().map(|task| task.tid).collect(),
                    ..Sighting::default()
                });
            }
            let unsupported = (!lacking.is_empty()).then_some((Cause::Unsupported, lacking));
            for (cause, links) in trouble.into_iter().chain(unsupported) {
                self.zombies += usize::from(cause == Cause::Zombie);
                let links = links.intersection(plan.links());
                if !links.is_empty() {
                    context.miss_links(Source::Processes, cause, links);
                }
            }
            self.processes.push(process);
        }
        firsts
    }

    /// Removes what is known of processes that ended meanwhile.
    fn forget_vanished(&mut self) {
        let gone: HashSet<Pid> = self.vanished.iter().copied().collect();
        let is_there = |pid: Pid| !gone.contains(&pid);
        self.processes.retain(|process| is_there(process.pid));
        self.finds
            .retain(|(_, holder)| holder.pid().is_none_or(is_there));
        self.sockets.retain(|(file, _)| is_there(file.pid));
    }

    /// Takes the open files of processes that were told of, but for the `doubtful`
    /// ones.
    fn take_files(
        &mut self,
        plan: &Plan,
        look: Look,
        firsts: &HashMap<Pid, Tid>,
        doubtful: &HashSet<Pid>,
        mut files: Vec<TaskFile>,
    ) {
        let is_told = |pid| {
            self.processes
                .binary_search_by_key(&pid, |process| process.pid)
                .is_ok()
        };
        // The proc tree shows nothing that files carry.
        files.retain(|file| match file.carrier {
            None => !doubtful.contains(&file.pid) && is_told(file.pid),
            Some(_) => is_told(file.pid) || self.rest.binary_search(&file.pid).is_ok(),
        });
        let numbers = files
            .iter()
            .filter_map(|file| Some((file.ns, file.unique_id?)));
        self.ids.extend(numbers);
        for (file, open) in open_files(look, firsts, &files) {
            self.finds.extend(find_file(plan, file, open));
            let is_open = file.what == FileType::Socket && file.carrier.is_none();
            if is_open && plan.needs(Need::SocketFiles) {
                self.sockets.push((open, file.ino));
            }
        }
    }

    /// Reads the control groups of the processes, which no iterator tells of.
    fn read_cgroups<K: Kernel>(
        &mut self,
        context: &Context<K>,
        affiliations: &mut Affiliations<'_>,
    ) -> Result<(), Error> {
        let pids = self.processes.iter().map(|process| process.pid).collect();
        let texts = context.map(pids, |context, pid| {
            let process = ProcessDir::open(&context.root, *pid);
            let text = process.and_then(|process| process.cgroup());
            note(context, text, Source::Cgroups, *pid)
        })?;
        for (process, text) in self.processes.iter_mut().zip(texts) {
            process.affiliation = text.flatten().map(|text| affiliations.of(text));
        }
        Ok(())
    }
}

fn cause(error: BpfError) -> Result<Cause, Error> {
    Ok(match error {
        BpfError::Lockdown => Cause::Lockdown,
        BpfError::NoBtf => Cause::NoBtf,
        BpfError::ForeignProc => Cause::ForeignProc,
        BpfError::Errno(errno) => cause_of_errno(errno, || "/sys/kernel/btf/vmlinux".into())?,
    })
}
