use crate::model::{Link, NsId, Pid};

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
    /// A bind mount of its nsfs file.
    Mount(Mount),
    /// An open file descriptor.
    Fd {
        /// Of which process.
        pid: Pid,
        /// Its number.
        fd: Fd,
    },
    /// Nothing of the above, but a path that the caller gave leads to it.
    Path(Vec<u8>),
    /// A socket: it keeps the net namespace in which it was made.
    Socket {
        /// A process that has it open.
        pid: Pid,
        /// The number of the file descriptor there.
        fd: Fd,
    },
    /// A user or pid namespace below it.
    Child(NsId),
    /// A namespace that this user namespace owns.
    Owned(NsId),
}

/// The number of a file descriptor.
pub type Fd = u32;

/// A bind mount of a namespace, as the mount table has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mount {
    /// Where it is mounted; any bytes.
    pub path: Vec<u8>,
    /// The number of the mount, proc_pid_mountinfo(5).
    pub id: u64,
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

    /// A path that opens the namespace, on the system that was scanned; none
    /// where no path leads to it. Any bytes.
    pub fn path(&self) -> Option<Vec<u8>> {
        match self {
            Holder::Process { pid, link } | Holder::ForChildren { pid, link } => {
                Some(format!("/proc/{pid}/ns/{link}").into_bytes())
            }
            Holder::Fd { pid, fd } => Some(format!("/proc/{pid}/fd/{fd}").into_bytes()),
            Holder::Mount(mount) => Some(mount.path.clone()),
            Holder::Path(path) => Some(path.clone()),
            Holder::Socket { .. } | Holder::Child(_) | Holder::Owned(_) => None,
        }
    }
}
