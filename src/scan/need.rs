use crate::model::{Member, Set};

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
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// What a scan has to collect.
pub type Needs = Set<Need>;

impl Needs {
    /// Whether something has to be read of processes.
    pub(crate) fn of_processes(self) -> bool {
        [Need::ParentProcess, Need::Command, Need::Uid, Need::User]
            .into_iter()
            .any(|need| self.contains(need))
    }
}
