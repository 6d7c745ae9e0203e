//! Writes what a scan reads into a directory, so that it can be read again
//! with `--sysroot`, on this machine or another.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::cli::error::CliError;
use crate::containers::{Affiliations, CONTAINER_NAMES, capture_key};
use crate::error::Error;
use crate::model::{Fd, Kind, Link, LinkSet, Member, NsId, Pid, Tid};
use crate::proc::{FdTarget, NsDir, ProcFile, ProcessDir, ReadError, Sysroot, Users, errno_name};
use crate::scan::cause_of_read;

/// Captures processes, all if none are named.
///
/// Only what a scan reads: links, and of each process the files that it may
/// want; of the user database the names of their users.
pub(crate) fn capture(
    root: &Sysroot,
    dir: &Path,
    only: &[Pid],
    messages: &mut dyn FnMut(&str),
) -> Result<(), CliError> {
    let pids = if only.is_empty() {
        root.pids()?
    } else {
        only.to_vec()
    };
    if pids.is_empty() {
        return Err(CliError::Nsls(Error::NoProcesses(root.proc_path())));
    }
    // Before anything is written, so that a mistyped pid leaves no trace.
    let gone = |pid: &&Pid| matches!(ProcessDir::open(root, **pid), Err(ReadError::Gone));
    if let Some(pid) = only.iter().find(gone) {
        return Err(CliError::Nsls(Error::NoProcess(*pid)));
    }
    prepare(dir)?;
    let mut users = Users::below(root);
    let mut names = BTreeMap::new();
    let mut affiliations = Affiliations::below(root);
    let mut containers = BTreeMap::new();
    let mut vanished = 0;
    let mut refused = 0;
    let total = pids.len();
    for pid in pids {
        match Captured::read(root, pid)? {
            Some(captured) => {
                refused += usize::from(captured.is_refused());
                captured.write(&dir.join("proc").join(pid.to_string()))?;
                let affiliation = affiliations.of(captured.cgroup());
                if let Some(container) = &affiliation.container
                    && let Some(name) = &container.name
                {
                    containers.insert(capture_key(container), name.clone());
                }
                if let Some(uid) = captured.uid {
                    names.entry(uid).or_insert_with(|| users.name(uid));
                }
            }
            None if !only.is_empty() => return Err(CliError::Nsls(Error::NoProcess(pid))),
            None => vanished += 1,
        }
    }
    let mut passwd = Vec::new();
    for (uid, name) in names {
        if let Some(name) = name {
            passwd.extend(name);
            passwd.extend(format!(":x:{uid}:0:::\n").bytes());
        }
    }
    write(&dir.join("etc/passwd"), &passwd)?;
    if !containers.is_empty() {
        // Of what engines keep on disk the names alone: the rest may be secret.
        let names = serde_json::to_vec_pretty(&containers).unwrap_or_default();
        write(&dir.join(CONTAINER_NAMES), &names)?;
    }
    if let Some(release) = root.kernel_release() {
        write(&dir.join("proc/sys/kernel/osrelease"), &release)?;
    }
    for kind in Kind::ALL {
        if let Some(most) = root.max_namespaces(*kind) {
            let path = format!("proc/sys/user/max_{kind}_namespaces");
            write(&dir.join(path), format!("{most}\n").as_bytes())?;
        }
    }
    if let Some((status, mountinfo)) = root.reader() {
        write(&dir.join("proc/self/status"), &status)?;
        write(&dir.join("proc/self/mountinfo"), &mountinfo)?;
    }
    if refused > 0 {
        messages(&format!(
            "links of {refused} of {total} processes could not be read, which the capture says too"
        ));
    }
    if vanished > 0 {
        let es = if vanished == 1 { "" } else { "es" };
        messages(&format!("{vanished} process{es} ended during the capture"));
    }
    Ok(())
}

/// Makes the directory; one that holds anything is refused.
fn prepare(dir: &Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::Write {
        path: dir.into(),
        source: error,
    };
    make_dir(dir)?;
    if fs::read_dir(dir).map_err(failed)?.next().is_some() {
        return Err(CliError::NotEmpty(dir.into()));
    }
    make_dir(&dir.join("proc"))
}

