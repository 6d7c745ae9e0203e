//! Exit codes, as those of xargs(1).

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::io::Errno;

use crate::error::reason;
use crate::kernel::StartError;
use crate::text::for_table;

/// A namespace was not entered.
pub(super) const CANNOT_ENTER: u8 = 1;
/// A command failed.
const FAILED: u8 = 123;
/// A command ended with 255.
const FAILED_BADLY: u8 = 124;
/// A signal ended a command.
const KILLED: u8 = 125;
/// The program cannot be run.
const CANNOT_RUN: u8 = 126;
/// There is no such program.
const NOT_FOUND: u8 = 127;

/// Returns the code for the end of a command, and what to say about it. A failure
/// that many commands report as a matter of course is not worth a line.
pub(super) fn of_status(status: ExitStatus) -> (u8, Option<String>) {
    match (status.code(), status.signal()) {
        (Some(0), _) => (0, None),
        (Some(255), _) => (FAILED_BADLY, Some("exited with 255".to_owned())),
        // A shell that could not run the program says so by these.
        (Some(126), _) => (CANNOT_RUN, None),
        (Some(127), _) => (NOT_FOUND, None),
        (Some(_), _) => (FAILED, None),
        (None, Some(signal)) => (KILLED, Some(format!("was killed by signal {signal}"))),
        (None, None) => (FAILED, None),
    }
}

/// Returns the code for a command that did not start, and why.
pub(super) fn of_start(error: &StartError, program: &str) -> (u8, String) {
    let words = |errno: &Errno| reason(&(*errno).into());
    match error {
        StartError::Enter(kind, errno) => (
            CANNOT_ENTER,
            format!("cannot enter the {kind} namespace: {}", words(errno)),
        ),
        StartError::Become(errno) => (
            CANNOT_ENTER,
            format!("cannot become root of the user namespace: {}", words(errno)),
        ),
        StartError::Fork(errno) => (
            CANNOT_ENTER,
            format!("cannot start a process: {}", words(errno)),
        ),
        StartError::Execute(errno) => {
            let code = match *errno {
                Errno::NOENT => NOT_FOUND,
                _ => CANNOT_RUN,
            };
            let program = for_table(program.as_bytes());
            (code, format!("cannot run {program}: {}", words(errno)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn codes_are_those_of_xargs() {
        let exited = |code: i32| of_status(ExitStatus::from_raw(code << 8)).0;
        let codes = [0, 1, 125, 126, 127, 128, 254, 255].map(exited);
        assert_eq!(codes, [0, 123, 123, 126, 127, 123, 123, 124]);
        let killed = of_status(ExitStatus::from_raw(9));
        assert_eq!(killed, (125, Some("was killed by signal 9".to_owned())));
    }

    #[test]
    fn a_command_that_did_not_start_says_why() {
        let of = |error| of_start(&error, "a\x1b");
        for (error, code, message) in [
            (
                StartError::Execute(Errno::NOENT),
                127,
                r"cannot run a\x1b: no such file or directory",
            ),
            (
                StartError::Execute(Errno::ACCESS),
                126,
                r"cannot run a\x1b: permission denied",
            ),
            (
                StartError::Enter(Kind::Net, Errno::PERM),
                1,
                "cannot enter the net namespace: operation not permitted",
            ),
            (
                StartError::Become(Errno::INVAL),
                1,
                "cannot become root of the user namespace: invalid argument",
            ),
            (
                StartError::Fork(Errno::AGAIN),
                1,
                "cannot start a process: resource temporarily unavailable",
            ),
        ] {
            assert_eq!(of(error), (code, message.to_owned()));
        }
    }
}
