//! What the kernel itself tells of all tasks and their open files: programs of
//! a few dozen instructions that the kernel runs for each, BPF iterators.
//!
//! They only read. Three rooms: [`btf`] finds the fields of the kernel's
//! structures, [`instructions`] writes what follows them, [`iterator`] loads
//! and runs it; [`programs`] says what is read.

mod btf;
mod instructions;
mod iterator;
mod programs;

use std::collections::HashSet;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;

use rustix::io::Errno;

use crate::kernel::bpf::btf::TypeId;
use crate::kernel::bpf::iterator::{Iterator, make_counter, with_btf};
use crate::kernel::bpf::programs::{
    Carried, Entrance, Files, Item, Iterate, Listed, Lists, Names, Runs, Tasks, Types,
};
use crate::model::{Cause, HiddenProcess, NsId};

pub(crate) use programs::{Carrier, FileType, Run, Task, TaskFile, TaskFiles};

/// Why there are no iterators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BpfError {
    /// The kernel is locked down: kernel_lockdown(7), confidentiality.
    Lockdown,
    /// The kernel does not tell where its fields are.
    NoBtf,
    /// The proc tree shows other PIDs than the iterators tell.
    ForeignProc,
    /// Another error. EPERM without CAP_BPF and CAP_PERFMON in the initial user
    /// namespace, ENOSYS before Linux 5.8.
    Errno(Errno),
}

impl From<Errno> for BpfError {
    fn from(errno: Errno) -> Self {
        BpfError::Errno(errno)
    }
}

/// A namespace in the kernel's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chained {
    pub(crate) unique_id: u64,
    pub(crate) id: NsId,
    /// Whether it can be opened by its number. Since Linux 6.19 only namespaces can
    /// that processes or files are known to hold.
    pub(crate) is_active: bool,
}

/// The iterators, ready to run any number of times.
#[derive(Debug)]
pub(crate) struct Bpf {
    tasks: Iterator,
    runs: Iterator,
    files: Iterator,
    /// Loaded if there is anything to follow; `None` if a field is missing.
    carried: OnceLock<Result<Option<Iterator>, Errno>>,
    /// Looks whether there is anything to follow, before Linux 6.4.
    skim: OnceLock<Option<Iterator>>,
    /// Since Linux 6.18.
    lists: Option<Iterator>,
}

impl Bpf {
    /// Loads the programs.
    pub(crate) fn load() -> Result<Self, BpfError> {
        if is_locked_down() {
            return Err(BpfError::Lockdown);
        }
        let written = with_btf(|btf| {
            let types = Types::find(btf)?;
            Some((
                (Tasks::program(btf, &types)?, types.of_tasks),
                (Runs::program(btf, &types)?, types.of_tasks),
                (Files::program(btf, &types)?, types.of_files),
                Lists::program(btf, &types, &Entrance::Own),
            ))
        });
        let (tasks, runs, files, lists) = written.ok_or(BpfError::NoBtf)?;
        let load = |(code, function): (Vec<u8>, Option<_>)| {
            Iterator::load(&code, function.ok_or(Errno::NOSYS)?, None)
        };
        let lists = lists.zip(tasks.1);
        Ok(Bpf {
            lists: lists.and_then(|(code, function)| load_lists(&code, function).ok()),
            tasks: load(tasks)?,
            runs: load(runs)?,
            files: load(files)?,
            carried: OnceLock::new(),
            skim: OnceLock::new(),
        })
    }

    /// Calls `take` for each task.
    pub(crate) fn tasks(&self, take: impl FnMut(Task)) -> Result<(), Errno> {
        run::<Tasks>(&self.tasks, take)
    }

    /// Calls `take` for each task that is not a kernel thread.
    pub(crate) fn runs(&self, take: impl FnMut(Run)) -> Result<(), Errno> {
        run::<Runs>(&self.runs, take)
    }

    /// Returns each open file that holds a namespace, and what open files carry.
    pub(crate) fn files(&self) -> Result<TaskFiles, Errno> {
        let mut files = TaskFiles::default();
        let mut carriers = Vec::new();
        run::<Files>(&self.files, |seen| {
            files.all.extend(seen.file);
            carriers.extend(seen.carries);
        })?;
        if carriers.is_empty() {
            return Ok(files);
        }
        match self.carried() {
            Ok(carried) => {
                files.all.extend(carried.all);
                files.unseen = carried.unseen;
            }
            Err(cause) => {
                files.unseen = carriers.into_iter().map(|pid| (pid, cause)).collect();
            }
        }
        Ok(files)
    }

    /// Returns whether open files may carry others, as far as that is quicker than to
    /// follow them.
    fn carries_any(&self) -> bool {
        let skim = self.skim.get_or_init(|| {
            let written = with_btf(|btf| {
                let types = Types::find(btf)?;
                Some((Carried::skim(btf, &types)?, types.of_files?))
            });
            let (code, function) = written?;
            Iterator::load(&code, function, None).ok()
        });
        let mut any = skim.is_none();
        let ran = skim.as_ref().map(|skim| skim.run(8, |_| any = true));
        any || matches!(ran, Some(Err(_)))
    }

