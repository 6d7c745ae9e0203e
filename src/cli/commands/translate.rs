//! `nsls translate`: the PIDs of a process in nested pid namespaces.

use serde::Serialize;

use crate::analysis::{self, NestedPid};
use crate::cli::args::TranslateArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::options::View;
use crate::error::Error;
use crate::model::{Kind, NsId, Pid, Snapshot, Source};
use crate::output::{Format, Heading, Table};
use crate::query::Value;
use crate::scan::{Need, NsRef, Scanner, Target};

/// Runs `nsls translate`.
pub(crate) fn run(args: TranslateArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    let (snapshot, pid) = match &args.from {
        None => (scan_around(&view, args.pid)?, args.pid),
        Some(name) => find(&view, args.pid, name)?,
    };
    if args.from.is_some() && view.format != Format::Json {
        let written = writeln!(console.out, "{pid}");
        return console.finish(&snapshot, &view, false, written);
    }
    let nested = nested_pids(&view, &snapshot, pid)?;
    let pids: Vec<_> = nested.iter().map(Entry::new).collect();
    let rows = pids
        .iter()
        .map(|entry| vec![Value::from(entry.ns), Value::from(entry.pid)]);
    let table = Table::new(["NS", "PID"].map(Heading::number), rows);
    view.show(&snapshot, console, &Document { pid, pids: &pids }, &table)
}

#[derive(Serialize)]
struct Document<'a> {
    pid: Pid,
    pids: &'a [Entry],
}

#[derive(Serialize)]
struct Entry {
    ns: Option<u64>,
    pid: Pid,
}

impl Entry {
    fn new(nested: &NestedPid) -> Self {
        Entry {
            ns: nested.namespace.map(|id| id.ino),
            pid: nested.pid,
        }
    }
}

fn scanner(view: &View) -> Scanner {
    view.scanner()
        .kinds(Kind::Pid)
        .needs(Need::Relations)
        .sources(Source::Processes)
}

/// Scans for the pid namespaces that a process is in.
fn scan_around(view: &View, pid: Pid) -> Result<Snapshot, Error> {
    let scanner = scanner(view);
    match scanner.clone().target(Target::Process(pid)).scan() {
        // Its PIDs are readable even so, and other processes may be in the same
        // namespaces.
        Err(Error::ProcessDenied { .. }) => scanner.scan(),
        scanned => scanned,
    }
}

/// Finds the process that has a PID in a pid namespace or container.
fn find(view: &View, inner: Pid, name: &str) -> Result<(Snapshot, Pid), Error> {
    let scanner = scanner(view);
    let (snapshot, namespace) = if is_namespace(name) {
        (scanner.scan()?, pid_namespace(view, name)?)
    } else {
        let snapshot = scanner
            .clone()
            .needs([Need::Relations, Need::Affiliation])
            .scan()?;
        let namespace = pid_namespace_of_container(&snapshot, name)?;
        (snapshot, namespace)
    };
    let nspids = scanner.nspids(&analysis::visible_in(&snapshot, namespace))?;
    match analysis::outer_pid(&snapshot, namespace, inner, &nspids) {
        Some(pid) => Ok((snapshot, pid)),
        None => Err(Error::NoInnerProcess {
            pid: inner,
            name: name.to_owned(),
            gaps: snapshot.hiding_gaps(),
        }),
    }
}

/// Returns whether a word names a namespace, by number, `pid:[NUMBER]` or path,
/// rather than a container.
fn is_namespace(word: &str) -> bool {
    word.contains('/') || !matches!(NsRef::from(word), NsRef::Path(_))
}

/// Resolves the name of a pid namespace.
fn pid_namespace(view: &View, name: &str) -> Result<NsId, Error> {
    let snapshot = view
        .scanner()
        .target(Target::Namespace(name.into()))
        .sources(Source::Processes)
        .scan()?;
    match snapshot.namespaces.first().map(|namespace| namespace.id) {
        Some(id) if id.kind == Kind::Pid => Ok(id),
        Some(NsId { kind, .. }) => Err(Error::NotAPidNamespace {
            name: name.to_owned(),
            kind,
        }),
        None => Err(Error::NoNamespace {
            name: name.to_owned(),
            gaps: snapshot.hiding_gaps(),
        }),
    }
}

fn pid_namespace_of_container(snapshot: &Snapshot, name: &str) -> Result<NsId, Error> {
    let running = analysis::find_container(snapshot, name)?;
    running
        .processes
        .iter()
        .find_map(|process| process.links.own(Kind::Pid))
        .ok_or_else(|| Error::NoContainer {
            name: name.to_owned(),
            gaps: snapshot.hiding_gaps(),
        })
}

/// Reads the PIDs of a process and finds the namespace of each.
fn nested_pids(view: &View, snapshot: &Snapshot, pid: Pid) -> Result<Vec<NestedPid>, Error> {
    let scanner = scanner(view);
    let own = match scanner.links_of(pid) {
        Err(Error::ProcessDenied { .. }) => None,
        links => links?.own(Kind::Pid),
    };
    let nspids = scanner.nspids(&[pid])?;
    let (_, nspid) = nspids.first().ok_or(Error::NoProcess(pid))?;
    Ok(analysis::nested_pids(snapshot, own, nspid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_number_and_no_path_is_a_container() {
        for word in ["4026532000", "pid:[4026532000]", "/proc/1/ns/pid", "./x"] {
            assert!(is_namespace(word), "{word}");
        }
        for word in ["web", "docker:web", "5f82"] {
            assert!(!is_namespace(word), "{word}");
        }
    }
}
