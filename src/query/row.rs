use crate::model::{Details, Namespace, Process, Via};

/// What one row shows: a namespace, and a process in it.
///
/// In a list of namespaces that is the representative; in the list of the
/// processes of a namespace, each member in turn.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// The process; none in a namespace that has no process.
    pub process: Option<&'a Process>,
}

impl<'a> Row<'a> {
    /// What is known of the process.
    pub fn details(&self) -> Option<&'a Details> {
        self.process.and_then(|process| process.details.as_deref())
    }

    /// A link that opens the namespace: the process's own, if it is in it.
    pub fn via(&self) -> Option<Via> {
        let Some(process) = self.process else {
            return self.namespace.via;
        };
        let links = process.links.leading_to(self.namespace.id);
        let own = links.iter().find(|link| !link.is_for_children());
        own.map(|link| Via {
            pid: process.pid,
            link,
        })
        .or(self.namespace.via)
    }
}
