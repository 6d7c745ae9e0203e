use serde::{Serialize, Serializer};

use crate::model::{LinkSet, Source};

/// Something a scan could not see, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Gap {
    /// What was being read.
    pub source: Source,
    /// Why it is missing.
    pub cause: Cause,
    /// The number of processes, mounts or namespaces concerned; `None` if it
    /// cannot be known.
    pub count: Option<usize>,
    /// The number of all processes.
    pub total: usize,
    /// The links concerned; empty if the gap is not about links.
    pub links: LinkSet,
}

impl Gap {
    /// Returns whether it is worth a line to those who did not ask for facts: it
    /// hides something, or leaves open what only few ask for, such as columns
    /// about containers.
    #[cfg(feature = "cli")]
    pub(crate) fn is_told(&self) -> bool {
        let is_plain = match self.cause {
            Cause::Unsupported => self.source == Source::Processes,
            Cause::Outside => self.source == Source::Relations,
            cause => !cause.hides(),
        };
        !is_plain
    }

    /// Returns whether it says that it is unknown what belongs to the host, which
    /// matters only to those who asked.
    #[cfg(feature = "cli")]
    pub(crate) fn is_about_host(&self) -> bool {
        self.source == Source::Contents && self.cause == Cause::Outside
    }
}

/// Why something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cause {
    /// The kernel refused permission (EACCES), which may happen even to root.
    Denied,
    /// `/proc` is mounted with hidepid, proc(5).
    Hidden,
    /// A pid namespace was unshared, and the kernel hides it until its first
    /// process exists.
    Unborn,
    /// It could not be parsed.
    Malformed,
    /// The system reported another error: its number, errno(3).
    Failed(i32),
    /// The process ended during the scan.
    Vanished,
    /// The process is a zombie, left in its pid and user namespaces only.
    Zombie,
    /// The leader is a zombie while other threads live; it was read through one
    /// of them.
    ZombieLeader,
    /// The kernel lacks the link, and so namespaces of that type.
    Unsupported,
    /// It lies above the user or pid namespace of the caller, where nothing is
    /// visible.
    Outside,
    /// Another mount covers it.
    Covered,
    /// No path leads to it.
    Unreachable,
    /// It is visible only to processes in another pid namespace, where none is
    /// sent.
    ForeignPidNamespace,
    /// A look would change the net_cls class or net_prio index of a socket.
    SocketClass,
    /// The proc tree shows no sysctls, as with the mount option `subset=pid`.
    NoSysctls,
    /// A process that was sent to look gave no answer.
    NoAnswer,
    /// Only a file server, FUSE or on the network, could resolve its path, and
    /// none is ever asked.
    FileServer,
    /// The proc tree belongs to another pid namespace than the caller, so the
    /// kernel cannot be asked by its PIDs.
    ForeignProc,
    /// Only a process in the namespace could answer, and there is none.
    NoProcess,
    /// The process is outside the root of its cgroup namespace.
    OutsideRoot,
    /// It exceeds the size up to which it is read.
    Truncated,
    /// It kept changing while it was read.
    Unstable,
    /// It did not answer within a second, as a process can arrange.
    Blocked,
    /// The kernel is locked down, kernel_lockdown(7), and lets no program read
    /// its memory.
    Lockdown,
    /// The kernel has no type information, BTF, that says where its fields are.
    NoBtf,
    /// A thread has files of its own, which only Linux 6.9 and later give access
    /// to.
    OldKernel,
    /// The kernel does not list sockets of some protocol, sock_diag(7): it was
    /// built without, or may not load the module.
    NoSockDiag,
}

impl Cause {
    /// One of each, in the order of the enum, with error number 0.
    pub const ALL: &'static [Cause] = &[
        Cause::Denied,
        Cause::Hidden,
        Cause::Unborn,
        Cause::Malformed,
        Cause::Failed(0),
        Cause::Vanished,
        Cause::Zombie,
        Cause::ZombieLeader,
        Cause::Unsupported,
        Cause::Outside,
        Cause::Covered,
        Cause::Unreachable,
        Cause::ForeignPidNamespace,
        Cause::SocketClass,
        Cause::NoSysctls,
        Cause::NoAnswer,
        Cause::FileServer,
        Cause::ForeignProc,
        Cause::NoProcess,
        Cause::OutsideRoot,
        Cause::Truncated,
        Cause::Unstable,
        Cause::Blocked,
        Cause::Lockdown,
        Cause::NoBtf,
        Cause::OldKernel,
        Cause::NoSockDiag,
    ];

    /// Returns its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Denied => "denied",
            Cause::Hidden => "hidden",
            Cause::Unborn => "unborn",
            Cause::Malformed => "malformed",
            Cause::Failed(_) => "failed",
            Cause::Vanished => "vanished",
            Cause::Zombie => "zombie",
            Cause::ZombieLeader => "zombie-leader",
            Cause::Unsupported => "unsupported",
            Cause::Outside => "outside",
            Cause::Covered => "covered",
            Cause::Unreachable => "unreachable",
            Cause::ForeignPidNamespace => "foreign-pid-namespace",
            Cause::SocketClass => "socket-class",
            Cause::NoSysctls => "no-sysctls",
            Cause::NoAnswer => "no-answer",
            Cause::FileServer => "file-server",
            Cause::ForeignProc => "foreign-proc",
            Cause::NoProcess => "no-process",
            Cause::OutsideRoot => "outside-root",
            Cause::Truncated => "truncated",
            Cause::Unstable => "unstable",
            Cause::Blocked => "blocked",
            Cause::Lockdown => "lockdown",
            Cause::NoBtf => "no-btf",
            Cause::OldKernel => "old-kernel",
            Cause::NoSockDiag => "no-sock-diag",
        }
    }

    /// Returns whether something that exists may be missing because of it.
    ///
    /// A process that ended, a zombie and an older kernel are facts about the
    /// system rather than the view, and a view ends at its own namespaces.
    pub const fn hides(self) -> bool {
        !matches!(
            self,
            Cause::Vanished
                | Cause::Zombie
                | Cause::ZombieLeader
                | Cause::Unsupported
                | Cause::Outside
        )
    }

    /// Returns whether more permission would help.
    pub const fn is_permission(self) -> bool {
        matches!(self, Cause::Denied | Cause::Hidden)
    }
}

/// Serialises as its name.
impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_listed_once_under_a_name_of_its_own() {
        assert!(Cause::ALL.is_sorted_by(|one, next| one < next));
        let mut names: Vec<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Cause::ALL.len());
    }
}
