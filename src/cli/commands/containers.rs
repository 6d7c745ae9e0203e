//! `nsls containers`: which there are, and what they share with the host.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cli::args::ContainersArgs;
use crate::cli::commands::View;
use crate::cli::commands::lookup::containers;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::model::{
    Affiliation, Container, Kind, KindSet, Pid, Process, Snapshot, Source, Sources, is_long_id,
};
use crate::output::{Heading, Table};
use crate::query::Value;
use crate::scan::{Need, Scanner};

/// Runs `nsls containers`.
pub(crate) fn run(args: ContainersArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console);
    let needs = [Need::Affiliation, Need::Host, Need::HostNames];
    let snapshot = Scanner::new(view.root.clone())
        .needs(needs)
        .sources(Sources::of(Source::Processes))
        .scan()?;
    let found: Vec<_> = containers(&snapshot)
        .into_iter()
        .filter_map(|(container, (affiliation, processes))| {
            Entry::new(&snapshot, container, affiliation, &processes)
        })
        .collect();
    let table = Table::new(HEADINGS, found.iter().map(row));
    view.show(&snapshot, console, &Document { containers: &found }, &table)
}

#[derive(Serialize)]
struct Document<'a> {
    containers: &'a [Entry<'a>],
}

/// One container.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    engine: Option<&'static str>,
    id: &'a str,
    name: Option<&'a str>,
    /// The user in whose systemd slice it runs.
    uid: Option<u32>,
    pod: Option<&'a str>,
    unit: Option<&'a str>,
    hostname: Option<String>,
    nprocs: usize,
    /// Its first process, by which the rest is told.
    pid: Pid,
    /// The types of the host's namespaces that it is in.
    shared: Vec<&'static str>,
    /// The types of which that cannot be known.
    unknown: Vec<&'static str>,
    /// The containers that cgroups inside are named after.
    claims: Vec<Claim<'a>>,
    #[serde(skip)]
    label: &'a str,
    #[serde(skip)]
    hostname_bytes: Vec<u8>,
}

/// A container that runs nested in another, or that someone in there imitates.
#[derive(Debug, Serialize)]
struct Claim<'a> {
    engine: Option<&'static str>,
    id: &'a str,
}

impl<'a> Entry<'a> {
    fn new(
        snapshot: &Snapshot,
        container: &'a Container,
        affiliation: &'a Affiliation,
        processes: &[&'a Process],
    ) -> Option<Self> {
        let first = processes.first()?;
        let mut shared = KindSet::EMPTY;
        let mut unknown = KindSet::EMPTY;
        let mut hostname = None;
        for (link, id) in first
            .links
            .iter()
            .filter(|(link, _)| !link.is_for_children())
        {
            let facts = snapshot
                .namespace(id)
                .and_then(|namespace| namespace.facts.as_deref());
            match facts.and_then(|facts| facts.is_host) {
                Some(true) => shared.insert(link.kind()),
                Some(false) => {}
                None => unknown.insert(link.kind()),
            }
            if link.kind() == Kind::Uts {
                hostname = facts.and_then(|facts| facts.hostname.as_ref());
            }
        }
        let names = |kinds: KindSet| kinds.iter().map(Kind::name).collect();
        Some(Entry {
            engine: container.engine.map(|engine| engine.name()),
            id: &container.id,
            name: container.name.as_deref(),
            uid: container.uid,
            pod: affiliation.pod.as_deref(),
            unit: affiliation.unit.as_deref(),
            hostname: hostname.map(|name| String::from_utf8_lossy(name).into_owned()),
            nprocs: processes.len(),
            pid: first.pid,
            shared: names(shared),
            unknown: names(unknown),
            claims: claims(processes),
            label: container.label(),
            hostname_bytes: hostname.cloned().unwrap_or_default().into_bytes(),
        })
    }

    /// The types that it shares; behind them, with a question mark, those of
    /// which nobody knows.
    fn sharing(&self) -> String {
        let shared = self.shared.iter().map(|kind| (*kind).to_owned());
        let unknown = self.unknown.iter().map(|kind| format!("{kind}?"));
        shared.chain(unknown).collect::<Vec<_>>().join(",")
    }
}

fn claims<'a>(processes: &[&'a Process]) -> Vec<Claim<'a>> {
    let nested: BTreeSet<&Container> = processes
        .iter()
        .filter_map(|process| process.affiliation.as_ref()?.nested.as_ref())
        .collect();
    nested
        .into_iter()
        .map(|container| Claim {
            engine: container.engine.map(|engine| engine.name()),
            id: &container.id,
        })
        .collect()
}

/// An id as engines show it.
fn short(id: &str) -> &str {
    let is_long = is_long_id(id);
    id.get(..12).filter(|_| is_long).unwrap_or(id)
}

/// What a container of most engines has of its own unless somebody took that
/// away from it, in red.
fn alarm(kind: &str) -> Option<anstyle::Style> {
    let alarming = ["mnt", "net", "ipc", "pid", "uts"].contains(&kind);
    alarming.then(|| anstyle::AnsiColor::Red.on_default())
}

const HEADINGS: [Heading<'static>; 7] = [
    Heading::text("ENGINE"),
    Heading::text("CONTAINER"),
    Heading::text("POD"),
    Heading::text("HOSTNAME"),
    Heading::number("NPROCS"),
    Heading::number("PID"),
    Heading::text("SHARED").styled(alarm),
];

fn row<'a>(entry: &'a Entry<'_>) -> Vec<Value<'a>> {
    vec![
        entry.engine.into(),
        entry.label.into(),
        entry.pod.map(short).into(),
        entry.hostname_bytes[..].into(),
        Value::Number(entry.nprocs as u64),
        entry.pid.into(),
        entry.sharing().into(),
    ]
}
