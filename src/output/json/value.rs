//! Cells and holders as JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Number, json};

use crate::model::{Holder, Interface, InterfaceAddress, TimeOffset};
use crate::query::{Value, master_of};

/// Invalid UTF-8 becomes U+FFFD, as JSON has no other strings.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null | Value::Unnamed(_) | Value::NoNumber => serializer.serialize_none(),
            Value::Number(number) => serializer.serialize_u64(*number),
            Value::Text(text) => serializer.serialize_str(&String::from_utf8_lossy(text)),
            Value::List(texts) | Value::Lines(texts) => {
                serializer.collect_seq(texts.iter().map(|text| String::from_utf8_lossy(text)))
            }
            Value::Several(words) => serializer.collect_seq(words),
            Value::Pids(pids) => serializer.collect_seq(*pids),
            Value::IdMap(map) => serializer.collect_seq(map.iter().map(
                |line| json!({ "inner": line.inner, "outer": line.outer, "count": line.count }),
            )),
            Value::Interfaces(interfaces) => {
                serializer.collect_seq(interfaces.iter().map(|one| InterfaceJson(one, interfaces)))
            }
            Value::Addresses(addresses) => {
                serializer.collect_seq(addresses.iter().map(InterfaceAddress::to_string))
            }
            Value::TimeOffsets(offsets) => json!({
                "monotonic": seconds(offsets.monotonic),
                "boottime": seconds(offsets.boottime),
            })
            .serialize(serializer),
            Value::SysvIpc(count) => count.serialize(serializer),
            Value::Holders(holders, _) => serializer.collect_seq(holders.iter().map(HolderJson)),
        }
    }
}

/// Returns seconds as an integer, or as a float if there is a fraction.
fn seconds(offset: TimeOffset) -> Option<Number> {
    match offset.nanoseconds {
        0 => Some(offset.seconds.into()),
        nanoseconds => Number::from_f64(offset.seconds as f64 + f64::from(nanoseconds) / 1e9),
    }
}

/// An interface as an object, and those beside it, among which its master is.
struct InterfaceJson<'a>(&'a Interface, &'a [Interface]);

impl Serialize for InterfaceJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let InterfaceJson(one, all) = self;
        let mut map = serializer.serialize_map(Some(9))?;
        map.serialize_entry("name", &one.name)?;
        map.serialize_entry("index", &one.index)?;
        map.serialize_entry("kind", &one.kind)?;
        map.serialize_entry("mac", &one.mac)?;
        map.serialize_entry("up", &one.is_up)?;
        map.serialize_entry("master", &master_of(one, all))?;
        map.serialize_entry("link", &one.link)?;
        map.serialize_entry("peer", &one.peer)?;
        map.serialize_entry("peer_ns", &one.peer_ns)?;
        map.end()
    }
}

/// A holder as an object of its kind and the keys that this kind has.
struct HolderJson<'a>(&'a Holder);

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
            map.serialize_entry("path", &mount.path)?;
            map.serialize_entry("mount_ns", &mount_ns)
        }
        Holder::Path(path) => map.serialize_entry("path", path),
        Holder::Fd(file)
        | Holder::Socket(file)
        | Holder::Tun(file)
        | Holder::InFlight(file)
        | Holder::IoUring(file) => {
            map.serialize_entry("tid", &file.tid)?;
            map.serialize_entry("fd", &file.fd)
        }
        Holder::Child(id) | Holder::Owned(id) => {
            map.serialize_entry("ns", &id.ino)?;
            map.serialize_entry("type", id.kind.name())
        }
        Holder::Listed { unique_id } | Holder::Kernel { unique_id } => {
            map.serialize_entry("id", unique_id)
        }
    }
}
