//! Files on nsfs, which namespaces are, and their ioctls: ioctl_nsfs(2) and
//! linux/nsfs.h.

use std::ffi::c_void;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::{Errno, Result};
use rustix::ioctl::{Getter, Ioctl, IoctlOutput, Opcode, ioctl};

use crate::kernel::ioctl::get_fd;
use crate::model::{Kind, Member, NsId};

const NS_GET_USERNS: Opcode = libc::NS_GET_USERNS as Opcode;
const NS_GET_PARENT: Opcode = libc::NS_GET_PARENT as Opcode;
const NS_GET_NSTYPE: Opcode = libc::NS_GET_NSTYPE as Opcode;
const NS_GET_OWNER_UID: Opcode = libc::NS_GET_OWNER_UID as Opcode;
const NS_GET_MNTNS_ID: Opcode = libc::NS_GET_MNTNS_ID as Opcode;
const NS_MNT_GET_NEXT: Opcode = libc::NS_MNT_GET_NEXT as Opcode;
const NS_MNT_GET_PREV: Opcode = libc::NS_MNT_GET_PREV as Opcode;
/// linux/nsfs.h, which libc lacks.
const NS_GET_ID: Opcode = rustix::ioctl::opcode::read::<u64>(0xb7, 13);

/// An open namespace: a file that is on nsfs for certain, so that the kernel
/// answers its ioctls.
#[derive(Debug)]
pub(crate) struct NsFile {
    file: OwnedFd,
    /// The inode number, if it is known.
    ino: Option<u64>,
}

impl NsFile {
    /// Takes an open file, `None` if it is not on nsfs.
    pub(super) fn verify(file: OwnedFd) -> Result<Option<Self>> {
        let magic = rustix::fs::fstatfs(&file)?.f_type;
        let is_nsfs = u64::try_from(magic) == Ok(libc::NSFS_MAGIC as u64);
        Ok(is_nsfs.then_some(NsFile::created(file)))
    }

    /// Takes an open file, `None` if it is not on nsfs, whose device number is
    /// known.
    pub(super) fn verify_on(device: u64, file: OwnedFd) -> Result<Option<Self>> {
        let seen = rustix::fs::fstat(&file)?;
        Ok((seen.st_dev == device).then_some(NsFile {
            file,
            ino: Some(seen.st_ino),
        }))
    }

    /// Takes a descriptor that the kernel just created for a namespace.
    pub(super) fn created(file: OwnedFd) -> Self {
        NsFile { file, ino: None }
    }

    pub(super) fn try_clone(&self) -> Result<Self> {
        let file = rustix::io::fcntl_dupfd_cloexec(&self.file, 0)?;
        let ino = self.ino;
        Ok(NsFile { file, ino })
    }

    /// Returns the inode number.
    pub(super) fn ino(&self) -> Result<u64> {
        match self.ino {
            Some(ino) => Ok(ino),
            None => Ok(rustix::fs::fstat(&self.file)?.st_ino),
        }
    }

    /// Returns type and inode number.
    pub(super) fn id(&self) -> Result<NsId> {
        // SAFETY: the file is on nsfs, where the ioctl fits its type.
        #[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
        let flag = unsafe { ioctl(&self.file, GetType) }?;
        let kind = u32::try_from(flag).ok().and_then(kind_of_flag);
        Ok(NsId {
            kind: kind.ok_or(Errno::INVAL)?,
            ino: self.ino()?,
        })
    }

    /// Returns the user namespace that owns this one.
    pub(super) fn owner(&self) -> Result<Self> {
        self.relative(NS_GET_USERNS)
    }

    /// Returns the parent of a user or pid namespace.
    pub(super) fn parent(&self) -> Result<Self> {
        self.relative(NS_GET_PARENT)
    }

    fn relative(&self, opcode: Opcode) -> Result<Self> {
        // SAFETY: the file is on nsfs, where both opcodes return a new
        // descriptor.
        #[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
        let relative = unsafe { get_fd(self.as_fd(), opcode) }?;
        Ok(NsFile::created(relative))
    }

    /// Returns the unique ID, which is never given to another namespace.
    pub(super) fn unique_id(&self) -> Result<u64> {
        // SAFETY: on nsfs NS_GET_ID writes one `__u64`.
        #[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
        unsafe {
            ioctl(&self.file, Getter::<NS_GET_ID, u64>::new())
        }
    }

    /// Returns the unique ID of a mount namespace, known since Linux 6.11.
    pub(super) fn mount_ns_unique_id(&self) -> Result<u64> {
        // SAFETY: on nsfs NS_GET_MNTNS_ID writes one `__u64`.
        #[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
        unsafe {
            ioctl(&self.file, Getter::<NS_GET_MNTNS_ID, u64>::new())
        }
    }

