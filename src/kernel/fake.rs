use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rustix::io::Errno;

use crate::kernel::{
    BpfError, Kernel, MountNs, NetQuestions, Network, OpenError, Run, Task, TaskFiles, UtsNames,
};
use crate::model::{Fd, HiddenProcess, Kind, Mount, NetNsId, NsId, Pid, SysvIpc, Tid};

/// A kernel made of tables. Refuses what is in none of them with the error that
/// Linux has for it.
#[derive(Default)]
pub(crate) struct Fake {
    /// The namespace that each path opens.
    pub(crate) paths: HashMap<String, NsId>,
    /// A tree of which processes vanish: paths below `/proc` open only while
    /// the process is in it.
    pub(crate) tree: Option<PathBuf>,
    /// The owner of each namespace; EPERM for one without.
    pub(crate) owners: HashMap<NsId, NsId>,
    /// The parent of each pid namespace.
    pub(crate) parents: HashMap<NsId, NsId>,
    /// The UID of the creator of each user namespace.
    pub(crate) uids: HashMap<NsId, u32>,
    /// The net namespace of each socket or tun file.
    pub(crate) sockets: HashMap<(Pid, Fd), NsId>,
    /// Whether threads cannot be held.
    pub(crate) is_old: bool,
    /// Whether a socket changes when it is asked.
    pub(crate) tags_sockets: bool,
    /// The table of open files of each thread; `None` for a kernel without
    /// kcmp(2).
    pub(crate) tables: Option<HashMap<Tid, u32>>,
    /// All mount namespaces; `None` for a kernel that does not list them.
    pub(crate) mount_namespaces: Option<Vec<MountNs>>,
    /// The namespaces mounted in each, by its unique ID.
    pub(crate) mounts: HashMap<u64, Vec<(NsId, Mount)>>,
    /// The text of the mount table of each namespace that may be entered.
    pub(crate) mount_tables: HashMap<NsId, String>,
    /// All namespaces by unique ID; `None` for a kernel without listns(2).
    pub(crate) listed: Option<BTreeMap<u64, NsId>>,
    /// What iterators tell of tasks and open files; `None` for a
    /// kernel without.
    pub(crate) told: Option<(Vec<Task>, TaskFiles)>,
    /// What iterators tell of processes besides.
    pub(crate) names: Vec<HiddenProcess>,
    /// How far tasks had come before, if not as far as then.
    pub(crate) runs: Option<Vec<Run>>,
    /// The names of each uts namespace that the caller may enter.
    pub(crate) uts_names: HashMap<NsId, UtsNames>,
    /// What is in each net namespace that may be entered.
    pub(crate) networks: HashMap<NsId, Network>,
    /// The limits of each user namespace that the caller may enter.
    pub(crate) max_namespaces: HashMap<NsId, BTreeMap<Kind, u64>>,
    /// Every namespace whose owner was asked for, in order.
    pub(crate) asked: Mutex<Vec<NsId>>,
}

impl Fake {
    fn open(&self, path: &str, id: NsId) -> Result<NsId, OpenError> {
        let pid = path
            .strip_prefix("/proc/")
            .and_then(|rest| rest.split('/').next());
        if let (Some(tree), Some(pid)) = (&self.tree, pid)
            && !tree.join("proc").join(pid).exists()
        {
            return Err(OpenError::Gone);
        }
        match self.paths.get(path) {
            Some(found) if *found == id => Ok(id),
            Some(_) => Err(OpenError::Moved),
            None => Err(OpenError::Gone),
        }
    }
}

impl Kernel for Fake {
    type Ns = NsId;
    type Process = Pid;

    fn open_link(&self, path: &Path, id: NsId) -> Result<NsId, OpenError> {
        self.open(&path.to_string_lossy(), id)
    }

    fn open_fd(&self, path: &Path, id: NsId) -> Result<NsId, OpenError> {
        self.open(&path.to_string_lossy(), id)
    }

    fn open_mount(&self, mount: &Mount, id: NsId) -> Result<NsId, OpenError> {
        match self.open(&String::from_utf8_lossy(&mount.path), id) {
            Err(OpenError::Moved) => Err(OpenError::Covered),
            opened => opened,
        }
    }

    fn open_mount_within(&self, within: &NsId, mount: &Mount, id: NsId) -> Result<NsId, OpenError> {
        let path = format!("{within}{}", String::from_utf8_lossy(&mount.path));
        match self.open(&path, id) {
            Err(OpenError::Moved) => Err(OpenError::Covered),
            opened => opened,
        }
    }

    fn hold(&self, pid: Pid, tid: Option<Tid>) -> Result<Pid, OpenError> {
        match tid {
            Some(_) if self.is_old => Err(OpenError::OldKernel),
            tid => Ok(tid.unwrap_or(pid)),
        }
    }

    fn share_files(&self, one: Tid, other: Tid) -> Result<bool, OpenError> {
        let tables = self.tables.as_ref().ok_or(Errno::NOSYS)?;
        let table = |tid| tables.get(&tid).ok_or(Errno::SRCH);
        Ok(table(one)? == table(other)?)
    }

    fn device_ns(&self, process: &Pid, fd: Fd) -> Result<NsId, OpenError> {
        let found = self.sockets.get(&(*process, fd));
        found.copied().ok_or(OpenError::Errno(Errno::PERM))
    }

    fn device_ino(&self, process: &Pid, fd: Fd) -> Result<u64, OpenError> {
        Ok(self.device_ns(process, fd)?.ino)
    }

