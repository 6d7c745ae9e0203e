use std::io;
use std::path::PathBuf;

use crate::error::{Error, reason};
use crate::output::summarise;
use crate::query::FilterError;
use crate::text::for_table;

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// There is nothing to show.
    #[error(transparent)]
    Nsls(#[from] Error),
    /// The command line asks for something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// The filter cannot be parsed. This message alone spans several lines, and
    /// has everything escaped that a terminal would not show.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The result could not be written to standard output.
    #[error("cannot write to standard output: {}", reason(.0))]
    Output(io::Error),
    /// A file or directory could not be written.
    #[error("cannot write {}: {}", path.display(), reason(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Only an empty directory takes a capture.
    #[error("cannot capture into {}: directory not empty", .0.display())]
    NotEmpty(PathBuf),
}

impl CliError {
    /// Returns the exit code of a run that ends with this error.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            CliError::Usage(_) | CliError::Filter(_) => 2,
            _ => 1,
        }
    }

    /// Returns the message, with everything escaped that a terminal would not
    /// show: it may contain what was typed, or a path.
    pub(crate) fn message(&self) -> String {
        let gaps = match self {
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
