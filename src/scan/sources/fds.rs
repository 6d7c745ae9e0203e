//! What open files hold, other than by the text of their link: sockets and tun
//! devices keep the net namespace in which they were made, and a file that was
//! opened through a bind mount of a namespace is that namespace.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Cause, Holder, Kind, LinkSet, NsId, OpenFile, Source};
use crate::proc::{PathHash, Sysroot};
use crate::scan::group::Find;
use crate::scan::parallel::walk;
use crate::scan::tally::{Tally, cause_of_errno};

/// Asks for the net namespaces of sockets, each by its inode number once, or
/// until one of those who have it open answers. They are in the order of their
/// pids.
pub(crate) fn ask_sockets<K: Kernel>(
    kernel: &K,
    sockets: &[(OpenFile, u64)],
    threads: NonZeroUsize,
    tally: &mut Tally,
) -> Result<Vec<Find>, Error> {
    let mut known: HashMap<u64, NsId> = HashMap::new();
    let mut pending = sockets.to_vec();
    while !pending.is_empty() {
        let mut seen = HashSet::new();
        let (round, later): (Vec<_>, Vec<_>) =
            pending.into_iter().partition(|(_, ino)| seen.insert(*ino));
        let files: Vec<OpenFile> = round.iter().map(|(file, _)| *file).collect();
        let asked = ask_devices(kernel, &files, Source::Sockets, threads, tally)?;
        let inos = round.iter().map(|(_, ino)| *ino);
        known.extend(inos.zip(asked).filter_map(|(ino, id)| Some((ino, id?))));
        pending = later;
        pending.retain(|(_, ino)| !known.contains_key(ino));
    }
    let find = |(file, ino): &(OpenFile, u64)| Some((*known.get(ino)?, Holder::Socket(*file)));
    Ok(sockets.iter().filter_map(find).collect())
}

/// Asks for the net namespaces of tun and tap devices.
pub(crate) fn ask_tuns<K: Kernel>(
    kernel: &K,
    tuns: &[OpenFile],
    threads: NonZeroUsize,
    tally: &mut Tally,
) -> Result<Vec<Find>, Error> {
    let asked = ask_devices(kernel, tuns, Source::Tuns, threads, tally)?;
    let find = |(file, id): (&OpenFile, Option<NsId>)| Some((id?, Holder::Tun(*file)));
    Ok(tuns.iter().zip(asked).filter_map(find).collect())
}

/// The namespace of each file, in their order; a process that refuses is
/// counted once.
fn ask_devices<K: Kernel>(
    kernel: &K,
    files: &[OpenFile],
    source: Source,
    threads: NonZeroUsize,
    tally: &mut Tally,
) -> Result<Vec<Option<NsId>>, Error> {
    let same = |one: &OpenFile, next: &OpenFile| (one.pid, one.tid) == (next.pid, next.tid);
    let processes: Vec<_> = files.chunk_by(same).collect();
    let asked = walk(&processes, threads, |files| ask_process(kernel, files))?;
    let mut ids = Vec::with_capacity(files.len());
    for (found, cause) in asked {
        ids.extend(found);
        if let Some(cause) = cause {
            tally.add(source, cause, LinkSet::EMPTY);
        }
    }
    Ok(ids)
}

fn ask_process<K: Kernel>(
    kernel: &K,
    files: &[OpenFile],
) -> Result<(Vec<Option<NsId>>, Option<Cause>), Error> {
    let mut cause = None;
    let mut keep = |asked: Result<NsId, Errno>| match asked {
        Ok(id) => Ok(Some(id)),
        // The process, or this file of it, is gone or another by now.
        Err(Errno::SRCH | Errno::BADF | Errno::NOTTY) => Ok(None),
        Err(errno) => {
            cause = Some(cause_of_errno(errno, || "the socket of a process".into())?);
            Ok(None)
        }
    };
    let held = files.first().map(|first| kernel.hold(first.pid, first.tid));
    // While one is open the kernel keeps the inode, which would otherwise be
    // made anew for each socket of the same namespace.
    let mut last = None;
    let mut ask = |file: &OpenFile| match &held {
        Some(Ok(process)) => {
            let ns = kernel.device_ns(process, file.fd);
            keep(ns.and_then(|ns| {
                let ino = kernel.ino(&ns)?;
                last = Some(ns);
                let kind = Kind::Net;
                Ok(NsId { ino, kind })
            }))
        }
        Some(Err(errno)) => keep(Err(*errno)),
        None => Ok(None),
    };
    let ids = files.iter().map(&mut ask).collect::<Result<_, Error>>()?;
    Ok((ids, cause))
}

