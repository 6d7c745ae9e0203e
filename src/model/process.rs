use std::num::NonZeroU64;
use std::sync::Arc;

use crate::model::{Affiliation, Holder, Link, LinkSet, Member, NsId, Tid};

/// A process id, as seen in the pid namespace of the scanned proc tree.
pub type Pid = u32;

/// Where the links of one process lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links([Option<NonZeroU64>; Link::ALL.len()]);

impl Links {
    /// The inode number that a link leads to; none if it was not read.
    pub fn ino(&self, link: Link) -> Option<u64> {
        self.0[link.index()].map(NonZeroU64::get)
    }

    /// Notes where a link leads. No inode has the number 0.
    pub fn set(&mut self, link: Link, ino: u64) {
        self.0[link.index()] = NonZeroU64::new(ino);
    }

    /// Takes over every link that another reading has.
    pub fn fill(&mut self, other: &Links) {
        for (mine, other) in self.0.iter_mut().zip(&other.0) {
            *mine = mine.or(*other);
        }
    }

    /// What leads elsewhere than in another reading.
    pub fn without(&self, other: &Links) -> Links {
        let mut links = self.clone();
        for (mine, other) in links.0.iter_mut().zip(&other.0) {
            *mine = mine.filter(|mine| Some(*mine) != *other);
        }
        links
    }

    /// Whether no link was read.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Every link that was read, with the namespace it leads to.
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

    /// The links that lead to this namespace.
    pub fn leading_to(&self, id: NsId) -> LinkSet {
        self.iter()
            .filter(|(_, to)| *to == id)
            .map(|(link, _)| link)
            .collect()
    }

    /// Whether the process itself is in this namespace.
    pub fn is_in(&self, id: NsId) -> bool {
        self.leading_to(id)
            .iter()
            .any(|link| !link.is_for_children())
    }
}

/// One process of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: Pid,
    /// Its namespaces.
    pub links: Links,
    /// The thread through which its links were read, if its leader is a zombie.
    pub thread: Option<Tid>,
    /// Where it belongs; only with
    /// [`Need::Affiliation`](crate::Need::Affiliation).
    pub affiliation: Option<Arc<Affiliation>>,
    /// What else is known of it; only of processes that are shown.
    pub details: Option<Box<Details>>,
}

impl Process {
    /// How one of its links holds the namespace that it leads to.
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

/// What is read of a process only because somebody wants to see it.
///
/// Each field is none where it was not asked for, or is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Parent; 0 where it lies outside this proc tree's pid namespace.
    pub ppid: Option<Pid>,
    /// The command line with its arguments joined by spaces; where there is
    /// none, the name that the kernel has for the process (comm). Any bytes.
    pub command: Option<Vec<u8>>,
    /// Its ids in the pid namespaces that it is in, from that of the scanned
    /// proc tree to its own; empty if not asked for.
    pub nspid: Vec<Pid>,
    /// Effective user id.
    pub uid: Option<u32>,
    /// The name of that user, where the user database has one. Any bytes.
    pub user: Option<Vec<u8>>,
}
