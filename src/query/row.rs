use std::path::PathBuf;

use crate::model::{Affiliation, Details, Facts, Namespace, Process, Snapshot};
use crate::proc::Sysroot;

/// What one row shows: a namespace, and a process in it.
///
/// In a list of namespaces that is the representative; in the list of the
/// processes of a namespace, each member in turn.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The root that was scanned.
    pub root: &'a Sysroot,
    /// The namespace.
    pub namespace: &'a Namespace,
    /// The process; none in a namespace that has no process.
    pub process: Option<&'a Process>,
    /// Whether it is about the process, as one member, rather than about the
    /// namespace as a whole.
    pub is_member: bool,
    /// The process of the first holder of the namespace, if holders are known.
    pub holder: Option<&'a Process>,
}

impl<'a> Row<'a> {
    /// What is known of the process.
    pub fn details(&self) -> Option<&'a Details> {
        self.process.and_then(|process| process.details.as_deref())
    }

    /// What is known of what is in the namespace.
    pub fn facts(&self) -> Option<&'a Facts> {
        self.namespace.facts.as_deref()
    }

    /// Where the process belongs; of a namespace, its processes.
    pub fn affiliations(&self) -> impl Iterator<Item = &'a Affiliation> {
        let own = self.process.filter(|_| self.is_member);
        let own = own.and_then(|process| process.affiliation.as_deref());
        let facts = self.facts().filter(|_| !self.is_member);
        let all = facts.into_iter().flat_map(|facts| &facts.affiliations);
        own.into_iter().chain(all.map(|one| &**one))
    }

    /// Whose it is: the effective user of the process; without one, the user
    /// who made the owner of the namespace. Number and name, where known.
    pub fn user(&self) -> (Option<u32>, Option<&'a [u8]>) {
        match (self.process, self.details()) {
            (Some(_), Some(details)) => (details.uid, details.user.as_deref()),
            (Some(_), None) => (None, None),
            (None, _) => {
                let relations = &self.namespace.relations;
                (relations.owner_uid, relations.owner_user.as_deref())
            }
        }
    }

    /// A path that opens the namespace: the process's own, if it is in it.
    pub fn path(&self) -> Option<PathBuf> {
        let own = self.process.and_then(|process| {
            let mut links = process.links.leading_to(self.namespace.id).iter();
            let own = links.find(|link| !link.is_for_children())?;
            Some(process.holder(own))
        });
        match own {
            Some(own) => self.root.holder_path(&own),
            None if self.namespace.is_closed => None,
            None => self.root.holder_path(&self.namespace.via),
        }
    }
}

impl Snapshot {
    fn holder(&self, namespace: &Namespace) -> Option<&Process> {
        let pid = namespace.holders.first()?.pid()?;
        self.process(pid)
    }

    /// The row of a process in a namespace.
    pub fn member<'a>(
        &'a self,
        root: &'a Sysroot,
        namespace: &'a Namespace,
        process: &'a Process,
    ) -> Row<'a> {
        Row {
            root,
            namespace,
            process: Some(process),
            is_member: true,
            holder: self.holder(namespace),
        }
    }

    /// The row of a namespace, with its representative.
    pub fn row<'a>(&'a self, root: &'a Sysroot, namespace: &'a Namespace) -> Row<'a> {
        Row {
            root,
            namespace,
            process: namespace.pid.and_then(|pid| self.process(pid)),
            is_member: false,
            holder: self.holder(namespace),
        }
    }
}
