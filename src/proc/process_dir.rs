use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use procfs::process::Process;
use rustix::fs::{OFlags, RawDir};
use rustix::io::Errno;
use rustix::path::Arg;

use crate::model::{Fd, IdMap, Link, MountRoot, NsId, OpenFile, Pid, Tid, TimeOffsets};
use crate::proc::cmdline::join_arguments;
use crate::proc::id_map::parse_id_map;
use crate::proc::lines::Lines;
use crate::proc::link_text::{parse_id, parse_link};
use crate::proc::mountinfo::{first_mount, mount_facts};
use crate::proc::read::{Limit, READ, read_start, read_whole, require_regular};
use crate::proc::stat::{Stat, parse_stat};
use crate::proc::status::{parse_euid, parse_nspid};
use crate::proc::timens_offsets::parse_timens_offsets;
use crate::proc::{ReadError, Sysroot};

/// One process of a proc tree, held open: if its pid is given to another
/// process meanwhile, what is read here fails and does not lie.
pub(crate) struct ProcessDir<'a> {
    root: &'a Sysroot,
    pid: Pid,
    process: Process,
}

impl<'a> ProcessDir<'a> {
    /// Opens a process.
    pub(crate) fn open(root: &'a Sysroot, pid: Pid) -> Result<Self, ReadError> {
        let process = Process::new_with_root(root.process_path(pid))?;
        Ok(ProcessDir { root, pid, process })
    }