    /// Returns the UID of the creator of a user namespace.
    pub(super) fn owner_uid(&self) -> Result<u32> {
        // SAFETY: on nsfs NS_GET_OWNER_UID writes one `uid_t`.
        #[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
        unsafe {
            ioctl(&self.file, Getter::<NS_GET_OWNER_UID, u32>::new())
        }
    }

    /// Returns the mount namespace after this one in the kernel's list, or
    /// before it, and its unique ID. ENOENT at the end.
    pub(super) fn neighbor(&self, forward: bool) -> Result<(Self, u64)> {
        let opcode = if forward {
            NS_MNT_GET_NEXT
        } else {
            NS_MNT_GET_PREV
        };
        let info = libc::mnt_ns_info {
            size: 0,
            nr_mounts: 0,
            mnt_ns_id: 0,
        };
        // SAFETY: the file is on nsfs, where the ioctl fits its type.
        #[expect(unsafe_code, reason = "what an ioctl returns depends on the file")]
        unsafe {
            ioctl(&self.file, GetNeighbor(opcode, info))
        }
    }
}

impl AsFd for NsFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Returns the CLONE_ flag of a type, clone(2).
pub(super) const fn flag_of_kind(kind: Kind) -> u32 {
    let flag = match kind {
        Kind::Mnt => libc::CLONE_NEWNS,
        Kind::Net => libc::CLONE_NEWNET,
        Kind::Ipc => libc::CLONE_NEWIPC,
        Kind::User => libc::CLONE_NEWUSER,
        Kind::Pid => libc::CLONE_NEWPID,
        Kind::Uts => libc::CLONE_NEWUTS,
        Kind::Cgroup => libc::CLONE_NEWCGROUP,
        Kind::Time => libc::CLONE_NEWTIME,
    };
    flag.cast_unsigned()
}

fn kind_of_flag(flag: u32) -> Option<Kind> {
    let mut kinds = Kind::ALL.iter().copied();
    kinds.find(|kind| flag_of_kind(*kind) == flag)
}

/// NS_GET_NSTYPE.
struct GetType;

// SAFETY: on nsfs the opcode takes no argument and returns a CLONE_ flag.
#[expect(unsafe_code, reason = "rustix has no such pattern")]
unsafe impl Ioctl for GetType {
    type Output = IoctlOutput;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        NS_GET_NSTYPE
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(flag: IoctlOutput, _: *mut c_void) -> Result<IoctlOutput> {
        Ok(flag)
    }
}

/// NS_MNT_GET_NEXT or NS_MNT_GET_PREV.
struct GetNeighbor(Opcode, libc::mnt_ns_info);

// SAFETY: on nsfs both opcodes write one `struct mnt_ns_info` and return a new
// file descriptor.
#[expect(unsafe_code, reason = "rustix has no such pattern")]
unsafe impl Ioctl for GetNeighbor {
    type Output = (NsFile, u64);

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.0
    }

    fn as_ptr(&mut self) -> *mut c_void {
        (&raw mut self.1).cast()
    }

    unsafe fn output_from_ptr(fd: IoctlOutput, info: *mut c_void) -> Result<(NsFile, u64)> {
        // SAFETY: the kernel created the descriptor for this call; the pointer
        // is the one of `as_ptr`, and any bits make a struct of numbers.
        unsafe {
            let info = info.cast::<libc::mnt_ns_info>().read();
            Ok((NsFile::created(OwnedFd::from_raw_fd(fd)), info.mnt_ns_id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &str) -> Option<NsFile> {
        let file = std::fs::File::open(path).unwrap();
        NsFile::verify(file.into()).unwrap()
    }

    #[test]
    fn only_files_on_nsfs_are_namespaces() {
        let id = open("/proc/self/ns/uts").unwrap().id().unwrap();
        let text = std::fs::read_link("/proc/self/ns/uts").unwrap();
        assert_eq!(id.to_string(), text.to_str().unwrap());
        for other in ["/dev/null", "/proc/self/status", "/"] {
            assert!(open(other).is_none(), "{other}");
        }
    }

    #[test]
    fn only_one_flag_at_a_time_is_a_type() {
        for kind in Kind::ALL {
            assert_eq!(kind_of_flag(flag_of_kind(*kind)), Some(*kind));
        }
        assert_eq!(kind_of_flag(0x0400_0080), None);
        assert_eq!(kind_of_flag(0), None);
    }
}
