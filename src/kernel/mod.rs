//! Questions to the running kernel that no file below `/proc` answers.
//!
//! Only a scan of the live system asks them; a captured tree has no kernel.

use rustix::io::Errno;
use rustix::process::Pid as RawPid;

use crate::model::Pid;

/// Whether a process or thread exists although `/proc` does not show it, as
/// with hidepid: the null signal of kill(2) tells.
pub(crate) fn process_exists(pid: Pid) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(RawPid::from_raw) else {
        return false;
    };
    matches!(
        rustix::process::test_kill_process(pid),
        Ok(()) | Err(Errno::PERM)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_exists_and_the_largest_pid_does_not() {
        assert!(process_exists(std::process::id()));
        assert!(!process_exists(i32::MAX.unsigned_abs()));
        assert!(!process_exists(u32::MAX));
        assert!(!process_exists(0));
    }
}
