use std::fmt;
use std::str::FromStr;

use crate::model::Member;

/// What is read, and so where something may be missing; in the order in which
/// it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The list of processes and their links in `/proc/PID/ns`.
    Processes,
    /// The links of threads that are elsewhere than their leader.
    Threads,
    /// The open files of the processes, `/proc/PID/fd`.
    Fds,
    /// Their sockets, each of which keeps a net namespace.
    Sockets,
    /// Their tun and tap devices, each of which keeps one too.
    Tuns,
    /// The mount tables, one of each mount namespace, for bind mounts of
    /// namespaces.
    Mounts,
    /// The mount namespaces of the kernel's own list that no process is in,
    /// and their mounts.
    MountNamespaces,
    /// Parents and owners, of which the kernel knows.
    Relations,
    /// The kernel's own list of all namespaces, listns(2).
    Listns,
    /// Command line, parent and user of the processes that are shown.
    Details,
    /// The cgroups of processes, which tell of containers.
    Cgroups,
    /// What is in a namespace: host names, maps, interfaces and the like.
    Contents,
}

impl Source {
    /// The word for it in JSON and for `--sources`.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Processes => "processes",
            Source::Threads => "threads",
            Source::Fds => "fds",
            Source::Sockets => "sockets",
            Source::Tuns => "tuns",
            Source::Mounts => "mounts",
            Source::MountNamespaces => "mount-namespaces",
            Source::Relations => "relations",
            Source::Listns => "listns",
            Source::Details => "details",
            Source::Cgroups => "cgroups",
            Source::Contents => "contents",
        }
    }

    /// Whether it is a list of the kernel's own, which older kernels have not.
    pub fn is_list(self) -> bool {
        matches!(self, Source::MountNamespaces | Source::Listns)
    }

    /// Whether namespaces are looked for there: everywhere but where
    /// something is read about those that were found.
    pub fn finds_namespaces(self) -> bool {
        !matches!(self, Source::Details | Source::Cgroups | Source::Contents)
    }
}

impl Member for Source {
    const ALL: &'static [Source] = &[
        Source::Processes,
        Source::Threads,
        Source::Fds,
        Source::Sockets,
        Source::Tuns,
        Source::Mounts,
        Source::MountNamespaces,
        Source::Relations,
        Source::Listns,
        Source::Details,
        Source::Cgroups,
        Source::Contents,
    ];

    fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of no source of namespaces.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no source")]
pub struct UnknownSource;

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(name: &str) -> Result<Self, UnknownSource> {
        Source::ALL
            .iter()
            .copied()
            .find(|source| source.finds_namespaces() && source.name() == name)
            .ok_or(UnknownSource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_of_namespaces_stands_at_its_index_and_parses_from_its_name() {
        for (place, source) in Source::ALL.iter().enumerate() {
            assert_eq!(source.index(), place);
            let parsed = source.name().parse();
            let expected = source.finds_namespaces().then_some(*source);
            assert_eq!(parsed, expected.ok_or(UnknownSource));
        }
        assert_eq!("".parse::<Source>(), Err(UnknownSource));
        assert_eq!("FDS".parse::<Source>(), Err(UnknownSource));
    }
}
