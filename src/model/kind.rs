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
    /// Returns the inode number of the initial namespace of this type,
    /// linux/nsfs.h.
    ///
    /// Those of mnt and net are fixed since Linux 6.17 only: before, the initial
    /// namespaces of these types have other numbers, which vary. No other
    /// namespace has such a number on any kernel.
    pub(crate) const fn initial_ino(self) -> u64 {
        match self {
            Kind::Ipc => 4026531839,
            Kind::Uts => 4026531838,
            Kind::User => 4026531837,
            Kind::Pid => 4026531836,
            Kind::Cgroup => 4026531835,
            Kind::Time => 4026531834,
            Kind::Net => 4026531833,
            Kind::Mnt => 4026531832,
        }
    }

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
