//! Questions to the running kernel that the proc tree does not answer: nsfs
//! ioctls, netlink, sockets of other processes.
//!
//! Only a scan of the live system asks them, since a captured tree has no
//! kernel. [`Kernel`] is a trait so that tests can supply any namespaces.

mod bpf;
mod bytes;
mod child;
#[cfg(feature = "cli")]
mod clock;
#[cfg(feature = "cli")]
mod command;
mod device;
mod error;
#[cfg(feature = "cli")]
mod exec;
#[cfg(test)]
mod fake;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod ioctl;
mod linux;
mod mount_list;
mod mount_namespaces;
mod net_class;
mod netlink;
mod network;
mod nsfs;
mod opener;
#[cfg(feature = "cli")]
mod perf;
mod release;
mod setns;
#[cfg(feature = "cli")]
mod signals;
#[cfg(feature = "cli")]
mod stdout;
mod syscall;
mod sysv;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use rustix::io::Errno;

use crate::model::{Fd, HiddenProcess, Kind, Mount, NetNsId, NsId, Pid, SysvIpc, Tid};

pub(crate) use bpf::{BpfError, Carrier, FileType, Run, Task, TaskFile, TaskFiles};
#[cfg(feature = "cli")]
pub(crate) use clock::Calendar;
#[cfg(feature = "cli")]
pub(crate) use command::{ignore_interrupts, ticks_since_boot};
pub(crate) use error::OpenError;
#[cfg(feature = "cli")]
pub(crate) use exec::{StartError, start};
#[cfg(test)]
pub(crate) use fake::Fake;
pub(crate) use linux::{Linux, identify};
pub(crate) use network::{NetQuestions, Network};
#[cfg(feature = "cli")]
pub(crate) use nsfs::NsFile;
#[cfg(feature = "cli")]
pub(crate) use perf::{Comm, Perf, Record, What, now as perf_now, reported_kinds};
pub(crate) use release::version_of;
#[cfg(feature = "cli")]
pub(crate) use signals::{Signal, Signals};
#[cfg(feature = "cli")]
pub(crate) use stdout::is_stdout_writable;

/// A mount namespace in the kernel's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MountNs {
    /// Inode number.
    pub(crate) ino: u64,
    /// The ID that is never given to another namespace.
    pub(crate) unique_id: u64,
}

