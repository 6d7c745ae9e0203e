//! What it takes to wait for a command, and to say how long something took.

/// Ignores SIGINT and SIGQUIT from now on, as system(3) does while it waits: the
/// terminal sends them to the command as well.
pub(crate) fn ignore_interrupts() {
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        #[expect(unsafe_code, reason = "rustix does not change how signals are handled")]
        // SAFETY: no handler is installed, and none is replaced: nothing else in
        // this process handles these signals.
        unsafe {
            libc::signal(signal, libc::SIG_IGN);
        }
    }
}

/// Returns the time since boot, suspension included, in clock ticks (1/100 s), as
/// proc_pid_stat(5) has the start of a process.
pub(crate) fn ticks_since_boot() -> Option<u64> {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    #[expect(unsafe_code, reason = "rustix has it behind one more feature")]
    // SAFETY: the structure is as the call expects it, and outlives it.
    let returned = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now) };
    let seconds = u64::try_from(now.tv_sec).ok()?;
    let hundredths = u64::try_from(now.tv_nsec).ok()? / 10_000_000;
    (returned == 0).then_some(seconds * 100 + hundredths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proc::{ProcessDir, Sysroot};

    #[test]
    fn this_process_has_started_since_boot() {
        let root = Sysroot::live();
        let stat = ProcessDir::open(&root, std::process::id()).unwrap().stat();
        let start = stat.unwrap().start.unwrap();
        assert!((start..start + 100_000).contains(&ticks_since_boot().unwrap()));
    }
}
