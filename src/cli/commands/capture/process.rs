use std::path::PathBuf;

use rustix::io::Errno;

use crate::cli::commands::capture::write::OutDir;
use crate::cli::error::CliError;
use crate::error::Error;
use crate::model::{Fd, Link, LinkSet, NsId, Pid, Tid};
use crate::proc::{FdTarget, NsDir, ProcFile, ProcessDir, ReadError, Sysroot, errno_name};
use crate::scan::cause_of_read;

/// What is saved of one process. It is read as a whole before any of it is
/// written, because the process may end meanwhile.
pub(super) struct Captured {
    /// Its effective user.
    pub(super) uid: Option<u32>,
    /// Its links, and those of threads that differ, by directory.
    links: Vec<(String, LinkTexts)>,
    /// Its descriptors of namespaces, and those of threads that differ, by
    /// directory.
    fds: Vec<(String, Vec<(Fd, NsId)>)>,
    /// The contents of its files.
    files: Vec<(ProcFile, Vec<u8>)>,
}

/// Links, each with the namespace it leads to or the name of an error.
type LinkTexts = Vec<(Link, Result<NsId, &'static str>)>;

impl Captured {
    /// Returns what is saved of a process that does not answer.
    pub(super) fn blocked() -> Self {
        let links = refused_links(ReadError::Errno(Errno::TIMEDOUT));
        Captured {
            uid: None,
            links: vec![("ns".to_owned(), links)],
            fds: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Reads a process; `None` if it ended.
    pub(super) fn read(root: &Sysroot, pid: Pid) -> Result<Option<Self>, Error> {
        let path = || root.process_path(pid);
        let mut captured = Captured {
            uid: None,
            links: Vec::new(),
            fds: Vec::new(),
            files: Vec::new(),
        };
        let process = match ProcessDir::open(root, pid) {
            Ok(process) => process,
            Err(ReadError::Gone) => return Ok(None),
            Err(error) => {
                require_means(error, path)?;
                captured.links.push(("ns".to_owned(), refused_links(error)));
                return Ok(Some(captured));
            }
        };
        captured.uid = process.euid().ok();
        let links = match process.ns() {
            Ok(ns) => read_links(&ns, path)?,
            Err(ReadError::Gone) if process.exists() => refused_links(ReadError::Malformed),
            Err(ReadError::Gone) => return Ok(None),
            Err(error) => {
                require_means(error, path)?;
                refused_links(error)
            }
        };
        captured.add_fds(&process, None);
        captured.add_threads(&process, pid, &links, path)?;
        captured.links.push(("ns".to_owned(), links));
        for file in ProcFile::ALL {
            match process.copy(file) {
                Ok(bytes) => captured.files.push((file, bytes)),
                Err(ReadError::Gone) if process.exists() => {}
                Err(ReadError::Gone) => return Ok(None),
                Err(error) => require_means(error, path)?,
            }
        }
        Ok(Some(captured))
    }

    /// Adds what differs between the leader and the other threads. A thread that
    /// ended is skipped.
    fn add_threads(
        &mut self,
        process: &ProcessDir<'_>,
        leader: Tid,
        links: &LinkTexts,
        path: impl Fn() -> PathBuf,
    ) -> Result<(), Error> {
        let Ok(tasks) = process.tasks() else {
            return Ok(());
        };
        for tid in process.threads().unwrap_or_default() {
            if tid == leader {
                continue;
            }
            if let Ok(ns) = tasks.ns(tid) {
                let own = read_links(&ns, &path)?;
                if own != *links {
                    self.links.push((format!("task/{tid}/ns"), own));
                }
            }
            self.add_fds(process, Some(tid));
        }
        Ok(())
    }

    /// Adds the descriptors of the process, or of a thread if they differ from
    /// all before. Skips unreadable ones.
    fn add_fds(&mut self, process: &ProcessDir<'_>, tid: Option<Tid>) {
        let table = process.files(tid, |_, _| false).unwrap_or_default();
        let namespaces: Vec<(Fd, NsId)> = table
            .files
            .into_iter()
            .filter_map(|(fd, target)| match target {
                FdTarget::Namespace(id) => Some((fd, id)),
                _ => None,
            })
            .collect();
        if namespaces.is_empty() || self.fds.iter().any(|(_, known)| *known == namespaces) {
            return;
        }
        let dir = match tid {
            Some(tid) => format!("task/{tid}/fd"),
            None => "fd".to_owned(),
        };
        self.fds.push((dir, namespaces));
    }

    /// Returns the mount namespace it is in.
    pub(super) fn mount_ns(&self) -> Option<NsId> {
        let (_, links) = self.links.iter().find(|(dir, _)| dir == "ns")?;
        let (_, read) = links.iter().find(|(link, _)| *link == Link::Mnt)?;
        read.ok()
    }

    /// Returns its cgroup file; empty if it was unreadable.
    pub(super) fn cgroup(&self) -> Vec<u8> {
        let mut files = self.files.iter();
        let cgroup = files.find(|(file, _)| *file == ProcFile::Cgroup);
        cgroup.map_or_else(Vec::new, |(_, bytes)| bytes.clone())
    }

    /// Returns whether the kernel refused permission for a link.
    pub(super) fn is_refused(&self) -> bool {
        let refusals = [Errno::ACCESS, Errno::PERM, Errno::TIMEDOUT].map(errno_name);
        let mut links = self.links.iter().flat_map(|(_, links)| links);
        links.any(|(_, read)| read.is_err_and(|name| refusals.contains(&name)))
    }

    /// Writes everything into a directory.
    pub(super) fn write(&self, process: &OutDir) -> Result<(), CliError> {
        for (dir, fds) in &self.fds {
            let dir = process.dir(dir)?;
            for (fd, id) in fds {
                dir.write_link(&fd.to_string(), *id)?;
            }
        }
        for (dir, links) in &self.links {
            let dir = process.dir(dir)?;
            for (link, read) in links {
                match read {
                    Ok(id) => dir.write_link(link.name(), *id)?,
                    Err(name) => dir.write(link.name(), format!("{name}\n").as_bytes())?,
                }
            }
        }
        for (file, bytes) in &self.files {
            process.write(file.name(), bytes)?;
        }
        Ok(())
    }
}

/// Reads the links that exist.
fn read_links(ns: &NsDir<'_>, path: impl Fn() -> PathBuf) -> Result<LinkTexts, Error> {
    let mut links = Vec::new();
    for link in LinkSet::all().iter() {
        let kind = link.kind();
        match ns.read(link) {
            Ok(ino) => links.push((link, Ok(NsId { ino, kind }))),
            Err(ReadError::Gone) => {}
            Err(error) => {
                require_means(error, &path)?;
                links.push((link, Err(error_name(error))));
            }
        }
    }
    Ok(links)
}

/// Returns all links of a process that refuses them.
fn refused_links(error: ReadError) -> LinkTexts {
    LinkSet::all()
        .iter()
        .map(|link| (link, Err(error_name(error))))
        .collect()
}

/// Returns the name under which an error is saved.
fn error_name(error: ReadError) -> &'static str {
    match error {
        ReadError::Errno(errno) => errno_name(errno),
        // Any other word is malformed again when the capture is read.
        _ => "malformed",
    }
}

/// Fails if an error is a shortage of descriptors or memory, which says nothing
/// about the process.
fn require_means(error: ReadError, path: impl FnOnce() -> PathBuf) -> Result<(), Error> {
    cause_of_read(error, path).map(drop)
}
