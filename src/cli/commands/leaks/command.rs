//! The command that is watched.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

use crate::cli::stderr::warn;
use crate::error::reason;
use crate::kernel::ignore_interrupts;
use crate::text::for_table;

/// Runs a command to its end and returns its exit code, as a shell has it: 128 with
/// the number of the signal that ended it. With `apart`, its standard output goes to
/// standard error.
///
/// # Errors
///
/// If it did not run: 127 if there is none of this name, else 126.
pub(super) fn run(words: &[OsString], apart: bool) -> Result<u8, u8> {
    let Some((program, arguments)) = words.split_first() else {
        return Ok(0);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let redirected = match apart {
        true => redirect(&mut command),
        false => Ok(()),
    };
    let started = redirected.and_then(|()| command.spawn());
    // The command gets them from the terminal, too, and ends; the report follows.
    let ended = started.and_then(|mut child| {
        ignore_interrupts();
        child.wait()
    });
    match ended {
        Ok(status) => Ok(code(status)),
        Err(error) => {
            let program = for_table(program.as_encoded_bytes());
            warn(&format!("cannot run {program}: {}", reason(&error)));
            Err(match error.kind() {
                io::ErrorKind::NotFound => 127,
                _ => 126,
            })
        }
    }
}

fn redirect(command: &mut Command) -> io::Result<()> {
    let stderr = io::stderr().as_fd().try_clone_to_owned()?;
    command.stdout(Stdio::from(stderr));
    Ok(())
}

fn code(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 1,
    };
    u8::try_from(code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_that_of_a_shell() {
        for (status, expected) in [(0, 0), (0x0100, 1), (0xff00, 255), (9, 137)] {
            assert_eq!(code(ExitStatus::from_raw(status)), expected);
        }
    }
}
