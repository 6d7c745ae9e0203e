//! Whether this process was given a standard output.
//!
//! In place of a closed one the standard library opens `/dev/null` before
//! `main`, and it takes EBADF for success. So a result would be lost, and nobody
//! told. What it opens looks like what others pass on purpose, such as daemon(3)
//! or Python's `DEVNULL`. Only a look before the standard library's tells.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_WRITABLE: AtomicBool = AtomicBool::new(true);

/// Returns whether standard output was open for writing when the process began.
pub(crate) fn is_stdout_writable() -> bool {
    // The linker keeps what is referred to.
    std::hint::black_box(&LOOK);
    IS_WRITABLE.load(Ordering::Relaxed)
}

/// What the C library calls before `main`.
#[expect(unsafe_code, reason = "nothing safe runs before `main`")]
// SAFETY: the section is an array of such pointers. Arguments that some C
// libraries pass are ignored.
#[unsafe(link_section = ".init_array")]
#[used]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    #[expect(unsafe_code, reason = "the standard library is not ready yet")]
    // SAFETY: the call has no argument beyond these, and changes nothing.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFL) };
    let is_writable = flags >= 0 && allows_writing(flags);
    IS_WRITABLE.store(is_writable, Ordering::Relaxed);
}

/// Returns whether a file that is open with these flags can be written to. One
/// that is open for ioctl(2) only, or with O_PATH, cannot.
const fn allows_writing(flags: libc::c_int) -> bool {
    matches!(flags & libc::O_ACCMODE, libc::O_WRONLY | libc::O_RDWR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_ways_to_open_a_file_allow_writing() {
        for flags in [
            libc::O_WRONLY,
            libc::O_RDWR,
            libc::O_WRONLY | libc::O_APPEND,
        ] {
            assert!(allows_writing(flags), "{flags:o}");
        }
        for flags in [libc::O_RDONLY, libc::O_PATH, libc::O_ACCMODE] {
            assert!(!allows_writing(flags), "{flags:o}");
        }
    }
}
