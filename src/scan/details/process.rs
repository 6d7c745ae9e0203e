//! What is read of a process only to be shown.

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Cause, Details, Pid};
use crate::proc::{CommandLine, ProcessDir, ReadError, Sysroot};
use crate::scan::context::{Context, cause_of_read};
use crate::scan::request::{Need, Needs};

/// What was read of one process, and why something is missing.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) details: Box<Details>,
    pub(super) causes: Vec<Cause>,
}

/// Reads the requested details of processes, except user names, which are the
/// same for many. `None` for a process that ended.
///
/// A process can keep its command line from being read. Then the kernel's name
/// for it stands in.
pub(super) fn read_all<K: Kernel>(
    context: &Context<K>,
    pids: &[Pid],
    needs: Needs,
) -> Result<Vec<Option<Read>>, Error> {
    let mut read = context.map("processes", pids.to_vec(), move |context, pid| {
        read(&context.root, *pid, needs)
    })?;
    let blocked: Vec<Pid> = pids
        .iter()
        .zip(&read)
        .filter_map(|(pid, read)| read.is_none().then_some(*pid))
        .collect();
    let mut again = context
        .map("processes", blocked, move |context, pid| {
            read_blocked(&context.root, *pid, needs)
        })?
        .into_iter();
    for read in read.iter_mut().filter(|read| read.is_none()) {
        *read = again.next().flatten();
    }
    let silent = || {
        Some(Read {
            causes: vec![Cause::Blocked],
            ..Read::default()
        })
    };
    let read = read.into_iter();
    Ok(read.map(|read| read.unwrap_or_else(silent)).collect())
}

/// Reads the details of a process whose command line blocks.
fn read_blocked(root: &Sysroot, pid: Pid, needs: Needs) -> Result<Option<Read>, Error> {
    let mut found = read(root, pid, needs.without(Need::Command.into()))?;
    if let Some(found) = &mut found {
        let stat = ProcessDir::open(root, pid).and_then(|process| process.stat());
        found.details.command = stat.ok().map(|stat| stat.comm.into());
        found.causes.push(Cause::Blocked);
    }
    Ok(found)
}

/// Reads the details of one process; `None` if it ended.
fn read(root: &Sysroot, pid: Pid, needs: Needs) -> Result<Option<Read>, Error> {
    let mut found = Read::default();
    let process = match ProcessDir::open(root, pid) {
        Ok(process) => process,
        Err(ReadError::Gone) => return Ok(None),
        Err(error) => {
            let cause = cause_of_read(error, || root.process_path(pid))?;
            let told = root.hidden(pid);
            if told.is_none() || needs.contains(Need::InnerPids) {
                found.causes.push(cause);
            }
            if let Some(told) = told {
                // As lsns shows a process whose command line is unreadable.
                let command = needs.contains(Need::Command).then_some(told.comm);
                let needs_uid = needs.contains(Need::Uid) || needs.contains(Need::User);
                found.details.command = command;
                found.details.ppid = needs.contains(Need::ParentProcess).then_some(told.ppid);
                found.details.uid = needs_uid.then_some(told.uid);
            }
            return Ok(Some(found));
        }
    };
    let details = &mut found.details;
    let mut errors = Vec::new();
    if needs.contains(Need::Command) {
        match command(&process) {
            Ok(command) => {
                details.command = Some(command.text.into());
                errors.extend(command.is_cut.then_some(ReadError::TooLong));
            }
            Err(error) => errors.push(error),
        }
    }
    if needs.contains(Need::ParentProcess) || needs.contains(Need::StartTime) {
        match process.stat() {
            Ok(stat) => {
                details.ppid = Some(stat.ppid);
                details.start = stat.start;
            }
            Err(error) => errors.push(error),
        }
    }
    if needs.contains(Need::Uid) || needs.contains(Need::User) {
        match process.euid() {
            Ok(uid) => details.uid = Some(uid),
            Err(error) => errors.push(error),
        }
    }
    if needs.contains(Need::InnerPids) {
        match process.nspid() {
            Ok(nspid) => details.nspid = nspid,
            Err(error) => errors.push(error),
        }
    }
    for error in errors {
        let error = match error {
            ReadError::Gone if !process.exists() => return Ok(None),
            // The process exists and its file does not: the tree is broken.
            ReadError::Gone => ReadError::Malformed,
            error => error,
        };
        let cause = cause_of_read(error, || root.process_path(pid))?;
        if !found.causes.contains(&cause) {
            found.causes.push(cause);
        }
    }
    Ok(Some(found))
}

/// Reads the command line, or else the kernel's name for the process.
fn command(process: &ProcessDir<'_>) -> Result<CommandLine, ReadError> {
    match process.cmdline() {
        Ok(Some(line)) => Ok(line),
        Ok(None) | Err(ReadError::Gone) => Ok(CommandLine {
            text: process.stat()?.comm,
            is_cut: false,
        }),
        Err(error) => Err(error),
    }
}
