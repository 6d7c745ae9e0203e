//! Questions that a thread cannot ask: a forked child enters a user namespace,
//! writes what it sees there into a pipe, and exits.
//!
//! Processes inside may be hostile. The child holds nothing of value, cannot be
//! traced, and is killed when its time is up. It makes system calls and nothing
//! else: at the fork(2), other threads may have held any lock, that of the
//! allocator included.
//!
//! It stays in the caller's pid namespace, so that only processes which share
//! that one can name it. To trace it, or to look into it, takes CAP_SYS_PTRACE
//! in the user namespace in which its program was executed, which is the
//! caller's, not the one it entered.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    DumpableBehavior, Pid as RawPid, PidfdFlags, Signal, WaitOptions, getpid, getppid,
    kill_process, pidfd_open, set_dumpable_behavior, set_parent_process_death_signal, waitpid,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, capabilities, set_capabilities, set_keep_capabilities,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use crate::error::errno_of;
use crate::kernel::UtsNames;
use crate::kernel::error::errno_from;
use crate::kernel::nsfs::NsFile;
use crate::model::{Kind, Member};

/// The longest answer: two names of a uts namespace, each with its NUL.
const LIMIT: usize = 2 * 65;
/// An error number and an answer. A pipe takes that many bytes in one piece.
const MESSAGE: usize = size_of::<i32>() + LIMIT;
/// How long a child may take: another process may have stopped it.
const DEADLINE: Duration = Duration::from_secs(2);

/// The number of types, each with a limit.
const KINDS: usize = Kind::ALL.len();
/// What stands for a limit that the kernel does not have.
const NO_LIMIT: u64 = u64::MAX;

/// Whom the child becomes before it enters anything.
#[derive(Clone, Copy)]
enum Guise {
    /// The same user without capabilities.
    Powerless,
    /// Nobody, with the one capability that it takes to enter. Only that of root.
    Nobody,
}

/// Returns whether this process may send a child into a uts namespace. One with
/// CAP_SYS_ADMIN enters with a thread instead.
pub(super) fn may_enter() -> bool {
    !is_admin() && !rustix::process::geteuid().is_root()
}

fn is_admin() -> bool {
    capabilities(None).map_or(true, |sets| {
        sets.effective.contains(CapabilitySet::SYS_ADMIN)
    })
}

/// Returns the limits of a user namespace, in the order of [`Kind::ALL`], by
/// entering it. `sysctls` is the directory `sys` of a procfs, whose files show
/// the user namespace of the reader. ENOENT if it shows none.
pub(super) fn max_namespaces(
    ns: &NsFile,
    sysctls: BorrowedFd<'_>,
) -> Result<[Option<u64>; KINDS], Errno> {
    let guise = match is_admin() {
        true => Guise::Nobody,
        false => Guise::Powerless,
    };
    let answer = in_child([ns.as_fd(), sysctls], DEADLINE, guise, |buffer| {
        enter_user_ns(ns.as_fd())?;
        drop_capabilities()?;
        let mut is_any = false;
        for (kind, place) in Kind::ALL.iter().zip(buffer.chunks_exact_mut(8)) {
            let max = match read_number(sysctls, max_file(*kind)) {
                Err(Errno::NOENT) => NO_LIMIT,
                max => max?,
            };
            is_any |= max != NO_LIMIT;
            place.copy_from_slice(&max.to_ne_bytes());
        }
        if is_any { Ok(()) } else { Err(Errno::NOENT) }
    })?;
    let mut all = [None; KINDS];
    let (numbers, _) = answer.as_chunks();
    for (place, number) in all.iter_mut().zip(numbers) {
        *place = Some(u64::from_ne_bytes(*number)).filter(|max| *max != NO_LIMIT);
    }
    Ok(all)
}

/// Returns the sysctl that limits the number of namespaces of a type.
const fn max_file(kind: Kind) -> &'static CStr {
    match kind {
        Kind::Mnt => c"user/max_mnt_namespaces",
        Kind::Net => c"user/max_net_namespaces",
        Kind::Ipc => c"user/max_ipc_namespaces",
        Kind::User => c"user/max_user_namespaces",
        Kind::Pid => c"user/max_pid_namespaces",
        Kind::Uts => c"user/max_uts_namespaces",
        Kind::Cgroup => c"user/max_cgroup_namespaces",
        Kind::Time => c"user/max_time_namespaces",
    }
}

