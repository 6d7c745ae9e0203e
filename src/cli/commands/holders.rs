//! `nsls holders`: what keeps one namespace alive.

use std::collections::HashSet;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::analysis::{self, ChainedHolder};
use crate::cli::args::HoldersArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::resolve;
use crate::cli::view::View;
use crate::error::Error;
use crate::model::{KindSet, Namespace, Process, Snapshot};
use crate::output::{Format, Heading, Object, Role, Table, write_keys};
use crate::query::{Column, Value, place};
use crate::scan::{Need, Needs, Target};

/// Runs `nsls holders`.
pub(crate) fn run(args: HoldersArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    let word = args.namespace.as_os_str();
    let Target::Namespace(name) = resolve::namespace(&view, word, KindSet::all())? else {
        let pid = args.namespace.display();
        let path = format!("/proc/{pid}/ns/net");
        let message = format!("{pid} is a process: name one of its namespaces, such as {path}");
        return Err(CliError::Usage(message));
    };
    let columns: Vec<_> = Column::usual().collect();
    let needs = columns
        .iter()
        .fold(Needs::of(Need::Holders), |all, column| {
            all.union(column.needs())
        });
    let snapshot = view
        .scanner()
        .target(Target::Namespace(name.clone()))
        .needs(needs)
        .scan()?;
    let Some(namespace) = snapshot.namespaces.first() else {
        let (name, gaps) = (name.to_string(), snapshot.hiding_gaps());
        return Err(Error::NoNamespace { name, gaps }.into());
    };
    let holders = if args.chain {
        analysis::holder_chain(&snapshot, namespace)
    } else {
        direct_holders(namespace)
    };
    if holders.is_empty() {
        let (name, gaps) = (name.to_string(), snapshot.hiding_gaps());
        return Err(Error::NoHolder { name, gaps }.into());
    }
    let indents = view.format != Format::Raw;
    let rows = holders.iter().map(|held| row(&snapshot, held, indents));
    let table = Table::new(HEADINGS, rows);
    let row = snapshot.row(&view.root, namespace);
    let document = Document {
        snapshot: &snapshot,
        namespace: Object(&row, &columns),
        holders: &holders,
    };
    let outcome = view.show(&snapshot, console, &document, &table)?;
    if view.look().is_some() && console.terminal.width.is_some() {
        write_advice(&holders, console)?;
    }
    Ok(outcome)
}

fn direct_holders(namespace: &Namespace) -> Vec<ChainedHolder<'_>> {
    namespace
        .holders
        .iter()
        .map(|holder| ChainedHolder {
            holder,
            holds: namespace.id,
            depth: 0,
        })
        .collect()
}

const HEADINGS: [Heading<'static>; 5] = [
    Heading::text("KIND"),
    Heading::number("PID"),
    Heading::text("USER"),
    Heading::text("COMMAND").cut(),
    Heading::text("WHERE").role(of_place).paths(is_here),
];

/// Returns the role of a link, or of another namespace: `net`, `net:[4026532000]`.
fn of_place(place: &str) -> Option<Role> {
    Role::of_kind(place.split(':').next()?)
}

/// Returns whether a path is one in the mount namespace of the reader. That of a
/// mount in another says so at its end.
fn is_here(place: &[u8]) -> bool {
    !place.ends_with(b"]")
}

fn row<'a>(snapshot: &'a Snapshot, held: &ChainedHolder<'_>, indents: bool) -> Vec<Value<'a>> {
    let process = process(snapshot, held);
    let indent = if indents { held.depth } else { 0 };
    vec![
        ("  ".repeat(indent) + held.holder.kind()).into(),
        held.holder.pid().into(),
        Value::user_of(process),
        Value::command_of(process),
        Value::Text(place(held.holder).into()),
    ]
}

fn process<'a>(snapshot: &'a Snapshot, held: &ChainedHolder<'_>) -> Option<&'a Process> {
    snapshot.process(held.holder.pid()?)
}

/// How to release a namespace, by the kinds of its holders.
const ADVICE: [(&[&str], &str); 6] = [
    (&["process", "thread"], "end the processes"),
    (&["for-children"], "end the process or let it fork"),
    (
        &["fd", "socket", "tun"],
        "close the files or end the processes that have them open",
    ),
    (
        &["in-flight", "io_uring"],
        "receive or unregister what is carried, or end the processes",
    ),
    (&["mount"], "unmount the paths where they are mounted"),
    (
        &["child", "owned"],
        "release the namespaces below (see --chain)",
    ),
];

/// Writes one line on how to release the namespace, if there is a way.
fn write_advice(holders: &[ChainedHolder<'_>], console: &mut Console<'_>) -> Result<(), CliError> {
    let found: HashSet<&str> = holders.iter().map(|held| held.holder.kind()).collect();
    let steps: Vec<_> = ADVICE
        .iter()
        .filter(|(kinds, _)| kinds.iter().any(|kind| found.contains(kind)))
        .map(|(_, step)| *step)
        .collect();
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(console.out, "to release it: {}", steps.join("; "))
        .and_then(|()| console.out.flush())
        .map_err(CliError::Output)
}

struct Document<'a> {
    snapshot: &'a Snapshot,
    namespace: Object<'a>,
    holders: &'a [ChainedHolder<'a>],
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("namespace", &self.namespace)?;
        let holders: Vec<_> = self
            .holders
            .iter()
            .map(|held| Entry {
                held,
                process: process(self.snapshot, held),
            })
            .collect();
        map.serialize_entry("holders", &holders)?;
        map.end()
    }
}

/// A holder with its process, and what it holds.
struct Entry<'a> {
    held: &'a ChainedHolder<'a>,
    process: Option<&'a Process>,
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write_keys(self.held.holder, &mut map)?;
        if self.held.holder.pid().is_some() {
            map.serialize_entry("user", &self.process.and_then(Process::user))?;
            map.serialize_entry("command", &self.process.and_then(Process::command))?;
        }
        map.serialize_entry("holds", &self.held.holds.ino)?;
        map.end()
    }
}
