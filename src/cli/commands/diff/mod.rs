//! `nsls diff`: what became of the namespaces between two times.

mod document;
mod saved;

use std::borrow::Cow;
use std::path::Path;

use crate::analysis::{self, Change, Difference, Identity};
use crate::cli::args::DiffArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::view::View;
use crate::model::Snapshot;
use crate::output::{Format, Heading, JsonLayout, Listing, Role, Table};
use crate::proc::Sysroot;
use crate::query::{Column, Value, flat};
use crate::scan::Needs;

use document::{Document, Entry, Side};
use saved::Saved;

/// Runs `nsls diff`. The outcome is [`Outcome::Different`] unless both times have
/// the same namespaces.
pub(crate) fn run(args: DiffArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    let mut seen = Snapshot::default();
    let mut old = load(&view, &args.old, None, &mut seen)?;
    let mut new = match &args.new {
        Some(path) => load(&view, path, Some(&old), &mut seen)?,
        None => scan(&view, Some(&old), &mut seen)?,
    };
    // What one of them did not look for is no difference.
    let has_same_sources = old.sources == new.sources;
    for one in [&mut old, &mut new] {
        for known in &mut one.state.namespaces {
            known.holders = known.holders.take().filter(|_| has_same_sources);
        }
    }
    let (differences, identity) = analysis::diff(&old.state, &new.state);
    let entries: Vec<_> = differences.iter().map(Entry::new).collect();
    let document = Document {
        identity: identity.name(),
        compared: compared(&old, &new),
        old: Side::new(Some(&args.old), &old),
        new: Side::new(args.new.as_deref(), &new),
        changes: &entries,
    };
    let table = Table::new(HEADINGS, entries.iter().map(row));
    let is_complete = old.complete && new.complete;
    let outcome = view.show_both(is_complete, &seen, console, &document, &table)?;
    if let Some(line) = identity_line(identity) {
        view.remark(line);
    }
    for line in doubts(&old, &new) {
        view.remark(&line);
    }
    Ok(outcome.or(Outcome::Different, !differences.is_empty()))
}

/// Parses a saved document, for its fuzz target.
#[cfg(feature = "fuzzing")]
pub(crate) fn parse_saved(bytes: &[u8]) {
    let _ = saved::parse(bytes);
}

/// Reads a capture, or else a saved document.
fn load(
    view: &View,
    path: &Path,
    other: Option<&Saved>,
    seen: &mut Snapshot,
) -> Result<Saved, CliError> {
    let incomparable = |why: String| CliError::Incomparable {
        path: path.to_owned(),
        why,
    };
    if !path.is_dir() {
        return crate::cli::saved::read(path)
            .and_then(|bytes| saved::parse(&bytes))
            .map_err(incomparable);
    }
    let of_capture = View {
        root: Sysroot::at(path),
        bpf: false,
        ..*view
    };
    scan(&of_capture, other, seen).map_err(|error| match error {
        CliError::Nsls(error) => incomparable(error.to_string()),
        error => error,
    })
}

/// What is compared and shown.
const COLUMNS: [&str; 9] = [
    "NS", "TYPE", "START", "NPROCS", "PID", "USER", "COMMAND", "ONS", "NSFS",
];

/// Scans, in the form of a saved document: so both are compared alike, lost bytes
/// of paths included. What the other has no record of is not looked for.
fn scan(view: &View, other: Option<&Saved>, seen: &mut Snapshot) -> Result<Saved, CliError> {
    let mut names = COLUMNS.to_vec();
    if other.is_none_or(|other| other.has_ids) {
        names.push("ID");
    }
    if other.is_none_or(|other| other.has_holders) {
        names.push("HOLDERS");
    }
    let columns: Vec<&'static Column> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let needs = columns.iter().map(|column| column.needs());
    let taken = view.taken();
    let snapshot = view
        .scanner()
        .needs(needs.fold(Needs::EMPTY, Needs::union))
        .scan()?;
    let rows = snapshot.namespaces.iter();
    let listing = Listing {
        snapshot: &snapshot,
        taken,
        namespace: None,
        rows: flat(rows.map(|one| snapshot.row(&view.root, one)).collect()),
        tree_column: None,
        columns: &columns,
        headings: false,
        dims_host: false,
    };
    let mut bytes = Vec::new();
    let written = listing.write(Format::Json(JsonLayout::Compact), &mut bytes);
    written.map_err(CliError::Output)?;
    let saved = saved::parse(&bytes).map_err(|why| CliError::Incomparable {
        path: view.root.proc_path(),
        why,
    })?;
    seen.sources = seen.sources.union(snapshot.sources);
    for gap in snapshot.gaps {
        seen.add_gap(gap);
    }
    Ok(saved)
}