    /// Follows what open files carry, again if anything moved meanwhile.
    fn carried(&self) -> Result<TaskFiles, Cause> {
        if !self.carries_any() {
            return Ok(TaskFiles::default());
        }
        let carried = self.carried.get_or_init(|| {
            let counter = make_counter()?;
            let written = with_btf(|btf| {
                let types = Types::find(btf)?;
                let code = Carried::program(btf, &types, counter.as_raw_fd())?;
                Some((code, types.of_files?))
            });
            let load = |(code, function): (Vec<u8>, _)| Iterator::load(&code, function, None);
            written.map(load).transpose()
        });
        let failed = |errno: &Errno| Cause::Failed(errno.raw_os_error());
        let carried = carried.as_ref().map_err(failed)?;
        let carried = carried.as_ref().ok_or(Cause::Unsupported)?;
        let mut files = TaskFiles::default();
        for _ in 0..MOST_LOOKS {
            files = TaskFiles::default();
            // What one open file carries comes in a row, and may be the same many
            // times.
            let mut carrier = None;
            let mut known = HashSet::new();
            let take = |record: &[u8]| match Carried::parse(record) {
                Some(Item::File(file)) => {
                    let of = Some((file.tid, file.fd));
                    if carrier != of {
                        carrier = of;
                        known.clear();
                    }
                    if known.insert((file.ns, file.what)) {
                        files.all.push(file);
                    }
                }
                Some(Item::Unseen(pid, cause)) => files.unseen.push((pid, cause)),
                None => {}
            };
            let ran = carried.run(Carried::SIZE as usize, take);
            ran.map_err(|errno| failed(&errno))?;
            let mut unseen = files.unseen.iter();
            if !unseen.any(|(_, cause)| *cause == Cause::Unstable) {
                break;
            }
        }
        Ok(files)
    }

    /// Follows the kernel's lists of namespaces; an empty list before Linux 6.18.
    /// Some are being removed: of those that are active only those that can be
    /// opened count.
    pub(crate) fn lists(&self) -> Result<Vec<Chained>, Errno> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut entrances = Vec::new();
        if let Some(lists) = &self.lists {
            follow(lists, &Entrance::Own, &mut found, &mut seen, &mut entrances)?;
        }
        // Each follows a thousand others of a type that has many.
        while let Some(entrance) = entrances.pop()
            && found.len() < MOST_LISTED
        {
            let written = with_btf(|btf| {
                let types = Types::find(btf)?;
                Some((Lists::program(btf, &types, &entrance)?, types.of_tasks?))
            });
            if let Some((code, function)) = written {
                let lists = load_lists(&code, function)?;
                follow(&lists, &entrance, &mut found, &mut seen, &mut entrances)?;
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Returns what is told of each process besides its tasks. Loads a program of its
/// own, which few need.
pub(crate) fn names() -> Result<Vec<HiddenProcess>, Errno> {
    let written = with_btf(|btf| {
        let types = Types::find(btf)?;
        Some((Names::program(btf, &types)?, types.of_tasks?))
    });
    let (code, function) = written.ok_or(Errno::NOSYS)?;
    let mut names = Vec::new();
    run::<Names>(&Iterator::load(&code, function, None)?, |process| {
        names.push(process);
    })?;
    Ok(names)
}

/// Loads a program that follows lists: it runs for this process only.
fn load_lists(code: &[u8], function: TypeId) -> Result<Iterator, Errno> {
    Iterator::load(code, function, Some(std::process::id()))
}

/// Follows lists as far as one program goes, and notes where to go on.
fn follow(
    lists: &Iterator,
    entrance: &Entrance,
    found: &mut Vec<Chained>,
    seen: &mut HashSet<u64>,
    entrances: &mut Vec<Entrance>,
) -> Result<(), Errno> {
    let mut all: Vec<Listed> = Vec::new();
    lists.run(Lists::SIZE as usize, |record| {
        all.extend(Lists::parse(record));
    })?;
    for chain in all.chunk_by(|one, next| one.start == next.start) {
        let is_full = chain.len() >= Lists::most(entrance);
        let last = chain.last().map(|listed| listed.address);
        // Where another chain came by, everything is known.
        if let Some(last) = last.filter(|last| is_full && !seen.contains(last)) {
            entrances.push(Entrance::At(last));
        }
        seen.extend(chain.iter().map(|listed| listed.address));
        let some = chain.iter().filter(|listed| listed.id.ino != 0);
        found.extend(some.map(|listed| Chained {
            unique_id: listed.unique_id,
            id: listed.id,
            is_active: listed.is_active,
        }));
    }
    Ok(())
}

/// How often messages that moved are followed again.
const MOST_LOOKS: usize = 8;

/// How many namespaces are listed at most.
const MOST_LISTED: usize = 1 << 20;

fn run<I: Iterate>(iterator: &Iterator, mut take: impl FnMut(I::Item)) -> Result<(), Errno> {
    let size = usize::try_from(I::SIZE).unwrap_or(0);
    iterator.run(size, |record| {
        if let Some(item) = I::parse(record) {
            take(item);
        }
    })
}

/// Returns whether the kernel is locked down so far that no program may read
/// its memory. It would log each attempt.
fn is_locked_down() -> bool {
    std::fs::read("/sys/kernel/security/lockdown").is_ok_and(|text| shows_confidentiality(&text))
}

/// Parses `none integrity [confidentiality]`.
fn shows_confidentiality(text: &[u8]) -> bool {
    let mut words = text.split(u8::is_ascii_whitespace);
    words.any(|word| word == b"[confidentiality]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chosen_mode_locks_the_kernel_down() {
        for (text, locks) in [
            ("none integrity [confidentiality]\n", true),
            ("none [integrity] confidentiality\n", false),
            ("[none] integrity confidentiality\n", false),
            ("confidentiality", false),
            ("", false),
        ] {
            assert_eq!(shows_confidentiality(text.as_bytes()), locks, "{text}");
        }
    }
}
