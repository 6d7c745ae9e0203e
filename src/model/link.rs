use std::fmt;

use crate::model::{Kind, Member};

/// One of the links in `/proc/PID/ns`.
///
/// Not every kernel has all of them: `ipc`, `net` and `uts` came with 3.0,
/// `mnt`, `pid` and `user` with 3.8, `cgroup` with 4.6, `pid_for_children`
/// with 4.12, `time` and `time_for_children` with 5.6 (namespaces(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the link of that name")]
pub enum Link {
    Mnt,
    Net,
    Ipc,
    User,
    Pid,
    PidForChildren,
    Uts,
    Cgroup,
    Time,
    TimeForChildren,
}

impl Link {
    /// The file name below `/proc/PID/ns`.
    pub const fn name(self) -> &'static str {
        match self {
            Link::Mnt => "mnt",
            Link::Net => "net",
            Link::Ipc => "ipc",
            Link::User => "user",
            Link::Pid => "pid",
            Link::PidForChildren => "pid_for_children",
            Link::Uts => "uts",
            Link::Cgroup => "cgroup",
            Link::Time => "time",
            Link::TimeForChildren => "time_for_children",
        }
    }

    /// The type of the namespaces it leads to.
    pub const fn kind(self) -> Kind {
        match self {
            Link::Mnt => Kind::Mnt,
            Link::Net => Kind::Net,
            Link::Ipc => Kind::Ipc,
            Link::User => Kind::User,
            Link::Pid | Link::PidForChildren => Kind::Pid,
            Link::Uts => Kind::Uts,
            Link::Cgroup => Kind::Cgroup,
            Link::Time | Link::TimeForChildren => Kind::Time,
        }
    }

    /// Whether it names the namespace of the process's future children, in
    /// which the process itself is not.
    pub const fn is_for_children(self) -> bool {
        matches!(self, Link::PidForChildren | Link::TimeForChildren)
    }
}

impl Member for Link {
    const ALL: &'static [Link] = &[
        Link::Mnt,
        Link::Net,
        Link::Ipc,
        Link::User,
        Link::Pid,
        Link::PidForChildren,
        Link::Uts,
        Link::Cgroup,
        Link::Time,
        Link::TimeForChildren,
    ];

    fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_stands_at_its_index_and_begins_with_its_kind() {
        for (place, link) in Link::ALL.iter().enumerate() {
            assert_eq!(link.index(), place);
            let rest = link.name().strip_prefix(link.kind().name());
            assert_eq!(
                rest,
                Some(if link.is_for_children() {
                    "_for_children"
                } else {
                    ""
                })
            );
        }
    }
}
