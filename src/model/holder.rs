use serde::Serialize;

use crate::model::{Kind, Link, NsId, Pid};
use crate::text::Text;

/// Something that keeps a namespace alive, and led to it.
///
/// Ordered by how reliably each opens the namespace, most reliable first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub enum Holder {
    /// A link of a process that is in the namespace.
    Process {
        /// The process.
        pid: Pid,
        /// The link in its `ns` directory.
        link: Link,
    },
    /// A link of a process whose future children will be in the namespace.
    ForChildren {
        /// The process.
        pid: Pid,
        /// `pid_for_children` or `time_for_children`.
        link: Link,
    },
    /// A link of a thread that differs from that of its leader.
    Thread {
        /// The process.
        pid: Pid,
        /// The thread.
        tid: Tid,
        /// The link in the `ns` directory of the thread.
        link: Link,
    },
    /// A bind mount of its nsfs file.
    Mount(Mount),
    /// An open file descriptor.
    Fd(OpenFile),
    /// None of these, but a path given by the caller that leads to it.
    Path(Text),
    /// A socket, which keeps the net namespace it was created in.
    Socket(OpenFile),
    /// An open tun or tap file, which keeps the net namespace it was opened in,
    /// wherever its device is.
    Tun(OpenFile),
    /// A user or pid namespace below it.
    Child(NsId),
    /// A namespace owned by this user namespace.
    Owned(NsId),
    /// A descriptor in flight: sent through a unix socket, and not received yet.
    /// This is an open socket that will receive it.
    InFlight(OpenFile),
    /// A file registered in this io_uring, io_uring_register(2).
    IoUring(OpenFile),
    /// Only the kernel's own list names it, without saying what holds it.
    Listed {
        /// The number that the kernel never reuses.
        unique_id: u64,
    },
    /// Something in the kernel that no process has open: a packet ring, a
    /// connection that has not finished closing, an attached segment, a pidfd.
    Kernel {
        /// The number that the kernel never reuses.
        unique_id: u64,
    },
}

/// The number of a file descriptor.
pub type Fd = u32;

/// A thread ID.
pub type Tid = u32;

/// An open file of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct OpenFile {
    /// The process.
    pub pid: Pid,
    /// The thread, if it has a table of open files of its own (clone(2) without
    /// CLONE_FILES), or if the leader has ended.
    pub tid: Option<Tid>,
    /// Its file descriptor.
    pub fd: Fd,
}

/// A bind mount of a namespace, as listed in a mount table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Mount {
    /// The mount namespace it was found in; `None` for that of the caller.
    pub within: Option<Within>,
    /// Where it is mounted there.
    pub path: Text,
    /// The mount ID, proc_pid_mountinfo(5).
    pub id: u64,
}

/// A mount namespace other than that of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Within {
    /// Its inode number.
    pub mount_ns: u64,
    /// A process or thread in it, through whose root its mounts are reached;
    /// `None` if there is none.
    pub pid: Option<Pid>,
}

impl Holder {
    /// Makes the holder that a link of a process is.
    pub const fn of_link(pid: Pid, link: Link) -> Self {
        if link.is_for_children() {
            Holder::ForChildren { pid, link }
        } else {
            Holder::Process { pid, link }
        }
    }

    /// Returns whether it keeps the namespace alive, rather than only leading
    /// to it.
    pub const fn holds(&self) -> bool {
        !matches!(self, Holder::Path(_) | Holder::Listed { .. })
    }

    /// Returns the name of its kind in JSON.
    pub const fn kind(&self) -> &'static str {
        match self {
            Holder::Process { .. } => "process",
            Holder::ForChildren { .. } => "for-children",
            Holder::Thread { .. } => "thread",
            Holder::Mount(_) => "mount",
            Holder::Fd(_) => "fd",
            Holder::Path(_) => "path",
            Holder::Socket(_) => "socket",
            Holder::Tun(_) => "tun",
            Holder::Child(_) => "child",
            Holder::Owned(_) => "owned",
            Holder::InFlight(_) => "in-flight",
            Holder::IoUring(_) => "io_uring",
            Holder::Listed { .. } => "listed",
            Holder::Kernel { .. } => "kernel",
        }
    }

    /// Returns the link that leads to the namespace, if it is one.
    pub const fn link(&self) -> Option<Link> {
        match self {
            Holder::Process { link, .. }
            | Holder::ForChildren { link, .. }
            | Holder::Thread { link, .. } => Some(*link),
            _ => None,
        }
    }

    /// Returns the process that holds the namespace.
    pub const fn pid(&self) -> Option<Pid> {
        match self {
            Holder::Process { pid, .. }
            | Holder::ForChildren { pid, .. }
            | Holder::Thread { pid, .. } => Some(*pid),
            Holder::Fd(file)
            | Holder::Socket(file)
            | Holder::Tun(file)
            | Holder::InFlight(file)
            | Holder::IoUring(file) => Some(file.pid),
            Holder::Mount(_)
            | Holder::Path(_)
            | Holder::Child(_)
            | Holder::Owned(_)
            | Holder::Listed { .. }
            | Holder::Kernel { .. } => None,
        }
    }

    /// Returns the namespace that holds it, or in which it is held.
    pub fn namespace(&self) -> Option<NsId> {
        match self {
            Holder::Child(id) | Holder::Owned(id) => Some(*id),
            Holder::Mount(Mount {
                within: Some(within),
                ..
            }) => Some(NsId {
                ino: within.mount_ns,
                kind: Kind::Mnt,
            }),
            _ => None,
        }
    }
}
