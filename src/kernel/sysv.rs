//! Counts the System V objects in the ipc namespace of the calling thread:
//! shmctl(2), msgctl(2) and semctl(2), which answer without privilege.

use rustix::io::Errno;

use crate::error::errno_of;
use crate::model::SysvIpc;

/// linux/shm.h, which libc lacks.
const SHM_INFO: libc::c_int = 14;

/// `struct shm_info`, linux/shm.h.
#[repr(C)]
#[derive(Default)]
struct ShmInfo {
    used_ids: libc::c_int,
    shm_tot: libc::c_ulong,
    shm_rss: libc::c_ulong,
    shm_swp: libc::c_ulong,
    swap_attempts: libc::c_ulong,
    swap_successes: libc::c_ulong,
}

/// `struct seminfo`, linux/sem.h, which libc has for glibc only.
#[repr(C)]
#[derive(Default)]
struct SemInfo {
    semmap: libc::c_int,
    semmni: libc::c_int,
    semmns: libc::c_int,
    semmnu: libc::c_int,
    semmsl: libc::c_int,
    semopm: libc::c_int,
    semume: libc::c_int,
    semusz: libc::c_int,
    semvmx: libc::c_int,
    semaem: libc::c_int,
}

pub(super) fn count() -> Result<SysvIpc, Errno> {
    let mut shm = ShmInfo::default();
    // SAFETY: SHM_INFO writes one `struct shm_info`.
    #[expect(unsafe_code, reason = "a call without a wrapper")]
    check(unsafe { libc::shmctl(0, SHM_INFO, (&raw mut shm).cast()) })?;
    let mut msg = libc::msginfo {
        msgpool: 0,
        msgmap: 0,
        msgmax: 0,
        msgmnb: 0,
        msgmni: 0,
        msgssz: 0,
        msgtql: 0,
        msgseg: 0,
    };
    // SAFETY: MSG_INFO writes one `struct msginfo`.
    #[expect(unsafe_code, reason = "a call without a wrapper")]
    check(unsafe { libc::msgctl(0, libc::MSG_INFO, (&raw mut msg).cast()) })?;
    let mut sem = SemInfo::default();
    // SAFETY: SEM_INFO writes one `struct seminfo`.
    #[expect(unsafe_code, reason = "a call without a wrapper")]
    check(unsafe { libc::semctl(0, 0, libc::SEM_INFO, &raw mut sem) })?;
    Ok(SysvIpc {
        queues: number(msg.msgpool)?,
        segments: number(shm.used_ids)?,
        semaphores: number(sem.semusz)?,
    })
}

/// Checks a return value, which is the highest index in use.
fn check(returned: libc::c_int) -> Result<(), Errno> {
    if returned < 0 {
        return Err(errno_of(&std::io::Error::last_os_error()));
    }
    Ok(())
}

fn number(count: libc::c_int) -> Result<u64, Errno> {
    u64::try_from(count).map_err(|_| Errno::PROTO)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of lines after the heading.
    fn lines(file: &str) -> u64 {
        let text = std::fs::read_to_string(file).unwrap();
        (text.lines().count() - 1) as u64
    }

    #[test]
    fn as_many_objects_are_counted_as_proc_lists() {
        let expected = SysvIpc {
            queues: lines("/proc/sysvipc/msg"),
            segments: lines("/proc/sysvipc/shm"),
            semaphores: lines("/proc/sysvipc/sem"),
        };
        assert_eq!(count(), Ok(expected));
    }

    #[test]
    fn a_negative_count_is_a_broken_answer() {
        assert_eq!(number(-1), Err(Errno::PROTO));
        assert_eq!(number(7), Ok(7));
    }
}
