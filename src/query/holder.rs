//! Holders as text.

use crate::model::{Holder, Process};

/// Returns where a holder holds, for people: a file descriptor, a path, a link.
/// Any bytes.
pub fn place(holder: &Holder) -> Vec<u8> {
    match holder {
        Holder::Process { link, .. } | Holder::ForChildren { link, .. } => link.name().into(),
        Holder::Thread { tid, link, .. } => format!("thread {tid}, {link}").into_bytes(),
        Holder::Mount(mount) => match mount.within {
            Some(within) => {
                let within = format!(" in mnt:[{}]", within.mount_ns);
                [mount.path.as_bytes(), within.as_bytes()].concat()
            }
            None => mount.path.to_vec(),
        },
        Holder::Fd(file)
        | Holder::Socket(file)
        | Holder::Tun(file)
        | Holder::InFlight(file)
        | Holder::IoUring(file) => match file.tid {
            Some(tid) => format!("fd {} of thread {tid}", file.fd).into_bytes(),
            None => format!("fd {}", file.fd).into_bytes(),
        },
        Holder::Path(path) => path.to_vec(),
        Holder::Child(id) | Holder::Owned(id) => id.to_string().into_bytes(),
        Holder::Listed { unique_id } | Holder::Kernel { unique_id } => {
            format!("id {unique_id}").into_bytes()
        }
    }
}

/// Returns the first holder with its process, and how many more there are:
/// `fd 4 of 1187 (sleep) +2`.
pub(super) fn first_holder(holders: &[Holder], process: Option<&Process>) -> Vec<u8> {
    let Some(first) = holders.first() else {
        return Vec::new();
    };
    let mut text = match first {
        Holder::Process { pid, .. } => format!("process {pid}").into_bytes(),
        Holder::ForChildren { pid, link } => format!("{link} of {pid}").into_bytes(),
        Holder::Thread { pid, tid, .. } => format!("thread {tid} of {pid}").into_bytes(),
        Holder::Fd(file)
        | Holder::Socket(file)
        | Holder::Tun(file)
        | Holder::InFlight(file)
        | Holder::IoUring(file) => {
            format!("{} {} of {}", first.kind(), file.fd, file.pid).into_bytes()
        }
        other => kind_and_place(other),
    };
    if let Some(command) = process.and_then(Process::command) {
        text.extend([b" (", program(command), b")"].concat());
    }
    if holders.len() > 1 {
        text.extend(format!(" +{}", holders.len() - 1).bytes());
    }
    text
}

/// Returns a holder as filters see it: `mount /run/netns/blue`.
pub(super) fn kind_and_place(holder: &Holder) -> Vec<u8> {
    [holder.kind().as_bytes(), b" ", &place(holder)].concat()
}

/// Returns the name of a command without its directory and arguments.
pub(crate) fn program(command: &[u8]) -> &[u8] {
    let path = command.split(|byte| *byte == b' ').next();
    let name = path.and_then(|path| path.rsplit(|byte| *byte == b'/').next());
    name.unwrap_or(command)
}
