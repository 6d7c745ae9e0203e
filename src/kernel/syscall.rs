//! System calls that are younger than the library that makes the others.
//!
//! Their structures stand here as the kernel has them (linux/mount.h,
//! linux/nsfs.h); everything that comes back is bytes, read with bounds.

use std::os::fd::{FromRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::Pid;

const SYS_OPEN_BY_HANDLE_AT: libc::c_long = libc::SYS_open_by_handle_at;
const SYS_STATMOUNT: libc::c_long = 457;
const SYS_LISTMOUNT: libc::c_long = 458;
const SYS_LISTNS: libc::c_long = 470;

/// struct mnt_id_req, with the namespace (MNT_ID_REQ_SIZE_VER1).
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
            size: 32,
            spare: 0,
            mnt_id,
            param,
            mnt_ns_id,
        }
    }
}

/// struct ns_id_req.
#[repr(C)]
struct NsIdReq {
    size: u32,
    spare: u32,
    ns_id: u64,
    ns_type: u32,
    spare2: u32,
    user_ns_id: u64,
}

/// struct file_handle with a struct nsfs_file_handle in it.
#[repr(C)]
struct NsfsHandle {
    handle_bytes: u32,
    handle_type: i32,
    ns_id: u64,
    ns_type: u32,
    ns_inum: u32,
}

/// FILEID_NSFS, and the place below which nsfs handles are opened
/// (FD_NSFS_ROOT).
const FILEID_NSFS: i32 = 0xf1;
const FD_NSFS_ROOT: libc::c_int = -10003;

fn check(returned: libc::c_long) -> Result<usize, Errno> {
    usize::try_from(returned).map_err(|_| {
        let error = std::io::Error::last_os_error();
        Errno::from_io_error(&error).unwrap_or(Errno::IO)
    })
}

/// listmount(2): unique ids of mounts, as many as fit.
pub(super) fn listmount(request: &MntIdReq, ids: &mut [u64]) -> Result<usize, Errno> {
    // SAFETY: the request is a whole struct, and no more is written than fits
    // into `ids`, whose length goes along.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            SYS_LISTMOUNT,
            std::ptr::from_ref(request),
            ids.as_mut_ptr(),
            ids.len(),
            0,
        )
    };
    check(returned)
}

/// statmount(2): fills a struct statmount with its strings.
pub(super) fn statmount(request: &MntIdReq, buffer: &mut [u8]) -> Result<(), Errno> {
    // SAFETY: the request is a whole struct, and no more is written than fits
    // into `buffer`, whose length goes along; it is a struct of numbers and
    // bytes.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            SYS_STATMOUNT,
            std::ptr::from_ref(request),
            buffer.as_mut_ptr(),
            buffer.len(),
            0,
        )
    };
    check(returned).map(|_| ())
}

/// kcmp(2) with KCMP_FILES: whether two threads have one table of open files.
pub(super) fn share_files(one: Pid, other: Pid) -> Result<bool, Errno> {
    const KCMP_FILES: libc::c_int = 2;
    // SAFETY: it takes numbers only.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            libc::SYS_kcmp,
            one.as_raw_nonzero().get(),
            other.as_raw_nonzero().get(),
            KCMP_FILES,
            0,
            0,
        )
    };
    check(returned).map(|order| order == 0)
}

/// listns(2): unique ids of namespaces after one, as many as fit.
pub(super) fn listns(after: u64, ids: &mut [u64]) -> Result<usize, Errno> {
    let request = NsIdReq {
        size: 32,
        spare: 0,
        ns_id: after,
        ns_type: 0,
        spare2: 0,
        user_ns_id: 0,
    };
    // SAFETY: as with listmount.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            SYS_LISTNS,
            std::ptr::from_ref(&request),
            ids.as_mut_ptr(),
            ids.len(),
            0,
        )
    };
    check(returned)
}

/// Opens a namespace by its unique id, its type (a CLONE_ flag) and its inode
/// number, open_by_handle_at(2); ESTALE if it is gone. Linux 6.18 wants all
/// three, and later ones take 0 for both type and number.
pub(super) fn open_ns(unique_id: u64, ns_type: u32, ns_inum: u32) -> Result<OwnedFd, Errno> {
    let handle = NsfsHandle {
        handle_bytes: 16,
        handle_type: FILEID_NSFS,
        ns_id: unique_id,
        ns_type,
        ns_inum,
    };
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: the handle is a whole struct with as many bytes as it says.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            SYS_OPEN_BY_HANDLE_AT,
            FD_NSFS_ROOT,
            std::ptr::from_ref(&handle),
            flags,
        )
    };
    let fd = i32::try_from(check(returned)?).map_err(|_| Errno::BADF)?;
    // SAFETY: it is new and ours.
    #[expect(unsafe_code, reason = "the system call returns a number")]
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
