use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::PidfdFlags;
use rustix::thread::CapabilitySet;

use crate::kernel::bpf::{self, Bpf};
use crate::kernel::device::Held;
use crate::kernel::nsfs::{NsFile, flag_of_kind};
use crate::kernel::opener::Opener;
use crate::kernel::{
    BpfError, Kernel, MountNs, NetQuestions, Network, OpenError, Run, Task, TaskFiles, UtsNames,
    child, mount_list, mount_namespaces, net_class, netlink, network, setns, syscall, sysv,
    version_of,
};
use crate::model::{Fd, HiddenProcess, Kind, Member, Mount, NetNsId, NsId, Pid, SysvIpc, Tid};

const PIDFD_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(libc::PIDFD_THREAD);

/// The running kernel.
#[derive(Debug)]
pub(crate) struct Linux {
    opener: Opener,
    /// One socket for all threads, opened for the first question.
    netlink: Mutex<Option<netlink::Socket>>,
    /// The inode numbers of net namespaces by their cookies, which are never
    /// reused; the namespace of a socket lives as long as the socket.
    cookies: Mutex<HashMap<u64, u64>>,
    /// Loaded for the first question.
    bpf: OnceLock<Result<Bpf, BpfError>>,
    /// The namespaces in the kernel's lists that nothing opens, by unique ID, when
    /// they were last followed.
    inactive: Mutex<HashSet<u64>>,
}

impl Linux {
    /// Creates one from the proc tree of the running system.
    pub(crate) fn new(proc: PathBuf) -> Self {
        Linux {
            opener: Opener::new(proc),
            netlink: Mutex::new(None),
            cookies: Mutex::default(),
            bpf: OnceLock::new(),
            inactive: Mutex::default(),
        }
    }

    fn inactive(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.inactive.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns why a namespace cannot be opened by its number: it is gone, or was
    /// still there when the kernel's lists were last followed.
    fn why_closed(&self, unique_id: u64) -> OpenError {
        if self.inactive().contains(&unique_id) {
            OpenError::Unreachable
        } else {
            OpenError::Gone
        }
    }

    /// Returns whether this process is in a namespace.
    #[cfg(feature = "cli")]
    pub(crate) fn is_own(&self, id: NsId) -> bool {
        let own = self.opener.open_own(id.kind);
        own.is_ok_and(|own| own.ino() == Ok(id.ino))
    }

    /// Returns whether this process is in the initial namespace of a type.
    fn is_initial(&self, kind: Kind) -> Result<bool, OpenError> {
        Ok(self.opener.open_own(kind)?.ino()? == kind.initial_ino())
    }

    /// Returns the iterators, which tell the PIDs of this process's own pid
    /// namespace.
    fn bpf(&self) -> Result<&Bpf, BpfError> {
        let bpf = self.bpf.get_or_init(|| {
            self.opener.raw_pid(1).map_err(|_| BpfError::ForeignProc)?;
            Bpf::load()
        });
        bpf.as_ref().map_err(|error| *error)
    }

    /// Reads a sysctl. [`OpenError::NoSysctls`] if the proc tree shows none.
    fn sysctl(&self, name: &str) -> Result<Vec<u8>, OpenError> {
        match setns::read(&self.opener.proc().join("sys").join(name)) {
            Err(Errno::NOENT) => Err(OpenError::NoSysctls),
            text => Ok(text?),
        }
    }

    /// Reads a sysctl that is a number.
    fn sysctl_number<T: FromStr>(&self, name: &str) -> Result<T, OpenError> {
        let text = self.sysctl(name)?;
        let text = std::str::from_utf8(&text).map_err(|_| Errno::PROTO)?;
        Ok(text.trim().parse().map_err(|_| Errno::PROTO)?)
    }

    fn lock_cookies(&self) -> MutexGuard<'_, HashMap<u64, u64>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a file of a process.
    fn file(&self, pid: Pid, name: &str) -> PathBuf {
        self.opener.proc().join(pid.to_string()).join(name)
    }
}

/// Returns which namespace an O_PATH descriptor refers to, by way of this proc
/// tree.
pub(crate) fn identify(proc: &Path, file: &OwnedFd) -> Result<NsId, OpenError> {
    let found = Opener::new(proc.to_owned()).identify(file)?;
    found.ok_or(OpenError::Moved)
}

impl Kernel for Linux {
    type Ns = NsFile;
    type Process = Held;

