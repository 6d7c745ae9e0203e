//! `nsls containers`: which there are, and what they share with the host.

use serde::Serialize;

use crate::analysis::{self, RunningContainer};
use crate::cli::args::ContainersArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::stderr::say;
use crate::cli::view::View;
use crate::model::{Container, Engine, Kind, KindSet, Pid, Source, is_long_id};
use crate::output::{Format, Heading, Role, Table, counted};
use crate::query::Value;
use crate::scan::Need;
use crate::text::Text;

/// Runs `nsls containers`.
pub(crate) fn run(args: ContainersArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    let snapshot = view
        .scanner()
        .needs([Need::Affiliation, Need::Host, Need::HostNames])
        .sources(Source::Processes)
        .scan()?;
    let found = analysis::containers(&snapshot);
    let signs = view.look().is_some_and(|look| look.signs);
    let mut table = Table::new(HEADINGS, found.iter().map(|running| row(running, signs)));
    if console.terminal.width.is_some() && view.format != Format::Raw {
        // Scripts count on all columns.
        table = table.without_empty(&["POD", "HOSTNAME", "CLAIMS"]);
    }
    let document = Document {
        containers: found.iter().map(Entry::new).collect(),
    };
    let outcome = view.show(&snapshot, console, &document, &table)?;
    if view.sums_up {
        let processes = found.iter().map(|running| running.processes.len()).sum();
        say(&format!(
            "{}, {}",
            counted(found.len(), "container", "containers"),
            counted(processes, "process", "processes")
        ));
    }
    Ok(outcome)
}

const HEADINGS: [Heading<'static>; 8] = [
    Heading::text("ENGINE"),
    Heading::text("CONTAINER")
        .cut_with("+")
        .role(Role::of_container),
    Heading::text("POD").cut_with("+"),
    Heading::text("HOSTNAME").cut_with("+"),
    Heading::number("NPROCS"),
    Heading::number("PID"),
    Heading::text("CLAIMS").cut_with("+"),
    Heading::text("SHARED").role(alarm),
];

/// Ends a type that most engines give each container unless configured otherwise.
const ALARM: char = '!';

fn alarm(word: &str) -> Option<Role> {
    word.ends_with(ALARM).then_some(Role::Alarm)
}

/// Makes the row of a container. With `signs`, alarming words get a sign.
fn row<'a>(running: &RunningContainer<'a>, signs: bool) -> Vec<Value<'a>> {
    vec![
        running.container.engine.map(Engine::name).into(),
        running.container.label().into(),
        running.pod.map(shorten).into(),
        running.hostname.map(Text::as_bytes).into(),
        Value::Number(running.processes.len() as u64),
        running.representative.pid.into(),
        // Anyone inside may add to them, so not all are shown.
        Value::Several(running.claims.iter().map(ToString::to_string).collect()),
        sharing(running, signs).into(),
    ]
}

/// Lists the shared types, and with a question mark the unknown ones.
fn sharing(running: &RunningContainer<'_>, signs: bool) -> String {
    let shared = running.shared.iter().map(|kind| match kind {
        Kind::Mnt | Kind::Net | Kind::Ipc | Kind::Pid | Kind::Uts if signs => {
            format!("{kind}{ALARM}")
        }
        kind => kind.to_string(),
    });
    let unknown = running.unknown.iter().map(|kind| format!("{kind}?"));
    shared.chain(unknown).collect::<Vec<_>>().join(",")
}

/// Shortens an ID to twelve digits, as engines show it.
fn shorten(id: &str) -> &str {
    match id.get(..12) {
        Some(short) if is_long_id(id) => short,
        _ => id,
    }
}

#[derive(Serialize)]
struct Document<'a> {
    containers: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    engine: Option<Engine>,
    id: &'a str,
    name: Option<&'a str>,
    uid: Option<u32>,
    pod: Option<&'a str>,
    unit: Option<&'a str>,
    hostname: Option<&'a Text>,
    nprocs: usize,
    pid: Pid,
    shared: KindSet,
    unknown: KindSet,
    claims: Vec<Claim<'a>>,
}

#[derive(Serialize)]
struct Claim<'a> {
    engine: Option<Engine>,
    id: &'a str,
}

impl<'a> Entry<'a> {
    fn new(running: &RunningContainer<'a>) -> Self {
        let Container {
            engine,
            id,
            name,
            uid,
            ..
        } = running.container;
        Entry {
            engine: *engine,
            id,
            name: name.as_deref(),
            uid: *uid,
            pod: running.pod,
            unit: running.unit,
            hostname: running.hostname,
            nprocs: running.processes.len(),
            pid: running.representative.pid,
            shared: running.shared,
            unknown: running.unknown,
            claims: running
                .claims
                .iter()
                .map(|claimed| Claim {
                    engine: claimed.engine,
                    id: &claimed.id,
                })
                .collect(),
        }
    }
}
