//! Saved output of `nsls --json`, as far as it is compared.

use crate::analysis::{Known, State};
use crate::cli::saved::{self, Holder, Row};
use crate::model::NsId;

/// The namespaces of one time, and how much of them was seen.
#[derive(Debug, Default)]
pub(super) struct Saved {
    pub(super) state: State,
    pub(super) complete: bool,
    pub(super) sources: Vec<String>,
    pub(super) time: Option<f64>,
    /// Whether it was made by a look that included what holds namespaces.
    pub(super) has_holders: bool,
    /// Whether it has the numbers that are never reused.
    pub(super) has_ids: bool,
}

/// Parses a document, or lines of which the last has `version`.
pub(super) fn parse(bytes: &[u8]) -> Result<Saved, String> {
    let saved = saved::parse(bytes)?;
    let rows = &saved.rows;
    Ok(Saved {
        complete: saved.complete,
        time: saved.time,
        has_holders: rows.iter().any(|(_, row)| row.holders.is_some()),
        has_ids: rows.iter().any(|(_, row)| row.id.is_some()),
        sources: saved.sources,
        state: State {
            boot_id: saved.boot_id,
            namespaces: saved.rows.into_iter().map(known).collect(),
        },
    })
}

fn known((id, row): (NsId, Row)) -> Known {
    let mut known = Known::new(id);
    known.unique_id = row.id;
    known.start = row.start;
    known.nprocs = row.nprocs;
    known.pid = row.pid;
    known.owner = row.ons.flatten();
    known.mounts = row.nsfs;
    known.holders = row.holders.map(|holders| {
        let has_processes = row.nprocs.is_some_and(|count| count > 0);
        let others = holders.iter().filter(|one| is_compared(one, has_processes));
        others.map(describe).collect()
    });
    known.user = row.user;
    known.command = row.command.flatten();
    known
}

/// Returns whether it holds, and is no process that is counted anyway, or whose
/// children will be, nor a mount that the caller sees anyway.
fn is_compared(holder: &Holder, has_processes: bool) -> bool {
    match &*holder.kind {
        "process" | "path" | "listed" => false,
        "for-children" => !has_processes,
        "mount" => holder.mount_ns.is_some(),
        _ => true,
    }
}

/// Returns it as `nsls holders` has it: `fd 3 of 1187`.
fn describe(holder: &Holder) -> String {
    let kind = &holder.kind;
    let mut text = match (holder.fd, holder.tid, &holder.link, &holder.path) {
        (Some(fd), Some(tid), ..) => format!("{kind} {fd} of thread {tid}"),
        (Some(fd), None, ..) => format!("{kind} {fd}"),
        (None, Some(tid), Some(link), _) => format!("{kind} {tid}, {link},"),
        (None, _, Some(link), _) => link.clone(),
        (None, _, None, Some(path)) => format!("{kind} {path}"),
        (None, _, None, None) => kind.clone(),
    };
    if let Some(pid) = holder.pid {
        text += &format!(" of {pid}");
    }
    if let Some(ino) = holder.mount_ns {
        text += &format!(" in mnt:[{ino}]");
    }
    if let Some((ino, kind)) = holder.ns.zip(holder.r#type.as_ref()) {
        text += &format!(" {kind}:[{ino}]");
    }
    if let Some(id) = holder.id {
        text += &format!(" id {id}");
    }
    text
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    const ROW: &str = r#"{"ns":5,"type":"net","id":9,"start":70,"nprocs":1,"pid":7,"ppid":1,"user":"a","command":"b","ons":3,"nsfs":["/x"],"holders":[{"kind":"process","pid":7,"link":"net"},{"kind":"fd","pid":7,"tid":null,"fd":3},{"kind":"fd","pid":7,"tid":8,"fd":3},{"kind":"thread","pid":7,"tid":8,"link":"net"},{"kind":"for-children","pid":7,"link":"pid_for_children"},{"kind":"mount","path":"/x","mount_ns":null},{"kind":"mount","path":"/x","mount_ns":4},{"kind":"child","ns":6,"type":"user"},{"kind":"kernel","id":12},{"kind":"listed","id":9}]}"#;

    #[test]
    fn a_document_and_its_lines_are_the_same() {
        let document = format!(
            r#"{{"version":1,"complete":true,"gaps":[],"sources":["fds"],"boot_id":"b","time":1.5,"namespaces":[{ROW}]}}"#
        );
        let lines = format!(
            "{ROW}\n{}\n",
            r#"{"version":1,"complete":true,"gaps":[],"sources":["fds"],"boot_id":"b","time":1.5}"#
        );
        let all = [document, lines].map(|text| parse(text.as_bytes()).unwrap());
        for saved in &all {
            let known = &saved.state.namespaces[0];
            let id = NsId {
                ino: 5,
                kind: Kind::Net,
            };
            assert_eq!(
                (known.id, known.unique_id, known.start),
                (id, Some(9), Some(70))
            );
            let holders: Vec<_> = known.holders.iter().flatten().collect();
            let expected = [
                "child user:[6]",
                "fd 3 of 7",
                "fd 3 of thread 8 of 7",
                "kernel id 12",
                "mount /x in mnt:[4]",
                "thread 8, net, of 7",
            ];
            assert_eq!(holders, expected);
            assert_eq!(saved.time, Some(1.5));
            assert!(saved.complete && saved.has_holders && saved.has_ids);
        }
        assert_eq!(all[0].state, all[1].state);
    }
}
