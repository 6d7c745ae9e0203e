//! Saved output of `nsls --json`, which anyone may have written.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::reason;
use crate::model::{Kind, NsId, Pid};
use crate::output::VERSION;

/// The largest file that is read, in bytes: some hundred thousand namespaces.
const MOST: u64 = 256 << 20;

/// A saved document.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    /// Its namespaces. Inferred groups of processes are left out.
    pub(crate) rows: Vec<(NsId, Row)>,
    /// Whether nothing was hidden from whoever made it.
    pub(crate) complete: bool,
    /// What was, as sentences.
    pub(crate) hidden: Vec<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) boot_id: Option<String>,
    pub(crate) time: Option<f64>,
}

/// What is read at first of any line of the output: a whole document, the last line, or
/// a row, which has none of these. Rows are read one by one, as they are many.
#[derive(Deserialize)]
struct Head<'a> {
    version: Option<u32>,
    complete: Option<bool>,
    gaps: Option<Vec<Gap>>,
    sources: Option<Vec<String>>,
    boot_id: Option<String>,
    time: Option<f64>,
    #[serde(borrow)]
    namespaces: Option<Vec<&'a RawValue>>,
    /// The namespace whose processes are listed, if it is about one.
    namespace: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Gap {
    #[serde(default)]
    hides: bool,
    #[serde(default)]
    message: String,
}

/// A namespace, by the keys that are used of it. Without `ns` it is inferred. Of a key
/// that may be null, the outer `None` says that it is absent.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Row {
    ns: Option<u64>,
    r#type: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) id: Option<u64>,
    pub(crate) start: Option<u64>,
    pub(crate) nprocs: Option<u64>,
    pub(crate) pid: Option<Pid>,
    pub(crate) user: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) command: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) pns: Option<Option<u64>>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) ons: Option<Option<u64>>,
    pub(crate) nsfs: Option<BTreeSet<String>>,
    pub(crate) holders: Option<Vec<Holder>>,
    pub(crate) container: Option<Vec<String>>,
    pub(crate) unit: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) host: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) interfaces: Option<Option<Vec<Interface>>>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) addresses: Option<Option<Vec<String>>>,
}

/// Reads a key that is there: null is `Some(None)`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Holder {
    pub(crate) kind: String,
    pub(crate) pid: Option<Pid>,
    pub(crate) tid: Option<u32>,
    pub(crate) fd: Option<u32>,
    pub(crate) link: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) mount_ns: Option<u64>,
    pub(crate) ns: Option<u64>,
    pub(crate) r#type: Option<String>,
    pub(crate) id: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) index: Option<u32>,
    pub(crate) kind: Option<String>,
    pub(crate) up: Option<bool>,
    /// The name of the bridge or other interface that it is a port of.
    pub(crate) master: Option<String>,
    pub(crate) link: Option<u32>,
    pub(crate) peer: Option<String>,
    pub(crate) peer_ns: Option<u64>,
}

/// Reads a file: a regular one, or a pipe, which a shell makes of `<(…)`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
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
pub(crate) fn parse(bytes: &[u8]) -> Result<Saved, String> {
    let malformed = |error: serde_json::Error, part: Option<&RawValue>| match version(bytes) {
        Some(other) if other != VERSION => unknown(other),
        _ if error.is_eof() => "it ends too early".to_owned(),
        _ => {
            let line = error.line() + part.map_or(0, |part| lines_before(part, bytes));
            format!("not written by nsls --json (line {line})")
        }
    };
    let mut rows: Vec<&RawValue> = Vec::new();
    let mut lines = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    let last = loop {
        let Some(line) = lines.next() else {
            return Err(match rows.is_empty() {
                true => "not written by nsls --json".to_owned(),
                false => "it ends too early".to_owned(),
            });
        };
        let line = line.map_err(|error| malformed(error, None))?;
        let head: Result<Head<'_>, _> = serde_json::from_str(line.get());
        let head = head.map_err(|error| malformed(error, Some(line)))?;
        match head.version {
            Some(VERSION) => break head,
            Some(other) => return Err(unknown(other)),
            None => rows.push(line),
        }
    };
    if lines.next().is_some() {
        return Err("it has more than one document".to_owned());
    }
    if last.namespace.is_some() {
        return Err("it lists the processes of one namespace".to_owned());
    }
    match last.namespaces {
        Some(namespaces) => rows.extend(namespaces),
        // The last of several lines, or of none at all.
        None if last.complete.is_some() => {}
        None => return Err("it has no namespaces".to_owned()),
    }
    let hidden = last.gaps.unwrap_or_default().into_iter();
    let mut saved = Saved {
        rows: Vec::with_capacity(rows.len()),
        complete: last.complete.unwrap_or(false),
        hidden: hidden
            .filter(|gap| gap.hides)
            .map(|gap| gap.message)
            .collect(),
        sources: last.sources.unwrap_or_default(),
        boot_id: last.boot_id,
        time: last.time,
    };
    for text in rows {
        let row: Result<Row, _> = serde_json::from_str(text.get());
        let row = row.map_err(|error| malformed(error, Some(text)))?;
        if let Some(id) = row.id()? {
            saved.rows.push((id, row));
        }
    }
    Ok(saved)
}

/// Returns how many lines of a text end before a part of it begins.
fn lines_before(part: &RawValue, text: &[u8]) -> usize {
    let start = part
        .get()
        .as_ptr()
        .addr()
        .saturating_sub(text.as_ptr().addr());
    let before = text.get(..start).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count()
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

impl Row {
    /// Returns its number and type; `None` for an inferred group of processes, which is
    /// no namespace.
    fn id(&self) -> Result<Option<NsId>, String> {
        match (self.ns, self.r#type.as_deref().map(str::parse::<Kind>)) {
            (Some(ino), Some(Ok(kind))) => Ok(Some(NsId { ino, kind })),
            (None, Some(Ok(_))) => Ok(None),
            (_, Some(Err(_))) => Err("it has a type that is unknown".to_owned()),
            (_, None) => Err("its rows have no ns and type: use -o with a + in front".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: &str = r#"{"ns":5,"type":"net","nprocs":1,"holders":[{"kind":"fd","pid":7,"fd":3}],"container":["docker:a"],"host":null,"interfaces":[{"name":"lo","index":1}]}"#;

    fn why(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err()
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
                r#"{"version":1,"complete":true,"namespace":{},"namespaces":[],"processes":[]}"#,
                "it lists the processes of one namespace",
            ),
            (
                "{\"pid\":1}\n{\"version\":1,\"complete\":true,\"namespace\":{},\"namespaces\":[]}",
                "it lists the processes of one namespace",
            ),
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
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        let deep = format!(r#"{{"version":1,"gaps":{open}{close}}}"#);
        assert_eq!(why(&deep), "not written by nsls --json (line 1)");
        let rows = "{\"ns\":5,\"type\":\"net\"}\n{\"ns\":5,\n\"type\":7}\n{\"version\":1,\"complete\":true}";
        assert_eq!(why(rows), "not written by nsls --json (line 3)");
    }

    #[test]
    fn a_row_that_is_inferred_is_no_namespace() {
        let text = r#"{"version":1,"complete":true,"namespaces":[{"ns":null,"type":"net"}]}"#;
        assert!(parse(text.as_bytes()).unwrap().rows.is_empty());
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
