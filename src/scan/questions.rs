use crate::model::{Kind, Namespace};
use crate::scan::Needs;

/// What to ask.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Questions {
    /// For owners, of namespaces of every type.
    pub(crate) owners: bool,
    /// For parents, of pid namespaces.
    pub(crate) parents: bool,
    /// For numbers of net namespaces.
    pub(crate) netnsids: bool,
    /// Who made the owner of a namespace without processes.
    pub(crate) owner_uids: bool,
    /// The same of all.
    pub(crate) all_owner_uids: bool,
    /// What to find out by going inside.
    pub(crate) inside: Needs,
    /// For the numbers that are never given again.
    pub(crate) unique_ids: bool,
    /// Whether a path still opens a namespace without processes.
    pub(crate) paths: bool,
}

impl Questions {
    /// Whether a namespace has to be opened for one of these.
    pub(crate) fn concern(self, namespace: &Namespace) -> bool {
        let empty = namespace.pid.is_none() && (self.owner_uids || self.paths);
        self.owners
            || self.all_owner_uids
            || self.inside.inside(namespace.id.kind).is_some()
            || self.unique_ids
            || (self.parents && matches!(namespace.id.kind, Kind::Pid))
            || (self.netnsids && matches!(namespace.id.kind, Kind::Net))
            || empty
    }
}
