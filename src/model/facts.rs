use std::fmt;
use std::sync::Arc;

use crate::model::{Affiliation, Pid};

/// What is in a namespace, and whose it is. Each field is none where it was not
/// asked for, is of another type, or is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The host name of a uts namespace, uname(2). Any bytes.
    pub hostname: Option<Vec<u8>>,
    /// Its NIS domain name. Any bytes.
    pub domain: Option<Vec<u8>>,
    /// The user ids of a user namespace.
    pub uid_map: Option<Vec<IdMap>>,
    /// Its group ids.
    pub gid_map: Option<Vec<IdMap>>,
    /// The clocks of a time namespace.
    pub time_offsets: Option<TimeOffsets>,
    /// The root of a cgroup namespace, as a path of the reader's.
    pub cgroup_root: Option<Vec<u8>>,
    /// How many mounts are in a mount namespace.
    pub nmounts: Option<usize>,
    /// What is mounted at its root.
    pub mount_root: Option<MountRoot>,
    /// The interfaces of a net namespace, by index.
    pub interfaces: Option<Vec<Interface>>,
    /// The objects of an ipc namespace.
    pub sysvipc: Option<SysvIpc>,
    /// The largest pid of a pid namespace, proc_sys_kernel(5).
    pub pid_max: Option<Pid>,
    /// Whether it is one of those that the host started with.
    pub is_host: Option<bool>,
    /// Where its processes belong; each once, in order.
    pub affiliations: Vec<Arc<Affiliation>>,
}

/// What is mounted at the root directory of a mount namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountRoot {
    /// The device or other source. Any bytes.
    pub source: Vec<u8>,
    /// The directory of that file system.
    pub dir: Vec<u8>,
}

/// A network interface, rtnetlink(7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name. Any bytes.
    pub name: Vec<u8>,
    /// Its number in its net namespace; none where only its name is known.
    pub index: Option<u32>,
    /// The number of the interface that it is tied to: of a veth, its peer.
    pub link: Option<u32>,
    /// The number, in this net namespace, of the one in which that is; none if
    /// it is in the same one.
    pub link_nsid: Option<u32>,
    /// Whether it is one end of a veth pair.
    pub is_veth: bool,
    /// The net namespace of a veth's peer.
    pub peer_ns: Option<u64>,
}

/// How many System V objects there are, sysvipc(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SysvIpc {
    /// Message queues.
    pub queues: u64,
    /// Shared memory segments.
    pub segments: u64,
    /// Semaphore sets.
    pub semaphores: u64,
}

/// One line of a uid_map or gid_map, user_namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdMap {
    /// The first id inside of the user namespace.
    pub inner: u32,
    /// The id that it is outside: in the user namespace of the reader, or, of
    /// the reader's own, in its parent.
    pub outer: u32,
    /// How many ids follow each other.
    pub count: u32,
}

/// As podman(1) and others write it: `inner:outer:count`.
impl fmt::Display for IdMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.inner, self.outer, self.count)
    }
}

/// How far the clocks of a time namespace are from those of the initial one,
/// time_namespaces(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeOffsets {
    /// Of CLOCK_MONOTONIC.
    pub monotonic: TimeOffset,
    /// Of CLOCK_BOOTTIME.
    pub boottime: TimeOffset,
}

/// The offset of one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeOffset {
    /// Seconds, rounded down.
    pub seconds: i64,
    /// Nanoseconds more.
    pub nanoseconds: u32,
}

/// Seconds, with a fraction where there is one.
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
