//! What can go wrong, as sentences.
//!
//! An error is what ends a run without a result. Something that is missing
//! from a result is no error but a [`Gap`](crate::model::Gap).

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::model::{Kind, Pid};
use crate::query::FilterError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be read.
    #[error("cannot read {}: {}", path.display(), reason(*errno))]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        errno: Errno,
    },
    /// A file or directory could not be written.
    #[error("cannot write {}: {}", path.display(), reason(*errno))]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        errno: Errno,
    },
    /// A captured tree can only be read where the kernel keeps its links from
    /// leading out of it.
    #[error("cannot read {}: a captured tree needs Linux 5.6 (openat2)", .0.display())]
    NeedsOpenat2(PathBuf),
    /// There is no thread to be had.
    #[error("cannot start a thread: {}", reason(*.0))]
    NoThread(Errno),
    /// The result could not be written to standard output.
    #[error("cannot write to standard output: {}", io_reason(.0))]
    Output(io::Error),
    /// A tree without any process is no proc tree.
    #[error("no processes in {}", .0.display())]
    NoProcesses(PathBuf),
    /// There are processes, but no link of any could be read.
    #[error("cannot read the namespaces of any process in {}: {why}", path.display())]
    NothingReadable {
        /// The proc tree.
        path: PathBuf,
        /// The gaps that swallowed everything.
        why: String,
    },
    /// No process has this id.
    #[error("no process {0}")]
    NoProcess(Pid),
    /// No process has this id, or it is hidden.
    #[error(
        "no process {0} among those that can be seen: processes of others are hidden (hidepid)"
    )]
    HiddenProcess(Pid),
    /// The links of the process that was asked for may not be read.
    #[error("cannot read the namespaces of process {pid}: {}", reason(*errno))]
    ProcessDenied {
        /// Which process.
        pid: Pid,
        /// What the system said.
        errno: Errno,
    },
    /// Nothing of this name or number was found.
    #[error("no namespace {name}{}", among(why.as_deref()))]
    NoNamespace {
        /// As it was typed.
        name: String,
        /// What the scan could not see, where it may be hiding.
        why: Option<String>,
    },
    /// A namespace is there, and nothing that can be found holds it.
    #[error("nothing that can be found holds {name}{}", because(why.as_deref()))]
    NoHolder {
        /// As it was typed.
        name: String,
        /// What the scan could not see, where it may be hiding.
        why: Option<String>,
    },
    /// No container of this name or id was found.
    #[error("no container {name}{}", among(why.as_deref()))]
    NoContainer {
        /// As it was typed.
        name: String,
        /// What the scan could not see, where it may be hiding.
        why: Option<String>,
    },
    /// Several containers are meant.
    #[error("{name} may be any of the containers {}{}", .some.join(", "), and_more(*.more))]
    AmbiguousContainer {
        /// As it was typed.
        name: String,
        /// What it may be.
        some: Vec<String>,
        /// How many more there are.
        more: usize,
    },
    /// A namespace is of another type than the question needs.
    #[error("{name} is a {kind} namespace, not a pid namespace")]
    NotAPidNamespace {
        /// As it was typed.
        name: String,
        /// What it is.
        kind: Kind,
    },
    /// No process has this id in that pid namespace.
    #[error("no process {pid} in {name}{}", among(why.as_deref()))]
    NoInnerProcess {
        /// The id there.
        pid: Pid,
        /// The pid namespace, or the container.
        name: String,
        /// What the scan could not see, where it may be hiding.
        why: Option<String>,
    },
    /// The namespace that was asked for is of none of the types that were.
    #[error("{name} is a {kind} namespace, which --type leaves out")]
    OtherType {
        /// As it was typed.
        name: String,
        /// What it is.
        kind: Kind,
    },
    /// A path leads to something else.
    #[error("{} is not a namespace", .0.display())]
    NotANamespace(PathBuf),
    /// A tree is only captured into an empty directory.
    #[error("cannot capture into {}: directory not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The command line asks for something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// The filter is none. This message alone has several lines, which hold
    /// nothing that a terminal could not show.
    #[error(transparent)]
    Filter(FilterError),
}

impl Error {
    /// The exit code of a run that ends with this error.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) | Error::Filter(_) => 2,
            _ => 1,
        }
    }
}

fn among(why: Option<&str>) -> String {
    why.map_or_else(String::new, |why| {
        format!(" among those that can be seen: {why}")
    })
}

fn because(why: Option<&str>) -> String {
    why.map_or_else(String::new, |why| format!(": {why}"))
}

fn and_more(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

/// The system's words for an error number, as they go into a sentence:
/// "permission denied".
pub fn reason(errno: Errno) -> String {
    io_reason(&io::Error::from(errno))
}

fn io_reason(error: &io::Error) -> String {
    let words = error.to_string();
    // The standard library adds " (os error 13)".
    let words = words.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// The error number of an I/O error; EIO for one that has none.
pub fn errno_of(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_with_the_words_of_the_system_in_lower_case() {
        let error = Error::Read {
            path: "/x/proc".into(),
            errno: Errno::NOENT,
        };
        assert_eq!(
            error.to_string(),
            "cannot read /x/proc: no such file or directory"
        );
        let error = Error::Output(io::Error::from(Errno::NOSPC));
        assert_eq!(
            error.to_string(),
            "cannot write to standard output: no space left on device"
        );
    }

    #[test]
    fn an_error_without_a_number_keeps_its_own_words() {
        let error = Error::Output(io::Error::other("the pipe melted"));
        assert_eq!(
            error.to_string(),
            "cannot write to standard output: the pipe melted"
        );
        assert_eq!(errno_of(&io::Error::other("x")), Errno::IO);
    }
}
