use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use rustix::io::Errno;

use crate::kernel::Kernel;
use crate::model::{Fd, Kind, Mount, NetNsId, NsId, Pid};

/// A kernel made of tables. What stands in none of them is refused with the
/// error that Linux has for it.
#[derive(Default)]
pub(crate) struct Double {
    /// What each path opens.
    pub(crate) paths: HashMap<String, NsId>,
    /// The owner of each namespace; EPERM if it has none here.
    pub(crate) owners: HashMap<NsId, NsId>,
    /// The parent of each pid namespace.
    pub(crate) parents: HashMap<NsId, NsId>,
    /// Who made each user namespace.
    pub(crate) uids: HashMap<NsId, u32>,
    /// The net namespace of each socket.
    pub(crate) sockets: HashMap<(Pid, Fd), NsId>,
    /// Every namespace whose owner was asked for.
    pub(crate) asked: Mutex<Vec<NsId>>,
}

impl Double {
    fn open(&self, path: &str, id: NsId) -> Result<NsId, Errno> {
        match self.paths.get(path) {
            Some(found) if *found == id => Ok(id),
            Some(_) => Err(Errno::STALE),
            None => Err(Errno::NOENT),
        }
    }
}

impl Kernel for Double {
    type Ns = NsId;
    type Process = Pid;

    fn open_link(&self, path: &Path, id: NsId) -> Result<NsId, Errno> {
        self.open(&path.to_string_lossy(), id)
    }

    fn open_fd(&self, path: &Path, id: NsId) -> Result<NsId, Errno> {
        self.open(&path.to_string_lossy(), id)
    }

    fn open_mount(&self, mount: &Mount, id: NsId) -> Result<NsId, Errno> {
        self.open(&String::from_utf8_lossy(&mount.path), id)
    }

    fn hold(&self, pid: Pid) -> Result<Pid, Errno> {
        Ok(pid)
    }

    fn socket_ns(&self, process: &Pid, fd: Fd) -> Result<NsId, Errno> {
        self.sockets
            .get(&(*process, fd))
            .copied()
            .ok_or(Errno::PERM)
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
}