/// Where each link leads, or which error was met there.
type LinkTexts = Vec<(Link, Result<NsId, &'static str>)>;

/// One process, read as a whole before anything of it is written.
struct Captured {
    /// By path below the process's directory.
    links: Vec<(String, LinkTexts)>,
    /// The open files that are namespaces, of each table of open files, by path
    /// below the process's directory.
    open_files: Vec<(String, Vec<(Fd, NsId)>)>,
    files: Vec<(ProcFile, Vec<u8>)>,
    uid: Option<u32>,
}

impl Captured {
    /// Reads a process; none if it ended.
    fn read(root: &Sysroot, pid: Pid) -> Result<Option<Self>, CliError> {
        let path = || root.process_path(pid);
        let process = match ProcessDir::open(root, pid) {
            Ok(process) => process,
            Err(ReadError::Gone) => return Ok(None),
            Err(error) => {
                cause_of_read(error, path)?;
                return Ok(Some(Captured {
                    links: vec![("ns".to_owned(), refused(error))],
                    open_files: Vec::new(),
                    files: Vec::new(),
                    uid: None,
                }));
            }
        };
        let mut captured = Captured {
            links: Vec::new(),
            open_files: Vec::new(),
            files: Vec::new(),
            uid: process.euid().ok(),
        };
        let links = match process.ns() {
            Ok(ns) => links_of(&ns, path)?,
            Err(ReadError::Gone) if process.exists() => refused(ReadError::Malformed),
            Err(ReadError::Gone) => return Ok(None),
            Err(error) => {
                cause_of_read(error, path)?;
                refused(error)
            }
        };
        captured.add_files(&process, None);
        for tid in process.threads().unwrap_or_default() {
            if tid == pid {
                continue;
            }
            // A thread that ends is no loss; one where its leader is, is seen
            // there.
            if let Ok(ns) = process.thread_ns(tid) {
                let own = links_of(&ns, path)?;
                if own != links {
                    captured.links.push((format!("task/{tid}/ns"), own));
                }
            }
            captured.add_files(&process, Some(tid));
        }
        captured.links.push(("ns".to_owned(), links));
        for file in ProcFile::ALL {
            match process.copy(file) {
                Ok(bytes) => captured.files.push((file, bytes)),
                Err(ReadError::Gone) if process.exists() => {}
                Err(ReadError::Gone) => return Ok(None),
                Err(error) => drop(cause_of_read(error, path)?),
            }
        }
        Ok(Some(captured))
    }

    /// Adds the open files of a process, or of a thread with others than those
    /// before. What cannot be read of them is as if it were not there.
    fn add_files(&mut self, process: &ProcessDir<'_>, tid: Option<Tid>) {
        let files = process.files(tid).unwrap_or_default().into_iter();
        let namespaces = files.filter_map(|(file, target)| match target {
            FdTarget::Namespace(id) => Some((file.fd, id)),
            _ => None,
        });
        let found: Vec<_> = namespaces.collect();
        let place = tid.map_or_else(|| "fd".to_owned(), |tid| format!("task/{tid}/fd"));
        if !found.is_empty() && self.open_files.iter().all(|(_, known)| *known != found) {
            self.open_files.push((place, found));
        }
    }

    fn cgroup(&self) -> Vec<u8> {
        let mut files = self.files.iter();
        let cgroup = files.find(|(name, _)| *name == ProcFile::Cgroup);
        cgroup.map(|(_, text)| text.clone()).unwrap_or_default()
    }

    /// Whether the kernel refused some link.
    fn is_refused(&self) -> bool {
        let refusals = [Errno::ACCESS, Errno::PERM].map(errno_name);
        let mut links = self.links.iter().flat_map(|(_, links)| links);
        links.any(|(_, read)| read.is_err_and(|name| refusals.contains(&name)))
    }

    fn write(&self, dir: &Path) -> Result<(), CliError> {
        for (place, files) in &self.open_files {
            for (fd, id) in files {
                make_link(&dir.join(place).join(fd.to_string()), *id)?;
            }
        }
        for (place, links) in &self.links {
            let place = dir.join(place);
            make_dir(&place)?;
            for (link, read) in links {
                let path = place.join(link.name());
                match read {
                    Ok(id) => make_link(&path, *id)?,
                    Err(name) => write(&path, format!("{name}\n").as_bytes())?,
                }
            }
        }
        self.files
            .iter()
            .try_for_each(|(file, bytes)| write(&dir.join(file.name()), bytes))
    }
}

/// The links that are there.
fn links_of(ns: &NsDir, path: impl Fn() -> PathBuf) -> Result<LinkTexts, CliError> {
    let mut links = Vec::new();
    for link in LinkSet::all().iter() {
        let kind = link.kind();
        match ns.read(link) {
            Ok(ino) => links.push((link, Ok(NsId { ino, kind }))),
            Err(ReadError::Gone) => {}
            Err(error) => {
                cause_of_read(error, &path)?;
                links.push((link, Err(name_of(error))));
            }
        }
    }
    Ok(links)
}

/// The links of a process of which every one is refused.
fn refused(error: ReadError) -> LinkTexts {
    LinkSet::all()
        .iter()
        .map(|link| (link, Err(name_of(error))))
        .collect()
}

fn name_of(error: ReadError) -> &'static str {
    match error {
        ReadError::Errno(errno) => errno_name(errno),
        // No name of an error, and so it is malformed when it is read again.
        ReadError::Gone | ReadError::Malformed | ReadError::TooLong => "malformed",
    }
}

fn make_link(path: &Path, id: NsId) -> Result<(), CliError> {
    path.parent().map_or(Ok(()), make_dir)?;
    symlink(id.to_string(), path).map_err(|error| CliError::Write {
        path: path.into(),
        source: error,
    })
}

fn make_dir(path: &Path) -> Result<(), CliError> {
    fs::create_dir_all(path).map_err(|error| CliError::Write {
        path: path.into(),
        source: error,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    path.parent().map_or(Ok(()), make_dir)?;
    fs::write(path, bytes).map_err(|error| CliError::Write {
        path: path.into(),
        source: error,
    })
}
