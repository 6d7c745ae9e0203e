use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::model::{Facts, Holder, Kind, LinkSet, Pid};
use crate::text::Text;

/// A namespace's inode number on nsfs, and its type.
///
/// The kernel reuses inode numbers at once, so this identifies a namespace
/// within one scan only; [`Relations::unique_id`] lasts. Ordered by number, as
/// in every listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct NsId {
    /// Inode number, as shown by `ls -l /proc/PID/ns`.
    pub ino: u64,
    /// Type.
    pub kind: Kind,
}

impl NsId {
    /// Returns the identity of a mount namespace.
    pub(crate) const fn mnt(ino: u64) -> Self {
        let kind = Kind::Mnt;
        NsId { ino, kind }
    }
}

impl fmt::Display for NsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:[{}]", self.kind, self.ino)
    }
}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Namespace {
    /// Number and type.
    pub id: NsId,
    /// The number of processes in it, without those that only hold it for their
    /// children.
    pub nprocs: usize,
    /// The representative: the lowest PID in it.
    pub pid: Option<Pid>,
    /// How it was found and can be opened: through the representative, else
    /// through the first of its [`Holder`]s.
    pub via: Holder,
    /// Whether every attempt to open it failed, so that no path leads to it.
    pub is_closed: bool,
    /// The names of all links that lead to it; with
    /// [`Target::Process`](crate::Target::Process), of the links of that
    /// process.
    pub links: LinkSet,
    /// Where it is bind-mounted in the mount namespace of the caller.
    pub mounts: Vec<Text>,
    /// Everything found to hold it; requires
    /// [`Need::Holders`](crate::Need::Holders).
    pub holders: Vec<Holder>,
    /// How it relates to other namespaces.
    pub relations: Relations,
    /// What is inside it, and whose it is; `None` if nothing was requested.
    pub facts: Option<Arc<Facts>>,
}

impl Namespace {
    /// Returns its facts for changing, empty if there were none.
    pub(crate) fn facts_mut(&mut self) -> &mut Facts {
        Arc::make_mut(self.facts.get_or_insert_default())
    }

    /// Makes a namespace of which only one holder is known.
    pub(crate) fn new(id: NsId, via: Holder) -> Self {
        Namespace {
            id,
            nprocs: 0,
            pid: None,
            via,
            is_closed: false,
            links: LinkSet::EMPTY,
            mounts: Vec::new(),
            holders: Vec::new(),
            relations: Relations::default(),
            facts: None,
        }
    }
}

/// How a namespace relates to others, ioctl_nsfs(2). A field is `None` if it
/// was not requested, is unknown, or does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Relations {
    /// The parent of a user or pid namespace.
    pub parent: Option<NsId>,
    /// The user namespace that owns it; for a user namespace, its parent.
    pub owner: Option<NsId>,
    /// The creator of the owning user namespace; for a user namespace, its own
    /// creator. Without [`Need::OwnerUid`](crate::Need::OwnerUid), known for
    /// namespaces without processes only.
    pub owner_uid: Option<u32>,
    /// The name of that user, if the user database has one.
    pub owner_user: Option<Text>,
    /// The ID of a net namespace in that of the caller.
    pub netnsid: Option<NetNsId>,
    /// The number that the kernel never reuses, NS_GET_ID.
    pub unique_id: Option<u64>,
}

/// The answer of RTM_GETNSID for a net namespace, rtnetlink(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NetNsId {
    /// An ID that is valid in the caller's net namespace.
    Assigned(u32),
    /// It has no ID there.
    Unassigned,
}