    fn open_link(&self, path: &Path, id: NsId) -> Result<NsFile, OpenError> {
        self.opener.open_link(path, id.ino)
    }

    fn open_fd(&self, path: &Path, id: NsId) -> Result<NsFile, OpenError> {
        self.opener.open_fd(path, id.ino)
    }

    fn open_mount(&self, mount: &Mount, id: NsId) -> Result<NsFile, OpenError> {
        self.opener.open_mount(mount, id.ino)
    }

    fn open_mount_within(
        &self,
        within: &NsFile,
        mount: &Mount,
        id: NsId,
    ) -> Result<NsFile, OpenError> {
        self.opener.open_mount_within(within, mount, id.ino)
    }

    fn open_listed(&self, unique_id: u64, id: NsId) -> Result<NsFile, OpenError> {
        let ino = u32::try_from(id.ino).map_err(|_| OpenError::Gone)?;
        match syscall::open_ns(unique_id, flag_of_kind(id.kind), ino) {
            // Linux has no such handles before 6.18, and later none for what it
            // does not consider active: a mount namespace kept by nothing but an
            // open mount table.
            Err(Errno::BADF | Errno::STALE) if id.kind == Kind::Mnt => {
                let own = self.opener.open_own(Kind::Mnt)?;
                let found = mount_namespaces::find(&own, unique_id)?;
                found.ok_or_else(|| self.why_closed(unique_id))
            }
            Err(Errno::STALE) => Err(self.why_closed(unique_id)),
            Err(Errno::BADF) => Err(OpenError::Unreachable),
            opened => Ok(opened?),
        }
    }

    fn hold(&self, pid: Pid, tid: Option<Tid>) -> Result<Held, OpenError> {
        let (task, flags) = match tid {
            Some(tid) => (tid, PIDFD_THREAD),
            None => (pid, PidfdFlags::empty()),
        };
        let raw = self.opener.raw_pid(task)?;
        let pidfd = match rustix::process::pidfd_open(raw, flags) {
            // It does not know the flag.
            Err(Errno::INVAL) if tid.is_some() => return Err(OpenError::OldKernel),
            opened => opened?,
        };
        let files = match tid {
            Some(tid) => self.file(pid, &format!("task/{tid}/fd")),
            None => self.file(pid, "fd"),
        };
        Held::new(pidfd, &files)
    }

    fn device_ns(&self, process: &Held, fd: Fd) -> Result<NsFile, OpenError> {
        process.duplicate(fd)?.net_ns()
    }

    fn device_ino(&self, process: &Held, fd: Fd) -> Result<u64, OpenError> {
        let device = process.duplicate(fd)?;
        let cookie = device.net_cookie().ok();
        let known = |cookies: &HashMap<u64, u64>| cookies.get(&cookie?).copied();
        if let Some(ino) = known(&self.lock_cookies()) {
            return Ok(ino);
        }
        let ino = device.net_ns()?.ino()?;
        self.lock_cookies()
            .extend(cookie.map(|cookie| (cookie, ino)));
        Ok(ino)
    }

    fn tags_sockets(&self) -> bool {
        net_class::tags_sockets(self.opener.proc())
    }

    fn share_files(&self, one: Tid, other: Tid) -> Result<bool, OpenError> {
        let (one, other) = (self.opener.raw_pid(one)?, self.opener.raw_pid(other)?);
        Ok(syscall::share_files(one, other)?)
    }

    fn look_at(&self, path: &Path) -> Result<Option<NsId>, OpenError> {
        self.opener.look_at(path)
    }

    fn mount_namespaces(&self) -> Result<Vec<MountNs>, OpenError> {
        let own = self.opener.open_own(Kind::Mnt)?;
        // Linux 6.16 to 6.18.15 would list those of the host to a container of
        // the initial user namespace.
        if !self.is_initial(Kind::Pid)? || !self.is_initial(Kind::User)? {
            return Err(Errno::PERM.into());
        }
        Ok(mount_namespaces::list(&own)?)
    }

    fn mounts_in(&self, mount_ns: &MountNs) -> Result<Vec<(NsId, Mount)>, Errno> {
        mount_list::mounts_in(*mount_ns)
    }

    fn mount_table(&self, ns: &NsFile) -> Result<Box<dyn Read + Send>, OpenError> {
        Ok(Box::new(setns::mount_table(self.opener.proc(), ns)?))
    }

