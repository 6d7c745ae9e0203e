//! Loads programs and reads what they write: bpf(2), commands BPF_MAP_CREATE,
//! BPF_PROG_LOAD, BPF_LINK_CREATE and BPF_ITER_CREATE.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

use crate::error::errno_of;
use crate::kernel::bpf::btf::{Btf, TypeId};

// Commands of bpf(2), linux/bpf.h.
const MAP_CREATE: libc::c_int = 0;
const PROG_LOAD: libc::c_int = 5;
const LINK_CREATE: libc::c_int = 28;
const ITER_CREATE: libc::c_int = 33;
const MAP_TYPE_ARRAY: u32 = 2;
const PROG_TYPE_TRACING: u32 = 26;
const TRACE_ITER: u32 = 28;

/// Functions that read memory are for programs under the GPL, and this string
/// is one that the kernel takes for it.
const LICENSE: &CStr = c"Dual MIT/GPL";

/// How much the kernel returns at once.
const BUFFER: usize = 32 << 10;

/// `union bpf_attr` for BPF_MAP_CREATE, up to `map_flags`.
#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
}

/// `union bpf_attr` for BPF_PROG_LOAD, up to `attach_btf_id`.
#[repr(C)]
#[derive(Default)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log: [u64; 2],
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    debug: [u64; 4],
    line_info_cnt: u32,
    attach_btf_id: u32,
}

/// `union bpf_attr` for BPF_LINK_CREATE.
#[repr(C)]
struct LinkCreate {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
    iter_info: u64,
    iter_info_len: u32,
    spare: u32,
}

/// `union bpf_iter_link_info`, for tasks.
#[repr(C)]
struct TaskInfo {
    tid: u32,
    pid: [u32; 2],
}

/// `union bpf_attr` for BPF_ITER_CREATE.
#[repr(C)]
struct IterCreate {
    link_fd: u32,
    flags: u32,
}

/// A program that is attached to an iterator.
#[derive(Debug)]
pub(super) struct Iterator {
    link: OwnedFd,
}

impl Iterator {
    /// Loads a program for the iterator that this function stands for: for all
    /// tasks, or for one thread (since Linux 6.1).
    pub(super) fn load(code: &[u8], function: TypeId, only: Option<u32>) -> Result<Self, Errno> {
        let info = TaskInfo {
            tid: only.unwrap_or(0),
            pid: [0; 2],
        };
        let program = bpf(
            PROG_LOAD,
            &ProgLoad {
                prog_type: PROG_TYPE_TRACING,
                insn_cnt: u32::try_from(code.len() / 8).map_err(|_| Errno::TOOBIG)?,
                insns: code.as_ptr() as u64,
                license: LICENSE.as_ptr() as u64,
                prog_name: *b"nsls\0\0\0\0\0\0\0\0\0\0\0\0",
                expected_attach_type: TRACE_ITER,
                attach_btf_id: function.0,
                ..ProgLoad::default()
            },
        )?;
        let link = bpf(
            LINK_CREATE,
            &LinkCreate {
                prog_fd: program.as_raw_fd().cast_unsigned(),
                target_fd: 0,
                attach_type: TRACE_ITER,
                flags: 0,
                iter_info: only.map_or(0, |_| std::ptr::from_ref(&info) as u64),
                iter_info_len: only.map_or(0, |_| size_of::<TaskInfo>() as u32),
                spare: 0,
            },
        )?;
        Ok(Iterator { link })
    }

    /// Runs it, and calls `take` for each record of this size.
    pub(super) fn run(&self, size: usize, mut take: impl FnMut(&[u8])) -> Result<(), Errno> {
        let file = bpf(
            ITER_CREATE,
            &IterCreate {
                link_fd: self.link.as_raw_fd().cast_unsigned(),
                flags: 0,
            },
        )?;
        let mut buffer = vec![0; BUFFER];
        let mut kept = 0;
        loop {
            let read = match rustix::io::read(&file, buffer.get_mut(kept..).unwrap_or_default()) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                // Of a million objects none was written.
                Err(Errno::AGAIN | Errno::INTR) => continue,
                Err(errno) => return Err(errno),
            };
            let end = kept + read;
            let records = buffer.get(..end).unwrap_or_default().chunks_exact(size);
            kept = records.remainder().len();
            records.for_each(&mut take);
            buffer.copy_within(end - kept..end, 0);
        }
    }
}

/// Makes a number of 64 bits that programs share, 0 at first. The program that it
/// is loaded with keeps it.
pub(super) fn make_counter() -> Result<OwnedFd, Errno> {
    bpf(
        MAP_CREATE,
        &MapCreate {
            map_type: MAP_TYPE_ARRAY,
            key_size: 4,
            value_size: 8,
            max_entries: 1,
            map_flags: 0,
        },
    )
}

/// Calls bpf(2) for a command that returns a file descriptor.
fn bpf<T>(command: libc::c_int, attributes: &T) -> Result<OwnedFd, Errno> {
    // SAFETY: `attributes` is a whole struct of its stated size, which the
    // kernel only reads for these commands, and what it points to is borrowed
    // by the caller.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(attributes),
            size_of::<T>(),
        )
    };
    let fd = i32::try_from(returned).map_err(|_| Errno::BADF)?;
    if fd < 0 {
        return Err(errno_of(&std::io::Error::last_os_error()));
    }
    // SAFETY: the command returned a new descriptor.
    #[expect(unsafe_code, reason = "the system call returns a number")]
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Calls `act` with the type information of the running kernel; `None` if it
/// has none.
pub(super) fn with_btf<T>(act: impl FnOnce(&Btf<'_>) -> Option<T>) -> Option<T> {
    let file = std::fs::File::open("/sys/kernel/btf/vmlinux").ok()?;
    let length = usize::try_from(file.metadata().ok()?.len()).ok()?;
    // SAFETY: a private mapping at an address that the kernel chooses.
    #[expect(unsafe_code, reason = "a mapping lives as long as it is kept")]
    let mapped = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            length,
            libc::PROT_READ,
            libc::MAP_PRIVATE,
            file.as_raw_fd(),
            0,
        )
    };
    if mapped == libc::MAP_FAILED {
        // Before Linux 6.16 it can only be read.
        return act(&Btf::parse(
            &std::fs::read("/sys/kernel/btf/vmlinux").ok()?,
        )?);
    }
    // SAFETY: the mapping has this length, never changes, and is kept until
    // `act` has returned.
    #[expect(unsafe_code, reason = "a mapping lives as long as it is kept")]
    let bytes = unsafe { std::slice::from_raw_parts(mapped.cast::<u8>(), length) };
    let result = Btf::parse(bytes).and_then(|btf| act(&btf));
    // SAFETY: nothing refers to the mapping any more.
    #[expect(unsafe_code, reason = "a mapping lives as long as it is kept")]
    unsafe {
        libc::munmap(mapped, length);
    }
    result
}
