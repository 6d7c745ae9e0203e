use crate::model::Member;

/// What is read, and so where something may be missing; in the order in which
/// it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The list of processes and their links in `/proc/PID/ns`.
    Processes,
    /// The open files of the processes, `/proc/PID/fd`.
    Fds,
    /// Their sockets, each of which keeps a net namespace.
    Sockets,
    /// The mount table of the caller, for bind mounts of namespaces.
    Mounts,
    /// Parents and owners, of which the kernel knows.
    Relations,
    /// Command line, parent and user of the processes that are shown.
    Details,
}

impl Source {
    /// The word for it in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Processes => "processes",
            Source::Fds => "fds",
            Source::Sockets => "sockets",
            Source::Mounts => "mounts",
            Source::Relations => "relations",
            Source::Details => "details",
        }
    }
}

impl Member for Source {
    const ALL: &'static [Source] = &[
        Source::Processes,
        Source::Fds,
        Source::Sockets,
        Source::Mounts,
        Source::Relations,
        Source::Details,
    ];

    fn index(self) -> usize {
        self as usize
    }
}