    /// The directory of its links.
    pub(crate) fn ns(&self) -> Result<NsDir<'_>, ReadError> {
        self.open_ns("ns")
    }

    /// The directory of the links of one of its threads.
    pub(crate) fn thread_ns(&self, tid: Tid) -> Result<NsDir<'_>, ReadError> {
        self.open_ns(&format!("task/{tid}/ns"))
    }

    fn open_ns(&self, path: &str) -> Result<NsDir<'_>, ReadError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = self.process.open_relative_flags(path, flags)?;
        Ok(NsDir {
            root: self.root,
            dir,
        })
    }

    /// Whether it may have threads besides its leader: each is a directory, and
    /// so a link of theirs (proc_pid_task(5)). In a copy only a look tells.
    pub(crate) fn may_have_threads(&self) -> bool {
        let tasks = self.root.process_path(self.pid).join("task");
        !self.root.is_live() || rustix::fs::stat(tasks).is_ok_and(|tasks| tasks.st_nlink > 3)
    }

    /// Its threads, by id.
    pub(crate) fn threads(&self) -> Result<Vec<Tid>, ReadError> {
        let mut tids = Vec::new();
        for task in self.process.tasks()? {
            tids.push(Tid::try_from(task?.tid).map_err(|_| ReadError::Malformed)?);
        }
        tids.sort_unstable();
        Ok(tids)
    }

    /// Its open files that can hold a namespace, by number; or those of one of
    /// its threads.
    ///
    /// Only the texts of links are read. What they lead to is never looked at,
    /// for a file on a dead server would keep us.
    pub(crate) fn files(&self, tid: Option<Tid>) -> Result<Vec<(OpenFile, FdTarget)>, ReadError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let pid = self.pid;
        let path = tid.map_or_else(|| "fd".to_owned(), |tid| format!("task/{tid}/fd"));
        let dir = self.process.open_relative_flags(&path, flags)?;
        let mut buffer = [MaybeUninit::uninit(); 2048];
        let mut entries = RawDir::new(&dir, &mut buffer);
        let mut text = [MaybeUninit::uninit(); 4096];
        let mut found = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            let Some(fd) = parse_fd(name.to_bytes()) else {
                continue;
            };
            match rustix::fs::readlinkat_raw(&dir, name, &mut text) {
                Ok((text, _)) => {
                    let file = OpenFile { pid, tid, fd };
                    found.extend(parse_fd_target(text).map(|target| (file, target)));
                }
                // Nobody can tell the path: as of a mount that is gone.
                Err(Errno::NAMETOOLONG) => {
                    let file = OpenFile { pid, tid, fd };
                    found.push((file, FdTarget::File(PathHash::of(b"/"))));
                }
                // It was closed, or the process ended: then it holds nothing.
                Err(Errno::NOENT | Errno::SRCH) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        found.sort_unstable_by_key(|(file, _)| file.fd);
        Ok(found)
    }

    /// Whether the process is still there, be it as a zombie. In a captured
    /// tree nothing ever ends.
    pub(crate) fn exists(&self) -> bool {
        !self.root.is_live() || self.read(ProcFile::Stat).is_ok()
    }

    /// Parent and comm.
    pub(crate) fn stat(&self) -> Result<Stat, ReadError> {
        parse_stat(&self.read(ProcFile::Stat)?)
    }

    /// The command line; `None` for a process that has no arguments.
    pub(crate) fn cmdline(&self) -> Result<Option<CommandLine>, ReadError> {
        let (bytes, is_cut) =
            read_start(self.open_file(ProcFile::Cmdline)?, Limit::Cmdline.bytes())?;
        Ok(join_arguments(bytes).map(|text| CommandLine { text, is_cut }))
    }

    /// The text of its `cgroup` file.
    pub(crate) fn cgroup(&self) -> Result<Vec<u8>, ReadError> {
        self.read(ProcFile::Cgroup)
    }

    /// The effective user id.
    ///
    /// On a live proc tree it owns the directory, which costs a tenth of
    /// reading `status`; files in a copy of one belong to whoever made it.
    pub(crate) fn euid(&self) -> Result<u32, ReadError> {
        if self.root.is_live() {
            let owner = self.process.uid()?;
            Ok(owner)
        } else {
            parse_euid(&self.read(ProcFile::Status)?)
        }
    }

    /// Its ids, one in each pid namespace, from that of this proc tree on.
    pub(crate) fn nspid(&self) -> Result<Vec<Pid>, ReadError> {
        parse_nspid(&self.read(ProcFile::Status)?)
    }

    /// The user ids of its user namespace, and what they are outside.
    pub(crate) fn uid_map(&self) -> Result<Vec<IdMap>, ReadError> {
        parse_id_map(&self.read(ProcFile::UidMap)?)
    }

    /// The group ids of its user namespace, and what they are outside.
    pub(crate) fn gid_map(&self) -> Result<Vec<IdMap>, ReadError> {
        parse_id_map(&self.read(ProcFile::GidMap)?)
    }

    /// The clocks of the time namespace of its children.
    pub(crate) fn timens_offsets(&self) -> Result<TimeOffsets, ReadError> {
        parse_timens_offsets(&self.read(ProcFile::TimensOffsets)?)
    }

    /// ID of the first mount that it sees.
    pub(crate) fn first_mount(&self) -> Result<u64, ReadError> {
        first_mount(self.mountinfo()?)
    }

    /// How many mounts it sees, and what is mounted at its root.
    pub(crate) fn mount_facts(&self) -> Result<(usize, Option<MountRoot>), ReadError> {
        mount_facts(self.mountinfo()?)
    }

    fn mountinfo(&self) -> Result<Lines<File>, ReadError> {
        Ok(Lines::of(self.open_path("mountinfo")?))
    }

    /// The inode number of one of its files, without reading it.
    pub(crate) fn inode(&self, file: &str) -> Result<u64, ReadError> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let file = self.process.open_relative_flags(file, flags)?;
        Ok(rustix::fs::fstat(file)?.st_ino)
    }

    /// The bytes of one of its files for a copy. What is too long here is too
    /// long in the copy as well.
    pub(crate) fn copy(&self, file: ProcFile) -> Result<Vec<u8>, ReadError> {
        let most = file.limit().bytes() + 1;
        Ok(read_start(self.open_file(file)?, most)?.0)
    }

    fn read(&self, file: ProcFile) -> Result<Vec<u8>, ReadError> {
        read_whole(self.open_file(file)?, file.limit())
    }

    fn open_file(&self, file: ProcFile) -> Result<File, ReadError> {
        self.open_path(file.name())
    }

    fn open_path(&self, file: &str) -> Result<File, ReadError> {
        let file = self.process.open_relative_flags(file, READ)?;
        if !self.root.is_live() {
            require_regular(&file)?;
        }
        Ok(file)
    }
}

/// A file of a process that is read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcFile {
    Stat,
    Status,
    Cmdline,
    Cgroup,
    UidMap,
    GidMap,
    TimensOffsets,
}

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

    /// The name of the file below `/proc/PID`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            ProcFile::Stat => "stat",
            ProcFile::Status => "status",
            ProcFile::Cmdline => "cmdline",
            ProcFile::Cgroup => "cgroup",
            ProcFile::UidMap => "uid_map",
            ProcFile::GidMap => "gid_map",
            ProcFile::TimensOffsets => "timens_offsets",
        }
    }

    const fn limit(self) -> Limit {
        match self {
            ProcFile::Cmdline => Limit::Cmdline,
            ProcFile::Status | ProcFile::Cgroup => Limit::Long,
            ProcFile::Stat | ProcFile::UidMap | ProcFile::GidMap | ProcFile::TimensOffsets => {
                Limit::Small
            }
        }
    }
}

