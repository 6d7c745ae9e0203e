//! What the fuzz targets in `fuzz/` need of the inside. Not part of the public
//! interface, and only there with the feature `fuzzing`.

use std::num::NonZeroUsize;

use crate::query::Filter;
use crate::scan::Needs;
use crate::{Scanner, Sysroot, text};
use crate::{containers, kernel, proc};

/// A parser by its name, which is that of its fuzz target.
pub type Parser = (&'static str, fn(&[u8]));

/// All parsers of bytes that others control.
pub const PARSERS: &[Parser] = &[
    ("cgroup", containers::fuzzing::cgroup),
    ("cmdline", proc::fuzzing::cmdline),
    ("filter", filter),
    ("hidepid", proc::fuzzing::hidepid),
    ("id_map", proc::fuzzing::id_map),
    ("link", proc::fuzzing::link),
    ("mountinfo", proc::fuzzing::mount_table),
    ("names", containers::fuzzing::names),
    ("netlink", kernel::fuzzing::netlink),
    ("passwd", proc::fuzzing::passwd),
    ("perf", kernel::fuzzing::perf),
    ("release", kernel::fuzzing::release),
    ("saved", crate::cli::parse_saved),
    ("stat", proc::fuzzing::stat),
    ("statmount", kernel::fuzzing::statmount),
    ("status", proc::fuzzing::status),
    ("text", escape),
    ("time_offsets", proc::fuzzing::time_offsets),
];

/// Parses what the parser of this name reads.
///
/// # Panics
///
/// If there is no such parser, or the text breaks it.
#[allow(clippy::panic, reason = "a fuzz target tells by a panic what it found")]
pub fn parse(name: &str, bytes: &[u8]) {
    match PARSERS.iter().find(|(known, _)| *known == name) {
        Some((_, parser)) => parser(bytes),
        None => panic!("no parser {name}"),
    }
}

fn filter(bytes: &[u8]) {
    let Ok(expression) = std::str::from_utf8(bytes) else {
        return;
    };
    match Filter::parse(expression) {
        Ok(filter) => {
            let _ = filter.columns().count();
            // What was understood can be said again.
            let printed = filter.to_string();
            let again = Filter::parse(&printed);
            assert_eq!(again.map(|again| again.to_string()), Ok(printed));
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
}

fn escape(bytes: &[u8]) {
    let is_plain = |text: &str| !text.chars().any(char::is_control);
    assert!(is_plain(&text::for_table(bytes)));
    let raw = text::for_raw(bytes);
    assert!(raw.is_ascii() && is_plain(&raw) && !raw.contains(' '));
    let json = text::for_json(&String::from_utf8_lossy(bytes));
    assert!(
        json.chars()
            .all(|letter| letter.is_ascii() || !letter.is_control())
    );
}

/// Scans a captured tree for all there is to know.
pub fn scan(tree: &std::path::Path) {
    let scanner = Scanner::new(Sysroot::at(tree))
        .needs(Needs::all())
        .threads(NonZeroUsize::MIN);
    if let Ok(snapshot) = scanner.scan() {
        for namespace in &snapshot.namespaces {
            assert!(namespace.nprocs <= snapshot.processes.len());
        }
        let _ = crate::analysis::containers(&snapshot);
        let _ = crate::analysis::leaks(&snapshot);
        let _ = crate::analysis::limits(&snapshot, |_| None);
    }
}
