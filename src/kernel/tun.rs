//! Recognition of open tun files, whatever the name of their device node.
//!
//! Their fdinfo names the interface. It is read rather than the device number,
//! because stat(2) of a file on a dead network mount blocks, and anyone may open
//! `/dev/net/tun` through a bind mount of another name.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::path::DecInt;

use crate::kernel::{OpenError, setns};
use crate::model::Fd;
use crate::proc::READ;

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// How much of fdinfo is read at a time. Nearly always that is all of it.
const PART: usize = 4096;
/// How much of fdinfo is read. Each lock on the file adds a line of 60 bytes.
const MOST: usize = 1 << 20;

/// Returns whether any tun file may be open on this system.
pub(super) fn may_be_open(proc: &Path) -> bool {
    match setns::read(&proc.join("misc")) {
        Ok(misc) if !has_driver(&misc) => false,
        _ => !setns::read(&proc.join("modules")).is_ok_and(|modules| is_idle(&modules)),
    }
}

/// Returns whether the tun driver is among the devices of `/proc/misc`.
fn has_driver(misc: &[u8]) -> bool {
    misc.split(|byte| *byte == b'\n')
        .any(|line| words(line).nth(1) == Some(b"tun"))
}

/// Returns whether `/proc/modules` shows the tun module without open files.
/// Each counts as a reference, as does each module that depends on it. False if
/// the driver is built into the kernel.
fn is_idle(modules: &[u8]) -> bool {
    let mut lines = modules.split(|byte| *byte == b'\n');
    let Some(line) = lines.find(|line| words(line).next() == Some(b"tun")) else {
        return false;
    };
    let mut fields = words(line).skip(2);
    let (Some(references), Some(dependents)) = (fields.next(), fields.next()) else {
        return false;
    };
    let references: Option<usize> = std::str::from_utf8(references)
        .ok()
        .and_then(|text| text.parse().ok());
    let dependents = dependents
        .split(|byte| *byte == b',')
        .filter(|name| !matches!(name, [] | [b'-'] | [b'[', ..]));
    references.is_some_and(|references| references <= dependents.count())
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

/// Returns which of these open files are tun files, by the `fdinfo` directory of
/// their process.
pub(super) fn among(fdinfo: &Path, fds: &[Fd]) -> Result<Vec<Fd>, OpenError> {
    let dir = rustix::fs::open(fdinfo, DIRECTORY, Mode::empty())?;
    let mut tuns = Vec::new();
    for fd in fds {
        match is_tun(&dir, *fd) {
            Ok(true) => tuns.push(*fd),
            // It was closed.
            Ok(false) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(tuns)
}

fn is_tun(fdinfo: &OwnedFd, fd: Fd) -> Result<bool, Errno> {
    let file = rustix::fs::openat(fdinfo, DecInt::new(fd), READ, Mode::empty())?;
    let mut text = [0; PART];
    let mut length = rustix::io::read(&file, &mut text)?;
    if length < PART {
        return Ok(names_interface(text.get(..length).unwrap_or_default()));
    }
    let mut all = text.to_vec();
    while length == PART {
        if all.len() >= MOST {
            return Err(Errno::FBIG);
        }
        length = rustix::io::read(&file, &mut text)?;
        all.extend_from_slice(text.get(..length).unwrap_or_default());
    }
    Ok(names_interface(&all))
}

/// Returns whether fdinfo has the line that the tun driver adds, be it without
/// an interface.
fn names_interface(fdinfo: &[u8]) -> bool {
    const MARK: &[u8] = b"\niff:\t";
    fdinfo.windows(MARK.len()).any(|part| part == MARK)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn without_the_driver_no_tun_file_is_open() {
        assert!(has_driver(b"229 fuse\n200 tun\n"));
        assert!(!has_driver(b"229 fuse\n201 tunnel\n 99 x tun\n\n"));
        assert!(!has_driver(b""));
    }

    #[test]
    fn a_module_is_idle_if_only_other_modules_refer_to_it() {
        for line in [
            "tun 61440 0 - Live 0x0",
            "tun 61440 1 vhost_net, Live 0x0",
            "tun 61440 2 vhost_net,x, Live 0x0",
        ] {
            let modules = format!("fuse 1 9 - Live 0x0\n{line}\n");
            assert!(is_idle(modules.as_bytes()), "{line}");
        }
        for line in [
            "tun 61440 1 - Live 0x0",
            "tun 61440 2 vhost_net, Live 0x0",
            "tun 61440 1 [permanent], Live 0x0",
            "tun 61440 - - Live 0x0",
            "tun 61440 0",
            "tun",
            "tunnel4 61440 0 - Live 0x0",
            "",
        ] {
            assert!(!is_idle(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn only_a_line_of_its_own_names_an_interface() {
        assert!(names_interface(b"pos:\t0\nino:\t105\niff:\t\n"));
        assert!(names_interface(b"pos:\t0\niff:\ttun0\n"));
        assert!(!names_interface(b"pos:\t0\nino:\t105\n"));
        assert!(!names_interface(b"pos:\t0\nx iff:\ttun0\n"));
    }

    fn among_own(files: &[&File]) -> Result<Vec<usize>, OpenError> {
        let fds: Vec<Fd> = files
            .iter()
            .map(|file| file.as_raw_fd().cast_unsigned())
            .collect();
        let tuns = among(Path::new("/proc/self/fdinfo"), &fds)?;
        let places = tuns
            .iter()
            .filter_map(|tun| fds.iter().position(|fd| fd == tun));
        Ok(places.collect())
    }

    #[test]
    fn another_file_is_no_tun_file_however_many_locks_it_has() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(among_own(&[&file]), Ok(vec![]));
        for start in 0..200 {
            let mut lock = libc::flock {
                l_type: libc::F_WRLCK as i16,
                l_whence: libc::SEEK_SET as i16,
                l_start: 2 * start,
                l_len: 1,
                l_pid: 0,
            };
            // SAFETY: F_SETLK takes a flock.
            #[expect(unsafe_code, reason = "rustix locks whole files only")]
            let locked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw mut lock) };
            assert_eq!(locked, 0);
        }
        let fdinfo = format!("/proc/self/fdinfo/{}", file.as_raw_fd());
        assert!(std::fs::read(fdinfo).unwrap().len() > PART);
        assert_eq!(among_own(&[&file]), Ok(vec![]));
    }

    #[test]
    fn what_is_gone_is_skipped_and_a_process_that_is_gone_is_an_error() {
        let fdinfo = Path::new("/proc/self/fdinfo");
        assert_eq!(among(fdinfo, &[999_999]), Ok(vec![]));
        let gone = among(Path::new("/proc/0/fdinfo"), &[0]);
        assert_eq!(gone, Err(OpenError::Gone));
    }

    #[test]
    fn a_tun_file_is_one_among_others() {
        let Ok(tun) = File::options().read(true).write(true).open("/dev/net/tun") else {
            return;
        };
        let other = File::open("/dev/null").unwrap();
        assert_eq!(among_own(&[&other, &tun, &other]), Ok(vec![1]));
        assert!(may_be_open(Path::new("/proc")));
    }
}
