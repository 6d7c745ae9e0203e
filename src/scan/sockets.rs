//! Sockets: each keeps the net namespace in which it was made, whatever became
//! of the process that made it.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Cause, Holder, LinkSet, Source};
use crate::scan::group::Find;
use crate::scan::links::OpenSocket;
use crate::scan::tally::{Tally, cause_of_errno};
use crate::scan::walk::walk;

/// Asks for the net namespace of every socket. `sockets` are in the order of
/// their pids; of many in one process that lead to one namespace the first is
/// enough.
pub(crate) fn ask_sockets<K: Kernel>(
    kernel: &K,
    sockets: &[OpenSocket],
    threads: NonZeroUsize,
    tally: &mut Tally,
) -> Result<Vec<Find>, Error> {
    let processes: Vec<_> = sockets.chunk_by(|one, next| one.pid == next.pid).collect();
    let asked = walk(&processes, threads, |sockets| ask_process(kernel, sockets))?;
    let mut finds = Vec::new();
    for (found, cause) in asked {
        finds.extend(found);
        if let Some(cause) = cause {
            tally.add(Source::Sockets, cause, LinkSet::EMPTY);
        }
    }
    Ok(finds)
}

/// The namespaces of the sockets of one process, and why some are missing.
fn ask_process<K: Kernel>(
    kernel: &K,
    sockets: &[OpenSocket],
) -> Result<(Vec<Find>, Option<Cause>), Error> {
    let mut finds = Vec::new();
    let mut known = HashSet::new();
    let mut cause = None;
    let mut refuse = |errno, fd| match errno {
        // The process, or this file of it, is gone or is no socket any more.
        Errno::SRCH | Errno::BADF | Errno::NOTTY => Ok(()),
        errno => {
            cause = Some(cause_of_errno(errno, || format!("socket {fd}").into())?);
            Ok(())
        }
    };
    let Some(first) = sockets.first() else {
        return Ok((finds, None));
    };
    match kernel.hold(first.pid) {
        Ok(process) => {
            for OpenSocket { pid, fd } in sockets.iter().copied() {
                let ns = kernel.socket_ns(&process, fd);
                match ns.and_then(|ns| kernel.id(&ns)) {
                    Ok(id) if known.insert(id) => finds.push((id, Holder::Socket { pid, fd })),
                    Ok(_) => {}
                    Err(errno) => refuse(errno, fd)?,
                }
            }
        }
        Err(errno) => refuse(errno, first.fd)?,
    }
    Ok((finds, cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Double;
    use crate::model::{Gap, Kind, NsId};

    #[test]
    fn each_namespace_is_found_once_a_process_and_a_refusal_is_counted() {
        let net = |ino| NsId {
            ino,
            kind: Kind::Net,
        };
        let kernel = Double {
            sockets: [((5, 3), net(1)), ((5, 4), net(2)), ((5, 5), net(1))].into(),
            ..Double::default()
        };
        let sockets = [(5, 3), (5, 4), (5, 5), (7, 3), (7, 4)];
        let sockets = sockets.map(|(pid, fd)| OpenSocket { pid, fd });
        let mut tally = Tally::new(9);
        let finds = ask_sockets(&kernel, &sockets, NonZeroUsize::MIN, &mut tally).unwrap();
        let socket = |ino, fd| (net(ino), Holder::Socket { pid: 5, fd });
        assert_eq!(finds, [socket(1, 3), socket(2, 4)]);
        let gap = Gap {
            source: Source::Sockets,
            cause: Cause::Denied,
            count: Some(1),
            total: 9,
            links: LinkSet::EMPTY,
        };
        assert_eq!(tally.gaps(), [gap]);
    }
}
