//! What is read of a process because somebody wants to see it.

use crate::error::Error;
use crate::model::{Cause, Details, Pid};
use crate::proc::{CommandLine, ProcessDir, ReadError, Sysroot};
use crate::scan::tally::cause_of;
use crate::scan::{Need, Needs};

/// What came of reading the details of one process.
pub(crate) enum Seen {
    /// They are known, but for those that these causes swallowed.
    Details(Box<Details>, Vec<Cause>),
    /// The process is gone.
    Vanished,
}

/// Reads what is asked for of one process; names of users come later, for
/// they are the same for many.
pub(crate) fn read_details(root: &Sysroot, pid: Pid, needs: Needs) -> Result<Seen, Error> {
    let mut details = Details::default();
    let mut causes = Vec::new();
    let process = match ProcessDir::open(root, pid) {
        Ok(process) => process,
        Err(ReadError::Gone) => return Ok(Seen::Vanished),
        Err(error) => {
            causes.push(cause_of(error, || root.process_path(pid))?);
            return Ok(Seen::Details(Box::new(details), causes));
        }
    };
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
    if needs.contains(Need::ParentProcess) {
        match process.stat() {
            Ok(stat) => details.ppid = Some(stat.ppid),
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
            ReadError::Gone if !process.exists() => return Ok(Seen::Vanished),
            // The process is there and its file is not: the tree is broken.
            ReadError::Gone => ReadError::Malformed,
            error => error,
        };
        let cause = cause_of(error, || root.process_path(pid))?;
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    Ok(Seen::Details(Box::new(details), causes))
}

/// The command line; for a process without one, the kernel's name of it.
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
