//! One event and the ring that the kernel writes its records to:
//! perf_event_open(2).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::io::Errno;

use crate::error::errno_of;
use crate::kernel::perf::record::{HEADER, size_of_record};

// linux/perf_event.h.
const TYPE_SOFTWARE: u32 = 1;
const COUNT_SW_DUMMY: u64 = 9;
const SAMPLE_TIME: u64 = 1 << 2;
const FORMAT_LOST: u64 = 1 << 4;
const FLAG_FD_CLOEXEC: libc::c_ulong = 1 << 3;
// The bits of the word of flags.
const COMM: u64 = 1 << 9;
const TASK: u64 = 1 << 13;
const WATERMARK: u64 = 1 << 14;
const SAMPLE_ID_ALL: u64 = 1 << 18;
const COMM_EXEC: u64 = 1 << 24;
const USE_CLOCKID: u64 = 1 << 25;
const NAMESPACES: u64 = 1 << 28;

/// Where `struct perf_event_mmap_page` has the ends of what was written, and of
/// what was read.
const DATA_HEAD: usize = 1024;
const DATA_TAIL: usize = 1032;

/// `struct perf_event_attr` of PERF_ATTR_SIZE_VER5.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_watermark: u32,
    bp_type: u32,
    config1: u64,
    config2: u64,
    branch_sample_type: u64,
    sample_regs_user: u64,
    sample_stack_user: u32,
    clockid: i32,
    sample_regs_intr: u64,
    aux_watermark: u32,
    sample_max_stack: u16,
    reserved: u16,
}

/// The records about all tasks on one CPU.
#[derive(Debug)]
pub(super) struct Ring {
    event: OwnedFd,
    mapping: Mapping,
    /// Whether the kernel says by read(2) how many records it lost, Linux 6.0.
    counts_lost: bool,
    /// How many were lost when it was last asked.
    lost: u64,
}

impl Ring {
    /// Opens one of so many pages, a power of two. EACCES without CAP_PERFMON,
    /// ENODEV for a CPU that is offline, EINVAL for one that does not exist.
    pub(super) fn open(cpu: i32, pages: usize) -> Result<Self, Errno> {
        let mut attributes = Attributes {
            kind: TYPE_SOFTWARE,
            size: size_of::<Attributes>() as u32,
            config: COUNT_SW_DUMMY,
            sample_type: SAMPLE_TIME,
            read_format: FORMAT_LOST,
            flags: COMM | TASK | WATERMARK | SAMPLE_ID_ALL | COMM_EXEC | USE_CLOCKID | NAMESPACES,
            // Any record: without a watermark, that is half a ring.
            wakeup_watermark: 1,
            clockid: libc::CLOCK_MONOTONIC,
            ..Attributes::default()
        };
        let (event, counts_lost) = match open(&attributes, cpu) {
            Err(Errno::INVAL) => {
                attributes.read_format = 0;
                (open(&attributes, cpu)?, false)
            }
            opened => (opened?, true),
        };
        let mapping = Mapping::new(event.as_fd(), pages)?;
        Ok(Ring {
            event,
            mapping,
            counts_lost,
            lost: 0,
        })
    }

    /// Calls `take` for each record that was written since the last time, and
    /// gives the kernel their room. Returns how many records were lost that no
    /// record tells of.
    pub(super) fn drain(&mut self, mut take: impl FnMut(&[u8])) -> u64 {
        let (head, mut tail) = self.mapping.ends();
        let mut record = Vec::new();
        while tail < head {
            self.mapping.copy(tail, HEADER, &mut record);
            let size = size_of_record(&record).filter(|size| *size as u64 <= head - tail);
            let Some(size) = size else {
                // No kernel writes that. What follows cannot be told apart.
                take(&[]);
                tail = head;
                break;
            };
            self.mapping.copy(tail, size, &mut record);
            take(&record);
            tail += size as u64;
        }
        self.mapping.release(tail);
        self.newly_lost()
    }

    /// Returns whether LOST records are to be counted.
    pub(super) fn tells_losses(&self) -> bool {
        !self.counts_lost
    }

