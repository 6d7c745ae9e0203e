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

use rustix::io::Errno;

use crate::kernel::bpf::iterator::{Iterator, with_btf};
use crate::kernel::bpf::programs::{Files, Iterate, Tasks, Types};

pub(crate) use programs::{FileType, Task, TaskFile};

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

/// The iterators, ready to run any number of times.
#[derive(Debug)]
pub(crate) struct Bpf {
    tasks: Iterator,
    files: Iterator,
}

impl Bpf {
    /// Loads the programs.
    pub(crate) fn load() -> Result<Self, BpfError> {
        if is_locked_down() {
            return Err(BpfError::Lockdown);
        }
        let written = with_btf(|btf| {
            let types = Types::find(btf)?;
            let [cast, tasks, files] =
                btf.functions(["bpf_rdonly_cast", Tasks::FUNCTION, Files::FUNCTION]);
            Some((
                (Tasks::program(btf, &types, cast)?, tasks),
                (Files::program(btf, &types, cast)?, files),
            ))
        });
        let (tasks, files) = written.ok_or(BpfError::NoBtf)?;
        let load = |(code, function): (Vec<u8>, Option<_>)| {
            Iterator::load(&code, function.ok_or(Errno::NOSYS)?)
        };
        Ok(Bpf {
            tasks: load(tasks)?,
            files: load(files)?,
        })
    }

    /// Calls `take` for each task.
    pub(crate) fn tasks(&self, take: impl FnMut(Task)) -> Result<(), Errno> {
        run::<Tasks>(&self.tasks, take)
    }

    /// Calls `take` for each open file that holds a namespace.
    pub(crate) fn files(&self, take: impl FnMut(TaskFile)) -> Result<(), Errno> {
        run::<Files>(&self.files, take)
    }
}

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
