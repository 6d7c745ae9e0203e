//! Saved output of `nsls --json`, which anyone may have written.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use serde::Deserialize;

use crate::analysis::{Known, State};
use crate::error::reason;
use crate::model::{Kind, NsId, Pid};
use crate::output::VERSION;

/// The largest file that is read, in bytes: some hundred thousand namespaces.
const MOST: u64 = 256 << 20;

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

/// Any line of the output: a whole document, a row, or the last line.
#[derive(Deserialize)]
struct Line {
    version: Option<u32>,
    complete: Option<bool>,
    sources: Option<Vec<String>>,
    boot_id: Option<String>,
    time: Option<f64>,
    namespaces: Option<Vec<Row>>,
    #[serde(flatten)]
    row: Row,
}

/// A namespace. Without `ns` it is inferred.
#[derive(Deserialize)]
struct Row {
    ns: Option<u64>,
    r#type: Option<String>,
    id: Option<u64>,
    start: Option<u64>,
    nprocs: Option<u64>,
    pid: Option<Pid>,
    user: Option<String>,
    command: Option<String>,
    ons: Option<u64>,
    nsfs: Option<BTreeSet<String>>,
    holders: Option<Vec<Holder>>,
}

#[derive(Deserialize)]
struct Holder {
    kind: String,
    pid: Option<Pid>,
    tid: Option<u32>,
    fd: Option<u32>,
    link: Option<String>,
    path: Option<String>,
    mount_ns: Option<u64>,
    ns: Option<u64>,
    r#type: Option<String>,
    id: Option<u64>,
}

/// Reads a file: a regular one, or a pipe, which a shell makes of `<(…)`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |errno: rustix::io::Errno| reason(&errno.into());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
    let seen = rustix::fs::fstat(&file).map_err(failed)?;
    match FileType::from_raw_mode(seen.st_mode) {
        FileType::RegularFile => {}
        // Whoever is at the other end was asked for.
        FileType::Fifo => {
            rustix::fs::fcntl_setfl(&file, OFlags::empty()).map_err(failed)?;
        }
        _ => return Err("neither a file nor a directory".to_owned()),
    }
    let mut bytes = Vec::new();
    let mut limited = File::from(file).take(MOST + 1);
    let read = limited.read_to_end(&mut bytes);
    read.map_err(|error| reason(&error))?;
    if bytes.len() as u64 > MOST {
        return Err(format!("longer than {} MiB", MOST >> 20));
    }
    Ok(bytes)
}

/// Parses a document, or lines of which the last has `version`.
pub(super) fn parse(bytes: &[u8]) -> Result<Saved, String> {
    let malformed = |error: serde_json::Error| match version(bytes) {
        Some(other) if other != VERSION => unknown(other),
        _ if error.is_eof() => "it ends too early".to_owned(),
        _ => format!("not written by nsls --json (line {})", error.line()),
    };
    let mut rows = Vec::new();
    let mut lines = serde_json::Deserializer::from_slice(bytes).into_iter::<Line>();
    let last = loop {
        let Some(line) = lines.next() else {
            return Err(match rows.is_empty() {
                true => "not written by nsls --json".to_owned(),
                false => "it ends too early".to_owned(),
            });
        };
        let line = line.map_err(malformed)?;
        match line.version {
            Some(VERSION) => break line,
            Some(other) => return Err(unknown(other)),
            None => rows.push(line.row),
        }
    };
    if lines.next().is_some() {
        return Err("it has more than one document".to_owned());
    }
    match last.namespaces {
        Some(namespaces) => rows.extend(namespaces),
        // The last of several lines, or of none at all.
        None if last.complete.is_some() => {}
        None => return Err("it has no namespaces".to_owned()),
    }
    let mut saved = Saved {
        complete: last.complete.unwrap_or(false),
        sources: last.sources.unwrap_or_default(),
        time: last.time,
        has_holders: rows.iter().any(|row| row.holders.is_some()),
        has_ids: rows.iter().any(|row| row.id.is_some()),
        ..Saved::default()
    };
    saved.state.boot_id = last.boot_id;
    for row in rows {
        saved.add(row)?;
    }
    Ok(saved)
}

/// Returns the version of a document whose other keys make no sense.
fn version(bytes: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let mut heads = serde_json::Deserializer::from_slice(bytes).into_iter::<Head>();
    Some(heads.next()?.ok()?.version)
}

fn unknown(version: u32) -> String {
    format!("version {version} of the format, and only {VERSION} is known")
}

