use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::model::{Affiliation, Interface, Kind, MountedFs, NetSocket, Pid};
use crate::text::Text;

/// What is inside a namespace, and whose it is. A field is `None` if it was not
/// requested, belongs to another type of namespace, or is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Facts {
    /// The host name of a uts namespace, uname(2).
    pub hostname: Option<Text>,
    /// Its NIS domain name.
    pub domain: Option<Text>,
    /// The UID map of a user namespace.
    pub uid_map: Option<Vec<IdMap>>,
    /// Its GID map.
    pub gid_map: Option<Vec<IdMap>>,
    /// The clock offsets of a time namespace.
    pub time_offsets: Option<TimeOffsets>,
    /// The root of a cgroup namespace, as a path in the reader's.
    pub cgroup_root: Option<Text>,
    /// The number of mounts in a mount namespace.
    pub nmounts: Option<usize>,
    /// What is mounted at its root directory.
    pub mount_root: Option<MountRoot>,
    /// Its mounts that were looked for,
    /// [`Scanner::mounts`](crate::Scanner::mounts), in the order of the kernel.
    pub mounts: Vec<MountedFs>,
    /// The interfaces of a net namespace, by index.
    pub interfaces: Option<Vec<Interface>>,
    /// The sockets in a net namespace that listen or are bound, in order. Some
    /// may be missing, which is a gap.
    pub sockets: Option<Vec<NetSocket>>,
    /// The System V objects of an ipc namespace.
    pub sysvipc: Option<SysvIpc>,
    /// The largest PID of a pid namespace, proc_sys_kernel(5). Only a process
    /// in the namespace can read it.
    pub pid_max: Option<Pid>,
    /// The limits of a user namespace: how many namespaces of each type one user
    /// may create in it and below, namespaces(7).
    pub max_namespaces: Option<BTreeMap<Kind, u64>>,
    /// Whether it is one of the initial namespaces.
    pub is_host: Option<bool>,
    /// Where its processes belong, sorted, without repetition.
    pub affiliations: Vec<Arc<Affiliation>>,
}

impl Facts {
    /// Adds what was read in files of a process.
    pub(crate) fn add_proc_files(&mut self, read: Facts) {
        self.uid_map = read.uid_map;
        self.gid_map = read.gid_map;
        self.time_offsets = read.time_offsets;
        self.nmounts = read.nmounts;
        self.mount_root = read.mount_root;
        self.mounts = read.mounts;
    }
}

/// What is mounted at the root directory of a mount namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MountRoot {
    /// The device or other source.
    pub source: Text,
    /// The directory of that file system that is mounted.
    pub dir: Text,
}

/// Numbers of System V objects, sysvipc(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SysvIpc {
    /// Message queues.
    pub queues: u64,
    /// Shared memory segments.
    pub segments: u64,
    /// Semaphore sets.
    pub semaphores: u64,
}

/// One line of a uid_map or gid_map, user_namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct IdMap {
    /// The first ID inside the user namespace.
    pub inner: u32,
    /// The ID it maps to in the user namespace of the reader; for the reader's
    /// own user namespace, in its parent.
    pub outer: u32,
    /// The number of consecutive IDs.
    pub count: u32,
}

/// Formats as `inner:outer:count`, like podman(1).
impl fmt::Display for IdMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.inner, self.outer, self.count)
    }
}

/// Offsets of the clocks of a time namespace from the initial ones,
/// time_namespaces(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TimeOffsets {
    /// Offset of CLOCK_MONOTONIC.
    pub monotonic: TimeOffset,
    /// Offset of CLOCK_BOOTTIME.
    pub boottime: TimeOffset,
}

/// The offset of one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TimeOffset {
    /// Seconds, rounded down.
    pub seconds: i64,
    /// Nanoseconds to add.
    pub nanoseconds: u32,
}

/// Formats as decimal seconds, with a fraction if there is one.
impl fmt::Display for TimeOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds);
        let size = nanoseconds.unsigned_abs();
        let sign = if nanoseconds < 0 { "-" } else { "" };
        write!(f, "{sign}{}", size / 1_000_000_000)?;
        match size % 1_000_000_000 {
            0 => Ok(()),
            fraction => f.write_str(format!(".{fraction:09}").trim_end_matches('0')),
        }
    }
}

impl fmt::Display for TimeOffsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "monotonic={},boottime={}", self.monotonic, self.boottime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_decimal_number_of_seconds() {
        let text = |seconds, nanoseconds| {
            TimeOffset {
                seconds,
                nanoseconds,
            }
            .to_string()
        };
        assert_eq!(text(86_400, 0), "86400");
        assert_eq!(text(-5, 0), "-5");
        assert_eq!(text(1, 500_000_000), "1.5");
        assert_eq!(text(-2, 500_000_000), "-1.5");
        assert_eq!(text(-1, 999_999_999), "-0.000000001");
        assert_eq!(text(i64::MIN, 0), "-9223372036854775808");
    }
}