/// Reads a file that holds one number. Allocates nothing.
fn read_number(dir: BorrowedFd<'_>, path: &CStr) -> Result<u64, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(dir, path, flags, Mode::empty())?;
    let mut text = [0; 24];
    let length = rustix::io::read(&file, &mut text)?;
    let text = text.get(..length).unwrap_or_default();
    parse_number(text.trim_ascii_end()).ok_or(Errno::PROTO)
}

/// Parses a number without a sign; `None` for anything else.
fn parse_number(text: &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for digit in text {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    (!text.is_empty()).then_some(number)
}

/// Returns the names of a uts namespace, by entering the user namespace that
/// owns it, which the creator of that may do without privilege.
pub(super) fn uts_names(ns: &NsFile) -> Result<UtsNames, Errno> {
    let owner = ns.owner()?;
    let keep = [owner.as_fd(), ns.as_fd()];
    let answer = in_child(keep, DEADLINE, Guise::Powerless, |buffer| {
        enter_user_ns(owner.as_fd())?;
        enter(ns.as_fd(), libc::CLONE_NEWUTS)?;
        drop_capabilities()?;
        let names = rustix::system::uname();
        let both = [names.nodename(), names.domainname()];
        let bytes = both.iter().flat_map(|name| name.to_bytes_with_nul());
        for (place, byte) in buffer.iter_mut().zip(bytes) {
            *place = *byte;
        }
        Ok(())
    })?;
    let mut names = answer.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    match (names.next(), names.next()) {
        (Some(host), Some(domain)) => Ok(UtsNames { host, domain }),
        _ => Err(Errno::PROTO),
    }
}

/// Moves the child into a user namespace, which grants all capabilities there.
fn enter_user_ns(ns: BorrowedFd<'_>) -> Result<(), Errno> {
    enter(ns, libc::CLONE_NEWUSER).map_err(|errno| match errno {
        // The child is there already, and lacks the capability there.
        Errno::INVAL => Errno::PERM,
        errno => errno,
    })?;
    // The kernel may have made the child dumpable again.
    protect()
}

/// Runs `ask` in a child and returns what it put into the buffer. `ask` must
/// make system calls only, and needs no descriptors except `keep`. ETIMEDOUT if
/// the child takes too long, ECHILD if it ends without an answer.
fn in_child(
    keep: [BorrowedFd<'_>; 2],
    deadline: Duration,
    guise: Guise,
    ask: impl Fn(&mut [u8; LIMIT]) -> Result<(), Errno>,
) -> Result<[u8; LIMIT], Errno> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let [one, other] = keep;
    let keep = [one.as_raw_fd(), other.as_raw_fd(), writer.as_raw_fd()];
    let parent = getpid();
    // SAFETY: the child calls only `ask` and functions that are
    // async-signal-safe, signal-safety(7), and ends with _exit(2).
    #[expect(unsafe_code, reason = "no safe wrapper forks without exec")]
    let forked = unsafe { libc::fork() };
    if forked == 0 {
        let mut buffer = [0; LIMIT];
        let asked = confine(parent, keep, guise).and_then(|()| ask(&mut buffer));
        let errno = asked.map_or_else(Errno::raw_os_error, |()| 0);
        let mut message = [0; MESSAGE];
        let bytes = errno.to_ne_bytes().into_iter().chain(buffer);
        for (place, byte) in message.iter_mut().zip(bytes) {
            *place = byte;
        }
        // The parent takes a short answer for a failure.
        let _ = rustix::io::write(&writer, &message);
        exit();
    }
    drop(writer);
    let child = match RawPid::from_raw(forked) {
        Some(child) if forked > 0 => child,
        _ => return Err(last_error()),
    };
    let end = Instant::now() + deadline;
    let message = receive(&reader, end);
    if message == Err(Errno::TIMEDOUT) {
        let _ = kill_process(child, Signal::KILL);
    }
    reap(child, end);
    let message = message?;
    let (errno, answer) = message.split_first_chunk().ok_or(Errno::PROTO)?;
    match i32::from_ne_bytes(*errno) {
        0 => answer.try_into().map_err(|_| Errno::PROTO),
        errno => Err(errno_from(errno)),
    }
}

/// Reads the message of a child.
fn receive(reader: &OwnedFd, end: Instant) -> Result<[u8; MESSAGE], Errno> {
    let mut message = [0; MESSAGE];
    if !wait_for(reader, end)? {
        return Err(Errno::TIMEDOUT);
    }
    match rustix::io::read(reader, &mut message)? {
        MESSAGE => Ok(message),
        _ => Err(Errno::CHILD),
    }
}

/// Reaps a child that has answered or was killed. Its end is not waited for
/// beyond a limit: a tracer can keep a dead process.
fn reap(child: RawPid, end: Instant) {
    const GRACE: Duration = Duration::from_millis(100);
    if let Ok(process) = pidfd_open(child, PidfdFlags::empty()) {
        let _ = wait_for(&process, end.max(Instant::now() + GRACE));
    }
    let _ = waitpid(Some(child), WaitOptions::NOHANG);
}

/// Waits until a descriptor is ready, poll(2). Returns whether it is.
fn wait_for(fd: &OwnedFd, end: Instant) -> Result<bool, Errno> {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let mut waiting = libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let timeout = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: `waiting` is one pollfd.
        #[expect(unsafe_code, reason = "rustix has poll under another feature")]
        let ready = unsafe { libc::poll(&raw mut waiting, 1, timeout) };
        match ready {
            0 => return Ok(false),
            1.. => return Ok(true),
            _ => match last_error() {
                Errno::INTR => {}
                errno => return Err(errno),
            },
        }
    }
}

