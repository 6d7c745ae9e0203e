//! The differences as JSON.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::analysis::{Change, Difference};
use crate::cli::commands::diff::saved::Saved;
use crate::model::Pid;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) identity: &'static str,
    pub(super) compared: Vec<&'static str>,
    pub(super) old: Side<'a>,
    pub(super) new: Side<'a>,
    pub(super) changes: &'a [Entry<'a>],
}

/// One of the times.
#[derive(Serialize)]
pub(super) struct Side<'a> {
    path: Option<String>,
    boot_id: Option<&'a str>,
    time: Option<f64>,
    complete: bool,
    sources: &'a [String],
}

impl<'a> Side<'a> {
    pub(super) fn new(path: Option<&Path>, saved: &'a Saved) -> Self {
        Side {
            path: path.map(|path| path.to_string_lossy().into_owned()),
            boot_id: saved.state.boot_id.as_deref(),
            time: saved.time,
            complete: saved.complete,
            sources: &saved.sources,
        }
    }
}

/// A namespace that differs, as it was last.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    change: &'static str,
    pub(super) r#type: &'static str,
    pub(super) ns: u64,
    id: Option<u64>,
    pub(super) nprocs: Option<u64>,
    pub(super) pid: Option<Pid>,
    pub(super) user: Option<&'a str>,
    pub(super) command: Option<&'a str>,
    pub(super) nsfs: Vec<&'a str>,
    changed: Map<String, Value>,
    #[serde(skip)]
    pub(super) difference: &'a Difference<'a>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(difference: &'a Difference<'a>) -> Self {
        let known = difference.namespace();
        Entry {
            change: match difference {
                Difference::Added(_) => "added",
                Difference::Removed(_) => "removed",
                Difference::Changed(..) => "changed",
            },
            r#type: known.id.kind.name(),
            ns: known.id.ino,
            id: known.unique_id,
            nprocs: known.nprocs,
            pid: known.pid,
            user: known.user.as_deref(),
            command: known.command.as_deref(),
            nsfs: known.mounts.iter().flatten().map(String::as_str).collect(),
            changed: match difference {
                Difference::Changed(_, changes) => changes.iter().map(pair).collect(),
                _ => Map::new(),
            },
            difference,
        }
    }

    pub(super) fn mark(&self) -> &'static str {
        match self.difference {
            Difference::Added(_) => "+",
            Difference::Removed(_) => "-",
            Difference::Changed(..) => "~",
        }
    }
}

/// Returns the key of what changed, and how.
fn pair(change: &Change) -> (String, Value) {
    let (key, value) = match change {
        Change::Processes(old, new) => ("nprocs", json!({ "old": old, "new": new })),
        Change::Representative(old, new) => ("pid", json!({ "old": old, "new": new })),
        Change::Owner(old, new) => ("ons", json!({ "old": old, "new": new })),
        Change::Mounts(came, went) => ("nsfs", json!({ "added": came, "removed": went })),
        Change::Holders(came, went) => ("holders", json!({ "added": came, "removed": went })),
    };
    (key.to_owned(), value)
}
