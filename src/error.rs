//! Errors of the crate, as sentences.
//!
//! An error ends a scan without a result. Something missing from a result is
//! not an error but a [`Gap`].

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::model::{Container, Gap, Kind, Pid};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be read.
    #[error("cannot read {}: {}", path.display(), reason(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A captured tree is read only where the kernel can keep its links from
    /// leading out of it.
    #[error("cannot read {}: a captured tree needs Linux 5.6 (openat2)", .0.display())]
    NeedsOpenat2(PathBuf),
    /// No thread could be started.
    #[error("cannot start a thread: {}", reason(.0))]
    Thread(#[source] io::Error),
    /// A directory without processes is not a proc tree.
    #[error("no processes in {}", .0.display())]
    NoProcesses(PathBuf),
    /// There are processes, but none of their links could be read.
    #[error("cannot read the namespaces of any process in {}", path.display())]
    NothingReadable {
        /// The proc tree.
        path: PathBuf,
        /// Everything that is missing.
        gaps: Vec<Gap>,
    },
    /// No process has this PID.
    #[error("no process {0}")]
    NoProcess(Pid),
    /// No process has this PID, or it is hidden.
    #[error("no process {0} among the visible ones: other users' processes are hidden (hidepid)")]
    HiddenProcess(Pid),
    /// The links of the requested process could not be read.
    #[error("cannot read the namespaces of process {pid}: {}", reason(source))]
    ProcessDenied {
        /// The process.
        pid: Pid,
        /// The system's error.
        source: io::Error,
    },
    /// No namespace with this name or number was found.
    #[error("no namespace {name}{}", among(gaps))]
    NoNamespace {
        /// The name, as given.
        name: String,
        /// What the scan could not see, where the namespace may be; empty if it
        /// saw everything.
        gaps: Vec<Gap>,
    },
    /// Nothing was found to hold the namespace.
    #[error("found nothing that holds {name}")]
    NoHolder {
        /// The name, as given.
        name: String,
        /// What the scan could not see, where a holder may be; empty if it saw
        /// everything.
        gaps: Vec<Gap>,
    },
    /// None of the things that a word may be was found.
    #[error(
        "found nothing for {name}{}, looked for {looked_for}{}",
        among(gaps),
        proposal(nearest.as_deref())
    )]
    NothingFound {
        /// The word, as given.
        name: String,
        /// What it may be.
        looked_for: String,
        /// The most similar name there is.
        nearest: Option<String>,
        /// What the scan could not see, where it may be; empty if it saw
        /// everything.
        gaps: Vec<Gap>,
    },
    /// A name means several things.
    #[error("{name} is ambiguous: {}", candidates.join(", "))]
    Ambiguous {
        /// The name, as given.
        name: String,
        /// What it may mean.
        candidates: Vec<String>,
    },
    /// A captured tree has no record of such things.
    #[error(
        "cannot look for {} in a captured tree: it needs the running system",
        with_article(what)
    )]
    NeedsLiveSystem {
        /// What was looked for.
        what: &'static str,
    },
    /// The user database has no user of this name.
    #[error("no user {0}")]
    NoUser(String),
    /// No namespace meets the conditions.
    #[error("no namespace matches{}", among(gaps))]
    NothingSelected {
        /// What the scan could not see, where one may be; empty if it saw
        /// everything.
        gaps: Vec<Gap>,
    },
    /// No container with this name or ID was found.
    #[error("no container {name}{}", among(gaps))]
    NoContainer {
        /// The name, as given.
        name: String,
        /// What the scan could not see, where the container may be; empty if it
        /// saw everything.
        gaps: Vec<Gap>,
    },
    /// The name matches several containers.
    #[error("{name} matches several containers: {}", first_few(candidates))]
    AmbiguousContainer {
        /// The name, as given.
        name: String,
        /// The containers it matches.
        candidates: Vec<Container>,
    },
    /// A pid namespace was required.
    #[error("{name} is a {kind} namespace, not a pid namespace")]
    NotAPidNamespace {
        /// The name, as given.
        name: String,
        /// The type of the namespace.
        kind: Kind,
    },
    /// No process has this PID in the given pid namespace.
    #[error("no process {pid} in {name}{}", among(gaps))]
    NoInnerProcess {
        /// The PID in that namespace.
        pid: Pid,
        /// The pid namespace or container, as given.
        name: String,
        /// What the scan could not see, where the process may be; empty if it
        /// saw everything.
        gaps: Vec<Gap>,
    },
    /// The requested namespace is of a type that was not requested.
    #[error("{name} is a {kind} namespace, which --type leaves out")]
    OtherType {
        /// The name, as given.
        name: String,
        /// The type of the namespace.
        kind: Kind,
    },
    /// The links of a process are not what the kernel writes.
    #[error("cannot parse the links in {}", .0.display())]
    Malformed(PathBuf),
    /// The path leads to something else.
    #[error("{} is not a namespace", .0.display())]
    NotANamespace(PathBuf),
}

impl Error {
    pub(crate) fn read(path: impl Into<PathBuf>, error: impl Into<io::Error>) -> Self {
        Error::Read {
            path: path.into(),
            source: error.into(),
        }
    }

    /// Returns the gaps that may explain the error; empty if the scan saw
    /// everything.
    pub fn gaps(&self) -> &[Gap] {
        match self {
            Error::NothingReadable { gaps, .. }
            | Error::NoNamespace { gaps, .. }
            | Error::NoHolder { gaps, .. }
            | Error::NothingFound { gaps, .. }
            | Error::NothingSelected { gaps }
            | Error::NoContainer { gaps, .. }
            | Error::NoInnerProcess { gaps, .. } => gaps,
            _ => &[],
        }
    }
}

fn among(gaps: &[Gap]) -> &'static str {
    if gaps.is_empty() {
        ""
    } else {
        " among the visible ones"
    }
}

/// Puts an article in front: "an address".
pub(crate) fn with_article(what: &str) -> String {
    let article = match what.starts_with(['a', 'e', 'i', 'o']) {
        true => "an",
        false => "a",
    };
    format!("{article} {what}")
}

fn proposal(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(", nearest is {name}"))
}

fn first_few(candidates: &[Container]) -> String {
    let shown: Vec<_> = candidates
        .iter()
        .take(5)
        .map(Container::to_string)
        .collect();
    let shown = shown.join(", ");
    match candidates.len().saturating_sub(5) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns the system's words for an error, as they fit into a sentence:
/// "permission denied".
pub(crate) fn reason(error: &io::Error) -> String {
    let words = error.to_string();
    // The standard library appends " (os error 13)".
    let words = words.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Returns the error for a process that does not answer.
pub(crate) fn blocked() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time")
}

/// Returns the error number of an I/O error, or EIO if it has none.
pub(crate) fn errno_of(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_with_the_words_of_the_system_in_lower_case() {
        assert_eq!(
            Error::read("/x/proc", Errno::NOENT).to_string(),
            "cannot read /x/proc: no such file or directory"
        );
    }

    #[test]
    fn an_error_without_a_number_keeps_its_own_words() {
        let melted = io::Error::other("the pipe melted");
        assert_eq!(reason(&melted), "the pipe melted");
        assert_eq!(errno_of(&melted), Errno::IO);
    }
}
