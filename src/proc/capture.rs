//! What only `nsls capture` reads: whole files, to be written unchanged.

use rustix::io::Errno;

use crate::model::Pid;
use crate::proc::lines::MOST_IN_ALL;
use crate::proc::mountinfo::{parse_line, unescape};
use crate::proc::ns_dir::RECORDED;
use crate::proc::proc_file::ProcFile;
use crate::proc::process_dir::ProcessDir;
use crate::proc::read::read_start;
use crate::proc::reader::MOUNT_POINT;
use crate::proc::{ReadError, Sysroot};

impl ProcFile {
    /// All of them.
    pub(crate) const ALL: [ProcFile; 7] = [
        ProcFile::Stat,
        ProcFile::Status,
        ProcFile::Cmdline,
        ProcFile::Cgroup,
        ProcFile::UidMap,
        ProcFile::GidMap,
        ProcFile::TimensOffsets,
    ];
}

impl ProcessDir<'_> {
    /// Reads one of its files for a capture. A file that is too long stays too
    /// long there.
    pub(crate) fn copy(&self, file: ProcFile) -> Result<Vec<u8>, ReadError> {
        let most = file.limit().bytes() + 1;
        Ok(read_start(self.open_file(file.name())?, most)?.0)
    }
}

impl Sysroot {
    /// Reads the mount table of a process for a capture, if it shows all mounts of
    /// its mount namespace. A table that is too long stays too long there.
    pub(crate) fn copy_mounts(&self, pid: Pid) -> Option<Vec<u8>> {
        if self.is_at_root(pid) != Ok(true) {
            return None;
        }
        let file = self.proc().ok()?.open_file(&format!("{pid}/mountinfo"));
        let most = usize::try_from(MOST_IN_ALL).ok()? + 1;
        Some(read_start(file.ok()?, most).ok()?.0)
    }

    /// Reads what a capture keeps of the reader's `status` and `mountinfo`: the
    /// lines about privileges, and all mounts, with the proc tree where the capture
    /// has it.
    pub(crate) fn reader(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let status = self.own_status()?;
        let mut kept = Vec::new();
        if let Ok(mut mountinfo) = self.mountinfo() {
            let mount_point = self.mount_point();
            while let Some(line) = mountinfo.next() {
                let Ok(line) = line else { continue };
                let parsed = parse_line(line);
                if parsed.is_some_and(|parsed| unescape(parsed.mount_point) == mount_point) {
                    kept.extend(mounted_at(line, MOUNT_POINT));
                } else {
                    kept.extend([line, b"\n"].concat());
                }
            }
        }
        Some((status, kept))
    }
}

/// Returns the name under which a captured tree records an error. EACCES,
/// EPERM and ETIMEDOUT are kept apart, every other error becomes EIO.
pub(crate) fn errno_name(errno: Errno) -> &'static str {
    RECORDED
        .iter()
        .find(|(known, _)| *known == errno)
        .map_or("EIO", |(_, name)| name)
}

/// Replaces the mount point in a line of a mount table.
fn mounted_at(line: &[u8], mount_point: &[u8]) -> Vec<u8> {
    let mut fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    if let Some(field) = fields.get_mut(4) {
        *field = mount_point;
    }
    let mut line = fields.join(&b' ');
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proc::ns_dir::parse_errno_name;

    #[test]
    fn a_capture_keeps_its_proc_tree_where_it_looks_for_it() {
        let line = b"22 28 0:21 / /host/proc rw,nosuid shared:5 - proc proc rw,hidepid=2";
        let kept = mounted_at(line, MOUNT_POINT);
        let expected = b"22 28 0:21 / /proc rw,nosuid shared:5 - proc proc rw,hidepid=2\n";
        assert_eq!(kept, expected);
    }

    #[test]
    fn recorded_errors_are_read_back_and_other_words_are_not() {
        for (errno, name) in RECORDED {
            assert_eq!(errno_name(errno), name);
            assert_eq!(parse_errno_name(name.as_bytes()), Some(errno));
        }
        assert_eq!(errno_name(Errno::LOOP), "EIO");
        assert_eq!(parse_errno_name(b""), None);
        assert_eq!(parse_errno_name(b"EFOO"), None);
    }
}
