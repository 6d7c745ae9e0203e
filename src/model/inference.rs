use std::fmt;

use serde::Serialize;

use crate::model::{IdMap, Kind, NsId, Pid, TimeOffsets};

/// Processes with unreadable links that share a [`Fingerprint`], and so may
/// share a namespace. The number of that namespace is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inferred {
    /// What the processes have in common.
    pub by: Fingerprint,
    /// The namespace they are in, if a readable process is known to share it.
    pub like: Option<NsId>,
    /// The number of processes.
    pub nprocs: usize,
    /// The representative, the lowest PID among them.
    pub pid: Pid,
}

impl Inferred {
    /// Returns the type of the namespace.
    pub const fn kind(&self) -> Kind {
        self.by.kind()
    }
}

/// Something that anyone may read of a process and that depends on one of its
/// namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub enum Fingerprint {
    /// The ID of the first mount in `/proc/PID/mountinfo`. A mount belongs to
    /// one mount namespace, but processes with different root directories see
    /// different first mounts.
    FirstMount(u64),
    /// The inode number of `/proc/PID/net/dev`, different in each net
    /// namespace.
    NetDev(u64),
    /// The lines of `/proc/PID/uid_map`, which user namespaces may share.
    UidMap(Vec<IdMap>),
    /// The depth of the pid namespace: the number of PIDs in the `NSpid` line
    /// of `/proc/PID/status`.
    Depth(usize),
    /// The lines of `/proc/PID/timens_offsets`, which time namespaces may
    /// share.
    Offsets(TimeOffsets),
}

impl Fingerprint {
    /// Returns the type of the namespace.
    pub const fn kind(&self) -> Kind {
        match self {
            Fingerprint::FirstMount(_) => Kind::Mnt,
            Fingerprint::NetDev(_) => Kind::Net,
            Fingerprint::UidMap(_) => Kind::User,
            Fingerprint::Depth(_) => Kind::Pid,
            Fingerprint::Offsets(_) => Kind::Time,
        }
    }

    /// Returns whether processes that share it certainly share a namespace. At
    /// depth 1 there is only the pid namespace of the proc tree.
    pub const fn is_of_one(&self) -> bool {
        match self {
            Fingerprint::FirstMount(_) | Fingerprint::NetDev(_) | Fingerprint::Depth(1) => true,
            Fingerprint::UidMap(_) | Fingerprint::Depth(_) | Fingerprint::Offsets(_) => false,
        }
    }
}

impl fmt::Display for Inferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            Fingerprint::FirstMount(id) => write!(f, "by first mount {id}"),
            Fingerprint::NetDev(ino) => write!(f, "by net/dev {ino}"),
            Fingerprint::UidMap(map) => {
                let map: Vec<_> = map.iter().map(IdMap::to_string).collect();
                write!(f, "by uid_map {}", map.join(","))
            }
            Fingerprint::Depth(depth) => write!(f, "by depth {depth}"),
            Fingerprint::Offsets(offsets) => write!(f, "by offsets of children {offsets}"),
        }?;
        match self.like {
            Some(id) => write!(f, ", as {id}"),
            None if self.by.is_of_one() => Ok(()),
            None => f.write_str(", perhaps several"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inference_says_by_what_and_how_sure_it_is() {
        let text = |by, like| {
            let (nprocs, pid) = (1, 7);
            Inferred {
                by,
                like,
                nprocs,
                pid,
            }
            .to_string()
        };
        let id = NsId {
            ino: 7,
            kind: Kind::Net,
        };
        let map = IdMap {
            inner: 0,
            outer: 100_000,
            count: 65_536,
        };
        let two = vec![
            map,
            IdMap {
                inner: 65_536,
                ..map
            },
        ];
        let all = [
            text(Fingerprint::NetDev(9), Some(id)),
            text(Fingerprint::FirstMount(9), None),
            text(Fingerprint::Depth(1), None),
            text(Fingerprint::Depth(2), None),
            text(Fingerprint::UidMap(two), None),
            text(Fingerprint::UidMap(Vec::new()), None),
            text(Fingerprint::Offsets(TimeOffsets::default()), None),
        ];
        assert_eq!(
            all,
            [
                "by net/dev 9, as net:[7]",
                "by first mount 9",
                "by depth 1",
                "by depth 2, perhaps several",
                "by uid_map 0:100000:65536,65536:100000:65536, perhaps several",
                "by uid_map , perhaps several",
                "by offsets of children monotonic=0,boottime=0, perhaps several",
            ]
        );
    }
}