    fn list(&self) -> Result<Vec<u64>, Errno> {
        let mut all = Vec::new();
        let mut ids = [0; 512];
        loop {
            let last = all.last().copied().unwrap_or(0);
            match syscall::listns(last, &mut ids) {
                Ok(0) | Err(Errno::NOENT) => break,
                Ok(count) => all.extend(ids.get(..count).unwrap_or_default()),
                Err(errno) => return Err(errno),
            }
        }
        // Without these rights, the list is that of the caller's own.
        let is_initial = |kind| self.is_initial(kind).unwrap_or(false);
        let sets = rustix::thread::capabilities(None)?;
        let is_admin = sets.effective.contains(CapabilitySet::SYS_ADMIN);
        if is_initial(Kind::Pid) && is_initial(Kind::User) && is_admin {
            Ok(all)
        } else {
            Err(Errno::PERM)
        }
    }

    fn process_exists(&self, pid: Pid) -> bool {
        let Ok(pid) = self.opener.raw_pid(pid) else {
            return false;
        };
        matches!(
            rustix::process::test_kill_process(pid),
            Ok(()) | Err(Errno::PERM)
        )
    }

    fn tasks(&self) -> Result<Vec<Task>, BpfError> {
        let mut all = Vec::new();
        self.bpf()?.tasks(|task| all.push(task))?;
        Ok(all)
    }

    fn runs(&self) -> Result<Vec<Run>, BpfError> {
        let mut all = Vec::new();
        self.bpf()?.runs(|run| all.push(run))?;
        Ok(all)
    }

    fn names(&self) -> Result<Vec<HiddenProcess>, BpfError> {
        self.bpf()?;
        Ok(bpf::names()?)
    }

    fn task_files(&self) -> Result<TaskFiles, BpfError> {
        Ok(self.bpf()?.files()?)
    }

    fn chained(&self) -> Result<Vec<(u64, NsId)>, BpfError> {
        let chained = self.bpf()?.lists()?;
        let inactive = chained.iter().filter(|chained| !chained.is_active);
        *self.inactive() = inactive.map(|chained| chained.unique_id).collect();
        let all = chained
            .iter()
            .map(|chained| (chained.unique_id, chained.id));
        Ok(all.collect())
    }