/// Returns the keys that were compared: those that both have.
fn compared(old: &Saved, new: &Saved) -> Vec<&'static str> {
    let has = |saved: &Saved| {
        let any = |has: fn(&analysis::Known) -> bool| saved.state.namespaces.iter().any(has);
        [
            any(|known| known.nprocs.is_some()),
            any(|known| known.owner.is_some()),
            any(|known| known.mounts.is_some()),
            any(|known| known.holders.is_some()),
        ]
    };
    let both = has(old).into_iter().zip(has(new));
    let names = ["nprocs", "ons", "nsfs", "holders"];
    let all = names.into_iter().zip(both);
    all.filter(|(_, (old, new))| *old && *new)
        .map(|(name, _)| name)
        .collect()
}

/// Says by what namespaces were recognised, where that may be wrong.
fn identity_line(identity: Identity) -> Option<&'static str> {
    match identity {
        Identity::Boot => Some("OLD and NEW are from different boots, which share no namespace"),
        Identity::UniqueId => None,
        Identity::Start => Some(
            "compared by number, type and start of the first process, as there are no IDs on both sides",
        ),
        Identity::Number => Some(
            "compared by number and type where there is neither an ID nor a process on both sides",
        ),
    }
}

/// Says what may not be as it looks.
fn doubts(old: &Saved, new: &Saved) -> Vec<String> {
    let mut lines = Vec::new();
    if !old.complete {
        lines.push("OLD is incomplete: what looks new may have been there".to_owned());
    }
    if !new.complete {
        lines.push("NEW is incomplete: what looks gone may be there".to_owned());
    }
    let missing = |one: &Saved, other: &Saved| {
        let missing = other
            .sources
            .iter()
            .filter(|name| !one.sources.contains(name));
        missing.cloned().collect::<Vec<_>>().join(", ")
    };
    for (name, missing, what) in [
        (
            "OLD",
            missing(old, new),
            "what looks new may have been there",
        ),
        ("NEW", missing(new, old), "what looks gone may be there"),
    ] {
        if !missing.is_empty() {
            let missing = crate::text::for_table(missing.as_bytes());
            lines.push(format!("{name} was made without {missing}: {what}"));
        }
    }
    lines
}

const HEADINGS: [Heading<'static>; 8] = [
    Heading::text("DIFF").role(of_mark),
    Heading::text("TYPE").role(Role::of_kind),
    Heading::number("NS"),
    Heading::number("NPROCS"),
    Heading::number("PID"),
    Heading::text("USER"),
    Heading::text("WHAT"),
    Heading::text("COMMAND").cut(),
];

fn of_mark(mark: &str) -> Option<Role> {
    match mark {
        "+" => Some(Role::Added),
        "-" => Some(Role::Removed),
        "~" => Some(Role::Changed),
        _ => None,
    }
}

fn row<'a>(entry: &'a Entry<'_>) -> Vec<Value<'a>> {
    let text = |text: Option<&'a str>| text.map(str::as_bytes).into();
    vec![
        entry.mark().into(),
        entry.r#type.into(),
        Value::Number(entry.ns),
        entry.nprocs.into(),
        entry.pid.into(),
        text(entry.user),
        Value::Lines(what(entry).into_iter().map(Cow::from).collect()),
        text(entry.command),
    ]
}

/// Returns what changed, or where a namespace that came or went is mounted.
fn what(entry: &Entry<'_>) -> Vec<Vec<u8>> {
    let Difference::Changed(_, changes) = entry.difference else {
        return entry
            .nsfs
            .iter()
            .map(|path| path.as_bytes().to_vec())
            .collect();
    };
    let number = |pid: &Option<u32>| pid.map_or_else(|| "none".to_owned(), |pid| pid.to_string());
    let moved = |what: &str, came: &[String], went: &[String]| {
        let came = came.iter().map(|one| format!("+{what}{one}"));
        let went = went.iter().map(|one| format!("-{what}{one}"));
        came.chain(went).collect::<Vec<_>>()
    };
    let texts = changes.iter().flat_map(|change| match change {
        Change::Processes(old, new) => vec![format!("processes {old} -> {new}")],
        Change::Representative(old, new) => vec![format!("PID {} -> {}", number(old), number(new))],
        Change::Owner(old, new) => vec![format!("owner {old} -> {new}")],
        Change::Mounts(came, went) => moved("mount ", came, went),
        Change::Holders(came, went) => moved("", came, went),
    });
    texts.map(String::into_bytes).collect()
}
