use std::ffi::CStr;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use procfs::process::Process;
use rustix::fs::{OFlags, RawDir, Statx};
use rustix::io::Errno;

use crate::model::{Fd, IdMap, MountedFs, Pid, Tid, TimeOffsets};
use crate::proc::cmdline::{CommandLine, join_arguments};
use crate::proc::device::{device, look_at_open};
use crate::proc::dir::{Dir, Trust};
use crate::proc::id_map::parse_id_map;
use crate::proc::lines::Lines;
use crate::proc::mountinfo::{MountFacts, first_mount, mount_facts};
use crate::proc::ns_dir::NsDir;
use crate::proc::open_files::OpenFiles;
use crate::proc::proc_file::ProcFile;
use crate::proc::read::{READ, read_start, read_whole};
use crate::proc::stat::{Stat, parse_stat};
use crate::proc::status::{parse_euid, parse_nspid};
use crate::proc::timens_offsets::parse_timens_offsets;
use crate::proc::{ReadError, Sysroot};

/// A process of a proc tree, held open: if its PID is given to another process
/// meanwhile, reads fail rather than lie.
pub(crate) struct ProcessDir<'a> {
    root: &'a Sysroot,
    pid: Pid,
    dir: Source,
}

/// The threads of a process, held open.
pub(crate) struct Tasks(Dir);

impl Tasks {
    /// Returns the directory of the namespace links of a thread. One that does
    /// not exist has no links.
    pub(crate) fn ns(&self, tid: Tid) -> Result<NsDir<'_>, ReadError> {
        if self.0.is_procfs() {
            Ok(NsDir::of_thread(&self.0, tid))
        } else {
            let path = format!("{tid}/ns");
            Ok(NsDir::of(self.0.dir(&path, Trust::Part)?))
        }
    }
}

/// Where the files of a process are.
enum Source {
    /// In a mounted procfs.
    Procfs(Process),
    /// In a captured tree.
    Copy(Dir),
}

impl<'a> ProcessDir<'a> {
    /// Opens a process.
    pub(crate) fn open(root: &'a Sysroot, pid: Pid) -> Result<Self, ReadError> {
        let proc = root.proc()?;
        if root.hidden(pid).is_some() {
            return Err(Errno::PERM.into());
        }
        let dir = if proc.is_procfs() {
            Source::Procfs(Process::new_with_root(root.process_path(pid))?)
        } else {
            Source::Copy(proc.dir(&pid.to_string(), Trust::Part)?)
        };
        Ok(ProcessDir { root, pid, dir })
    }

