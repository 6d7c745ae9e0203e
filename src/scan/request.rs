//! What a scan collects: what the caller needs, and which sources and questions
//! follow from that.

use std::sync::Arc;

use crate::model::{Holder, Kind, KindSet, Links, MountQuery, NsId, Pid, Set, Sources, named};
use crate::scan::groups::Find;
use crate::scan::target::Wanted;

named! {
    /// Something that costs a system call or more for each process or namespace,
    /// and is collected only on request.
    pub enum Need {
        /// All processes in the namespaces of one process, so that the lowest PID
        /// and the number are known. Without it, [`Target::Process`] reads that
        /// process alone.
        ///
        /// [`Target::Process`]: crate::Target::Process
        Members = "members",
        /// Parents of processes.
        ParentProcess = "parent-process",
        /// When processes started.
        StartTime = "start-time",
        /// All ancestors of processes.
        Ancestry = "ancestry",
        /// Command lines, or else names.
        Command = "command",
        /// Effective UIDs.
        Uid = "uid",
        /// The names of those users; includes [`Need::Uid`].
        User = "user",
        /// Parents and owners of namespaces, up to the top.
        Relations = "relations",
        /// The IDs of net namespaces in the caller's.
        NetNsId = "net-ns-id",
        /// Bind mounts of namespaces in the caller's mount namespace.
        Mounts = "mounts",
        /// Everything that holds a namespace.
        Holders = "holders",
        /// All links that lead to a namespace, those of threads included.
        Links = "links",
        /// The numbers that the kernel never reuses.
        UniqueId = "unique-id",
        /// Whether a path opens a namespace without processes now.
        Path = "path",
        /// Groups of processes with unreadable links.
        Inference = "inference",
        /// The creator of the owner of every namespace, not only of those without
        /// processes.
        OwnerUid = "owner-uid",
        /// PIDs in each nested pid namespace.
        InnerPids = "inner-pids",
        /// Containers, pods and units of processes.
        Affiliation = "affiliation",
        /// Which namespaces are the host's own.
        Host = "host",
        /// Host and domain names of uts namespaces.
        HostNames = "host-names",
        /// UID and GID maps of user namespaces.
        IdMaps = "id-maps",
        /// Clock offsets of time namespaces.
        TimeOffsets = "time-offsets",
        /// Roots of cgroup namespaces.
        CgroupRoot = "cgroup-root",
        /// Number and root of the mounts of mount namespaces.
        MountFacts = "mount-facts",
        /// Interfaces of net namespaces, and where their peers are.
        Interfaces = "interfaces",
        /// Interfaces of net namespaces with their addresses.
        Addresses = "addresses",
        /// Sockets in net namespaces that listen or are bound.
        Listeners = "listeners",
        /// Which open files of which processes those sockets are; includes
        /// [`Need::Listeners`]. The open files of all processes are read.
        SocketFiles = "socket-files",
        /// System V objects of ipc namespaces.
        SysvIpc = "sysv-ipc",
        /// Largest PIDs of pid namespaces.
        PidMax = "pid-max",
        /// The limits of user namespaces, by type of namespace.
        MaxNamespaces = "max-namespaces",
    }
}

/// What a scan has to collect.
pub type Needs = Set<Need>;

impl Need {
    /// Returns whether it costs as much as the scan itself, or more.
    #[cfg(feature = "cli")]
    pub(crate) const fn is_dear(self) -> bool {
        !matches!(
            self,
            Need::Members
                | Need::ParentProcess
                | Need::StartTime
                | Need::Ancestry
                | Need::Command
                | Need::Uid
                | Need::User
                | Need::Relations
                | Need::NetNsId
                | Need::Mounts
                | Need::Links
                | Need::Path
                | Need::Inference
        )
    }
}

impl Needs {
    /// Returns whether anything has to be read of processes that are shown.
    pub(crate) fn of_processes(self) -> bool {
        !self
            .intersection(Needs::from([
                Need::ParentProcess,
                Need::StartTime,
                Need::Command,
                Need::Uid,
                Need::User,
                Need::InnerPids,
            ]))
            .is_empty()
    }

    /// Returns what is needed from inside a namespace of this type.
    pub(crate) fn inside(self, kind: Kind) -> Needs {
        self.intersection(match kind {
            Kind::Uts => Need::HostNames.into(),
            Kind::Net => Needs::from([
                Need::Interfaces,
                Need::Addresses,
                Need::Listeners,
                Need::SocketFiles,
            ]),
            Kind::Ipc => Need::SysvIpc.into(),
            Kind::Cgroup => Need::CgroupRoot.into(),
            Kind::Pid => Need::PidMax.into(),
            Kind::User => Need::MaxNamespaces.into(),
            Kind::Mnt | Kind::Time => Needs::EMPTY,
        })
    }

    /// Returns what is needed from the proc files of a process in a namespace
    /// of this type.
    pub(crate) fn of_proc_files(self, kind: Kind) -> Option<Need> {
        let need = match kind {
            Kind::User => Need::IdMaps,
            Kind::Time => Need::TimeOffsets,
            Kind::Mnt => Need::MountFacts,
            Kind::Net | Kind::Ipc | Kind::Pid | Kind::Uts | Kind::Cgroup => return None,
        };
        self.contains(need).then_some(need)
    }
}

/// What a scan is for, after names were resolved.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    /// Every namespace.
    All,
    /// The namespaces that the links of one process or thread lead to.
    Process(Pid, Links),
    /// One namespace, and the processes in it.
    Namespace(Wanted),
}

/// A request of a caller.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What to scan for.
    pub(crate) goal: Goal,
    /// The types of namespaces to return.
    pub(crate) kinds: KindSet,
    /// What to collect besides.
    pub(crate) needs: Needs,
    /// The mounts to look for; requires [`Need::MountFacts`].
    pub(crate) mounts: Arc<[MountQuery]>,
    /// Where to look, beside the links of processes.
    pub(crate) sources: Sources,
    /// Whether the caller chose the sources, and so wants to hear that this
    /// kernel lacks one.
    pub(crate) has_chosen_sources: bool,
    /// Whether to ask the kernel itself by BPF iterators.
    pub(crate) uses_bpf: bool,
}

impl Request {
    /// Returns whether a namespace is among the requested ones.
    pub(crate) fn wants(&self, id: NsId) -> bool {
        self.kinds.contains(id.kind)
            && match &self.goal {
                Goal::All => true,
                Goal::Process(_, links) => !links.leading_to(id).is_empty(),
                Goal::Namespace(wanted) => wanted.is(id),
            }
    }

    /// Returns what is known to lead to the requested namespaces before
    /// anything is read. The links of a thread may differ from those of every
    /// process.
    pub(crate) fn known_holders(&self) -> Vec<Find> {
        match &self.goal {
            Goal::Process(pid, links) => links
                .iter()
                .map(|(link, id)| (id, Holder::of_link(*pid, link)))
                .collect(),
            Goal::Namespace(Wanted::Id(id, Some(holder))) => vec![(*id, holder.clone())],
            Goal::All | Goal::Namespace(_) => Vec::new(),
        }
    }
}
