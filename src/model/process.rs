use std::num::NonZeroU64;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::model::{Affiliation, Container, Holder, Kind, Link, LinkSet, Member, NsId, Tid};
use crate::text::Text;

/// A process ID, as seen in the pid namespace of the scanned proc tree.
pub type Pid = u32;

/// Where the links of one process lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links([Option<NonZeroU64>; Link::ALL.len()]);

impl Links {
    /// Returns the inode number a link leads to; `None` if it was not read.
    pub fn ino(&self, link: Link) -> Option<u64> {
        let ino = *self.0.get(link.index())?;
        ino.map(NonZeroU64::get)
    }

    /// Returns the namespace of a type that the process itself is in.
    pub fn own(&self, kind: Kind) -> Option<NsId> {
        let link = kind.links().iter().find(|link| !link.is_for_children())?;
        let ino = self.ino(link)?;
        Some(NsId { ino, kind })
    }

    /// Records where a link leads. No inode has number 0.
    pub fn set(&mut self, link: Link, ino: u64) {
        if let Some(known) = self.0.get_mut(link.index()) {
            *known = NonZeroU64::new(ino);
        }
    }

    /// Adds the links of another reading that are missing here.
    pub fn fill(&mut self, other: &Links) {
        for (mine, other) in self.0.iter_mut().zip(&other.0) {
            *mine = mine.or(*other);
        }
    }

    /// Returns the links that differ from those of another reading.
    #[must_use]
    pub fn without(&self, other: &Links) -> Links {
        let mut links = self.clone();
        for (mine, other) in links.0.iter_mut().zip(&other.0) {
            *mine = mine.filter(|mine| Some(*mine) != *other);
        }
        links
    }

    /// Returns those of these links.
    #[must_use]
    pub(crate) fn only(&self, wanted: LinkSet) -> Links {
        let mut links = self.clone();
        for (link, ino) in Link::ALL.iter().zip(&mut links.0) {
            *ino = ino.filter(|_| wanted.contains(*link));
        }
        links
    }

    /// Returns whether no link was read.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Iterates over the links that were read and the namespaces they lead to.
    pub fn iter(&self) -> impl Iterator<Item = (Link, NsId)> {
        Link::ALL.iter().filter_map(|&link| {
            self.ino(link).map(|ino| {
                (
                    link,
                    NsId {
                        ino,
                        kind: link.kind(),
                    },
                )
            })
        })
    }

    /// Returns the links that lead to a namespace.
    pub fn leading_to(&self, id: NsId) -> LinkSet {
        self.iter()
            .filter(|(_, to)| *to == id)
            .map(|(link, _)| link)
            .collect()
    }

    /// Returns whether the process itself is in a namespace.
    pub fn is_in(&self, id: NsId) -> bool {
        self.leading_to(id)
            .iter()
            .any(|link| !link.is_for_children())
    }
}

/// Serialises as a map from link name to inode number.
impl Serialize for Links {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(link, id)| (link, id.ino)))
    }
}

/// What is known of a process that the proc tree does not list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HiddenProcess {
    pub(crate) pid: Pid,
    /// Its parent; 0 if that is in no pid namespace of the reader.
    pub(crate) ppid: Pid,
    /// Its effective UID.
    pub(crate) uid: u32,
    /// The kernel's name for it.
    pub(crate) comm: Text,
}

/// One process of a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Process {
    /// Process ID.
    pub pid: Pid,
    /// Its namespaces.
    pub links: Links,
    /// The thread through which its links were read, if its leader is a zombie.
    pub thread: Option<Tid>,
    /// Where it belongs; requires
    /// [`Need::Affiliation`](crate::Need::Affiliation).
    pub affiliation: Option<Arc<Affiliation>>,
    /// What else is known of it, for processes that are shown.
    pub details: Option<Box<Details>>,
}

impl Process {
    /// Makes a process of which only links are known.
    pub(crate) const fn new(pid: Pid, links: Links) -> Self {
        Process {
            pid,
            links,
            thread: None,
            affiliation: None,
            details: None,
        }
    }

    /// Returns its command line, or else its name; requires
    /// [`Need::Command`](crate::Need::Command).
    pub fn command(&self) -> Option<&Text> {
        self.details.as_ref()?.command.as_ref()
    }

    /// Returns the name of its effective user; requires
    /// [`Need::User`](crate::Need::User).
    pub fn user(&self) -> Option<&Text> {
        self.details.as_ref()?.user.as_ref()
    }

    /// Returns its effective UID; requires [`Need::Uid`](crate::Need::Uid) or
    /// [`Need::User`](crate::Need::User).
    pub fn uid(&self) -> Option<u32> {
        self.details.as_ref()?.uid
    }

    /// Returns its parent; requires
    /// [`Need::ParentProcess`](crate::Need::ParentProcess).
    pub fn ppid(&self) -> Option<Pid> {
        self.details.as_ref()?.ppid
    }

    /// Returns when it started, in clock ticks (1/100 s) after boot,
    /// proc_pid_stat(5); requires [`Need::StartTime`](crate::Need::StartTime).
    pub fn start(&self) -> Option<u64> {
        self.details.as_ref()?.start
    }

    /// Returns its container; requires
    /// [`Need::Affiliation`](crate::Need::Affiliation).
    pub fn container(&self) -> Option<&Container> {
        self.affiliation.as_ref()?.container.as_ref()
    }

    /// Returns the holder that one of its links is.
    pub const fn holder(&self, link: Link) -> Holder {
        match self.thread {
            Some(tid) => Holder::Thread {
                pid: self.pid,
                tid,
                link,
            },
            None => Holder::of_link(self.pid, link),
        }
    }
}

/// What is read of a process only to be shown. A field is `None` if it was not
/// requested or is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Details {
    /// Parent; 0 if it is outside the pid namespace of the proc tree.
    pub ppid: Option<Pid>,
    /// When it started, in clock ticks (1/100 s) after boot.
    pub start: Option<u64>,
    /// The command line, its arguments joined by spaces; without one, the
    /// kernel's name for the process (comm).
    pub command: Option<Text>,
    /// Its PIDs in each nested pid namespace, from that of the proc tree to its
    /// own; empty if not requested.
    pub nspid: Vec<Pid>,
    /// Effective UID.
    pub uid: Option<u32>,
    /// The name of that user, if the user database has one.
    pub user: Option<Text>,
}
