//! Writes what a scan reads into a directory, so that it can be read again
//! with `--sysroot`, on this machine or another.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::error::{Error, errno_of};
use crate::model::{Link, LinkSet, Member, NsId, Pid};
use crate::proc::{NsDir, ProcessDir, ReadError, Sysroot, Users, errno_name};
use crate::scan::cause_of;

/// The files of a process that a scan reads.
const FILES: [&str; 3] = ["stat", "status", "cmdline"];

/// Captures processes, all if none are named.
///
/// Only what a scan reads: links, and of each process the files that it may
/// want; of the user database the names of their users.
pub(crate) fn capture(
    root: &Sysroot,
    dir: &Path,
    only: &[Pid],
    messages: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let pids = if only.is_empty() {
        root.pids()?
    } else {
        only.to_vec()
    };
    if pids.is_empty() {
        return Err(Error::NoProcesses(root.proc_path()));
    }
    prepare(dir)?;
    let mut users = Users::below(root);
    let mut names = BTreeMap::new();
    let mut vanished = 0;
    for pid in pids {
        match Captured::read(root, pid)? {
            Some(captured) => {
                captured.write(&dir.join("proc").join(pid.to_string()))?;
                if let Some(uid) = captured.uid {
                    names.entry(uid).or_insert_with(|| users.name(uid));
                }
            }
            None if !only.is_empty() => return Err(Error::NoProcess(pid)),
            None => vanished += 1,
        }
    }
    let line = |(uid, name): (u32, Option<String>)| Some(format!("{}:x:{uid}:0:::\n", name?));
    let passwd: String = names.into_iter().filter_map(line).collect();
    write(&dir.join("etc/passwd"), passwd.as_bytes())?;
    if let Some((status, mountinfo)) = root.reader() {
        write(&dir.join("proc/self/status"), &status)?;
        write(&dir.join("proc/self/mountinfo"), &mountinfo)?;
    }
    if vanished > 0 {
        messages(&format!("{vanished} processes ended during the capture"));
    }
    Ok(())
}

/// Makes the directory; one that holds anything is refused.
fn prepare(dir: &Path) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::Write {
        path: dir.into(),
        errno: errno_of(&error),
    };
    fs::create_dir_all(dir).map_err(failed)?;
    if fs::read_dir(dir).map_err(failed)?.next().is_some() {
        return Err(Error::NotEmpty(dir.into()));
    }
    fs::create_dir_all(dir.join("proc")).map_err(failed)
}

/// One process, read as a whole before anything of it is written.
struct Captured {
    /// By path below the process's directory: links and errors met there.
    links: Vec<(String, Result<NsId, &'static str>)>,
    files: Vec<(&'static str, Vec<u8>)>,
    uid: Option<u32>,
}

impl Captured {
    /// Reads a process; none if it ended.
    fn read(root: &Sysroot, pid: Pid) -> Result<Option<Self>, Error> {
        let path = || root.process_path(pid);
        let process = match ProcessDir::open(root, pid) {
            Ok(process) => process,
            Err(ReadError::Gone) => return Ok(None),
            Err(error) => {
                cause_of(error, path)?;
                return Ok(Some(Captured::refused(error)));
            }
        };
        let mut captured = Captured {
            links: Vec::new(),
            files: Vec::new(),
            uid: process.euid().ok(),
        };
        match process.ns() {
            Ok(ns) => captured.add_links("ns", &ns)?,
            Err(ReadError::Gone) => return Ok(None),
            Err(error) => {
                cause_of(error, path)?;
                captured.links = Captured::refused(error).links;
            }
        }
        if !captured.has(Link::Net) {
            // Perhaps a zombie with live threads: those are read instead.
            for tid in process
                .threads()
                .unwrap_or_default()
                .into_iter()
                .filter(|tid| *tid != pid)
            {
                if let Ok(ns) = process.thread_ns(tid) {
                    captured.add_links(&format!("task/{tid}/ns"), &ns)?;
                }
            }
        }
        for file in FILES {
            match process.raw(file) {
                Ok(bytes) => captured.files.push((file, bytes)),
                Err(ReadError::Gone) if process.exists() => {}
                Err(ReadError::Gone) => return Ok(None),
                Err(error) => drop(cause_of(error, path)?),
            }
        }
        Ok(Some(captured))
    }

    /// A process of which every link is refused.
    fn refused(error: ReadError) -> Self {
        let links = Link::ALL
            .iter()
            .map(|link| (format!("ns/{link}"), Err(name_of(error))));
        Captured {
            links: links.collect(),
            files: Vec::new(),
            uid: None,
        }
    }

    fn has(&self, link: Link) -> bool {
        self.links
            .iter()
            .any(|(path, _)| *path == format!("ns/{link}"))
    }

    fn add_links(&mut self, dir: &str, ns: &NsDir<'_>) -> Result<(), Error> {
        for link in LinkSet::all().iter() {
            let read = ns.read(link).map(|ino| NsId {
                ino,
                kind: link.kind(),
            });
            match read {
                Err(ReadError::Gone) => {}
                Err(error) => {
                    cause_of(error, || dir.into())?;
                    self.links
                        .push((format!("{dir}/{link}"), Err(name_of(error))));
                }
                Ok(id) => self.links.push((format!("{dir}/{link}"), Ok(id))),
            }
        }
        Ok(())
    }

    fn write(&self, dir: &Path) -> Result<(), Error> {
        for (path, read) in &self.links {
            let path = dir.join(path);
            match read {
                Ok(id) => {
                    let made = parent(&path).and_then(|()| symlink(id.to_string(), &path));
                    made.map_err(|error| Error::Write {
                        path,
                        errno: errno_of(&error),
                    })?;
                }
                Err(name) => write(&path, format!("{name}\n").as_bytes())?,
            }
        }
        self.files
            .iter()
            .try_for_each(|(file, bytes)| write(&dir.join(file), bytes))
    }
}

fn name_of(error: ReadError) -> &'static str {
    match error {
        ReadError::Errno(errno) => errno_name(errno),
        ReadError::Gone | ReadError::Malformed => "EIO",
    }
}

fn parent(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let written = parent(path).and_then(|()| fs::write(path, bytes));
    written.map_err(|error| Error::Write {
        path: path.into(),
        errno: errno_of(&error),
    })
}
