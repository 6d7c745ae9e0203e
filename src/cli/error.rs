use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::console::warn;
use crate::cli::stdout::require_writable;
use crate::error::{Error, reason};
use crate::output::summarise;
use crate::query::FilterError;
use crate::text::{for_lines, for_table};

/// Why the command failed, or why it has nothing to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The arguments are invalid, or ask for help.
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

impl CliError {
    /// Writes the error to standard error, and help to standard output. Returns
    /// the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            // The reader has read enough.
            CliError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                ExitCode::SUCCESS
            }
            CliError::Arguments(error) if !error.use_stderr() => {
                let printed = require_writable().and_then(|()| error.print());
                match printed.and_then(|()| io::stdout().flush()) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => CliError::Output(error).report(),
                }
            }
            CliError::Arguments(error) => {
                // With nowhere to complain to, a failure is ignored.
                // Without clap's styles: escapes in a word would look like them.
                let shown = for_lines(&error.render().to_string());
                let _ = io::stderr().write_all(shown.as_bytes());
                ExitCode::from(2)
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
            CliError::Arguments(_)
            | CliError::Usage(_)
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
        let message = for_table(self.to_string().as_bytes());
        match summarise(gaps, None) {
            Some(why) => format!("{message}: {why}"),
            None => message,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_failed_write_ends_with_the_words_of_the_system() {
        assert_eq!(
            CliError::Output(Errno::NOSPC.into()).message(),
            "cannot write to standard output: no space left on device"
        );
    }
}
