//! Sockets, each of which keeps the net namespace it was created in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Holder, Kind, NsId, OpenFile, Pid, Source};
use crate::proc::pulse;
use crate::scan::context::{Context, cause_of_open};
use crate::scan::groups::Find;

/// Finds the net namespaces of sockets, given with their inode numbers. Each
/// socket is asked once, or until one of the processes that share it answers.
/// None is if that would change its class.
pub(crate) fn find<K: Kernel>(
    context: &Context<K>,
    kernel: &Arc<K>,
    sockets: &[(OpenFile, u64)],
) -> Result<Vec<Find>, Error> {
    if !sockets.is_empty() && kernel.tags_sockets() {
        let mut pids: Vec<Pid> = sockets.iter().map(|(file, _)| file.pid).collect();
        pids.dedup();
        for _ in pids {
            context.miss(Source::Sockets, Cause::SocketClass);
        }
        return Ok(Vec::new());
    }
    let mut known: HashMap<u64, NsId> = HashMap::new();
    let mut pending = sockets.to_vec();
    while !pending.is_empty() {
        let mut seen = HashSet::new();
        let (round, later): (Vec<_>, Vec<_>) =
            pending.into_iter().partition(|(_, ino)| seen.insert(*ino));
        let files: Vec<OpenFile> = round.iter().map(|(file, _)| *file).collect();
        let asked = ask_devices(context, kernel, &files, Source::Sockets)?;
        for ((_, ino), id) in round.iter().zip(asked) {
            known.extend(id.map(|id| (*ino, id)));
        }
        pending = later;
        pending.retain(|(_, ino)| !known.contains_key(ino));
    }
    Ok(sockets
        .iter()
        .filter_map(|(file, ino)| Some((*known.get(ino)?, Holder::Socket(*file))))
        .collect())
}

/// The number of files of one process that a thread asks for at a time.
const BATCH: usize = 64;

/// Asks for the net namespace of each socket or tun file, in order. A process
/// that refuses is counted once.
pub(super) fn ask_devices<K: Kernel>(
    context: &Context<K>,
    kernel: &Arc<K>,
    files: &[OpenFile],
    source: Source,
) -> Result<Vec<Option<NsId>>, Error> {
    let batches: Vec<Vec<OpenFile>> = files
        .chunk_by(|one, next| (one.pid, one.tid) == (next.pid, next.tid))
        .flat_map(|files| files.chunks(BATCH))
        .map(<[OpenFile]>::to_vec)
        .collect();
    let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
    let kernel = Arc::clone(kernel);
    let what = match source {
        Source::Tuns => "tun files",
        _ => "sockets",
    };
    let asked = context.map_batches(what, batches, Vec::len, move |_, files| {
        Ok(ask_process(&*kernel, files))
    })?;
    let mut answers = Vec::with_capacity(files.len());
    for (size, asked) in sizes.into_iter().zip(asked) {
        match asked {
            Some(asked) => answers.extend(asked),
            None => answers.extend((0..size).map(|_| Err(OpenError::Blocked))),
        }
    }
    settle(context, files, answers, source)
}

/// Counts why there is no answer.
fn settle<K>(
    context: &Context<K>,
    files: &[OpenFile],
    answers: Vec<Result<NsId, OpenError>>,
    source: Source,
) -> Result<Vec<Option<NsId>>, Error> {
    let mut ids = Vec::with_capacity(files.len());
    let mut refused = None;
    for (file, answer) in files.iter().zip(answers) {
        ids.push(match answer {
            Ok(id) => Some(id),
            // The process or file is gone, or is another by now.
            Err(OpenError::Gone | OpenError::Moved) => None,
            Err(error) => {
                let cause = cause_of_open(error, || context.root.open_file_path(file))?;
                let process = (file.pid, file.tid);
                if refused.replace(process) != Some(process) {
                    context.miss(source, cause);
                }
                None
            }
        });
    }
    Ok(ids)
}

fn ask_process<K: Kernel>(kernel: &K, files: &[OpenFile]) -> Vec<Result<NsId, OpenError>> {
    let Some(first) = files.first() else {
        return Vec::new();
    };
    let process = match kernel.hold(first.pid, first.tid) {
        Ok(process) => process,
        Err(error) => return files.iter().map(|_| Err(error)).collect(),
    };
    let ask = |file: &OpenFile| {
        pulse::beat();
        let ino = kernel.device_ino(&process, file.fd)?;
        let kind = Kind::Net;
        Ok(NsId { ino, kind })
    };
    files.iter().map(ask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Fake;
    use crate::model::Fd;
    use crate::proc::Sysroot;
    use crate::scan::context::tests::{one, with_kernel};

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

    fn socket(ino: u64, pid: Pid, fd: Fd) -> Find {
        (net(ino), Holder::Socket(file(pid, fd)))
    }

    #[test]
    fn a_socket_is_asked_once_and_held_by_every_process_that_has_it_open() {
        let kernel = Arc::new(Fake {
            sockets: [((5, 3), net(1)), ((5, 4), net(2))].into(),
            ..Fake::default()
        });
        let sockets = [(5, 3, 90), (5, 4, 91), (6, 3, 90), (7, 3, 92), (7, 4, 93)]
            .map(|(pid, fd, ino)| (file(pid, fd), ino));
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        let finds = find(&context, &kernel, &sockets).unwrap();
        assert_eq!(finds, [socket(1, 5, 3), socket(2, 5, 4), socket(1, 6, 3)]);
        assert_eq!(context.gaps(9), [one(Source::Sockets, Cause::Denied)]);
    }

    #[test]
    fn a_kernel_that_keeps_the_files_of_threads_to_itself_is_named_as_the_cause() {
        let kernel = Arc::new(Fake {
            sockets: [((5, 3), net(1)), ((6, 3), net(2))].into(),
            is_old: true,
            ..Fake::default()
        });
        let of_thread = OpenFile {
            tid: Some(6),
            ..file(5, 3)
        };
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        let sockets = [(file(5, 3), 90), (of_thread, 91)];
        assert_eq!(
            find(&context, &kernel, &sockets).unwrap(),
            [socket(1, 5, 3)]
        );
        assert_eq!(context.gaps(9), [one(Source::Sockets, Cause::OldKernel)]);
    }

    #[test]
    fn no_socket_is_asked_if_that_changed_its_class() {
        let kernel = Arc::new(Fake {
            sockets: [((5, 3), net(1)), ((5, 4), net(1))].into(),
            tags_sockets: true,
            ..Fake::default()
        });
        let sockets = [(file(5, 3), 90), (file(5, 4), 91)];
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        assert_eq!(find(&context, &kernel, &sockets).unwrap(), []);
        let gap = one(Source::Sockets, Cause::SocketClass);
        assert_eq!(context.gaps(9), [gap]);
    }

    #[test]
    fn a_shared_socket_is_asked_of_the_next_process_if_the_first_does_not_answer() {
        let kernel = Arc::new(Fake {
            sockets: [((6, 3), net(1))].into(),
            ..Fake::default()
        });
        let sockets = [(file(5, 3), 90), (file(6, 3), 90), (file(7, 3), 90)];
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        let finds = find(&context, &kernel, &sockets).unwrap();
        assert_eq!(finds, [socket(1, 5, 3), socket(1, 6, 3), socket(1, 7, 3)]);
    }
}
