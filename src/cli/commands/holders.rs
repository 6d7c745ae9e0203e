//! `nsls holders`: everything that keeps one namespace alive.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::cli::args::HoldersArgs;
use crate::cli::commands::View;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::error::Error;
use crate::model::{Holder, Namespace, NsId, Snapshot};
use crate::output::{Format, Heading, Table, write_keys};
use crate::proc::Sysroot;
use crate::query::{Column, Value, place};
use crate::scan::{Need, Needs, NsRef, Scanner, Target};
use crate::text::Text;

/// Runs `nsls holders`.
pub(crate) fn run(args: HoldersArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let HoldersArgs {
        namespace,
        chain,
        view,
    } = args;
    let view = View::new(view, console);
    let columns = Column::usual().map(Column::needs);
    let needs = columns.fold(Needs::of(Need::Holders), Needs::union);
    let name = NsRef::from(namespace);
    let snapshot = Scanner::new(view.root.clone())
        .target(Target::Namespace(name.clone()))
        .needs(needs)
        .scan()?;
    let namespace = snapshot.namespaces.first().ok_or(Error::NoNamespace {
        name: name.to_string(),
        gaps: Vec::new(),
    })?;
    let held = holders(&snapshot, namespace, chain);
    if held.is_empty() {
        return Err(CliError::Nsls(Error::NoHolder {
            name: name.to_string(),
            gaps: snapshot.hiding_gaps(),
        }));
    }
    let rows = held.iter().map(|held| row(&snapshot, held, view.format));
    let table = Table::new(HEADINGS, rows);
    let document = Document(&view.root, &snapshot, namespace, &held);
    let outcome = view.show(&snapshot, console, &document, &table)?;
    if let (Format::Table(_), Some(_), Some(line)) = (view.format, console.width, advice(&held)) {
        let written = writeln!(console.out, "{line}").and_then(|()| console.out.flush());
        written.map_err(CliError::Output)?;
    }
    Ok(outcome)
}

/// One holder, and how it is reached.
struct Held<'a> {
    /// What holds.
    holder: &'a Holder,
    /// What is held: the namespace that was asked for, or one that holds it in
    /// turn.
    id: NsId,
    /// Through how many other namespaces.
    depth: usize,
}

/// The holders of a namespace; with `chain`, below each that is a namespace or
/// is in one, the holders of that.
fn holders<'a>(snapshot: &'a Snapshot, namespace: &'a Namespace, chain: bool) -> Vec<Held<'a>> {
    let mut seen = vec![namespace.id];
    let mut found = Vec::new();
    add(snapshot, namespace, 0, chain, &mut seen, &mut found);
    found
}

fn add<'a>(
    snapshot: &'a Snapshot,
    namespace: &'a Namespace,
    depth: usize,
    chain: bool,
    seen: &mut Vec<NsId>,
    found: &mut Vec<Held<'a>>,
) {
    for holder in &namespace.holders {
        let id = namespace.id;
        found.push(Held { holder, id, depth });
        // The kernel nests 32 deep at most, user_namespaces(7).
        let next = holder.namespace().filter(|id| chain && !seen.contains(id));
        let others = || snapshot.ancestors.iter();
        if let Some(next) = next
            && let Some(next) = others().find(|other| other.id == next)
        {
            seen.push(next.id);
            add(snapshot, next, depth + 1, chain, seen, found);
        }
    }
}

const HEADINGS: [Heading<'static>; 5] = [
    Heading::text("KIND"),
    Heading::number("PID"),
    Heading::text("USER"),
    Heading::text("COMMAND").cut(),
    Heading::text("WHERE"),
];

fn row<'a>(snapshot: &'a Snapshot, held: &Held<'_>, format: Format) -> Vec<Value<'a>> {
    let process = held.holder.pid().and_then(|pid| snapshot.process(pid));
    let user = process.and_then(|process| process.user());
    let command = process.and_then(|process| process.command());
    let indent = match format {
        Format::Raw => String::new(),
        _ => "  ".repeat(held.depth),
    };
    vec![
        (indent + held.holder.kind()).into(),
        held.holder.pid().into(),
        match user {
            Some(user) => user.as_bytes().into(),
            None => process.and_then(|process| process.uid()).into(),
        },
        command.map(|command| command.as_bytes()).into(),
        Value::Text(place(held.holder).into()),
    ]
}

/// One line on how to let go of a namespace, for those kinds that hold it.
fn advice(held: &[Held<'_>]) -> Option<String> {
    let has = |kinds: &[&str]| held.iter().any(|held| kinds.contains(&held.holder.kind()));
    let advice = [
        (&["process", "thread"][..], "end the processes"),
        (&["for-children"], "end the process or let it fork"),
        (
            &["fd", "socket", "tun"],
            "close the files or end who has them open",
        ),
        (&["mount"], "unmount the paths where they are mounted"),
        (
            &["child", "owned"],
            "let go of the namespaces below (--chain)",
        ),
    ];
    let words: Vec<_> = advice
        .into_iter()
        .filter(|(kinds, _)| has(kinds))
        .map(|(_, words)| words)
        .collect();
    (!words.is_empty()).then(|| format!("to let go: {}", words.join("; ")))
}

struct Document<'a>(&'a Sysroot, &'a Snapshot, &'a Namespace, &'a [Held<'a>]);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document(root, snapshot, namespace, held) = self;
        let row = snapshot.row(root, namespace);
        let mut map = serializer.serialize_map(None)?;
        let columns: Vec<_> = Column::usual().collect();
        map.serialize_entry("namespace", &crate::output::Object(&row, &columns))?;
        let rows: Vec<_> = held.iter().map(|held| HeldJson(snapshot, held)).collect();
        map.serialize_entry("holders", &rows)?;
        map.end()
    }
}

/// A holder with what is known of its process, and with what it holds.
struct HeldJson<'a>(&'a Snapshot, &'a Held<'a>);

impl Serialize for HeldJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let HeldJson(snapshot, held) = self;
        let mut map = serializer.serialize_map(None)?;
        write_keys(held.holder, &mut map)?;
        if let Some(pid) = held.holder.pid() {
            let details = snapshot
                .process(pid)
                .and_then(|process| process.details.as_deref());
            let text = |text: &Text| String::from_utf8_lossy(text).into_owned();
            let user = details.and_then(|details| details.user.as_ref()).map(text);
            let command = details
                .and_then(|details| details.command.as_ref())
                .map(text);
            map.serialize_entry("user", &user)?;
            map.serialize_entry("command", &command)?;
        }
        map.serialize_entry("holds", &held.id.ino)?;
        map.end()
    }
}
