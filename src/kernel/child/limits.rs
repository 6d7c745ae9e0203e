//! The limits of a user namespace.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::kernel::child::confine::{Guise, drop_capabilities};
use crate::kernel::child::{DEADLINE, enter_user_ns, in_child, is_admin};
use crate::kernel::nsfs::NsFile;
use crate::model::{Kind, Member};

/// The number of types, each with a limit.
const KINDS: usize = Kind::ALL.len();
/// What stands for a limit that the kernel does not have.
const NO_LIMIT: u64 = u64::MAX;

/// Returns the limits of a user namespace, in the order of [`Kind::ALL`], by
/// entering it. `sysctls` is the directory `sys` of a procfs, whose files show
/// the user namespace of the reader. ENOENT if it shows none.
pub(in crate::kernel) fn max_namespaces(
    ns: &NsFile,
    sysctls: BorrowedFd<'_>,
) -> Result<[Option<u64>; KINDS], Errno> {
    let guise = match is_admin() {
        true => Guise::Nobody,
        false => Guise::Powerless,
    };
    let answer = in_child([ns.as_fd(), sysctls], DEADLINE, guise, |buffer| {
        enter_user_ns(ns.as_fd())?;
        drop_capabilities()?;
        let mut is_any = false;
        for (kind, place) in Kind::ALL.iter().zip(buffer.chunks_exact_mut(8)) {
            let max = match read_number(sysctls, max_file(*kind)) {
                Err(Errno::NOENT) => NO_LIMIT,
                max => max?,
            };
            is_any |= max != NO_LIMIT;
            place.copy_from_slice(&max.to_ne_bytes());
        }
        if is_any { Ok(()) } else { Err(Errno::NOENT) }
    })?;
    let mut all = [None; KINDS];
    let (numbers, _) = answer.as_chunks();
    for (place, number) in all.iter_mut().zip(numbers) {
        *place = Some(u64::from_ne_bytes(*number)).filter(|max| *max != NO_LIMIT);
    }
    Ok(all)
}

/// Returns the sysctl that limits the number of namespaces of a type.
const fn max_file(kind: Kind) -> &'static CStr {
    match kind {
        Kind::Mnt => c"user/max_mnt_namespaces",
        Kind::Net => c"user/max_net_namespaces",
        Kind::Ipc => c"user/max_ipc_namespaces",
        Kind::User => c"user/max_user_namespaces",
        Kind::Pid => c"user/max_pid_namespaces",
        Kind::Uts => c"user/max_uts_namespaces",
        Kind::Cgroup => c"user/max_cgroup_namespaces",
        Kind::Time => c"user/max_time_namespaces",
    }
}

/// Reads a file that holds one number. Allocates nothing.
fn read_number(dir: BorrowedFd<'_>, path: &CStr) -> Result<u64, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(dir, path, flags, Mode::empty())?;
    let mut text = [0; 24];
    let length = rustix::io::read(&file, &mut text)?;
    let text = text.get(..length).unwrap_or_default();
    parse_number(text.trim_ascii_end()).ok_or(Errno::PROTO)
}

/// Parses a number without a sign; `None` for anything else.
fn parse_number(text: &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for digit in text {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    (!text.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_and_nothing_else() {
        assert_eq!(parse_number(b"96365"), Some(96365));
        assert_eq!(parse_number(b"0"), Some(0));
        assert_eq!(parse_number(b"18446744073709551615"), Some(u64::MAX));
        for text in ["", "-1", "+1", "1 2", "x", "18446744073709551616"] {
            assert_eq!(parse_number(text.as_bytes()), None, "{text:?}");
        }
    }
}
