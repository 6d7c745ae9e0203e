//! What is read of a process only to be shown.

use crate::error::Error;
use crate::model::{Cause, Details, Pid, Source};
use crate::proc::{CommandLine, ProcessDir, ReadError};
use crate::scan::context::{Context, cause_of_read};
use crate::scan::request::{Need, Needs};

/// Reads the requested details of one process, except user names, which are the
/// same for many. Returns `None` if the process ended.
pub(crate) fn read<K>(
    context: &Context<'_, K>,
    pid: Pid,
    needs: Needs,
) -> Result<Option<Box<Details>>, Error> {
    let mut details = Box::<Details>::default();
    let process = match ProcessDir::open(context.root, pid) {
        Ok(process) => process,
        Err(ReadError::Gone) => return Ok(None),
        Err(error) => {
            let cause = cause_of_read(error, || context.root.process_path(pid))?;
            context.miss(Source::Details, cause);
            return Ok(Some(details));
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
    let mut causes: Vec<Cause> = Vec::new();
    for error in errors {
        let error = match error {
            ReadError::Gone if !process.exists() => return Ok(None),
            // The process exists and its file does not: the tree is broken.
            ReadError::Gone => ReadError::Malformed,
            error => error,
        };
        let cause = cause_of_read(error, || context.root.process_path(pid))?;
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    for cause in causes {
        context.miss(Source::Details, cause);
    }
    Ok(Some(details))
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
