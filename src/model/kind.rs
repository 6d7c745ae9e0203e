use std::fmt;
use std::str::FromStr;

use crate::model::{LinkSet, Member};

/// One of the eight namespace types of namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Mount points, mount_namespaces(7).
    Mnt,
    /// Network stack, network_namespaces(7).
    Net,
    /// System V IPC and POSIX message queues, ipc_namespaces(7).
    Ipc,
    /// User and group ids, user_namespaces(7).
    User,
    /// Process ids, pid_namespaces(7).
    Pid,
    /// Host name and NIS domain name, uts_namespaces(7).
    Uts,
    /// Cgroup root, cgroup_namespaces(7).
    Cgroup,
    /// Offsets of the boot and monotonic clocks, time_namespaces(7).
    Time,
}

impl Kind {
    /// The kernel's name of the type, as it stands in `/proc/PID/ns`.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Mnt => "mnt",
            Kind::Net => "net",
            Kind::Ipc => "ipc",
            Kind::User => "user",
            Kind::Pid => "pid",
            Kind::Uts => "uts",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }

    /// The links below `/proc/PID/ns` that lead to namespaces of this type.
    pub fn links(self) -> LinkSet {
        LinkSet::all()
            .iter()
            .filter(|link| link.kind() == self)
            .collect()
    }
}

impl Member for Kind {
    const ALL: &'static [Kind] = &[
        Kind::Mnt,
        Kind::Net,
        Kind::Ipc,
        Kind::User,
        Kind::Pid,
        Kind::Uts,
        Kind::Cgroup,
        Kind::Time,
    ];

    fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of no namespace type.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no namespace type")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Kind::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == name)
            .ok_or(UnknownKind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_at_its_index_and_parses_from_its_name() {
        for (place, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(kind.index(), place);
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
    }

    #[test]
    fn other_words_are_no_kind() {
        for word in ["", "NET", "mount", "pid_for_children", " net"] {
            assert_eq!(word.parse::<Kind>(), Err(UnknownKind), "{word:?}");
        }
    }
}
