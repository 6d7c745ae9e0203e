//! The ioctls of nsfs, ioctl_nsfs(2) and linux/nsfs.h, and the one of sockets,
//! linux/sockios.h.

use std::ffi::c_void;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use rustix::io::{Errno, Result};
use rustix::ioctl::{Getter, Ioctl, IoctlOutput, Opcode, ioctl};

const NS_GET_USERNS: Opcode = libc::NS_GET_USERNS as Opcode;
const NS_GET_PARENT: Opcode = libc::NS_GET_PARENT as Opcode;
const NS_GET_NSTYPE: Opcode = libc::NS_GET_NSTYPE as Opcode;
const NS_GET_OWNER_UID: Opcode = libc::NS_GET_OWNER_UID as Opcode;
const NS_GET_MNTNS_ID: Opcode = libc::NS_GET_MNTNS_ID as Opcode;
const NS_MNT_GET_NEXT: Opcode = libc::NS_MNT_GET_NEXT as Opcode;
const NS_MNT_GET_PREV: Opcode = libc::NS_MNT_GET_PREV as Opcode;
/// linux/nsfs.h, which libc lacks.
const NS_GET_ID: Opcode = rustix::ioctl::opcode::read::<u64>(0xb7, 13);
const SIOCGSKNS: Opcode = libc::SIOCGSKNS as Opcode;

/// An ioctl without argument that returns a file descriptor.
struct ReturnsFd(Opcode);

// SAFETY: of the opcodes it is made with none takes an argument, and each
// returns a new file descriptor that nobody else knows.
#[expect(unsafe_code, reason = "ioctl(2) has as many types as it has opcodes")]
unsafe impl Ioctl for ReturnsFd {
    type Output = OwnedFd;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        self.0
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(out: IoctlOutput, _: *mut c_void) -> Result<OwnedFd> {
        // SAFETY: it is new and ours, see above.
        Ok(unsafe { OwnedFd::from_raw_fd(out) })
    }
}

/// NS_GET_NSTYPE, which returns a number.
struct ReturnsType;

// SAFETY: the opcode takes no argument and returns a CLONE_ flag.
#[expect(unsafe_code, reason = "ioctl(2) has as many types as it has opcodes")]
unsafe impl Ioctl for ReturnsType {
    type Output = IoctlOutput;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        NS_GET_NSTYPE
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(out: IoctlOutput, _: *mut c_void) -> Result<IoctlOutput> {
        Ok(out)
    }
}

fn get_fd(file: impl AsFd, opcode: Opcode) -> Result<OwnedFd> {
    // SAFETY: the type fits the opcodes below.
    #[expect(unsafe_code, reason = "the ioctl may be of any type")]
    unsafe {
        ioctl(file, ReturnsFd(opcode))
    }
}

/// The user namespace that owns a namespace.
pub(super) fn get_userns(ns: impl AsFd) -> Result<OwnedFd> {
    get_fd(ns, NS_GET_USERNS)
}

/// The parent of a user or pid namespace.
pub(super) fn get_parent(ns: impl AsFd) -> Result<OwnedFd> {
    get_fd(ns, NS_GET_PARENT)
}

/// The net namespace of a socket or tun file. Anything else has no such ioctl: ENOTTY.
pub(super) fn get_socket_ns(socket: impl AsFd) -> Result<OwnedFd> {
    get_fd(socket, SIOCGSKNS)
}

/// The number of a namespace that is never given to another.
pub(super) fn get_id(ns: impl AsFd) -> Result<u64> {
    // SAFETY: NS_GET_ID writes one __u64 where its argument points.
    #[expect(unsafe_code, reason = "the ioctl may be of any type")]
    unsafe {
        ioctl(ns, Getter::<NS_GET_ID, u64>::new())
    }
}

/// The same number of a mount namespace, known since Linux 6.11.
pub(super) fn get_mnt_ns_id(mount_ns: impl AsFd) -> Result<u64> {
    // SAFETY: NS_GET_MNTNS_ID writes one __u64 where its argument points.
    #[expect(unsafe_code, reason = "the ioctl may be of any type")]
    unsafe {
        ioctl(mount_ns, Getter::<NS_GET_MNTNS_ID, u64>::new())
    }
}

/// struct mnt_ns_info.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct MntNsInfo {
    size: u32,
    nr_mounts: u32,
    mnt_ns_id: u64,
}

/// NS_MNT_GET_NEXT or NS_MNT_GET_PREV: returns a file descriptor and fills a
/// struct.
struct Neighbour(Opcode, MntNsInfo);

// SAFETY: both opcodes write one struct mnt_ns_info where their argument points
// and return a new file descriptor that nobody else knows.
#[expect(unsafe_code, reason = "ioctl(2) has as many types as it has opcodes")]
unsafe impl Ioctl for Neighbour {
    type Output = (OwnedFd, u64);

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.0
    }

    fn as_ptr(&mut self) -> *mut c_void {
        (&raw mut self.1).cast()
    }

    unsafe fn output_from_ptr(out: IoctlOutput, info: *mut c_void) -> Result<(OwnedFd, u64)> {
        // SAFETY: the descriptor is new and ours; the pointer is that of
        // as_ptr, and every bit pattern is a struct of numbers.
        unsafe {
            let info = info.cast::<MntNsInfo>().read();
            Ok((OwnedFd::from_raw_fd(out), info.mnt_ns_id))
        }
    }
}

/// The mount namespace after or before one in the kernel's list, and its
/// unique id; ENOENT at the end.
pub(super) fn get_neighbour(mount_ns: impl AsFd, forward: bool) -> Result<(OwnedFd, u64)> {
    let opcode = if forward {
        NS_MNT_GET_NEXT
    } else {
        NS_MNT_GET_PREV
    };
    // SAFETY: the type fits the opcodes.
    #[expect(unsafe_code, reason = "the ioctl may be of any type")]
    unsafe {
        ioctl(mount_ns, Neighbour(opcode, MntNsInfo::default()))
    }
}

/// The type of a namespace, as a CLONE_ flag of clone(2).
pub(super) fn get_type(ns: impl AsFd) -> Result<u32> {
    // SAFETY: the type fits the opcode.
    #[expect(unsafe_code, reason = "the ioctl may be of any type")]
    let flag = unsafe { ioctl(ns, ReturnsType) }?;
    u32::try_from(flag).map_err(|_| Errno::INVAL)
}

/// The user who made a user namespace.
pub(super) fn get_owner_uid(user_ns: impl AsFd) -> Result<u32> {
    // SAFETY: NS_GET_OWNER_UID writes one uid_t where its argument points.
    #[expect(unsafe_code, reason = "the ioctl may be of any type")]
    unsafe {
        ioctl(user_ns, Getter::<NS_GET_OWNER_UID, u32>::new())
    }
}
