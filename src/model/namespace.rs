use std::fmt;

use crate::model::{Kind, Link, LinkSet, Pid};

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

/// A link that leads to a namespace: which one, of which process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via {
    /// The process.
    pub pid: Pid,
    /// The link in its `ns` directory.
    pub link: Link,
}

/// One namespace, as the links of all processes show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Number and type.
    pub id: NsId,
    /// How many processes are in it. Those that only hold it for their
    /// children are not.
    pub nprocs: usize,
    /// The representative: the lowest pid in it.
    pub pid: Option<Pid>,
    /// A link that opens it: the representative's own, or else the
    /// `*_for_children` link of the lowest pid that has one.
    pub via: Option<Via>,
    /// The names of all links that lead to it; if the scan was for one
    /// process, of that process's links.
    pub links: LinkSet,
}