/// The command line of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// The arguments, joined by spaces; any bytes.
    pub(crate) text: Vec<u8>,
    /// Whether there is more of it than the text.
    pub(crate) is_cut: bool,
}

/// What an open file is, as far as it can hold a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FdTarget {
    /// A namespace.
    Namespace(NsId),
    /// A socket, by its inode number.
    Socket(u64),
    /// A tun or tap device.
    Tun,
    /// A file of this path, which may lie over a namespace.
    File(PathHash),
}

/// The hash of a path: many files are open, and hardly any is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathHash(u64);

impl PathHash {
    pub(crate) fn of(path: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(path);
        PathHash(hasher.finish())
    }
}

/// Reads the text of a link in `/proc/PID/fd`; none for what holds no
/// namespace. A path begins with a slash, and everything else does not.
fn parse_fd_target(text: &[u8]) -> Option<FdTarget> {
    match text {
        // The node may lie elsewhere, and anything else has no such ioctl.
        [b'/', ..] if text.ends_with(b"/net/tun") => return Some(FdTarget::Tun),
        [b'/', ..] => return Some(FdTarget::File(PathHash::of(text))),
        _ => {}
    }
    if let Some(rest) = text.strip_prefix(b"socket:[") {
        let ino = std::str::from_utf8(rest.strip_suffix(b"]")?).ok()?.parse();
        return ino.ok().map(FdTarget::Socket);
    }
    parse_id(text).map(FdTarget::Namespace)
}

/// The name of an entry of `/proc/PID/fd`; none for `.` and `..`.
fn parse_fd(name: &[u8]) -> Option<Fd> {
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// An open `ns` directory.
pub(crate) struct NsDir<'a> {
    root: &'a Sysroot,
    dir: File,
}

impl NsDir<'_> {
    /// The inode number that a link leads to.
    pub(crate) fn read(&self, link: Link) -> Result<u64, ReadError> {
        // The longest text is that of a cgroup link, 27 bytes with a full u64.
        let mut buffer = [MaybeUninit::uninit(); 64];
        match rustix::fs::readlinkat_raw(&self.dir, link.name(), &mut buffer) {
            Ok((text, _)) => parse_link(link, text),
            Err(Errno::INVAL) if !self.root.is_live() => {
                Err(recorded_error(&self.dir, link.name()))
            }
            Err(errno) => Err(errno.into()),
        }
    }
}

/// In a captured tree a file in the place of a link holds the name of the
/// error that was met there.
pub(crate) fn recorded_error(dir: impl AsFd, path: impl Arg) -> ReadError {
    let mut name = [0; 16];
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let read = rustix::fs::openat(dir, path, flags, 0.into())
        .and_then(|file| rustix::io::read(file, &mut name));
    let name = read
        .ok()
        .and_then(|length| name.get(..length))
        .unwrap_or_default();
    parse_errno_name(name.trim_ascii_end()).map_or(ReadError::Malformed, ReadError::from)
}

/// The error numbers that a captured tree can hold, with their names.
const RECORDED: [(Errno, &str); 3] = [
    (Errno::ACCESS, "EACCES"),
    (Errno::PERM, "EPERM"),
    (Errno::IO, "EIO"),
];

fn parse_errno_name(name: &[u8]) -> Option<Errno> {
    RECORDED
        .iter()
        .find(|(_, known)| known.as_bytes() == name)
        .map(|(errno, _)| *errno)
}

/// The name under which a captured tree keeps an error: EACCES and EPERM, for
/// they tell why; every other one as EIO.
pub(crate) fn errno_name(errno: Errno) -> &'static str {
    RECORDED
        .iter()
        .find(|(known, _)| *known == errno)
        .map_or("EIO", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn an_open_file_is_a_namespace_or_a_socket_or_nothing_to_us() {
        let net = NsId {
            ino: 7,
            kind: crate::model::Kind::Net,
        };
        assert_eq!(parse_fd_target(b"net:[7]"), Some(FdTarget::Namespace(net)));
        assert_eq!(parse_fd_target(b"socket:[9]"), Some(FdTarget::Socket(9)));
        assert_eq!(parse_fd_target(b"/dev/net/tun"), Some(FdTarget::Tun));
        assert_eq!(parse_fd_target(b"/jail/dev/net/tun"), Some(FdTarget::Tun));
        let file = FdTarget::File(PathHash::of(b"/net:[7]"));
        assert_eq!(parse_fd_target(b"/net:[7]"), Some(file));
        for text in [
            "pipe:[9]",
            "socket:[x]",
            "socket:[9",
            "anon_inode:[pidfd]",
            "",
        ] {
            assert_eq!(parse_fd_target(text.as_bytes()), None, "{text}");
        }
    }
}
