//! ioctl(2) calls that return a file descriptor.

use std::ffi::c_void;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Result;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl};

/// Issues an ioctl that takes no argument and returns a file descriptor.
///
/// # Safety
///
/// The kernel itself must answer `opcode` on this file, with a new descriptor.
/// Of the files of other processes that holds only for what was just seen to be
/// on nsfs, a socket, or the tun device: an ioctl on a FUSE file is answered by
/// its server, with any number it likes, and this process would go on to close
/// that descriptor of its own.
#[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
pub(super) unsafe fn get_fd(file: BorrowedFd<'_>, opcode: Opcode) -> Result<OwnedFd> {
    // SAFETY: the caller vouches for file and opcode.
    unsafe { ioctl(file, ReturnsFd(opcode)) }
}

struct ReturnsFd(Opcode);

// SAFETY: the ioctl takes no argument and returns a new file descriptor, which
// whoever issues it vouches for.
#[expect(unsafe_code, reason = "rustix has no such pattern")]
unsafe impl Ioctl for ReturnsFd {
    type Output = OwnedFd;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        self.0
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(fd: IoctlOutput, _: *mut c_void) -> Result<OwnedFd> {
        // SAFETY: the kernel created this descriptor for the call.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}