    fn newly_lost(&mut self) -> u64 {
        if !self.counts_lost {
            return 0;
        }
        // Value and losses.
        let mut words = [0; 16];
        let read = rustix::io::read(&self.event, &mut words);
        let total = match read {
            Ok(16) => crate::kernel::bytes::u64_at(&words, 8).unwrap_or(self.lost),
            _ => self.lost,
        };
        let more = total.saturating_sub(self.lost);
        self.lost = total;
        more
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

fn open(attributes: &Attributes, cpu: i32) -> Result<OwnedFd, Errno> {
    let (all_tasks, no_group): (libc::pid_t, libc::c_int) = (-1, -1);
    // SAFETY: `attributes` is a whole struct of its stated size, which the kernel
    // only reads.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let returned = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            std::ptr::from_ref(attributes),
            all_tasks,
            cpu,
            no_group,
            FLAG_FD_CLOEXEC,
        )
    };
    let fd = i32::try_from(returned).map_err(|_| Errno::BADF)?;
    if fd < 0 {
        return Err(errno_of(&std::io::Error::last_os_error()));
    }
    // SAFETY: the system call returned a new descriptor.
    #[expect(unsafe_code, reason = "the system call returns a number")]
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The memory that the kernel and this process share: a page that says how far
/// each has come, and the ring.
#[derive(Debug)]
struct Mapping {
    base: *mut u8,
    page: usize,
    /// The size of the ring, a power of two.
    size: usize,
}

// SAFETY: the pointer belongs to this value alone, and any thread may use it.
#[expect(unsafe_code, reason = "a pointer is not Send by itself")]
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(event: BorrowedFd<'_>, pages: usize) -> Result<Self, Errno> {
        let page = rustix::param::page_size();
        let size = pages.checked_mul(page).filter(|_| pages.is_power_of_two());
        let size = size.ok_or(Errno::INVAL)?;
        // SAFETY: a new mapping at an address that the kernel chooses.
        #[expect(unsafe_code, reason = "a mapping lives as long as it is kept")]
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                page + size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                event.as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(errno_of(&std::io::Error::last_os_error()));
        }
        let base = base.cast();
        Ok(Mapping { base, page, size })
    }

    /// Returns how far the kernel has written, and this process has read, in
    /// bytes since the beginning.
    fn ends(&self) -> (u64, u64) {
        let tail = self.word(DATA_TAIL).load(Ordering::Relaxed);
        // Nothing before it was written later.
        let head = self.word(DATA_HEAD).load(Ordering::Acquire);
        // The kernel never has more than fits.
        (head.min(tail.saturating_add(self.size as u64)), tail)
    }

    /// Says how far this process has read.
    fn release(&self, tail: u64) {
        self.word(DATA_TAIL).store(tail, Ordering::Release);
    }

    fn word(&self, place: usize) -> &AtomicU64 {
        // SAFETY: both places lie in the first page, aligned, and the kernel
        // accesses them as whole words.
        #[expect(unsafe_code, reason = "the memory is shared with the kernel")]
        unsafe {
            AtomicU64::from_ptr(self.base.add(place).cast())
        }
    }

    /// Copies `length` bytes from a place in the ring, which may wrap around.
    fn copy(&self, from: u64, length: usize, into: &mut Vec<u8>) {
        into.clear();
        let length = length.min(self.size);
        let start = (from % self.size as u64) as usize;
        let first = length.min(self.size - start);
        for (start, length) in [(start, first), (0, length - first)] {
            // SAFETY: the bytes lie in the ring, behind the first page. The kernel
            // wrote them before it moved the head, and does not change them until
            // the tail has moved.
            #[expect(unsafe_code, reason = "the memory is shared with the kernel")]
            let bytes =
                unsafe { std::slice::from_raw_parts(self.base.add(self.page + start), length) };
            into.extend_from_slice(bytes);
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nothing refers to the mapping any more.
        #[expect(unsafe_code, reason = "a mapping lives as long as it is kept")]
        unsafe {
            libc::munmap(self.base.cast(), self.page + self.size);
        }
    }
}
