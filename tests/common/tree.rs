use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, mknodat};
use tempfile::TempDir;

/// A proc tree built by a test.
pub struct Tree(TempDir);

/// The links of an ordinary process, all to the initial namespaces.
pub const INITIAL: [(&str, &str); 10] = [
    ("mnt", "mnt:[4026531832]"),
    ("net", "net:[4026531833]"),
    ("ipc", "ipc:[4026531839]"),
    ("user", "user:[4026531837]"),
    ("pid", "pid:[4026531836]"),
    ("pid_for_children", "pid:[4026531836]"),
    ("uts", "uts:[4026531838]"),
    ("cgroup", "cgroup:[4026531835]"),
    ("time", "time:[4026531834]"),
    ("time_for_children", "time:[4026531834]"),
];

impl Tree {
    /// Creates a tree without processes, in which UID 0 is root.
    pub fn new() -> Self {
        let tree = Tree(tempfile::tempdir().unwrap());
        fs::create_dir(tree.path().join("proc")).unwrap();
        tree.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Adds a process of root in the initial namespaces, a child of PID 1.
    pub fn process(self, pid: u32, cmdline: impl AsRef<[u8]>) -> Self {
        let dir = format!("proc/{pid}");
        INITIAL
            .iter()
            .fold(self, |tree, (name, to)| {
                tree.link(&format!("{dir}/ns/{name}"), to)
            })
            .file(
                &format!("{dir}/stat"),
                format!("{pid} (comm) S 1 {pid} {pid} 0 -1\n"),
            )
            .file(&format!("{dir}/status"), "Name:\tcomm\nUid:\t0\t0\t0\t0\n")
            .file(&format!("{dir}/cmdline"), cmdline)
    }

    /// Writes a file, replacing any existing one.
    pub fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.make_room(path);
        fs::write(path, bytes).unwrap();
        self
    }

    /// Creates a link, replacing any existing file.
    pub fn link(self, path: &str, to: &str) -> Self {
        let path = self.make_room(path);
        symlink(to, path).unwrap();
        self
    }

    /// Creates a FIFO without a writer, replacing any existing file.
    pub fn fifo(self, path: &str) -> Self {
        let path = self.make_room(path);
        mknodat(CWD, path, FileType::Fifo, 0o600.into(), 0).unwrap();
        self
    }

    /// Removes a file or directory.
    pub fn without(self, path: &str) -> Self {
        let path = self.path().join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        self
    }

    fn make_room(&self, path: &str) -> std::path::PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.symlink_metadata().is_ok() {
            fs::remove_file(&path).unwrap();
        }
        path
    }
}