/// The names of a uts namespace, which need not be text.
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
pub(crate) trait Kernel: Send + Sync + 'static {
    /// An open namespace.
    type Ns: Send + 'static;
    /// A process, held so that its PID cannot come to mean another.
    type Process;

    /// Opens a namespace by a link in `/proc/PID/ns`.
    fn open_link(&self, path: &Path, id: NsId) -> Result<Self::Ns, OpenError>;

    /// Opens a namespace by a file that a process has open, and never anything
    /// else that the descriptor refers to by now.
    fn open_fd(&self, path: &Path, id: NsId) -> Result<Self::Ns, OpenError>;

    /// Opens a namespace by its bind mount, and never anything else that lies
    /// at the mount point. Asks no file server.
    fn open_mount(&self, mount: &Mount, id: NsId) -> Result<Self::Ns, OpenError>;

    /// Opens a namespace by its bind mount in an open mount namespace, which need
    /// not have a process. Requires what [`mount_table`](Kernel::mount_table)
    /// does.
    fn open_mount_within(
        &self,
        within: &Self::Ns,
        mount: &Mount,
        id: NsId,
    ) -> Result<Self::Ns, OpenError>;

    /// Holds a process, or one of its threads, for [`device_ns`].
    /// [`OpenError::OldKernel`] for a thread before Linux 6.9.
    ///
    /// [`device_ns`]: Kernel::device_ns
    fn hold(&self, pid: Pid, tid: Option<Tid>) -> Result<Self::Process, OpenError>;

    /// Returns whether two threads share their table of open files, kcmp(2).
    /// ENOSYS if the kernel was built without it.
    fn share_files(&self, one: Tid, other: Tid) -> Result<bool, OpenError>;

    /// Opens the net namespace in which a socket was created, or `/dev/net/tun`
    /// opened, by a descriptor of a process: SIOCGSKNS. The tun device itself may
    /// have moved since. Requires CAP_NET_ADMIN in that namespace.
    fn device_ns(&self, process: &Self::Process, fd: Fd) -> Result<Self::Ns, OpenError>;

    /// Returns the inode number of that namespace. Of the many sockets in one, the
    /// first opens it.
    fn device_ino(&self, process: &Self::Process, fd: Fd) -> Result<u64, OpenError>;

    /// Returns whether [`device_ns`](Kernel::device_ns) may change the net_cls
    /// class or net_prio index of a socket.
    fn tags_sockets(&self) -> bool;

    /// Returns which namespace a path leads to, `None` if it leads to anything
    /// else. Asks no file server.
    fn look_at(&self, path: &Path) -> Result<Option<NsId>, OpenError>;

    /// Opens a namespace by its unique ID. [`OpenError::Unreachable`] before Linux
    /// 6.18, but for mount namespaces, which are listed since 6.12.
    fn open_listed(&self, unique_id: u64, id: NsId) -> Result<Self::Ns, OpenError>;

    /// Lists every mount namespace of the system: NS_MNT_GET_NEXT and PREV.
    /// EPERM without CAP_SYS_ADMIN in the initial user and pid namespaces, ENOTTY
    /// before Linux 6.12.
    fn mount_namespaces(&self) -> Result<Vec<MountNs>, OpenError>;

    /// Returns the namespaces that are mounted in a mount namespace:
    /// listmount(2) and statmount(2).
    fn mounts_in(&self, mount_ns: &MountNs) -> Result<Vec<(NsId, Mount)>, Errno>;

    /// Opens the mount table of a mount namespace, proc_pid_mountinfo(5), as seen
    /// from its root. Requires CAP_SYS_ADMIN over it, and CAP_SYS_CHROOT. Moves
    /// no thread of the caller.
    fn mount_table(&self, ns: &Self::Ns) -> Result<Box<dyn Read + Send>, OpenError>;

    /// Lists every active namespace of the system by unique ID: listns(2). EPERM
    /// without CAP_SYS_ADMIN in the initial user and pid namespaces, ENOSYS
    /// before Linux 6.19.
    fn list(&self) -> Result<Vec<u64>, Errno>;

    /// Returns whether a process or thread exists, even if hidepid keeps it out
    /// of the proc tree.
    fn process_exists(&self, pid: Pid) -> bool;

    /// Returns every task, in any order, without touching one: a BPF iterator.
    fn tasks(&self) -> Result<Vec<Task>, BpfError>;

    /// Returns how far every task has come that is not a kernel thread, in any
    /// order: a BPF iterator.
    fn runs(&self) -> Result<Vec<Run>, BpfError>;

    /// Returns what the proc tree tells of processes that it lists, of every
    /// process: a BPF iterator.
    fn names(&self) -> Result<Vec<HiddenProcess>, BpfError>;

    /// Returns every open file that holds a namespace, and those that open files
    /// carry: BPF iterators. Threads that share the table of their process are
    /// left out.
    fn task_files(&self) -> Result<TaskFiles, BpfError>;

    /// Returns the members of the kernel's lists of namespaces that it does not
    /// show otherwise, by unique ID: a BPF iterator. Some may be none: only those
    /// count that can be opened, or that are `Unreachable` then. Empty before
    /// Linux 6.18.
    fn chained(&self) -> Result<Vec<(u64, NsId)>, BpfError>;

    /// Returns which namespace has this unique ID, `None` if it is gone.
    fn identify_listed(&self, unique_id: u64) -> Result<Option<NsId>, Errno>;

    /// Returns the ID that is never given to another namespace: NS_GET_ID. ENOTTY
    /// before Linux 6.18; for mount namespaces, NS_GET_MNTNS_ID has it since
    /// 6.11.
    fn unique_id(&self, ns: &Self::Ns) -> Result<u64, Errno>;

    /// Returns type and inode number.
    fn id(&self, ns: &Self::Ns) -> Result<NsId, Errno>;

    /// Opens the user namespace that owns a namespace: NS_GET_USERNS. EPERM if
    /// it lies outside the caller's.
    fn owner(&self, ns: &Self::Ns) -> Result<Self::Ns, Errno>;

    /// Opens the parent of a pid or user namespace: NS_GET_PARENT. EPERM at and
    /// above the caller's own.
    fn parent(&self, ns: &Self::Ns) -> Result<Self::Ns, Errno>;

    /// Returns the UID of the creator of a user namespace: NS_GET_OWNER_UID.
    fn owner_uid(&self, ns: &Self::Ns) -> Result<u32, Errno>;

    /// Returns the number of a net namespace in the caller's: RTM_GETNSID.
    fn netnsid(&self, ns: &Self::Ns) -> Result<NetNsId, Errno>;

    // The following move the calling thread into the namespace for good, and
    // require CAP_SYS_ADMIN over it, setns(2).

    /// Returns host and domain name of a uts namespace. The creator of its user
    /// namespace needs no capability.
    fn uts_names(&self, ns: &Self::Ns) -> Result<UtsNames, OpenError>;

    /// Asks all these questions in a net namespace, which is entered once. Given a
    /// process in it, falls back to the names of interfaces, for which no
    /// capability is needed.
    fn network(&self, ns: &Self::Ns, questions: NetQuestions, pid: Option<Pid>) -> Network;

    /// Returns the number of a net namespace in another one.
    fn netnsid_within(&self, within: &Self::Ns, ns: &Self::Ns) -> Result<NetNsId, Errno>;

    /// Counts the System V objects of an ipc namespace.
    fn sysvipc(&self, ns: &Self::Ns) -> Result<SysvIpc, Errno>;

    /// Returns the cgroup file of a process as it reads in the cgroup namespace
    /// of this process, and in `ns`.
    fn cgroups(&self, ns: &Self::Ns, pid: Pid) -> Result<(Vec<u8>, Vec<u8>), OpenError>;

    /// Returns the limits of a user namespace, by type of namespace:
    /// `/proc/sys/user/max_*_namespaces`. A child enters one other than the
    /// caller's, which takes CAP_SYS_ADMIN over it. Moves no thread.
    fn max_namespaces(&self, ns: &Self::Ns) -> Result<BTreeMap<Kind, u64>, OpenError>;

    /// Returns the `pid_max` of a pid namespace; before Linux 6.14, that of the
    /// whole system. [`OpenError::ForeignPidNamespace`] for a namespace other than the
    /// caller's, and if the proc tree has no `sys`, as with the mount option
    /// `subset=pid`. Moves no thread.
    fn pid_max(&self, ns: &Self::Ns) -> Result<Pid, OpenError>;
}
