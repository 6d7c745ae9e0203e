use std::path::PathBuf;

use crate::model::{
    Affiliation, Details, Facts, Holder, Inferred, Kind, LinkSet, Namespace, NsId, Pid, Process,
    Relations, Snapshot,
};
use crate::proc::Sysroot;
use crate::text::Text;

/// The subject of a row.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A namespace.
    Namespace(&'a Namespace),
    /// Processes with unreadable links that may share a namespace.
    Inferred(&'a Inferred),
}

/// A namespace and a process in it, as one row shows them.
///
/// The process is the representative in a list of namespaces, and a member in a
/// list of the processes of a namespace.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The root that was scanned.
    pub root: &'a Sysroot,
    /// The namespace, or an inferred group instead of one.
    pub subject: Subject<'a>,
    /// The process; `None` if the namespace has none.
    pub process: Option<&'a Process>,
    /// Whether the row describes the process as one member, rather than the
    /// namespace as a whole.
    pub is_member: bool,
    /// The process of the first holder, if holders are known.
    pub holder: Option<&'a Process>,
    /// The process whose namespaces are listed, if only those of one are.
    pub asked: Option<&'a Process>,
}

impl<'a> Row<'a> {
    /// Returns the details of the process.
    pub fn details(&self) -> Option<&'a Details> {
        self.process.and_then(|process| process.details.as_deref())
    }

    /// Returns the PIDs of the process whose namespaces are listed, or else of
    /// the process of the row, outermost first.
    pub fn nspid(&self) -> &'a [Pid] {
        let process = self.asked.or(self.process);
        let details = process.and_then(|process| process.details.as_deref());
        details.map_or(&[], |details| &details.nspid)
    }

    /// Returns the namespace; `None` if it is only inferred.
    pub fn namespace(&self) -> Option<&'a Namespace> {
        match self.subject {
            Subject::Namespace(namespace) => Some(namespace),
            Subject::Inferred(_) => None,
        }
    }

    /// Returns what the row was inferred from.
    pub fn inferred(&self) -> Option<&'a Inferred> {
        match self.subject {
            Subject::Namespace(_) => None,
            Subject::Inferred(inferred) => Some(inferred),
        }
    }

    /// Returns the number and type of the namespace.
    pub fn id(&self) -> Option<NsId> {
        Some(self.namespace()?.id)
    }

    /// Returns the type of the namespace.
    pub fn kind(&self) -> Kind {
        match self.subject {
            Subject::Namespace(namespace) => namespace.id.kind,
            Subject::Inferred(inferred) => inferred.kind(),
        }
    }

    /// Returns the number of processes in the namespace.
    pub fn nprocs(&self) -> usize {
        match self.subject {
            Subject::Namespace(namespace) => namespace.nprocs,
            Subject::Inferred(inferred) => inferred.nprocs,
        }
    }

    /// Returns the links that lead to the namespace.
    pub fn links(&self) -> LinkSet {
        self.namespace()
            .map_or(LinkSet::EMPTY, |namespace| namespace.links)
    }

    /// Returns how the namespace relates to others.
    pub fn relations(&self) -> Option<&'a Relations> {
        Some(&self.namespace()?.relations)
    }

    /// Returns the parent of the namespace.
    pub fn parent(&self) -> Option<NsId> {
        self.relations()?.parent
    }

    /// Returns the user namespace that owns the namespace.
    pub fn owner(&self) -> Option<NsId> {
        self.relations()?.owner
    }

    /// Returns where the namespace is bind-mounted.
    pub fn mounts(&self) -> &'a [Text] {
        self.namespace()
            .map_or(&[], |namespace| namespace.mounts.as_slice())
    }

    /// Returns what holds the namespace.
    pub fn holders(&self) -> &'a [Holder] {
        self.namespace()
            .map_or(&[], |namespace| namespace.holders.as_slice())
    }

    /// Returns the key by which listings are sorted: by number, then those
    /// without one by type.
    pub fn order(&self) -> (bool, Option<NsId>, Kind) {
        (self.id().is_none(), self.id(), self.kind())
    }

    /// Returns what is known about the inside of the namespace.
    pub fn facts(&self) -> Option<&'a Facts> {
        self.namespace()?.facts.as_deref()
    }

    /// Iterates over the affiliations of the process, if the row describes one
    /// member, or else of all processes in the namespace.
    pub fn affiliations(&self) -> impl Iterator<Item = &'a Affiliation> {
        let own = self.process.filter(|_| self.is_member);
        let own = own.and_then(|process| process.affiliation.as_deref());
        let facts = self.facts().filter(|_| !self.is_member);
        let all = facts.into_iter().flat_map(|facts| &facts.affiliations);
        own.into_iter().chain(all.map(|one| &**one))
    }

    /// Returns something of all affiliations, sorted, each text once.
    pub fn of_affiliations(&self, get: fn(&Affiliation) -> Option<String>) -> Vec<String> {
        let mut texts: Vec<String> = self.affiliations().filter_map(get).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    }

    /// Returns the containers of those processes, as `engine:name`.
    pub fn containers(&self) -> Vec<String> {
        self.of_affiliations(|one| Some(one.container.as_ref()?.to_string()))
    }

    /// Returns the UID and name of the effective user of the process, or without
    /// a process those of the creator of the owning user namespace.
    pub fn user(&self) -> (Option<u32>, Option<&'a [u8]>) {
        match (self.process, self.details()) {
            (Some(_), Some(details)) => (details.uid, details.user.as_deref()),
            (Some(_), None) => (None, None),
            (None, _) => {
                let relations = self.relations();
                let user = relations.and_then(|relations| relations.owner_user.as_deref());
                (relations.and_then(|relations| relations.owner_uid), user)
            }
        }
    }

    /// Returns a path that opens the namespace, preferably through the process.
    pub fn path(&self) -> Option<PathBuf> {
        let namespace = self.namespace()?;
        let own = self.process.and_then(|process| {
            let mut links = process.links.leading_to(namespace.id).iter();
            let own = links.find(|link| !link.is_for_children())?;
            Some(process.holder(own))
        });
        match own {
            Some(own) => self.root.holder_path(&own),
            None if namespace.is_closed => None,
            None => self.root.holder_path(&namespace.via),
        }
    }
}

#[doc(hidden)]
impl Snapshot {
    fn holder(&self, namespace: &Namespace) -> Option<&Process> {
        let pid = namespace.holders.first()?.pid()?;
        self.process(pid)
    }

    /// Returns the row of a process in a namespace.
    pub fn member<'a>(
        &'a self,
        root: &'a Sysroot,
        namespace: &'a Namespace,
        process: &'a Process,
    ) -> Row<'a> {
        Row {
            root,
            subject: Subject::Namespace(namespace),
            process: Some(process),
            is_member: true,
            holder: self.holder(namespace),
            asked: None,
        }
    }

    /// Returns the row of a namespace, with its representative.
    pub fn row<'a>(&'a self, root: &'a Sysroot, namespace: &'a Namespace) -> Row<'a> {
        Row {
            root,
            subject: Subject::Namespace(namespace),
            process: namespace.pid.and_then(|pid| self.process(pid)),
            is_member: false,
            holder: self.holder(namespace),
            asked: None,
        }
    }

    /// Returns the row of an inferred group, with its representative.
    pub fn inferred_row<'a>(&'a self, root: &'a Sysroot, inferred: &'a Inferred) -> Row<'a> {
        Row {
            root,
            subject: Subject::Inferred(inferred),
            process: self.process(inferred.pid),
            is_member: false,
            holder: None,
            asked: None,
        }
    }
}