/// Takes from the child what it must not bring into a namespace.
fn confine(parent: RawPid, keep: [RawFd; 3], guise: Guise) -> Result<(), Errno> {
    close_others(keep)?;
    match guise {
        Guise::Powerless => drop_capabilities()?,
        Guise::Nobody => become_nobody()?,
    }
    // Another user is another process to the kernel: what protected it is gone.
    protect()?;
    // The parent may have ended before the signal was set.
    if getppid() != Some(parent) {
        return Err(Errno::SRCH);
    }
    Ok(())
}

/// Makes this process one of the user whom no file belongs to, with CAP_SYS_ADMIN
/// alone. Entering a user namespace takes that away, too.
fn become_nobody() -> Result<(), Errno> {
    const NOBODY: u32 = 65534;
    if rustix::process::geteuid().is_root() {
        let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        set_keep_capabilities(true)?;
        set_thread_groups(&[])?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
    }
    let admin = CapabilitySet::SYS_ADMIN;
    let sets = CapabilitySets {
        effective: admin,
        permitted: admin,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets)
}

/// Keeps this process from being traced, and from outliving its parent.
fn protect() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_parent_process_death_signal(Some(Signal::KILL))
}

fn drop_capabilities() -> Result<(), Errno> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    set_capabilities(None, sets)
}

/// Closes all descriptors except these, close_range(2). ENOSYS before Linux
/// 5.9.
fn close_others(mut keep: [RawFd; 3]) -> Result<(), Errno> {
    keep.sort_unstable();
    let mut first: libc::c_uint = 0;
    for fd in keep.map(RawFd::cast_unsigned) {
        if first < fd {
            close_range(first, fd - 1)?;
        }
        first = fd + 1;
    }
    close_range(first, libc::c_uint::MAX)
}

fn close_range(first: libc::c_uint, last: libc::c_uint) -> Result<(), Errno> {
    let no_flags: libc::c_uint = 0;
    // SAFETY: in the child, which uses none of these descriptors again.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, no_flags) };
    if closed == 0 {
        Ok(())
    } else {
        Err(last_error())
    }
}

/// Moves this process into a namespace, setns(2).
fn enter(ns: BorrowedFd<'_>, kind: libc::c_int) -> Result<(), Errno> {
    // SAFETY: setns(2) takes a descriptor and flags.
    #[expect(unsafe_code, reason = "rustix takes no user namespace here")]
    let entered = unsafe { libc::setns(ns.as_raw_fd(), kind) };
    if entered == 0 {
        Ok(())
    } else {
        Err(last_error())
    }
}

fn exit() -> ! {
    // SAFETY: _exit(2) runs no handlers and does not return.
    #[expect(unsafe_code, reason = "no safe wrapper exits without handlers")]
    unsafe {
        libc::_exit(0)
    }
}

