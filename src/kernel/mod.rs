//! Questions to the running kernel that no file below the proc tree answers:
//! nsfs ioctls, netlink, sockets of others.
//!
//! Only a scan of the live system asks them; a captured tree has no kernel.
//! They stand behind a trait, so that a test can hold a kernel with any
//! namespaces in its hand.

mod bytes;
mod child;
mod error;
#[cfg(test)]
mod fake;
mod ioctl;
mod linux;
mod mount_list;
mod netlink;
mod setns;
mod syscall;
mod sysv;

use std::path::Path;

use rustix::io::Errno;

use crate::model::{Fd, Interface, Mount, NetNsId, NsId, Pid, SysvIpc, Tid};

pub(crate) use error::OpenError;
#[cfg(test)]
pub(crate) use fake::Fake;
pub(crate) use linux::{Linux, identify};

/// A mount namespace of the kernel's own list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MountNs {
    /// Inode number.
    pub(crate) ino: u64,
    /// The number that is never given to another.
    pub(crate) unique_id: u64,
}

/// The names of a uts namespace; any bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UtsNames {
    /// Host name.
    pub(crate) host: Vec<u8>,
    /// NIS domain name.
    pub(crate) domain: Vec<u8>,
}

/// A kernel that can be asked about namespaces.
///
/// Every answer is about what was opened, never about what a path leads to at
/// another time.
pub(crate) trait Kernel: Sync {
    /// An open namespace.
    type Ns;
    /// A process, held so that its pid cannot be given to another.
    type Process;

    /// Opens a namespace by a link in `/proc/PID/ns`.
    fn open_link(&self, path: &Path, id: NsId) -> Result<Self::Ns, OpenError>;

    /// Opens a namespace by a file that a process has open, and never anything
    /// else that the descriptor refers to by now.
    fn open_fd(&self, path: &Path, id: NsId) -> Result<Self::Ns, OpenError>;

    /// Opens a namespace by its bind mount, and never anything else that lies
    /// at the mount point. Asks no file server.
    fn open_mount(&self, mount: &Mount, id: NsId) -> Result<Self::Ns, OpenError>;

    /// Holds a process, or one of its threads, for [`device_ns`]. EINVAL for a
    /// thread before Linux 6.9.
    ///
    /// [`device_ns`]: Kernel::device_ns
    fn hold(&self, pid: Pid, tid: Option<Tid>) -> Result<Self::Process, OpenError>;

    /// Returns whether two threads share their table of open files, kcmp(2).
    /// ENOSYS if the kernel was built without it.
    fn share_files(&self, one: Tid, other: Tid) -> Result<bool, OpenError>;

    /// Opens the net namespace in which a socket was created, or `/dev/net/tun`
    /// opened, by a descriptor of a process: SIOCGSKNS. The tun device itself
    /// may have moved since. Requires CAP_NET_ADMIN in that namespace.
    fn device_ns(&self, process: &Self::Process, fd: Fd) -> Result<Self::Ns, OpenError>;

    /// Returns which namespace a path leads to, `None` if it leads to anything
    /// else. Asks no file server.
    fn look_at(&self, path: &Path) -> Result<Option<NsId>, OpenError>;

    /// Opens a namespace by its unique ID.
    fn open_listed(&self, unique_id: u64, id: NsId) -> Result<Self::Ns, OpenError>;

    /// Lists every mount namespace of the system: NS_MNT_GET_NEXT and PREV.
    /// EPERM without CAP_SYS_ADMIN in the initial user and pid namespaces,
    /// ENOTTY before Linux 6.12.
    fn mount_namespaces(&self) -> Result<Vec<MountNs>, OpenError>;

    /// The namespaces that are mounted in a mount namespace: listmount(2) and
    /// statmount(2).
    fn mounts_in(&self, mount_ns: &MountNs) -> Result<Vec<(NsId, Mount)>, Errno>;

    /// Every active namespace of the system, by unique id: listns(2). ENOSYS
    /// before Linux 6.19.
    fn list(&self) -> Result<Vec<u64>, Errno>;

    /// Which namespace has this unique id; none if it is gone.
    fn identify_listed(&self, unique_id: u64) -> Result<Option<NsId>, Errno>;

    /// The number that is never given to another namespace: NS_GET_ID. ENOTTY
    /// before Linux 6.18.
    fn unique_id(&self, ns: &Self::Ns) -> Result<u64, Errno>;

    /// The inode number of a namespace of a type that is known.
    fn ino(&self, ns: &Self::Ns) -> Result<u64, Errno>;

    /// Which namespace this is.
    fn id(&self, ns: &Self::Ns) -> Result<NsId, Errno>;

    /// The user namespace that owns it: NS_GET_USERNS. EPERM if that lies
    /// outside of the caller's.
    fn owner(&self, ns: &Self::Ns) -> Result<Self::Ns, Errno>;

    /// The parent of a pid or user namespace: NS_GET_PARENT. EPERM at and
    /// above the caller's own.
    fn parent(&self, ns: &Self::Ns) -> Result<Self::Ns, Errno>;

    /// Who made a user namespace: NS_GET_OWNER_UID.
    fn owner_uid(&self, ns: &Self::Ns) -> Result<u32, Errno>;

    /// The number of a net namespace in that of the caller: RTM_GETNSID.
    fn netnsid(&self, ns: &Self::Ns) -> Result<NetNsId, Errno>;

    // What follows moves the calling thread into the namespace, for good, and
    // wants CAP_SYS_ADMIN over it, setns(2).

    /// Host and domain name of a uts namespace; of one's own container, by a
    /// process in it, without that capability.
    fn uts_names(&self, ns: &Self::Ns, pid: Option<Pid>) -> Result<UtsNames, OpenError>;

    /// The interfaces of a net namespace; without that capability their names,
    /// by a process in it.
    fn interfaces(&self, ns: &Self::Ns, pid: Option<Pid>) -> Result<Vec<Interface>, Errno>;

    /// The number of a net namespace in another one.
    fn netnsid_within(&self, within: &Self::Ns, ns: &Self::Ns) -> Result<NetNsId, Errno>;

    /// The System V objects of an ipc namespace.
    fn sysvipc(&self, ns: &Self::Ns) -> Result<SysvIpc, Errno>;

    /// The cgroup file of a process, as it reads for the caller, and inside of a
    /// cgroup namespace.
    fn cgroups(&self, ns: &Self::Ns, pid: Pid) -> Result<(Vec<u8>, Vec<u8>), OpenError>;

    /// Returns the `pid_max` of a pid namespace; before Linux 6.14, that of the
    /// whole system. `None` if the proc tree has no `sys`, as with the mount
    /// option `subset=pid`.
    fn pid_max(&self, ns: &Self::Ns) -> Result<Option<Pid>, Errno>;
}
