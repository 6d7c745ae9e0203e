use crate::model::{Kind, named};

named! {
    /// One of the links in `/proc/PID/ns`, by its file name.
    ///
    /// Older kernels lack some: `ipc`, `net` and `uts` appeared in Linux 3.0,
    /// `mnt`, `pid` and `user` in 3.8, `cgroup` in 4.6, `pid_for_children` in
    /// 4.12, `time` and `time_for_children` in 5.6 (namespaces(7)).
    #[expect(missing_docs, reason = "each is the link of that name")]
    pub enum Link {
        Mnt = "mnt",
        Net = "net",
        Ipc = "ipc",
        User = "user",
        Pid = "pid",
        PidForChildren = "pid_for_children",
        Uts = "uts",
        Cgroup = "cgroup",
        Time = "time",
        TimeForChildren = "time_for_children",
    }
}

impl Link {
    /// Returns the type of the namespaces it leads to.
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

    /// Returns whether it names the namespace of future children rather than
    /// that of the process itself.
    pub const fn is_for_children(self) -> bool {
        matches!(self, Link::PidForChildren | Link::TimeForChildren)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Member;

    #[test]
    fn every_link_begins_with_its_kind() {
        for link in Link::ALL {
            let rest = link.name().strip_prefix(link.kind().name());
            let expected = if link.is_for_children() {
                "_for_children"
            } else {
                ""
            };
            assert_eq!(rest, Some(expected));
        }
    }
}
