//! Which namespaces are those that the host started with, linux/nsfs.h and
//! linux/proc_ns.h.

use crate::model::{Kind, NsId};

/// The numbers of the initial namespaces. Those of mnt and net are fixed since
/// Linux 6.17 only; before, a process tells that is sure to be in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostNumbers {
    /// Whether the kernel fixes those of mnt and net too.
    pub(crate) all_fixed: bool,
    /// That of mnt, by a process of the host.
    pub(crate) mnt: Option<u64>,
    /// That of net, by a process of the host.
    pub(crate) net: Option<u64>,
}

impl HostNumbers {
    /// Whether a namespace is the host's; none if that cannot be known.
    pub(crate) fn is_host(self, id: NsId) -> Option<bool> {
        let seen = match id.kind {
            Kind::Mnt => self.mnt,
            Kind::Net => self.net,
            _ => return Some(id.ino == id.kind.initial_ino()),
        };
        // Numbers for others start above.
        if id.ino == id.kind.initial_ino() {
            Some(true)
        } else if self.all_fixed {
            Some(false)
        } else {
            seen.map(|seen| seen == id.ino)
        }
    }
}

/// Whether a kernel of this release has fixed numbers for all types.
pub(crate) fn has_fixed_numbers(release: &[u8]) -> bool {
    let text = String::from_utf8_lossy(release);
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit());
    let mut next = || numbers.next()?.parse::<u32>().ok();
    match (next(), next()) {
        (Some(major), Some(minor)) => (major, minor) >= (6, 17),
        _ => false,
    }
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
