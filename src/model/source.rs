use crate::model::named;

named! {
    /// A place that a scan reads, and where something may be missing. They are
    /// in the order in which they are read.
    pub enum Source {
        /// What the kernel tells by BPF iterators, in place of the links and open
        /// files of the processes in `/proc`.
        Bpf = "bpf",
        /// The list of processes and their links in `/proc/PID/ns`.
        Processes = "processes",
        /// The links of threads that differ from those of their leader.
        Threads = "threads",
        /// Open files, `/proc/PID/fd`.
        Fds = "fds",
        /// Sockets, each of which keeps a net namespace alive.
        Sockets = "sockets",
        /// Open tun and tap files, each of which keeps one alive, too.
        Tuns = "tuns",
        /// Mount tables, one for each mount namespace, for bind mounts of
        /// namespaces.
        Mounts = "mounts",
        /// The kernel's list of mount namespaces, for those without processes
        /// and the bind mounts in them.
        MountNamespaces = "mount-namespaces",
        /// Parents and owners of namespaces, known only to the kernel.
        Relations = "relations",
        /// The kernel's list of all namespaces, listns(2).
        Listns = "listns",
        /// Command line, parent and user of the processes that are shown.
        Details = "details",
        /// The cgroups of processes, which identify containers.
        Cgroups = "cgroups",
        /// The names of containers, in the files of their engines.
        Names = "names",
        /// What is inside a namespace: host names, ID maps, interfaces.
        Contents = "contents",
    }
}

impl Source {
    /// Returns whether it is one of the kernel's own lists, which older kernels
    /// lack.
    pub const fn is_list(self) -> bool {
        matches!(self, Source::MountNamespaces | Source::Listns)
    }

    /// Returns whether the scan looks for namespaces there, rather than reading
    /// about those it has found.
    pub const fn finds_namespaces(self) -> bool {
        !matches!(
            self,
            Source::Bpf | Source::Details | Source::Cgroups | Source::Names | Source::Contents
        )
    }
}
