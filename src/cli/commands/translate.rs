//! `nsls translate`: the PIDs of a process in nested pid namespaces.

use serde::Serialize;

use crate::analysis::{self, NestedPid};
use crate::cli::args::TranslateArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::resolve;
use crate::cli::view::View;
use crate::error::Error;
use crate::model::{Kind, NsId, Pid, Snapshot, Source};
use crate::output::{Heading, Table};
use crate::query::Value;
use crate::scan::{Need, NsRef, Scanner, Target};

/// Runs `nsls translate`.
pub(crate) fn run(args: TranslateArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    let (snapshot, pid) = match &args.from {
        None => {
            let pid = resolve::process(&view, &args.pid)?;
            (scan_around(&view, pid)?, pid)
        }
        Some(name) => {
            let inner = resolve::pid(&args.pid);
            let inner = inner.ok_or_else(|| resolve::no_pid(&args.pid))?;
            find(&view, inner, name)?
        }
    };
    if args.from.is_some() && !view.format.is_json() {
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
fn find(view: &View, inner: Pid, name: &str) -> Result<(Snapshot, Pid), CliError> {
    let scanner = scanner(view);
    let namespace = match resolve::namespace(view, name.as_ref(), Kind::Pid.into())? {
        Target::Namespace(name) => pid_namespace(view, name)?,
        Target::Process(pid) => {
            let own = scanner.links_of(pid)?.own(Kind::Pid);
            own.ok_or(Error::NoProcess(pid))?
        }
        Target::All => {
            return Err(CliError::Usage(format!(
                "{name} names no pid namespace; --from takes one, or a container"
            )));
        }
    };
    let snapshot = scanner.scan()?;
    let nspids = scanner.nspids(&analysis::visible_in(&snapshot, namespace))?;
    match analysis::outer_pid(&snapshot, namespace, inner, &nspids) {
        Some(pid) => Ok((snapshot, pid)),
        None => Err(Error::NoInnerProcess {
            pid: inner,
            name: name.to_owned(),
            gaps: snapshot.hiding_gaps(),
        }
        .into()),
    }
}

/// Resolves the name of a pid namespace.
fn pid_namespace(view: &View, name: NsRef) -> Result<NsId, Error> {
    let snapshot = view
        .scanner()
        .target(Target::Namespace(name.clone()))
        .sources(Source::Processes)
        .scan()?;
    match snapshot.namespaces.first().map(|namespace| namespace.id) {
        Some(id) if id.kind == Kind::Pid => Ok(id),
        Some(NsId { kind, .. }) => Err(Error::NotAPidNamespace {
            name: name.to_string(),
            kind,
        }),
        None => Err(Error::NoNamespace {
            name: name.to_string(),
            gaps: snapshot.hiding_gaps(),
        }),
    }
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