/// Looks at those files that may be a namespace behind a bind mount: their
/// paths are those of such mounts, or `/`, which the kernel shows once such a
/// mount is gone.
pub(crate) fn look_at_files<K: Kernel>(
    kernel: &K,
    root: &Sysroot,
    files: &[(OpenFile, PathHash)],
    finds: &[Find],
    threads: NonZeroUsize,
    tally: &mut Tally,
) -> Result<Vec<Find>, Error> {
    let mut paths: HashSet<PathHash> = [PathHash::of(b"/")].into();
    for (_, holder) in finds {
        if let Holder::Mount(mount) = holder {
            paths.insert(PathHash::of(&mount.path));
        }
    }
    let candidates: Vec<OpenFile> = files
        .iter()
        .filter(|(_, path)| paths.contains(path))
        .map(|(file, _)| *file)
        .collect();
    let looked = walk(&candidates, threads, |file| {
        let path = root.open_file_path(file);
        Ok(match kernel.look_at(&path) {
            Ok(id) => Ok(id),
            Err(Errno::NOENT | Errno::SRCH) => Ok(None),
            Err(errno) => Err(cause_of_errno(errno, || path)?),
        })
    })?;
    let mut found = Vec::new();
    for (file, looked) in candidates.into_iter().zip(looked) {
        match looked {
            Ok(Some(id)) => found.push((id, Holder::Fd(file))),
            Ok(None) => {}
            Err(cause) => tally.add(Source::Fds, cause, LinkSet::EMPTY),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Fake;
    use crate::model::{Fd, Gap, Pid};

    const fn net(ino: u64) -> NsId {
        NsId {
            ino,
            kind: Kind::Net,
        }
    }

    const fn file(pid: Pid, fd: Fd) -> OpenFile {
        let tid = None;
        OpenFile { pid, tid, fd }
    }

    #[test]
    fn a_socket_is_asked_once_and_everyone_who_has_it_open_holds_its_namespace() {
        let kernel = Fake {
            sockets: [((5, 3), net(1)), ((5, 4), net(2))].into(),
            ..Fake::default()
        };
        let sockets = [(5, 3, 90), (5, 4, 91), (6, 3, 90), (7, 3, 92), (7, 4, 93)];
        let sockets = sockets.map(|(pid, fd, ino)| (file(pid, fd), ino));
        let mut tally = Tally::new(9);
        let finds = ask_sockets(&kernel, &sockets, NonZeroUsize::MIN, &mut tally).unwrap();
        let socket = |ino, pid, fd| (net(ino), Holder::Socket(file(pid, fd)));
        assert_eq!(finds, [socket(1, 5, 3), socket(2, 5, 4), socket(1, 6, 3)]);
        let gap = Gap {
            source: Source::Sockets,
            cause: Cause::Denied,
            count: Some(1),
            total: 9,
            links: LinkSet::EMPTY,
        };
        assert_eq!(tally.gaps(), [gap]);
    }

    #[test]
    fn where_the_first_who_has_a_socket_does_not_answer_the_next_is_asked() {
        let kernel = Fake {
            sockets: [((6, 3), net(1))].into(),
            ..Fake::default()
        };
        let sockets = [(file(5, 3), 90), (file(6, 3), 90), (file(7, 3), 90)];
        let mut tally = Tally::new(9);
        let finds = ask_sockets(&kernel, &sockets, NonZeroUsize::MIN, &mut tally).unwrap();
        let socket = |pid| (net(1), Holder::Socket(file(pid, 3)));
        assert_eq!(finds, [socket(5), socket(6), socket(7)]);
    }

    #[test]
    fn only_files_with_the_path_of_a_mounted_namespace_are_looked_at() {
        let kernel = Fake {
            paths: [
                ("/proc/5/fd/3".to_owned(), net(1)),
                ("/proc/5/fd/4".to_owned(), net(2)),
                ("/proc/5/fd/5".to_owned(), net(3)),
            ]
            .into(),
            ..Fake::default()
        };
        let mount = crate::model::Mount {
            within: None,
            path: b"/run/netns/a".to_vec(),
            id: 7,
        };
        let files = [(3, "/run/netns/a"), (4, "/etc/passwd"), (5, "/"), (6, "/")];
        let files = files.map(|(fd, path)| (file(5, fd), PathHash::of(path.as_bytes())));
        let finds = [(net(1), Holder::Mount(mount))];
        let mut tally = Tally::new(9);
        let found = look_at_files(
            &kernel,
            &Sysroot::live(),
            &files,
            &finds,
            NonZeroUsize::MIN,
            &mut tally,
        );
        let fd = |ino, fd| (net(ino), Holder::Fd(file(5, fd)));
        assert_eq!(found.unwrap(), [fd(1, 3), fd(3, 5)]);
        assert_eq!(tally.gaps(), []);
    }
}
