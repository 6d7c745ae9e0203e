use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::io::Errno;

use crate::cli::stderr::warn;
use crate::cli::stdout::require_writable;
use crate::error::{Error, errno_of, reason};
use crate::model::Gap;
use crate::output::summarise;
use crate::query::FilterError;
use crate::text::for_table;

/// Why the command failed, or why it has nothing to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The arguments ask for help or the version.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// An argument names something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// The filter cannot be parsed.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// There is nothing to show.
    #[error(transparent)]
    Nsls(#[from] Error),
    /// The result could not be written to standard output.
    #[error("cannot write to standard output: {}", reason(.0))]
    Output(io::Error),
    /// What was saved before cannot be compared.
    #[error("cannot compare {}: {why}", path.display())]
    Incomparable {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// What was saved before cannot be drawn.
    #[error("cannot draw {}: {why}", path.display())]
    Undrawable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file or directory could not be written.
    #[error("cannot write {}: {}", path.display(), reason(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A capture requires an empty directory.
    #[error("cannot capture into {}: directory not empty", .0.display())]
    NotEmpty(PathBuf),
    /// A capture requires a directory of the caller, whom nobody can then
    /// hinder or mislead.
    #[error("cannot capture into {}: directory of another user", .0.display())]
    NotOwner(PathBuf),
    /// A capture follows no link.
    #[error("cannot capture into {}: symbolic link", .0.display())]
    IsLink(PathBuf),
}

/// What to do about a root that is none.
const CAPTURED: &str = "--sysroot takes a directory written by nsls capture";

/// Returns whether there is no proc tree in what was given as a root.
fn is_missing_proc(path: &Path, error: &io::Error) -> bool {
    let is_missing = matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    );
    is_missing && path.ends_with("proc") && path != Path::new("/proc")
}

impl CliError {
    /// Writes the error to standard error, and help to standard output. Returns
    /// the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            // The reader has read enough.
            CliError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                ExitCode::SUCCESS
            }
            CliError::Arguments(error) => {
                let printed = require_writable().and_then(|()| error.print());
                match printed.and_then(|()| io::stdout().flush()) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => CliError::Output(error).report(),
                }
            }
            error => {
                warn(&error.message());
                ExitCode::from(error.code())
            }
        }
    }

    /// Returns whether a name that was given is like none that is known.
    pub(super) fn is_about_an_unknown_name(&self) -> bool {
        matches!(
            self,
            CliError::Nsls(Error::NothingFound { nearest: None, .. })
        )
    }

    const fn code(&self) -> u8 {
        match self {
            CliError::Usage(_)
            | CliError::Filter(_)
            // As in diff(1): 1 says that something differs.
            | CliError::Incomparable { .. }
            | CliError::Undrawable { .. } => 2,
            _ => 1,
        }
    }

    /// Returns the message, safe to show on a terminal. It is one line, except
    /// for a filter, which is shown with the place of the error.
    fn message(&self) -> String {
        let gaps = match self {
            // It escapes the filter itself.
            CliError::Filter(error) => return error.to_string(),
            CliError::Nsls(error) => error.gaps(),
            _ => &[],
        };
        let message = self.to_string();
        let message = match (
            summarise(gaps, Gap::is_told, None),
            gaps.iter().find(|gap| gap.cause.hides()),
        ) {
            (Some(why), Some(gap)) => {
                let cause = gap.cause.name();
                format!("{message}: {why}; nsls explain {cause} says more")
            }
            (Some(why), None) => format!("{message}: {why}"),
            _ => match self.next_step() {
                Some(next) => format!("{message}; {next}"),
                None => message,
            },
        };
        for_table(message.as_bytes())
    }

    /// Returns what to do about it, unless the message says so already.
    fn next_step(&self) -> Option<String> {
        let error = match self {
            CliError::Nsls(error) => error,
            CliError::NotEmpty(_) | CliError::NotOwner(_) | CliError::IsLink(_) => {
                return Some("name one that does not exist yet".to_owned());
            }
            _ => return None,
        };
        let next = match error {
            Error::Read { path, source } if is_missing_proc(path, source) => CAPTURED,
            Error::NoProcesses(path) if path != Path::new("/proc") => CAPTURED,
            Error::HiddenProcess(_) => "nsls explain hidden says more",
            // hidepid refuses in other words.
            Error::ProcessDenied { source, .. } if errno_of(source) == Errno::PERM => {
                "nsls explain hidden says more"
            }
            Error::ProcessDenied { .. } => "nsls explain denied says more",
            Error::Malformed(_) => "nsls explain malformed says more",
            Error::NoNamespace { .. } => "nsls lists those there are",
            Error::NoHolder { .. } => "nsls explain kernel says what else may",
            Error::NothingFound { nearest: None, .. } => "nsls find --help shows what may be given",
            Error::NothingSelected { .. } => "nsls without conditions lists all",
            Error::NoContainer { .. } => "nsls containers lists them",
            Error::NoUser(_) => "give the name of a user here, or a UID",
            Error::NotAPidNamespace { .. } => "--from takes a pid namespace or a container",
            Error::NoInnerProcess { name, .. } => {
                return Some(format!("nsls -o PID,NSPID,COMMAND {name} lists them"));
            }
            Error::OtherType { .. } => "name that type, or none",
            Error::NotANamespace(_) => "nsls --help shows what may be given",
            Error::Ambiguous { .. } | Error::AmbiguousContainer { .. } => "name one of these",
            _ => return None,
        };
        Some(next.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_ends_with_the_words_of_the_system() {
        assert_eq!(
            CliError::Output(Errno::NOSPC.into()).message(),
            "cannot write to standard output: no space left on device"
        );
    }
}
