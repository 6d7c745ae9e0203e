//! Numbers of open files that have no file yet.
//!
//! accept(2) and open(2) reserve the number before they wait for a connection, or
//! for the other side of a FIFO. The kernel counts it among the open files, but
//! lists it nowhere.

use crate::model::Tid;
use crate::proc::ProcessDir;
use crate::proc::proc_file::ProcFile;
use crate::proc::read::{Limit, ReadError, read_whole};
use crate::proc::status::parse_switches;

/// System calls that reserve a number, with the kernel's functions in which they
/// wait with it. Before and after these, they may wait without one, so that the
/// system call alone proves nothing.
const RESERVE: &[(libc::c_long, &[&str])] = &[
    #[cfg(not(any(target_arch = "s390x", target_arch = "x86")))]
    (libc::SYS_accept, ACCEPT),
    (libc::SYS_accept4, ACCEPT),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, OPEN),
    (libc::SYS_openat, OPEN),
    (libc::SYS_openat2, OPEN),
];

/// For connections of TCP, vsock and unix sockets.
const ACCEPT: &[&str] = &[
    "inet_csk_accept",
    "inet_csk_wait_for_connect",
    "vsock_accept",
    "__skb_wait_for_more_packets",
];

/// For the other side of a FIFO.
const OPEN: &[&str] = &["wait_for_partner"];

/// A thread that waits with a reserved number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    tid: Tid,
    /// How often it ceased to run. If that is the same later, it has not run
    /// meanwhile.
    switches: u64,
}

/// Returns those that waited all the time between two looks.
pub(super) fn throughout(before: &[Waiting], after: &[Waiting]) -> usize {
    before.iter().filter(|one| after.contains(one)).count()
}

impl ProcessDir<'_> {
    /// Returns its threads that wait with a reserved number, among those that
    /// `shares` a table of open files. What cannot be read is not known to wait.
    pub(super) fn waiting(&self, shares: impl Fn(Tid) -> bool) -> Vec<Waiting> {
        let tids = self.threads().unwrap_or_default();
        let waiting = tids.into_iter().filter_map(|tid| self.waits(tid).ok()?);
        waiting.filter(|one| shares(one.tid)).collect()
    }

    fn waits(&self, tid: Tid) -> Result<Option<Waiting>, ReadError> {
        let read = |name: &str| {
            let file = self.open_file(&format!("task/{tid}/{name}"))?;
            read_whole(file, Limit::Long)
        };
        // Counted first: what is read afterwards then belongs to this wait, or
        // the count is another one later.
        let switches = parse_switches(&read(ProcFile::Status.name())?)?;
        let has_reserved = is_reserving(&read("syscall")?, &read("wchan")?);
        Ok(has_reserved.then_some(Waiting { tid, switches }))
    }
}

/// Returns whether a thread has reserved a number, by the system call and the
/// function of the kernel in which it waits: `/proc/PID/syscall` and
/// `/proc/PID/wchan`, proc_pid_syscall(5) and proc_pid_wchan(5).
fn is_reserving(syscall: &[u8], wchan: &[u8]) -> bool {
    let number = syscall.split(|byte| *byte == b' ').next();
    let number = number.and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
    let place = wchan.trim_ascii();
    RESERVE.iter().any(|(one, places)| {
        number == Some(*one) && places.iter().any(|known| known.as_bytes() == place)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::proc::Sysroot;

    #[test]
    fn a_number_is_reserved_where_the_system_call_waits_with_it() {
        let accept = format!("{} 0x3 0x0 0x7ffe 0x7fe4\n", libc::SYS_accept4);
        let open = format!("{} 0xffffff9c 0x7ffc\n", libc::SYS_openat);
        let is = |syscall: &str, wchan: &str| is_reserving(syscall.as_bytes(), wchan.as_bytes());
        assert!(is(&accept, "inet_csk_accept"));
        assert!(is(&accept, "__skb_wait_for_more_packets"));
        assert!(is(&open, "wait_for_partner"));
        // A supervisor holds it before it begins, or it waits for something else.
        assert!(!is(&accept, "seccomp_do_user_notification"));
        assert!(!is(&accept, "wait_for_partner"));
        assert!(!is(&open, "request_wait_answer"));
        let receive = format!("{} 0x3\n", libc::SYS_recvfrom);
        assert!(!is(&receive, "__skb_wait_for_more_packets"));
        for syscall in ["running\n", "", "-1 0x7ffe 0x7fe4\n", "x 0x1", " "] {
            assert!(!is(syscall, "inet_csk_accept"), "{syscall}");
        }
        for wchan in ["", "0", "inet_csk_accept2"] {
            assert!(!is(&accept, wchan), "{wchan}");
        }
    }

    #[test]
    fn only_who_has_not_run_meanwhile_counts() {
        let one = |tid, switches| Waiting { tid, switches };
        let before = [one(7, 1), one(8, 4), one(9, 1)];
        let after = [one(7, 1), one(8, 5), one(10, 1)];
        assert_eq!(throughout(&before, &after), 1);
    }

    #[test]
    fn the_files_of_a_process_that_waits_for_one_more_are_all_known() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let mut child = Command::new("cat")
            .arg(&fifo)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let root = Sysroot::live();
        let process = ProcessDir::open(&root, child.id()).unwrap();
        let waits = || !process.waiting(|_| true).is_empty();
        for _ in 0..500 {
            if waits() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let is_told = waits();
        let files = process.files(None, |_, _| false).unwrap();
        // Lets it end.
        drop(File::options().write(true).open(&fifo));
        child.wait().unwrap();
        // Some kernels do not tell where a thread waits.
        if is_told {
            assert_eq!(files.trouble, None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(syscall: Vec<u8>, wchan: Vec<u8>) {
            let _ = is_reserving(&syscall, &wchan);
        }
    }
}
