//! The ioctls of nsfs, ioctl_nsfs(2) and linux/nsfs.h, and the one of sockets,
//! linux/sockios.h.

use std::ffi::c_void;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use rustix::io::{Errno, Result};
use rustix::ioctl::{Getter, Ioctl, IoctlOutput, Opcode, ioctl};

const NS_GET_USERNS: Opcode = 0xb701;
const NS_GET_PARENT: Opcode = 0xb702;
const NS_GET_NSTYPE: Opcode = 0xb703;
const NS_GET_OWNER_UID: Opcode = 0xb704;
const SIOCGSKNS: Opcode = 0x894c;

/// An ioctl without argument that returns a file descriptor.
struct ReturnsFd(Opcode);

// SAFETY: of the three opcodes it is made with none takes an argument, and each
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

/// The net namespace of a socket. Anything else has no such ioctl: ENOTTY.
pub(super) fn get_socket_ns(socket: impl AsFd) -> Result<OwnedFd> {
    get_fd(socket, SIOCGSKNS)
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
