//! Which namespaces are the initial ones, by their numbers, linux/nsfs.h and
//! linux/proc_ns.h.

use crate::error::Error;
use crate::kernel::{Kernel, version_of};
use crate::model::{Cause, Kind, Link, Namespace, NsId, Pid, Source};
use crate::proc::{ProcessDir, Sysroot};
use crate::scan::context::Context;

/// Marks the namespaces that are the host's own.
pub(crate) fn mark<K: Kernel>(
    context: &Context<K>,
    namespaces: &mut [Namespace],
) -> Result<(), Error> {
    let numbers = context.ask((), |context, ()| Ok(host_numbers(&context.root)))?;
    let numbers = numbers.unwrap_or_default();
    for namespace in namespaces {
        let is_host = numbers.is_host(namespace.id);
        if is_host.is_none() {
            context.miss(Source::Contents, Cause::Outside);
        }
        namespace.facts_mut().is_host = is_host;
    }
    Ok(())
}

/// Returns the numbers that the release of the kernel fixes. Before Linux 6.17,
/// kthreadd, which never leaves the initial namespaces, or else init, provides
/// the others.
fn host_numbers(root: &Sysroot) -> HostNumbers {
    if has_fixed_numbers(&root.kernel_release().unwrap_or_default()) {
        return HostNumbers {
            all_fixed: true,
            ..HostNumbers::default()
        };
    }
    numbers_of(root, 2)
        .or_else(|| numbers_of(root, 1))
        .unwrap_or_default()
}

/// Returns the numbers of a process, if it is in the initial pid namespace.
fn numbers_of(root: &Sysroot, pid: Pid) -> Option<HostNumbers> {
    let process = ProcessDir::open(root, pid).ok()?;
    let ns = process.ns().ok()?;
    (ns.read(Link::Pid).ok()? == Kind::Pid.initial_ino()).then(|| HostNumbers {
        all_fixed: false,
        mnt: ns.read(Link::Mnt).ok(),
        net: ns.read(Link::Net).ok(),
    })
}

/// The numbers of the initial namespaces. Those of mnt and net are fixed only
/// since Linux 6.17.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct HostNumbers {
    /// Whether the kernel fixes those of mnt and net, too.
    all_fixed: bool,
    /// That of mnt, according to a process of the host.
    mnt: Option<u64>,
    /// That of net, according to a process of the host.
    net: Option<u64>,
}

impl HostNumbers {
    /// Returns whether a namespace is the host's; `None` if that is unknown.
    fn is_host(self, id: NsId) -> Option<bool> {
        let seen = match id.kind {
            Kind::Mnt => self.mnt,
            Kind::Net => self.net,
            _ => return Some(id.ino == id.kind.initial_ino()),
        };
        // The numbers of other namespaces start above these.
        if id.ino == id.kind.initial_ino() {
            Some(true)
        } else if self.all_fixed {
            Some(false)
        } else {
            seen.map(|seen| seen == id.ino)
        }
    }
}

/// Returns whether a kernel of this release fixes the numbers of all types.
fn has_fixed_numbers(release: &[u8]) -> bool {
    version_of(release).is_some_and(|version| version >= (6, 17))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_types_are_known_by_number_and_two_by_kernel_or_process() {
        let id = |kind, ino| NsId { ino, kind };
        let nothing = HostNumbers::default();
        assert_eq!(nothing.is_host(id(Kind::Uts, 4026531838)), Some(true));
        assert_eq!(nothing.is_host(id(Kind::Uts, 4026532000)), Some(false));
        assert_eq!(nothing.is_host(id(Kind::Net, 4026531833)), Some(true));
        assert_eq!(nothing.is_host(id(Kind::Net, 4026532000)), None);
        let fixed = HostNumbers {
            all_fixed: true,
            ..nothing
        };
        assert_eq!(fixed.is_host(id(Kind::Mnt, 4026532000)), Some(false));
        let seen = HostNumbers {
            net: Some(4026531992),
            ..nothing
        };
        assert_eq!(seen.is_host(id(Kind::Net, 4026531992)), Some(true));
        assert_eq!(seen.is_host(id(Kind::Net, 4026532000)), Some(false));
        assert_eq!(seen.is_host(id(Kind::Mnt, 4026532000)), None);
    }

    #[test]
    fn a_release_is_compared_by_its_numbers() {
        for release in ["6.17.0", "6.18.44-fc", "7.0-rc1", "10.1"] {
            assert!(has_fixed_numbers(release.as_bytes()), "{release}");
        }
        for release in ["", "6", "6.16.9", "5.15.0-1.el9", "6.x", "x", "6.9"] {
            assert!(!has_fixed_numbers(release.as_bytes()), "{release}");
        }
    }
}
