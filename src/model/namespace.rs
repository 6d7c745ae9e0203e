use std::fmt;
use std::sync::Arc;

use crate::model::{Facts, Holder, Inference, Kind, LinkSet, Pid};

/// Which namespace: its inode number on nsfs, and its type.
///
/// The kernel reuses inode numbers at once, so this names a namespace within
/// one scan and not beyond it. The order is by number, as in every listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NsId {
    /// Inode number, the same that `ls -l /proc/PID/ns` shows.
    pub ino: u64,
    /// Type.
    pub kind: Kind,
}

impl fmt::Display for NsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:[{}]", self.kind, self.ino)
    }
}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Number and type.
    pub id: NsId,
    /// How many processes are in it. Those that only hold it for their
    /// children are not.
    pub nprocs: usize,
    /// The representative: the lowest pid in it.
    pub pid: Option<Pid>,
    /// How it was found, and can be opened: by the representative, or else by
    /// the first [`Holder`] in their order.
    pub via: Holder,
    /// Whether nothing that leads to it could open it; then no path does.
    pub is_closed: bool,
    /// The names of all links that lead to it; if the scan was for one
    /// process, of that process's links.
    pub links: LinkSet,
    /// Where it is bind-mounted in the mount namespace of the caller; any bytes.
    pub mounts: Vec<Vec<u8>>,
    /// Everything that was found to hold it; only with
    /// [`Need::Holders`](crate::Need::Holders).
    pub holders: Vec<Holder>,
    /// What the kernel said of it.
    pub relations: Relations,
    /// What is in it, and whose it is; none if nobody asked.
    pub facts: Option<Arc<Facts>>,
    /// That it is only inferred, and from what. Its number is then not known,
    /// and 0 stands in its place.
    pub inferred: Option<Inference>,
}

impl Namespace {
    /// What is known of what is in it, to add to it.
    pub fn facts_mut(&mut self) -> &mut Facts {
        Arc::make_mut(self.facts.get_or_insert_default())
    }

    /// By what listings are sorted: by number, and what has none comes last.
    pub const fn order(&self) -> (bool, NsId) {
        (self.inferred.is_some(), self.id)
    }

    /// A namespace of which nothing else is known yet.
    pub const fn new(id: NsId, via: Holder) -> Self {
        Namespace {
            id,
            nprocs: 0,
            pid: None,
            via,
            is_closed: false,
            links: LinkSet::EMPTY,
            mounts: Vec::new(),
            holders: Vec::new(),
            relations: Relations {
                parent: None,
                owner: None,
                owner_uid: None,
                owner_user: None,
                netnsid: None,
                unique_id: None,
            },
            facts: None,
            inferred: None,
        }
    }
}

/// How a namespace stands to others, ioctl_nsfs(2). Each field is none where it
/// was not asked for, is not known, or does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relations {
    /// The user or pid namespace in which it was made.
    pub parent: Option<NsId>,
    /// The user namespace that owns it; that of a user namespace is its
    /// parent.
    pub owner: Option<NsId>,
    /// The user who made the owner, or, of a user namespace, who made it; only
    /// of a namespace without processes.
    pub owner_uid: Option<u32>,
    /// The name of that user, where the user database has one. Any bytes.
    pub owner_user: Option<Vec<u8>>,
    /// The number of a net namespace, seen from that of the caller.
    pub netnsid: Option<NetNsId>,
    /// The number that is never given to another namespace, NS_GET_ID.
    pub unique_id: Option<u64>,
}

/// What RTM_GETNSID says of a net namespace, rtnetlink(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetNsId {
    /// A number that is good in the caller's net namespace.
    Assigned(u32),
    /// It has none there.
    Unassigned,
}