fn last_error() -> Errno {
    errno_of(&std::io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use rustix::process::dumpable_behavior;

    use super::*;

    fn ask(
        deadline: Duration,
        ask: impl Fn(&mut [u8; LIMIT]) -> Result<(), Errno>,
    ) -> Result<[u8; LIMIT], Errno> {
        let (one, other) = (File::open("/").unwrap(), File::open("/").unwrap());
        in_child(
            [one.as_fd(), other.as_fd()],
            deadline,
            Guise::Powerless,
            ask,
        )
    }

    #[test]
    fn a_limit_is_a_number_and_nothing_else() {
        assert_eq!(parse_number(b"96365"), Some(96365));
        assert_eq!(parse_number(b"0"), Some(0));
        assert_eq!(parse_number(b"18446744073709551615"), Some(u64::MAX));
        for text in ["", "-1", "+1", "1 2", "x", "18446744073709551616"] {
            assert_eq!(parse_number(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_child_of_root_is_nobody() {
        if !rustix::process::geteuid().is_root() || !is_admin() {
            return;
        }
        let (one, other) = (File::open("/").unwrap(), File::open("/").unwrap());
        let keep = [one.as_fd(), other.as_fd()];
        let answer = in_child(keep, DEADLINE, Guise::Nobody, |buffer| {
            let sets = capabilities(None)?;
            let has_one = sets.effective == CapabilitySet::SYS_ADMIN
                && sets.permitted == CapabilitySet::SYS_ADMIN;
            let is_dumpable = dumpable_behavior()? != DumpableBehavior::NotDumpable;
            buffer[0] = u8::from(has_one);
            buffer[1] = u8::from(is_dumpable);
            buffer[2] = u8::from(rustix::process::getuid().as_raw() == 65534);
            buffer[3] = u8::from(rustix::process::getegid().as_raw() == 65534);
            Ok(())
        });
        let answer = answer.map(|answer| answer[..4].to_vec());
        assert_eq!(answer, Ok(vec![1, 0, 1, 1]));
    }

    #[test]
    fn a_child_gives_an_answer_or_the_reason_why_not() {
        let answer = ask(DEADLINE, |buffer| {
            buffer[0] = b'a';
            buffer[LIMIT - 1] = b'z';
            Ok(())
        });
        let mut expected = [0; LIMIT];
        (expected[0], expected[LIMIT - 1]) = (b'a', b'z');
        assert_eq!(answer, Ok(expected));
        assert_eq!(ask(DEADLINE, |_| Err(Errno::LOOP)), Err(Errno::LOOP));
    }

    #[test]
    fn a_child_that_ends_without_an_answer_is_a_failure() {
        assert_eq!(ask(DEADLINE, |_| exit()), Err(Errno::CHILD));
    }

    #[test]
    fn a_child_that_is_stopped_is_killed_in_time() {
        let before = Instant::now();
        let stopped = ask(Duration::from_millis(50), |_| {
            kill_process(getpid(), Signal::STOP)
        });
        assert_eq!(stopped, Err(Errno::TIMEDOUT));
        assert!(before.elapsed() < DEADLINE);
        // It is reaped, too: no zombie is left among the children of this test.
        let children = std::fs::read_to_string("/proc/thread-self/children");
        assert_eq!(children.unwrap_or_default(), "");
    }

    #[test]
    fn a_child_has_nothing_to_take() {
        let answer = ask(DEADLINE, |buffer| {
            let is_dumpable = dumpable_behavior()? != DumpableBehavior::NotDumpable;
            let sets = capabilities(None)?;
            let has_capabilities = sets.effective.union(sets.permitted) != CapabilitySet::empty();
            let mut open = 0;
            for fd in 0..1024 {
                // SAFETY: fcntl(2) with F_GETFD takes any number.
                #[expect(unsafe_code, reason = "most are not open")]
                let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
                open += u8::from(flags >= 0);
            }
            *buffer.first_chunk_mut().ok_or(Errno::PROTO)? =
                [u8::from(is_dumpable), u8::from(has_capabilities), open];
            Ok(())
        });
        // The two that were given, and the pipe.
        assert_eq!(answer.map(|answer| answer[..3].to_vec()), Ok(vec![0, 0, 3]));
    }
}