    fn identify_listed(&self, unique_id: u64) -> Result<Option<NsId>, Errno> {
        match syscall::open_ns(unique_id, 0, 0) {
            Ok(ns) => ns.id().map(Some),
            Err(Errno::STALE | Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn unique_id(&self, ns: &NsFile) -> Result<u64, Errno> {
        match ns.unique_id() {
            Err(Errno::NOTTY | Errno::INVAL) => ns.mount_ns_unique_id(),
            answer => answer,
        }
    }

    fn id(&self, ns: &NsFile) -> Result<NsId, Errno> {
        ns.id()
    }

    fn owner(&self, ns: &NsFile) -> Result<NsFile, Errno> {
        ns.owner()
    }

    fn parent(&self, ns: &NsFile) -> Result<NsFile, Errno> {
        ns.parent()
    }

    fn owner_uid(&self, ns: &NsFile) -> Result<u32, Errno> {
        ns.owner_uid()
    }

    fn netnsid(&self, ns: &NsFile) -> Result<NetNsId, Errno> {
        let mut socket = self.netlink.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = match &mut *socket {
            Some(socket) => socket,
            none => none.insert(netlink::Socket::route()?),
        };
        netlink::get_nsid(socket, ns.as_fd())
    }

    fn uts_names(&self, ns: &NsFile) -> Result<UtsNames, OpenError> {
        match setns::uts_names(self.opener.proc(), ns) {
            Err(Errno::PERM) if child::may_enter() => Ok(child::uts_names(ns)?),
            names => Ok(names?),
        }
    }

    fn network(&self, ns: &NsFile, questions: NetQuestions, pid: Option<Pid>) -> Network {
        let refusal = match setns::enter(self.opener.proc(), ns, Kind::Net) {
            Ok(()) => return network::ask(questions),
            Err(refusal) => refusal,
        };
        let (Errno::PERM, Some(pid), true) = (refusal, pid, questions.interfaces) else {
            return Network::closed(refusal);
        };
        let mut network = Network::default();
        let text = setns::read(&self.file(pid, "net/dev"));
        match text.and_then(|text| netlink::parse_names(&text)) {
            Ok(names) => network.interfaces = Some(names),
            Err(errno) => network.miss(errno),
        }
        if questions.addresses || questions.sockets {
            network.miss(refusal);
        }
        network
    }

    fn netnsid_within(&self, within: &NsFile, ns: &NsFile) -> Result<NetNsId, Errno> {
        setns::enter(self.opener.proc(), within, Kind::Net)?;
        netlink::get_nsid(&mut netlink::Socket::route()?, ns.as_fd())
    }

    fn sysvipc(&self, ns: &NsFile) -> Result<SysvIpc, Errno> {
        setns::enter(self.opener.proc(), ns, Kind::Ipc)?;
        sysv::count()
    }

    fn cgroups(&self, ns: &NsFile, pid: Pid) -> Result<(Vec<u8>, Vec<u8>), OpenError> {
        let file = self.file(pid, "cgroup");
        let own = self.opener.open_own(Kind::Cgroup)?;
        setns::enter(self.opener.proc(), &own, Kind::Cgroup)?;
        let outside = setns::read(&file)?;
        setns::enter(self.opener.proc(), ns, Kind::Cgroup)?;
        Ok((outside, setns::read(&file)?))
    }

    fn max_namespaces(&self, ns: &NsFile) -> Result<BTreeMap<Kind, u64>, OpenError> {
        let mut all = BTreeMap::new();
        if self.opener.open_own(Kind::User)?.ino()? == ns.ino()? {
            for kind in Kind::ALL {
                match self.sysctl_number(&format!("user/max_{kind}_namespaces")) {
                    // One that this kernel does not have.
                    Err(OpenError::NoSysctls) => {}
                    max => drop(all.insert(*kind, max?)),
                }
            }
        } else {
            // The kernel would make the child dumpable when it enters.
            if self.sysctl_number::<u8>("fs/suid_dumpable")? == 1 {
                return Err(Errno::PERM.into());
            }
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let sysctls = self.opener.proc().join("sys");
            let sysctls = rustix::fs::open(sysctls, flags, Mode::empty())?;
            let found = match child::max_namespaces(ns, sysctls.as_fd()) {
                Err(Errno::NOENT) => return Err(OpenError::NoSysctls),
                found => found?,
            };
            let found = Kind::ALL.iter().zip(found);
            all.extend(found.filter_map(|(kind, max)| Some((*kind, max?))));
        }
        if all.is_empty() {
            return Err(OpenError::NoSysctls);
        }
        Ok(all)
    }

    fn pid_max(&self, ns: &NsFile) -> Result<Pid, OpenError> {
        // The sysctl is that of the pid namespace of the reader, whichever
        // procfs it is read from and whatever setns(2) said: only a process
        // born into a namespace could read that of another. None is, because
        // the processes there may trace or stop it.
        if self.opener.open_own(Kind::Pid)?.ino()? != ns.ino()? {
            let release = self.sysctl("kernel/osrelease")?;
            match version_of(&release) {
                Some(version) if version < (6, 14) => {}
                _ => return Err(OpenError::ForeignPidNamespace),
            }
        }
        self.sysctl_number("kernel/pid_max")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_exists_and_the_largest_pid_does_not() {
        let linux = Linux::new("/proc".into());
        assert!(linux.process_exists(std::process::id()));
        assert!(!linux.process_exists(i32::MAX.unsigned_abs()));
        assert!(!linux.process_exists(u32::MAX));
        assert!(!linux.process_exists(0));
    }

    #[test]
    fn the_pids_of_another_proc_tree_go_into_no_system_call() {
        let elsewhere = Linux::new("/nonexistent".into());
        let own = std::process::id();
        assert!(!elsewhere.process_exists(own));
        assert_eq!(
            elsewhere.hold(own, None).err(),
            Some(OpenError::ForeignProc)
        );
        assert_eq!(elsewhere.share_files(own, own), Err(OpenError::ForeignProc));
        assert_eq!(elsewhere.mount_namespaces(), Err(OpenError::ForeignProc));
    }

    #[test]
    fn a_namespace_that_never_was_is_not_opened_by_its_unique_id() {
        let linux = Linux::new("/proc".into());
        let id = NsId {
            ino: 1,
            kind: Kind::Net,
        };
        let error = linux.open_listed(u64::MAX, id).unwrap_err();
        // The second before Linux 6.18.
        assert!(matches!(error, OpenError::Gone | OpenError::Unreachable));
    }
}