    fn tags_sockets(&self) -> bool {
        self.tags_sockets
    }

    fn look_at(&self, path: &Path) -> Result<Option<NsId>, OpenError> {
        Ok(self.paths.get(&*path.to_string_lossy()).copied())
    }

    fn open_listed(&self, unique_id: u64, id: NsId) -> Result<NsId, OpenError> {
        match self.identify_listed(unique_id) {
            Ok(Some(found)) if found == id => Ok(id),
            _ => Err(OpenError::Gone),
        }
    }

    fn mount_namespaces(&self) -> Result<Vec<MountNs>, OpenError> {
        let listed = self.mount_namespaces.clone();
        listed.ok_or(OpenError::Errno(Errno::NOTTY))
    }

    fn mounts_in(&self, mount_ns: &MountNs) -> Result<Vec<(NsId, Mount)>, Errno> {
        let mounts = self.mounts.get(&mount_ns.unique_id);
        Ok(mounts.cloned().unwrap_or_default())
    }

    fn mount_table(&self, ns: &NsId) -> Result<Box<dyn Read + Send>, OpenError> {
        let table = self.mount_tables.get(ns).ok_or(Errno::PERM)?;
        Ok(Box::new(Cursor::new(table.clone())))
    }

    fn list(&self) -> Result<Vec<u64>, Errno> {
        let listed = self.listed.as_ref().ok_or(Errno::NOSYS)?;
        Ok(listed.keys().copied().collect())
    }

    fn process_exists(&self, pid: Pid) -> bool {
        self.names.iter().any(|process| process.pid == pid)
    }

    fn names(&self) -> Result<Vec<HiddenProcess>, BpfError> {
        Ok(self.names.clone())
    }

    fn tasks(&self) -> Result<Vec<Task>, BpfError> {
        let told = self.told.as_ref().ok_or(Errno::NOSYS)?;
        Ok(told.0.clone())
    }

    fn runs(&self) -> Result<Vec<Run>, BpfError> {
        let told = self.told.as_ref().ok_or(Errno::NOSYS)?;
        let same = || told.0.iter().map(|task| task.run).collect();
        Ok(self.runs.clone().unwrap_or_else(same))
    }

    fn task_files(&self) -> Result<TaskFiles, BpfError> {
        let told = self.told.as_ref().ok_or(Errno::NOSYS)?;
        Ok(told.1.clone())
    }

    fn chained(&self) -> Result<Vec<(u64, NsId)>, BpfError> {
        let chained = self.listed.iter().flatten();
        Ok(chained.map(|(unique_id, id)| (*unique_id, *id)).collect())
    }

    fn identify_listed(&self, unique_id: u64) -> Result<Option<NsId>, Errno> {
        let listed = self.listed.as_ref().ok_or(Errno::STALE)?;
        Ok(listed.get(&unique_id).copied())
    }

    fn unique_id(&self, ns: &NsId) -> Result<u64, Errno> {
        let mut listed = self.listed.iter().flatten();
        let found = listed.find(|(_, id)| *id == ns);
        found.map(|(unique_id, _)| *unique_id).ok_or(Errno::NOTTY)
    }

    fn id(&self, ns: &NsId) -> Result<NsId, Errno> {
        Ok(*ns)
    }

    fn owner(&self, ns: &NsId) -> Result<NsId, Errno> {
        self.asked.lock().unwrap().push(*ns);
        self.owners.get(ns).copied().ok_or(Errno::PERM)
    }

    fn parent(&self, ns: &NsId) -> Result<NsId, Errno> {
        match ns.kind {
            Kind::Pid => self.parents.get(ns).copied().ok_or(Errno::PERM),
            Kind::User => self.owner(ns),
            _ => Err(Errno::INVAL),
        }
    }

    fn owner_uid(&self, ns: &NsId) -> Result<u32, Errno> {
        self.uids.get(ns).copied().ok_or(Errno::INVAL)
    }

    fn netnsid(&self, _: &NsId) -> Result<NetNsId, Errno> {
        Ok(NetNsId::Unassigned)
    }

    fn uts_names(&self, ns: &NsId) -> Result<UtsNames, OpenError> {
        let names = self.uts_names.get(ns);
        names.cloned().ok_or(OpenError::Errno(Errno::PERM))
    }

    fn network(&self, ns: &NsId, questions: NetQuestions, _: Option<Pid>) -> Network {
        let Some(network) = self.networks.get(ns) else {
            return Network::closed(Errno::PERM);
        };
        let mut answer = network.clone();
        if !questions.interfaces && !questions.addresses {
            answer.interfaces = None;
        }
        if !questions.sockets {
            answer.sockets = None;
        }
        answer
    }

    fn netnsid_within(&self, _: &NsId, _: &NsId) -> Result<NetNsId, Errno> {
        Ok(NetNsId::Unassigned)
    }

    fn sysvipc(&self, _: &NsId) -> Result<SysvIpc, Errno> {
        Err(Errno::PERM)
    }

    fn cgroups(&self, _: &NsId, _: Pid) -> Result<(Vec<u8>, Vec<u8>), OpenError> {
        Err(OpenError::Errno(Errno::PERM))
    }

    fn max_namespaces(&self, ns: &NsId) -> Result<BTreeMap<Kind, u64>, OpenError> {
        let limits = self.max_namespaces.get(ns);
        limits.cloned().ok_or(OpenError::Errno(Errno::PERM))
    }

    fn pid_max(&self, _: &NsId) -> Result<Pid, OpenError> {
        Err(OpenError::ForeignPidNamespace)
    }
}