impl Saved {
    fn add(&mut self, row: Row) -> Result<(), String> {
        let kind = row.r#type.as_deref().map(str::parse::<Kind>);
        let (ino, kind) = match (row.ns, kind) {
            (Some(ino), Some(Ok(kind))) => (ino, kind),
            // An inferred group of processes is no namespace.
            (None, Some(Ok(_))) => return Ok(()),
            (_, Some(Err(_))) => return Err("it has a type that is unknown".to_owned()),
            (_, None) => {
                return Err("its rows have no ns and type: use -o with a + in front".to_owned());
            }
        };
        let mut known = Known::new(NsId { ino, kind });
        known.unique_id = row.id;
        known.start = row.start;
        known.nprocs = row.nprocs;
        known.pid = row.pid;
        known.owner = row.ons;
        known.mounts = row.nsfs;
        known.holders = row.holders.map(|holders| {
            let has_processes = row.nprocs.is_some_and(|count| count > 0);
            let others = holders.iter().filter(|one| one.is_compared(has_processes));
            others.map(Holder::describe).collect()
        });
        known.user = row.user;
        known.command = row.command;
        self.state.namespaces.push(known);
        Ok(())
    }
}

impl Holder {
    /// Returns whether it holds, and is no process that is counted anyway, or whose
    /// children will be, nor a mount that the caller sees anyway.
    fn is_compared(&self, has_processes: bool) -> bool {
        match &*self.kind {
            "process" | "path" | "listed" => false,
            "for-children" => !has_processes,
            "mount" => self.mount_ns.is_some(),
            _ => true,
        }
    }

    /// Returns it as `nsls holders` has it: `fd 3 of 1187`.
    fn describe(&self) -> String {
        let kind = &self.kind;
        let mut text = match (self.fd, self.tid, &self.link, &self.path) {
            (Some(fd), Some(tid), ..) => format!("{kind} {fd} of thread {tid}"),
            (Some(fd), None, ..) => format!("{kind} {fd}"),
            (None, Some(tid), Some(link), _) => format!("{kind} {tid}, {link},"),
            (None, _, Some(link), _) => link.clone(),
            (None, _, None, Some(path)) => format!("{kind} {path}"),
            (None, _, None, None) => kind.clone(),
        };
        if let Some(pid) = self.pid {
            text += &format!(" of {pid}");
        }
        if let Some(ino) = self.mount_ns {
            text += &format!(" in mnt:[{ino}]");
        }
        if let Some((ino, kind)) = self.ns.zip(self.r#type.as_ref()) {
            text += &format!(" {kind}:[{ino}]");
        }
        if let Some(id) = self.id {
            text += &format!(" id {id}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn why(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err()
    }

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

    #[test]
    fn what_nsls_did_not_write_is_refused_in_one_line() {
        for (text, expected) in [
            ("", "not written by nsls --json"),
            ("{}", "it ends too early"),
            ("[]", "not written by nsls --json (line 1)"),
            ("\n\nx", "not written by nsls --json (line 3)"),
            (r#"{"version":1"#, "it ends too early"),
            (r#"{"version":1}"#, "it has no namespaces"),
            (
                r#"{"version":2,"namespaces":{}}"#,
                "version 2 of the format, and only 1 is known",
            ),
            (
                r#"{"version":2}"#,
                "version 2 of the format, and only 1 is known",
            ),
            (r#"{"ns":5,"type":"net"}"#, "it ends too early"),
            (
                r#"{"version":1,"complete":true,"namespaces":[{"ns":5}]}"#,
                "its rows have no ns and type: use -o with a + in front",
            ),
            (
                r#"{"version":1,"complete":true,"namespaces":[{"ns":5,"type":"x"}]}"#,
                "it has a type that is unknown",
            ),
            (
                r#"{"version":1,"complete":true,"namespaces":[{"ns":-5,"type":"net"}]}"#,
                "not written by nsls --json (line 1)",
            ),
            (
                r#"{"version":1,"complete":true} {"version":1,"complete":true}"#,
                "it has more than one document",
            ),
        ] {
            assert_eq!(why(text), expected, "{text}");
        }
        let deep = format!(r#"{{"version":1,"gaps":{}"#, "[".repeat(100_000));
        assert_eq!(why(&deep), "not written by nsls --json (line 1)");
    }

    #[test]
    fn a_row_that_is_inferred_is_no_namespace() {
        let text = r#"{"version":1,"complete":true,"namespaces":[{"ns":null,"type":"net"}]}"#;
        assert_eq!(parse(text.as_bytes()).unwrap().state, State::default());
    }

    #[test]
    fn only_files_and_pipes_are_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            read(dir.path()),
            Err("neither a file nor a directory".to_owned())
        );
        assert_eq!(
            read(Path::new("/dev/null")),
            Err("neither a file nor a directory".to_owned())
        );
        let gone = dir.path().join("gone");
        assert_eq!(read(&gone), Err("no such file or directory".to_owned()));
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        // Nobody writes to it.
        assert_eq!(read(&pipe), Ok(Vec::new()));
        let long = dir.path().join("long");
        File::create(&long).unwrap().set_len(MOST + 1).unwrap();
        assert_eq!(read(&long), Err("longer than 256 MiB".to_owned()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_cut_makes_it_panic(cut in 0..ROW.len()) {
            let _ = parse(&ROW.as_bytes()[..cut]);
        }
    }
}
