use crate::model::{LinkSet, named};

named! {
    /// One of the eight namespace types of namespaces(7), by the kernel's name
    /// for it, which is also its name in `/proc/PID/ns`.
    pub enum Kind {
        /// Mount points, mount_namespaces(7).
        Mnt = "mnt",
        /// Network stack, network_namespaces(7).
        Net = "net",
        /// System V IPC and POSIX message queues, ipc_namespaces(7).
        Ipc = "ipc",
        /// User and group IDs, user_namespaces(7).
        User = "user",
        /// Process IDs, pid_namespaces(7).
        Pid = "pid",
        /// Host name and NIS domain name, uts_namespaces(7).
        Uts = "uts",
        /// Cgroup root, cgroup_namespaces(7).
        Cgroup = "cgroup",
        /// Offsets of the boot and monotonic clocks, time_namespaces(7).
        Time = "time",
    }
}

impl Kind {
    /// Returns the links in `/proc/PID/ns` that lead to namespaces of this
    /// type.
    pub fn links(self) -> LinkSet {
        LinkSet::all()
            .iter()
            .filter(|link| link.kind() == self)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UnknownName;

    #[test]
    fn other_words_are_no_kind() {
        for word in ["", "NET", "mount", "pid_for_children", " net"] {
            assert_eq!(word.parse::<Kind>(), Err(UnknownName), "{word:?}");
        }
    }
}
