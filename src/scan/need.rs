use crate::model::{Kind, Member, Set};

/// Something that costs a system call or more for each process or namespace,
/// and is collected only where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The parents of processes.
    ParentProcess,
    /// All their ancestors.
    Ancestry,
    /// Command lines, or else names.
    Command,
    /// Effective user ids.
    Uid,
    /// The names of those users.
    User,
    /// Parents and owners of namespaces, up to the top.
    Relations,
    /// The numbers of net namespaces in the caller's.
    NetNsId,
    /// Where namespaces are bind-mounted.
    Mounts,
    /// Everything that holds a namespace.
    Holders,
    /// The numbers that are never given again.
    UniqueId,
    /// That a namespace without processes can be opened by its path now.
    Path,
    /// What processes whose links may not be read have in common.
    Inference,
    /// Who made the owner of every namespace, not only of those without
    /// processes.
    OwnerUid,
    /// The ids of processes in their pid namespaces.
    InnerPids,
    /// Containers, pods and units of processes.
    Affiliation,
    /// Which namespaces are the host's own.
    Host,
    /// Host and domain names of uts namespaces.
    HostNames,
    /// The maps of user namespaces.
    IdMaps,
    /// The clocks of time namespaces.
    TimeOffsets,
    /// The roots of cgroup namespaces.
    CgroupRoot,
    /// The mounts of mount namespaces.
    MountFacts,
    /// The interfaces of net namespaces.
    Interfaces,
    /// The objects of ipc namespaces.
    SysvIpc,
    /// The largest pids of pid namespaces.
    PidMax,
}

impl Member for Need {
    const ALL: &'static [Need] = &[
        Need::ParentProcess,
        Need::Ancestry,
        Need::Command,
        Need::Uid,
        Need::User,
        Need::Relations,
        Need::NetNsId,
        Need::Mounts,
        Need::Holders,
        Need::UniqueId,
        Need::Path,
        Need::Inference,
        Need::OwnerUid,
        Need::InnerPids,
        Need::Affiliation,
        Need::Host,
        Need::HostNames,
        Need::IdMaps,
        Need::TimeOffsets,
        Need::CgroupRoot,
        Need::MountFacts,
        Need::Interfaces,
        Need::SysvIpc,
        Need::PidMax,
    ];

    fn index(self) -> usize {
        self as usize
    }
}

impl Need {
    /// Whether it costs as much as the scan itself, or more.
    pub(crate) const fn is_dear(self) -> bool {
        !matches!(
            self,
            Need::ParentProcess
                | Need::Ancestry
                | Need::Command
                | Need::Uid
                | Need::User
                | Need::Relations
                | Need::NetNsId
                | Need::Mounts
                | Need::Path
                | Need::Inference
        )
    }
}

/// What a scan has to collect.
pub type Needs = Set<Need>;

impl Needs {
    /// Whether something has to be read of processes.
    pub(crate) fn of_processes(self) -> bool {
        let details = [
            Need::ParentProcess,
            Need::Command,
            Need::Uid,
            Need::User,
            Need::InnerPids,
        ];
        details.into_iter().any(|need| self.contains(need))
    }

    /// What can be found out of a namespace of this type by going inside.
    pub(crate) fn inside(self, kind: Kind) -> Option<Need> {
        let need = match kind {
            Kind::Uts => Need::HostNames,
            Kind::Net => Need::Interfaces,
            Kind::Ipc => Need::SysvIpc,
            Kind::Cgroup => Need::CgroupRoot,
            Kind::Pid => Need::PidMax,
            Kind::Mnt | Kind::User | Kind::Time => return None,
        };
        self.contains(need).then_some(need)
    }

    /// What a file of a process in a namespace of this type tells.
    pub(crate) fn of_files(self, kind: Kind) -> Option<Need> {
        let need = match kind {
            Kind::User => Need::IdMaps,
            Kind::Time => Need::TimeOffsets,
            Kind::Mnt => Need::MountFacts,
            Kind::Net | Kind::Ipc | Kind::Pid | Kind::Uts | Kind::Cgroup => return None,
        };
        self.contains(need).then_some(need)
    }
}
