//! The reader of a proc tree, which is this process or was that of a capture:
//! what it can see there.

use std::fs::File;
use std::io::Read;

use crate::model::{Kind, Link, LinkSet, Member, NsId, Pid};
use crate::proc::hidepid::Hidepid;
use crate::proc::lines::Lines;
use crate::proc::link_text::parse_id;
use crate::proc::read::Limit;
use crate::proc::{ReadError, Sysroot};

/// Mount point of the proc tree in the mount table of a captured tree.
pub(super) const MOUNT_POINT: &[u8] = b"/proc";

impl Sysroot {
    /// Returns whether processes may be missing from [`pids`](Sysroot::pids)
    /// without a trace. For root this reads one small file, for others the mount
    /// table too.
    pub(crate) fn hides_processes(&self) -> bool {
        self.own_status().is_some_and(|status| {
            Hidepid::STRICTEST.hides_from(&status)
                && self.mountinfo().is_ok_and(|mountinfo| {
                    Hidepid::parse(mountinfo, &self.mount_point()).hides_from(&status)
                })
        })
    }

    /// Reads the lines of the reader's `status` that are about privileges.
    pub(super) fn own_status(&self) -> Option<Vec<u8>> {
        let status = self.read_proc("self/status", Limit::Long)?;
        let wanted: [&[u8]; 3] = [b"CapEff:", b"Groups:", b"Gid:"];
        let lines = status
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| wanted.iter().any(|name| line.starts_with(name)));
        Some(lines.collect::<Vec<_>>().concat())
    }

    /// Returns the mount point of the proc tree, as the reader's mount table has
    /// it.
    pub(super) fn mount_point(&self) -> Vec<u8> {
        let path = std::fs::canonicalize(self.proc_path());
        match path {
            Ok(path) if self.is_live() => path.into_os_string().into_encoded_bytes(),
            _ => MOUNT_POINT.to_vec(),
        }
    }

    /// Opens the reader's mount table. A captured tree need not have one.
    pub(crate) fn mountinfo(&self) -> Result<Lines<Box<dyn Read>>, ReadError> {
        let source: Box<dyn Read> = match self.proc()?.open_file("self/mountinfo") {
            Err(ReadError::Gone) if !self.is_live() => Box::new(std::io::empty()),
            file => Box::new(file?),
        };
        Ok(Lines::of(source))
    }

    /// Opens the mount table of a process. No permission is needed.
    pub(crate) fn mountinfo_of(&self, pid: Pid) -> Result<Lines<File>, ReadError> {
        let file = self.proc()?.open_file(&format!("{pid}/mountinfo"))?;
        Ok(Lines::of(file))
    }

    /// Returns whether the root directory of a process in another mount
    /// namespace is that of the namespace, so that its mount table has all
    /// mounts. In a captured tree, which does not tell, it is taken to be.
    ///
    /// The kernel writes the path from the root of the namespace. For a mount
    /// that was detached it writes `/`, too, but nothing is mounted there.
    pub(crate) fn is_at_root(&self, pid: Pid) -> Result<bool, ReadError> {
        if !self.is_live() {
            return Ok(true);
        }
        Ok(self.proc()?.read_link(&format!("{pid}/root"))? == b"/")
    }

    /// Returns whether the reader is in the initial user and pid namespaces.
    pub(crate) fn is_initial(&self) -> bool {
        self.is_in_initial(Kind::User) && self.is_in_initial(Kind::Pid)
    }

    fn is_in_initial(&self, kind: Kind) -> bool {
        let ino = kind.initial_ino();
        self.own_ns(kind) == Some(NsId { ino, kind })
    }

    /// Returns whether the reader is in the initial cgroup namespace, and so sees
    /// the full path of every cgroup. A captured tree has no other paths than its
    /// own, which are taken as full.
    pub(crate) fn sees_all_cgroups(&self) -> bool {
        !self.is_live() || self.is_in_initial(Kind::Cgroup)
    }

    /// Returns the reader's mount namespace; `None` in a captured tree.
    pub(crate) fn own_mount_ns(&self) -> Option<u64> {
        self.own_ns(Kind::Mnt).map(|id| id.ino)
    }

    /// Returns the namespace of a type that the reader is in; `None` in a captured
    /// tree.
    #[cfg(feature = "cli")]
    pub(crate) fn own_namespace(&self, kind: Kind) -> Option<NsId> {
        self.is_live().then(|| self.own_ns(kind)).flatten()
    }

    /// Returns the links that this process has.
    pub(crate) fn own_links(&self) -> LinkSet {
        let Ok(proc) = self.proc() else {
            return LinkSet::EMPTY;
        };
        let links = Link::ALL.iter().copied();
        links
            .filter(|link| proc.read_link(&format!("self/ns/{link}")).is_ok())
            .collect()
    }

    fn own_ns(&self, kind: Kind) -> Option<NsId> {
        let link = format!("self/ns/{kind}");
        parse_id(&self.proc().ok()?.read_link(&link).ok()?)
    }
}
