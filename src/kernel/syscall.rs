//! System calls that rustix has no wrapper for.
//!
//! Their structures are laid out as the kernel defines them (linux/mount.h,
//! linux/nsfs.h). Results are bytes, read with bounds checks.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::Pid;

use crate::error::errno_of;
use crate::kernel::nsfs::NsFile;

// libc lacks these on most architectures.
const SYS_STATMOUNT: libc::c_long = shared_number(457);
const SYS_LISTMOUNT: libc::c_long = shared_number(458);
const SYS_LISTNS: libc::c_long = shared_number(470);

/// Returns the number of a system call on this architecture.
///
/// All architectures number new system calls alike since 424, apart from a
/// constant that some add (scripts/syscall.tbl; alpha 110, MIPS 4000 to 6000,
/// x32 a high bit). A call of that range that libc knows tells the constant;
/// where libc does not know it, nsls does not compile.
const fn shared_number(number: libc::c_long) -> libc::c_long {
    libc::SYS_pidfd_getfd - 438 + number
}

/// `struct mnt_id_req` of MNT_ID_REQ_SIZE_VER1, which names the namespace.
#[repr(C)]
pub(super) struct MntIdReq {
    size: u32,
    spare: u32,
    mnt_id: u64,
    param: u64,
    mnt_ns_id: u64,
}

impl MntIdReq {
    pub(super) fn new(mnt_id: u64, param: u64, mnt_ns_id: u64) -> Self {
        MntIdReq {
            size: size_of::<Self>() as u32,
            spare: 0,
            mnt_id,
            param,
            mnt_ns_id,
        }
    }
}

/// `struct ns_id_req`.
#[repr(C)]
struct NsIdReq {
    size: u32,
    spare: u32,
    ns_id: u64,
    ns_type: u32,
    spare2: u32,
    user_ns_id: u64,
}

/// `struct file_handle` that holds a `struct nsfs_file_handle`.
#[repr(C)]
struct NsfsHandle {
    handle_bytes: u32,
    handle_type: i32,
    ns_id: u64,
    ns_type: u32,
    ns_inum: u32,
}

// linux/exportfs.h and linux/fcntl.h, which libc lacks: the type of such a
// handle, and the place to open it.
const FILEID_NSFS: libc::c_int = 0xf1;
const FD_NSFS_ROOT: libc::c_int = -10003;
/// Size of `struct nsfs_file_handle`, linux/nsfs.h.
const NSFS_HANDLE_BYTES: u32 = 16;
/// The last argument of these calls, reserved for flags.
const NO_FLAGS: libc::c_uint = 0;
/// linux/kcmp.h, which libc lacks.
const KCMP_FILES: libc::c_int = 2;

fn check(returned: libc::c_long) -> Result<usize, Errno> {
    usize::try_from(returned).map_err(|_| errno_of(&std::io::Error::last_os_error()))
}

/// Fills `ids` with unique IDs of mounts and returns how many: listmount(2).
pub(super) fn listmount(request: &MntIdReq, ids: &mut [u64]) -> Result<usize, Errno> {
    // SAFETY: `request` is a whole struct of its stated size, and the kernel
    // writes no more than `ids.len()` numbers.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            SYS_LISTMOUNT,
            std::ptr::from_ref(request),
            ids.as_mut_ptr(),
            ids.len(),
            NO_FLAGS,
        )
    };
    check(returned)
}

/// Fills `buffer` with a `struct statmount` and its strings: statmount(2).
/// EOVERFLOW if they do not fit.
pub(super) fn statmount(request: &MntIdReq, buffer: &mut [u8]) -> Result<(), Errno> {
    // SAFETY: `request` is a whole struct of its stated size, and the kernel
    // writes no more than `buffer.len()` bytes.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            SYS_STATMOUNT,
            std::ptr::from_ref(request),
            buffer.as_mut_ptr(),
            buffer.len(),
            NO_FLAGS,
        )
    };
    check(returned).map(|_| ())
}

/// Returns whether two threads share their table of open files: kcmp(2).
pub(super) fn share_files(one: Pid, other: Pid) -> Result<bool, Errno> {
    // The file descriptors that other comparisons take.
    let unused: libc::c_ulong = 0;
    // SAFETY: kcmp takes numbers only.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            libc::SYS_kcmp,
            one.as_raw_nonzero().get(),
            other.as_raw_nonzero().get(),
            KCMP_FILES,
            unused,
            unused,
        )
    };
    check(returned).map(|order| order == 0)
}

/// Fills `ids` with the unique IDs of namespaces that follow `after`, and
/// returns how many: listns(2).
pub(super) fn listns(after: u64, ids: &mut [u64]) -> Result<usize, Errno> {
    let request = NsIdReq {
        size: size_of::<NsIdReq>() as u32,
        spare: 0,
        ns_id: after,
        ns_type: 0,
        spare2: 0,
        user_ns_id: 0,
    };
    // SAFETY: `request` is a whole struct of its stated size, and the kernel
    // writes no more than `ids.len()` numbers.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            SYS_LISTNS,
            std::ptr::from_ref(&request),
            ids.as_mut_ptr(),
            ids.len(),
            NO_FLAGS,
        )
    };
    check(returned)
}

/// Opens a namespace by its unique ID, its type (a CLONE_ flag) and its inode
/// number: open_by_handle_at(2). Linux 6.18 requires all three, later kernels
/// take 0 for type and inode number. ESTALE if the namespace is gone, EBADF
/// before Linux 6.18.
pub(super) fn open_ns(unique_id: u64, ns_type: u32, ns_inum: u32) -> Result<NsFile, Errno> {
    let handle = NsfsHandle {
        handle_bytes: NSFS_HANDLE_BYTES,
        handle_type: FILEID_NSFS,
        ns_id: unique_id,
        ns_type,
        ns_inum,
    };
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: `handle` has as many bytes as it states.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            libc::SYS_open_by_handle_at,
            FD_NSFS_ROOT,
            std::ptr::from_ref(&handle),
            flags,
        )
    };
    let fd = i32::try_from(check(returned)?).map_err(|_| Errno::BADF)?;
    // SAFETY: open_by_handle_at(2) returned a new descriptor.
    #[expect(unsafe_code, reason = "the system call returns a number")]
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(NsFile::created(file))
}

/// Returns the cookie of the net namespace of a socket: SO_NETNS_COOKIE.
/// ENOPROTOOPT before Linux 5.14.
pub(super) fn net_cookie(socket: BorrowedFd<'_>) -> Result<u64, Errno> {
    let mut cookie = 0_u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    // SAFETY: the kernel writes no more than `length` bytes.
    #[expect(unsafe_code, reason = "rustix lacks the option")]
    let returned = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            std::ptr::from_mut(&mut cookie).cast(),
            &raw mut length,
        )
    };
    check(returned.into()).map(|_| cookie)
}

/// Stops sharing root, working directory and umask with other threads, without
/// which no thread may enter a mount namespace: unshare(2) with CLONE_FS.
pub(super) fn unshare_fs() -> Result<(), Errno> {
    // SAFETY: No descriptor is affected.
    #[expect(unsafe_code, reason = "with other flags, descriptors would be")]
    unsafe {
        rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::FS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_other_calls_in_the_same_range() {
        // libc knows this one on some architectures only.
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        assert_eq!(shared_number(462), libc::SYS_mseal);
        assert_eq!(shared_number(424), libc::SYS_pidfd_send_signal);
        assert_eq!(SYS_LISTMOUNT - SYS_STATMOUNT, 1);
    }
}
