use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::model::{Holder, Mount, OpenFile, Within};
use crate::proc::Sysroot;

/// Paths that open namespaces: for a live root on this system, for a captured
/// tree on the system that was captured.
impl Sysroot {
    /// Returns a path that opens the namespace of a holder; `None` if the kind of
    /// holder has no path.
    pub fn holder_path(&self, holder: &Holder) -> Option<PathBuf> {
        let proc = self.proc_there();
        match holder {
            Holder::Process { pid, link } | Holder::ForChildren { pid, link } => {
                Some(proc.join(format!("{pid}/ns/{link}")))
            }
            Holder::Thread { pid, tid, link } => {
                Some(proc.join(format!("{pid}/task/{tid}/ns/{link}")))
            }
            Holder::Fd(file) => Some(self.open_file_path(file)),
            Holder::Mount(mount) => self.mount_path(mount),
            Holder::Path(path) => Some(OsStr::from_bytes(path).into()),
            Holder::Socket(_)
            | Holder::Tun(_)
            | Holder::InFlight(_)
            | Holder::IoUring(_)
            | Holder::Child(_)
            | Holder::Owned(_)
            | Holder::Listed { .. }
            | Holder::Kernel { .. } => None,
        }
    }

    /// Returns the path of an open file of a process.
    pub fn open_file_path(&self, file: &OpenFile) -> PathBuf {
        let OpenFile { pid, tid, fd } = file;
        self.proc_there().join(match tid {
            None => format!("{pid}/fd/{fd}"),
            Some(tid) => format!("{pid}/task/{tid}/fd/{fd}"),
        })
    }

    /// Returns a path that leads from the reader's mount namespace to a mount;
    /// `None` if no process sees the mount.
    pub fn mount_path(&self, mount: &Mount) -> Option<PathBuf> {
        let path = Path::new(OsStr::from_bytes(&mount.path));
        let Some(Within { pid, .. }) = mount.within else {
            return Some(path.to_owned());
        };
        let root = self.proc_there().join(format!("{}/root", pid?));
        Some(root.join(path.strip_prefix("/").unwrap_or(path)))
    }

    /// Returns the path of the proc tree on the system that it shows.
    fn proc_there(&self) -> PathBuf {
        if self.is_live() {
            self.proc_path()
        } else {
            "/proc".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Link, NsId};

    #[test]
    fn what_leads_to_a_namespace_lies_below_the_root_that_is_live() {
        let host = Sysroot::at("/proc/self/root");
        let captured = Sysroot::at("fixtures/ubuntu-20.04");
        let file = |tid| OpenFile { pid: 7, tid, fd: 3 };
        let mount = |within| Mount {
            within,
            path: b"/run/a \xff"[..].into(),
            id: 1,
        };
        let other = |pid| Within { mount_ns: 5, pid };
        for (holder, path) in [
            (Holder::of_link(7, Link::Net), "/proc/7/ns/net"),
            (
                Holder::of_link(7, Link::PidForChildren),
                "/proc/7/ns/pid_for_children",
            ),
            (
                Holder::Thread {
                    pid: 7,
                    tid: 8,
                    link: Link::Net,
                },
                "/proc/7/task/8/ns/net",
            ),
            (Holder::Fd(file(None)), "/proc/7/fd/3"),
            (Holder::Fd(file(Some(8))), "/proc/7/task/8/fd/3"),
            (
                Holder::Mount(mount(Some(other(Some(7))))),
                "/proc/7/root/run/a \u{fffd}",
            ),
        ] {
            let shown = |root: &Sysroot| {
                let path = root.holder_path(&holder).unwrap();
                path.to_string_lossy().into_owned()
            };
            assert_eq!(shown(&Sysroot::live()), path);
            assert_eq!(shown(&captured), path);
            assert_eq!(shown(&host), format!("/proc/self/root{path}"));
        }
    }

    #[test]
    fn paths_of_the_reader_stay_as_they_are_and_some_holders_have_none() {
        let host = Sysroot::at("/proc/self/root");
        let mount = Mount {
            within: None,
            path: "/run/a".into(),
            id: 1,
        };
        assert_eq!(host.mount_path(&mount), Some("/run/a".into()));
        let path = Holder::Path("/run/b".into());
        assert_eq!(host.holder_path(&path), Some("/run/b".into()));
        let within = Some(Within {
            mount_ns: 5,
            pid: None,
        });
        assert_eq!(host.mount_path(&Mount { within, ..mount }), None);
        let file = OpenFile {
            pid: 7,
            tid: None,
            fd: 3,
        };
        let id = NsId {
            ino: 1,
            kind: Link::Net.kind(),
        };
        for holder in [
            Holder::Socket(file),
            Holder::Tun(file),
            Holder::Child(id),
            Holder::Owned(id),
            Holder::Listed { unique_id: 1 },
        ] {
            assert_eq!(host.holder_path(&holder), None);
        }
    }
}
