//! Leaks as JSON.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::analysis::Leak;
use crate::cli::commands::leaks::release::release;
use crate::model::{Holder, Pid, Process, Snapshot};
use crate::output::write_keys;
use crate::proc::Sysroot;
use crate::text::Text;

/// `identity` says by what a command's namespaces were told from those before.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) identity: Option<&'static str>,
    pub(super) leaks: &'a [Entry<'a>],
}

/// A namespace that nothing seems to need.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    pub(super) r#type: &'static str,
    pub(super) ns: u64,
    id: Option<u64>,
    pub(super) nprocs: usize,
    pid: Option<Pid>,
    /// Seconds that its holders have held it at most.
    pub(super) held_max: Option<u64>,
    pub(super) uid: Option<u32>,
    #[serde(serialize_with = "lossy")]
    pub(super) user: Option<&'a [u8]>,
    holders: Vec<Held<'a>>,
    /// Command lines that let go of it.
    pub(super) release: Vec<Text>,
    #[serde(skip)]
    pub(super) held: &'a [Holder],
    #[serde(skip)]
    pub(super) first: Option<&'a Process>,
}

impl<'a> Entry<'a> {
    /// `now` is in clock ticks after boot.
    pub(super) fn new(
        root: &'a Sysroot,
        snapshot: &'a Snapshot,
        leak: &Leak<'a>,
        now: Option<u64>,
    ) -> Self {
        let namespace = leak.namespace;
        let row = snapshot.row(root, namespace);
        let (uid, user) = row.user();
        let since = |ticks: Option<u64>| Some(now?.saturating_sub(ticks?) / 100);
        let holders = namespace.holders.iter();
        Entry {
            r#type: namespace.id.kind.name(),
            ns: namespace.id.ino,
            id: namespace.relations.unique_id,
            nprocs: namespace.nprocs,
            pid: namespace.pid,
            // A second that has begun counts.
            held_max: since(leak.held_since).map(|seconds| seconds + 1),
            uid,
            user,
            holders: holders
                .map(|holder| Held {
                    holder,
                    process: holder.pid().and_then(|pid| snapshot.process(pid)),
                })
                .collect(),
            release: release(root, snapshot, namespace),
            held: &namespace.holders,
            first: row.holder,
        }
    }
}

fn lossy<S: Serializer>(text: &Option<&[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    text.map(String::from_utf8_lossy).serialize(serializer)
}

/// A holder with its process.
struct Held<'a> {
    holder: &'a Holder,
    process: Option<&'a Process>,
}

impl Serialize for Held<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write_keys(self.holder, &mut map)?;
        if self.holder.pid().is_some() {
            map.serialize_entry("user", &self.process.and_then(Process::user))?;
            map.serialize_entry("command", &self.process.and_then(Process::command))?;
        }
        map.end()
    }
}
