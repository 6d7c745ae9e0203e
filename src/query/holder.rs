//! Holders as text and as JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::model::{Holder, Mount, Process};

/// Where the holder holds, for people: the number of a file, a path, a link.
/// Any bytes.
pub fn place(holder: &Holder) -> Vec<u8> {
    match holder {
        Holder::Process { link, .. } | Holder::ForChildren { link, .. } => {
            link.name().as_bytes().to_vec()
        }
        Holder::Thread { tid, link, .. } => format!("thread {tid}, {link}").into_bytes(),
        Holder::Mount(mount) => within(mount),
        Holder::Fd(file) | Holder::Socket(file) | Holder::Tun(file) => {
            let of_thread = file.tid.map(|tid| format!(" of thread {tid}"));
            format!("fd {}{}", file.fd, of_thread.unwrap_or_default()).into_bytes()
        }
        Holder::Path(path) => path.to_vec(),
        Holder::Child(id) | Holder::Owned(id) => id.to_string().into_bytes(),
        Holder::Listed { unique_id } => format!("id {unique_id}").into_bytes(),
    }
}

fn within(mount: &Mount) -> Vec<u8> {
    let within = mount.within.map_or_else(String::new, |within| {
        format!(" in mnt:[{}]", within.mount_ns)
    });
    [mount.path.as_bytes(), within.as_bytes()].concat()
}

/// The first of them with its process, and how many more: `fd 4 of 1187 (sleep)
/// +2`.
pub(super) fn first_holder(holders: &[Holder], process: Option<&Process>) -> Vec<u8> {
    let Some(first) = holders.first() else {
        return Vec::new();
    };
    let mut text = match first {
        Holder::Process { pid, .. } => format!("process {pid}").into_bytes(),
        Holder::ForChildren { pid, link } => format!("{link} of {pid}").into_bytes(),
        Holder::Thread { pid, tid, .. } => format!("thread {tid} of {pid}").into_bytes(),
        Holder::Fd(file) | Holder::Socket(file) | Holder::Tun(file) => {
            format!("{} {} of {}", first.kind(), file.fd, file.pid).into_bytes()
        }
        other => [other.kind().as_bytes(), b" ", &place(other)].concat(),
    };
    let details = process.and_then(|process| process.details.as_deref());
    if let Some(command) = details.and_then(|details| details.command.as_deref()) {
        // Without its arguments, and without the directory it is in.
        let command = command
            .split(|byte| *byte == b' ')
            .next()
            .unwrap_or(command);
        let command = command
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or(command);
        text.extend([b" (", command, b")"].concat());
    }
    if holders.len() > 1 {
        text.extend(format!(" +{}", holders.len() - 1).bytes());
    }
    text
}

/// A holder as an object: `kind`, and what this kind has.
pub struct HolderJson<'a>(pub &'a Holder);

impl Serialize for HolderJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write_keys(self.0, &mut map)?;
        map.end()
    }
}

/// Writes the keys of a holder into an object.
pub(crate) fn write_keys<M: SerializeMap>(holder: &Holder, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("kind", holder.kind())?;
    if let Some(pid) = holder.pid() {
        map.serialize_entry("pid", &pid)?;
    }
    match holder {
        Holder::Process { link, .. } | Holder::ForChildren { link, .. } => {
            map.serialize_entry("link", link.name())
        }
        Holder::Thread { tid, link, .. } => {
            map.serialize_entry("tid", tid)?;
            map.serialize_entry("link", link.name())
        }
        Holder::Mount(mount) => {
            let mount_ns = mount.within.map(|within| within.mount_ns);
            map.serialize_entry("path", &String::from_utf8_lossy(&mount.path))?;
            map.serialize_entry("mount_ns", &mount_ns)
        }
        Holder::Path(path) => map.serialize_entry("path", &String::from_utf8_lossy(path)),
        Holder::Fd(file) | Holder::Socket(file) | Holder::Tun(file) => {
            map.serialize_entry("tid", &file.tid)?;
            map.serialize_entry("fd", &file.fd)
        }
        Holder::Child(id) | Holder::Owned(id) => {
            map.serialize_entry("ns", &id.ino)?;
            map.serialize_entry("type", id.kind.name())
        }
        Holder::Listed { unique_id } => map.serialize_entry("id", unique_id),
    }
}
