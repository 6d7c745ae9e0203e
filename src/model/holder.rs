use crate::model::{Kind, Link, NsId, Pid};

/// What keeps a namespace alive, and so how it was found.
///
/// The order is that in which they are taken to open a namespace: what needs
/// the least luck comes first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A link of a process that is in the namespace.
    Process {
        /// The process.
        pid: Pid,
        /// The link in its `ns` directory.
        link: Link,
    },
    /// A link of a process whose children will be in the namespace.
    ForChildren {
        /// The process.
        pid: Pid,
        /// `pid_for_children` or `time_for_children`.
        link: Link,
    },
    /// A link of a thread that is elsewhere than its leader.
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
    /// Nothing of the above, but a path that the caller gave leads to it.
    Path(Vec<u8>),
    /// A socket: it keeps the net namespace in which it was made.
    Socket(OpenFile),
    /// An open tun or tap file: it keeps the net namespace in which it was
    /// opened, wherever its device is.
    Tun(OpenFile),
    /// A user or pid namespace below it.
    Child(NsId),
    /// A namespace that this user namespace owns.
    Owned(NsId),
    /// Only the kernel's own list has it, and does not say why it lives.
    Listed {
        /// The number that is never given to another namespace.
        unique_id: u64,
    },
}

/// The number of a file descriptor.
pub type Fd = u32;

/// A thread id.
pub type Tid = u32;

/// A file that a process has open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpenFile {
    /// Of which process.
    pub pid: Pid,
    /// Of which thread, if that has a table of open files of its own
    /// (clone(2) without CLONE_FILES), or the leader has none any more.
    pub tid: Option<Tid>,
    /// Its number there.
    pub fd: Fd,
}

/// A bind mount of a namespace, as a mount table has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mount {
    /// In whose mount table; none for that of the caller.
    pub within: Option<Within>,
    /// Where it is mounted there; any bytes.
    pub path: Vec<u8>,
    /// The number of the mount, proc_pid_mountinfo(5).
    pub id: u64,
}

/// Another mount namespace than that of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Within {
    /// Its inode number.
    pub mount_ns: u64,
    /// A process or thread in it, through whose root its mounts are reached;
    /// none if it has none.
    pub pid: Option<Pid>,
}

impl Holder {
    /// What a link of a process says.
    pub const fn of_link(pid: Pid, link: Link) -> Self {
        if link.is_for_children() {
            Holder::ForChildren { pid, link }
        } else {
            Holder::Process { pid, link }
        }
    }

    /// Whether it keeps the namespace alive, and does not only tell of it.
    pub const fn holds(&self) -> bool {
        !matches!(self, Holder::Path(_) | Holder::Listed { .. })
    }

    /// The word for it in JSON.
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
            Holder::Listed { .. } => "listed",
        }
    }

    /// The link that leads to it, if it is one.
    pub const fn link(&self) -> Option<Link> {
        match self {
            Holder::Process { link, .. }
            | Holder::ForChildren { link, .. }
            | Holder::Thread { link, .. } => Some(*link),
            _ => None,
        }
    }

    /// The process that holds it.
    pub const fn pid(&self) -> Option<Pid> {
        match self {
            Holder::Process { pid, .. }
            | Holder::ForChildren { pid, .. }
            | Holder::Thread { pid, .. } => Some(*pid),
            Holder::Fd(file) | Holder::Socket(file) | Holder::Tun(file) => Some(file.pid),
            Holder::Mount(_)
            | Holder::Path(_)
            | Holder::Child(_)
            | Holder::Owned(_)
            | Holder::Listed { .. } => None,
        }
    }

    /// The namespace that holds it, or in which it is held.
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
