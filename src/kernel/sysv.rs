//! How many System V objects the ipc namespace of the calling thread has:
//! shmctl(2), msgctl(2) and semctl(2), which tell it to everybody.

use rustix::io::Errno;

use crate::error::errno_of;
use crate::model::SysvIpc;

const MSG_INFO: libc::c_int = 12;
const SHM_INFO: libc::c_int = 14;
const SEM_INFO: libc::c_int = 19;

/// Room for any of struct shm_info, struct msginfo and struct seminfo.
type Info = [u64; 16];

/// The places of the counts, in numbers of 32 bits: `used_ids`, `msgpool`,
/// `semusz`.
const USED_IDS: usize = 0;
const MSGPOOL: usize = 0;
const SEMUSZ: usize = 7;

pub(super) fn count() -> Result<SysvIpc, Errno> {
    let mut info: Info = [0; 16];
    // SAFETY: SHM_INFO writes one struct shm_info, which is smaller.
    #[expect(unsafe_code, reason = "a call without a wrapper")]
    check(unsafe { libc::shmctl(0, SHM_INFO, info.as_mut_ptr().cast()) })?;
    let segments = number(&info, USED_IDS);
    // SAFETY: MSG_INFO writes one struct msginfo, which is smaller.
    #[expect(unsafe_code, reason = "a call without a wrapper")]
    check(unsafe { libc::msgctl(0, MSG_INFO, info.as_mut_ptr().cast()) })?;
    let queues = number(&info, MSGPOOL);
    // SAFETY: SEM_INFO writes one struct seminfo, which is smaller.
    #[expect(unsafe_code, reason = "a call without a wrapper")]
    check(unsafe { libc::semctl(0, 0, SEM_INFO, info.as_mut_ptr()) })?;
    Ok(SysvIpc {
        queues,
        segments,
        semaphores: number(&info, SEMUSZ),
    })
}

fn check(returned: libc::c_int) -> Result<(), Errno> {
    // They return the highest index in use.
    if returned < 0 {
        return Err(errno_of(&std::io::Error::last_os_error()));
    }
    Ok(())
}

fn number(info: &Info, place: usize) -> u64 {
    let bytes: Vec<u8> = info.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers
        .get(place)
        .map_or(0, |bytes| u32::from_ne_bytes(*bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_from_its_place() {
        let mut info: Info = [0; 16];
        info[0] = u64::from_ne_bytes([7, 0, 0, 0, 9, 0, 0, 0].map(|byte: u8| byte));
        let expected = if cfg!(target_endian = "little") {
            [7, 9]
        } else {
            [7 << 24, 9 << 24]
        };
        assert_eq!([number(&info, 0), number(&info, 1)], expected);
        assert_eq!(number(&info, 99), 0);
        assert!(count().is_ok());
    }
}
