mod lines;
mod value;

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use crate::model::{Gap, Snapshot, Source};
use crate::output::{JsonLayout, Listing, describe};
use crate::query::{Column, Placed, Row};
use crate::text::for_json;

pub(crate) use lines::{gaps, write_line};
pub(crate) use value::write_keys;

/// The version of the output. Adding keys does not change it.
pub(crate) const VERSION: u32 = 1;

/// Writes one JSON object and a newline, or several of them.
pub(crate) fn write(
    value: &impl Serialize,
    layout: JsonLayout,
    out: &mut dyn Write,
) -> io::Result<()> {
    match layout {
        JsonLayout::Pretty => serde_json::to_writer_pretty(Harmless(&mut *out), value)?,
        JsonLayout::Compact => serde_json::to_writer(Harmless(&mut *out), value)?,
        JsonLayout::Lines => return lines::write(value, out),
    }
    writeln!(out)
}

/// Writes unprintable characters as `\uXXXX`, which means the same. RFC 8259
/// requires this below U+0020 only, but terminals obey others as well.
struct Harmless<'a>(&'a mut dyn Write);

impl Write for Harmless<'_> {
    /// serde_json passes whole characters, and ASCII outside of strings.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_plain = bytes.iter().all(|byte| byte.is_ascii() && *byte != 0x7f);
        match std::str::from_utf8(bytes) {
            Ok(text) if !is_plain => {
                self.0.write_all(for_json(text).as_bytes())?;
            }
            _ => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes a listing. It never nests and does not depend on the terminal.
pub(crate) fn write_listing(
    listing: &Listing<'_>,
    layout: JsonLayout,
    out: &mut dyn Write,
) -> io::Result<()> {
    let snapshot = listing.snapshot;
    let document = Document(listing);
    write_document(snapshot.is_complete(), snapshot, &document, layout, out)
}

/// `{"version", "complete", "gaps", "sources", "boot_id", "time",
/// "namespaces"}`. For one namespace that is among `"namespaces"`, alone, and again
/// `"namespace"`; `"processes"` follow.
struct Document<'a>(&'a Listing<'a>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let listing = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("boot_id", &listing.taken.boot_id)?;
        map.serialize_entry("time", &listing.taken.time)?;
        let rows: Vec<_> = listing
            .rows
            .iter()
            .filter(|placed| !placed.is_context)
            .collect();
        let rows = Rows(&rows, listing.columns);
        match &listing.namespace {
            Some((row, columns)) => {
                let namespace = Object(row, columns);
                map.serialize_entry("namespace", &namespace)?;
                map.serialize_entry("namespaces", &[namespace])?;
                map.serialize_entry("processes", &rows)?;
            }
            None => map.serialize_entry("namespaces", &rows)?,
        }
        map.end()
    }
}

/// Writes a document about a snapshot: its gaps and sources, and the keys of
/// `about`, the last of which is an array of rows. It may be incomplete for other
/// reasons than those gaps.
pub(crate) fn write_document(
    is_complete: bool,
    snapshot: &Snapshot,
    about: &impl Serialize,
    layout: JsonLayout,
    out: &mut dyn Write,
) -> io::Result<()> {
    #[derive(Serialize)]
    struct Whole<'a, T> {
        version: u32,
        complete: bool,
        gaps: Gaps<'a>,
        sources: Vec<&'static str>,
        #[serde(flatten)]
        about: &'a T,
    }
    let whole = Whole {
        version: VERSION,
        complete: is_complete,
        gaps: Gaps(&snapshot.gaps),
        sources: snapshot.sources.iter().map(Source::name).collect(),
        about,
    };
    write(&whole, layout, out)
}

struct Rows<'a>(&'a [&'a Placed<'a>], &'a [&'static Column]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Rows(rows, columns) = self;
        serializer.collect_seq(rows.iter().map(|placed| Object(&placed.row, columns)))
    }
}

/// A row as an object with one key per column.
pub(crate) struct Object<'a>(pub(crate) &'a Row<'a>, pub(crate) &'a [&'static Column]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Object(row, columns) = self;
        serializer.collect_map(
            columns
                .iter()
                .map(|column| (column.key(), column.value(row))),
        )
    }
}

struct Gaps<'a>(&'a [Gap]);

impl Serialize for Gaps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            source: &'a str,
            cause: &'a str,
            hides: bool,
            count: Option<usize>,
            total: usize,
            links: Vec<&'a str>,
            message: String,
        }
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for gap in self.0 {
            list.serialize_element(&Entry {
                source: gap.source.name(),
                cause: gap.cause.name(),
                hides: gap.cause.hides(),
                count: gap.count,
                total: gap.total,
                links: gap.links.iter().map(|link| link.name()).collect(),
                message: describe(gap),
            })?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_read_as_it_was_and_does_nothing_to_a_terminal(text: String) {
            let mut written = Vec::new();
            write(&[&text], JsonLayout::Pretty, &mut written).unwrap();
            let read: Vec<String> = serde_json::from_slice(&written).unwrap();
            prop_assert_eq!(read, [text]);
            let written = String::from_utf8(written).unwrap();
            let shown = written.chars().filter(|letter| *letter != '\n');
            prop_assert!(shown.into_iter().all(|letter| !letter.is_control()), "{}", written);
        }
    }
}
