//! A captured tree of random files: their names, types and contents.
#![no_main]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{CWD, FileType, mknodat};

/// The directory of the tree, which lies in memory where there is such.
static DIR: OnceLock<tempfile::TempDir> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let dir = DIR.get_or_init(|| {
        let shm = Path::new("/dev/shm");
        let parent = if shm.is_dir() { shm } else { Path::new("/tmp") };
        tempfile::tempdir_in(parent).expect("a directory can be made")
    });
    let tree = dir.path().join("tree");
    let _ = fs::create_dir_all(tree.join("proc"));
    // Links come last, so that nothing is made through one.
    for with_links in [false, true] {
        for entry in bytes.split(|byte| *byte == 0xff) {
            make(&tree, entry, with_links);
        }
    }
    nsls::fuzzing::scan(&tree);
    let _ = fs::remove_dir_all(&tree);
});

/// Makes a file of an entry: where (as far as a known path tells), what, and its
/// content. Errors are part of the game, but nothing outside the tree changes.
fn make(tree: &Path, entry: &[u8], with_links: bool) -> Option<()> {
    let (number, rest) = entry.split_first()?;
    let (pid, rest) = rest.split_first()?;
    let (what, content) = rest.split_first()?;
    let path = PATHS[usize::from(*number) % PATHS.len()];
    // Few processes, so that they meet.
    let path = tree.join(path.replace("PID", &(1 + pid % 4).to_string()));
    if matches!(what, b'z' | b'l') != with_links {
        return None;
    }
    let parent = path.parent()?;
    if !with_links {
        fs::create_dir_all(parent).ok()?;
    }
    if !parent
        .canonicalize()
        .ok()?
        .starts_with(tree.canonicalize().ok()?)
    {
        return None;
    }
    match what {
        b'd' => fs::create_dir(path).ok(),
        b'f' => mknodat(CWD, path, FileType::Fifo, 0o600.into(), 0).ok(),
        b'z' => symlink("/dev/zero", path).ok(),
        b'l' => {
            let text = content.split(|byte| *byte == 0).next()?;
            symlink(
                <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(text),
                path,
            )
            .ok()
        }
        _ => {
            use std::io::Write;
            File::create_new(path).ok()?.write_all(content).ok()
        }
    }
}

const PATHS: &[&str] = &[
    "proc/PID/ns/net",
    "proc/PID/ns/mnt",
    "proc/PID/ns/user",
    "proc/PID/ns/pid",
    "proc/PID/ns/pid_for_children",
    "proc/PID/ns/time",
    "proc/PID/ns/time_for_children",
    "proc/PID/ns",
    "proc/PID/stat",
    "proc/PID/status",
    "proc/PID/cmdline",
    "proc/PID/cgroup",
    "proc/PID/mountinfo",
    "proc/PID/uid_map",
    "proc/PID/gid_map",
    "proc/PID/setgroups",
    "proc/PID/timens_offsets",
    "proc/PID/net/dev",
    "proc/PID/fd/3",
    "proc/PID/fd/4",
    "proc/PID/fd",
    "proc/PID/task/2/ns/net",
    "proc/PID/task/3/ns/net",
    "proc/PID/task/3/ns/user",
    "proc/PID/task/3/fd/3",
    "proc/PID/task",
    "proc/PID/environ",
    "proc/PID",
    "proc/self",
    "proc/self/status",
    "proc/self/mountinfo",
    "proc/self/ns/user",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/pid_max",
    "proc/sys/user/max_net_namespaces",
    "proc",
    "etc/passwd",
    "containers.json",
    "var/lib/containers/storage/overlay-containers/containers.json",
    "run/containerd/io.containerd.runtime.v2.task/k8s.io/x/config.json",
];