    /// Opens the directory of its namespace links.
    pub(crate) fn ns(&self) -> Result<NsDir<'static>, ReadError> {
        Ok(NsDir::of(self.dir("ns")?))
    }

    /// Opens the directory of its threads.
    pub(crate) fn tasks(&self) -> Result<Tasks, ReadError> {
        Ok(Tasks(self.dir("task")?))
    }

    fn dir(&self, path: &str) -> Result<Dir, ReadError> {
        Ok(match &self.dir {
            Source::Procfs(process) => {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                Dir::of_procfs(process.open_relative_flags(path, flags)?.into())
            }
            Source::Copy(dir) => dir.dir(path, Trust::Part)?,
        })
    }

    /// Lists its threads, by TID.
    pub(crate) fn threads(&self) -> Result<Vec<Tid>, ReadError> {
        let mut tids = Vec::new();
        each_number(&self.open_dir("task")?, |tid, _| {
            tids.push(tid);
            Ok(())
        })?;
        tids.sort_unstable();
        Ok(tids)
    }

    /// Lists its open files that can hold a namespace, or those of one of its
    /// threads. `shares` returns whether two threads share their table.
    pub(crate) fn files(
        &self,
        tid: Option<Tid>,
        shares: impl Fn(Tid, Tid) -> bool,
    ) -> Result<OpenFiles, ReadError> {
        let task = tid.map_or_else(String::new, |tid| format!("task/{tid}/"));
        let dir = self.open_dir(&format!("{task}fd"))?;
        if !self.is_live() {
            let mut links = Vec::new();
            each_number(&dir, |fd: Fd, name| {
                links.push((fd, rustix::fs::readlinkat(&dir, name, Vec::new())?));
                Ok(())
            })?;
            let links = links.into_iter();
            return Ok(OpenFiles::parse(
                links.map(|(fd, text)| (fd, text.into_bytes())),
            ));
        }
        let nsfs = self
            .root
            .nsfs(|| Ok(device(&self.look(&format!("{task}ns/user"))?)))?;
        let first = tid.unwrap_or(self.pid);
        let waiting = || self.waiting(|other| other == first || shares(first, other));
        let mut found = OpenFiles::read(&dir, nsfs, waiting)?;
        if found.trouble == Some(ReadError::Unstable) && self.root.own_pid() == Some(self.pid) {
            // This process itself opens and closes files all the time.
            found.trouble = None;
        }
        Ok(found)
    }

    fn open_dir(&self, path: &str) -> Result<OwnedFd, ReadError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(match &self.dir {
            Source::Procfs(process) => process.open_relative_flags(path, flags)?.into(),
            Source::Copy(dir) => dir.open_at(path, flags)?,
        })
    }

    /// Returns whether the process still exists, zombies included. In a captured
    /// tree no process ever ends.
    pub(crate) fn exists(&self) -> bool {
        #[cfg(test)]
        if crate::proc::changes::are_under_way() {
            return self.read(ProcFile::Stat).is_ok();
        }
        !self.is_live() || self.read(ProcFile::Stat).is_ok()
    }

    /// Reads its parent and comm.
    pub(crate) fn stat(&self) -> Result<Stat, ReadError> {
        parse_stat(&self.read(ProcFile::Stat)?)
    }

    /// Reads its command line; `None` if it has no arguments.
    pub(crate) fn cmdline(&self) -> Result<Option<CommandLine>, ReadError> {
        let file = ProcFile::Cmdline;
        let (bytes, is_cut) = read_start(self.open_file(file.name())?, file.limit().bytes())?;
        Ok(join_arguments(bytes).map(|text| CommandLine { text, is_cut }))
    }

    /// Reads its arguments, each with a NUL at its end.
    pub(crate) fn arguments(&self) -> Result<Vec<u8>, ReadError> {
        self.read(ProcFile::Cmdline)
    }

    /// Reads the text of its `cgroup` file.
    pub(crate) fn cgroup(&self) -> Result<Vec<u8>, ReadError> {
        self.read(ProcFile::Cgroup)
    }

    /// Reads its effective UID.
    ///
    /// That is the owner of the directory in procfs, for a tenth of the cost of
    /// `status`. In a copy the owner is whoever made the copy.
    pub(crate) fn euid(&self) -> Result<u32, ReadError> {
        match &self.dir {
            Source::Procfs(process) => Ok(process.uid()?),
            Source::Copy(_) => parse_euid(&self.read(ProcFile::Status)?),
        }
    }

    /// Reads its PIDs, one in each pid namespace, from that of the proc tree
    /// inwards.
    pub(crate) fn nspid(&self) -> Result<Vec<Pid>, ReadError> {
        parse_nspid(&self.read(ProcFile::Status)?)
    }

    /// Reads the UIDs of its user namespace.
    pub(crate) fn uid_map(&self) -> Result<Vec<IdMap>, ReadError> {
        parse_id_map(&self.read(ProcFile::UidMap)?)
    }

    /// Reads the GIDs of its user namespace.
    pub(crate) fn gid_map(&self) -> Result<Vec<IdMap>, ReadError> {
        parse_id_map(&self.read(ProcFile::GidMap)?)
    }

    /// Reads the clock offsets of the time namespace of its children.
    pub(crate) fn timens_offsets(&self) -> Result<TimeOffsets, ReadError> {
        parse_timens_offsets(&self.read(ProcFile::TimensOffsets)?)
    }

    /// Reads the ID of the first mount that it sees.
    pub(crate) fn first_mount(&self) -> Result<u64, ReadError> {
        first_mount(Lines::of(self.open_file("mountinfo")?))
    }

    /// Counts the mounts that it sees, and reads what is mounted at its root, and
    /// those that are wanted.
    pub(crate) fn mount_facts(
        &self,
        is_wanted: impl Fn(&MountedFs) -> bool,
    ) -> Result<MountFacts, ReadError> {
        mount_facts(Lines::of(self.open_file("mountinfo")?), is_wanted)
    }

    /// Returns the inode number of one of its files, without reading it.
    pub(crate) fn inode(&self, path: &str) -> Result<u64, ReadError> {
        Ok(self.look(path)?.stx_ino)
    }

    /// Returns what the kernel knows about one of its files.
    fn look(&self, path: &str) -> Result<Statx, ReadError> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let file: OwnedFd = match &self.dir {
            Source::Procfs(process) => process.open_relative_flags(path, flags)?.into(),
            Source::Copy(dir) => dir.open_at(path, flags)?,
        };
        Ok(look_at_open(file)?)
    }

    fn read(&self, file: ProcFile) -> Result<Vec<u8>, ReadError> {
        read_whole(self.open_file(file.name())?, file.limit())
    }

    pub(super) fn open_file(&self, path: &str) -> Result<File, ReadError> {
        match &self.dir {
            Source::Procfs(process) => Ok(process.open_relative_flags(path, READ)?),
            Source::Copy(dir) => dir.open_file(path),
        }
    }

    const fn is_live(&self) -> bool {
        matches!(self.dir, Source::Procfs(_))
    }
}

/// Calls `act` for each entry of a directory whose name is a number.
fn each_number(
    dir: &OwnedFd,
    mut act: impl FnMut(u32, &CStr) -> Result<(), Errno>,
) -> Result<(), ReadError> {
    let mut buffer = [MaybeUninit::uninit(); 2048];
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(number) = name.to_str().ok().and_then(|name| name.parse().ok()) {
            act(number, name)?;
        }
    }
    Ok(())
}
