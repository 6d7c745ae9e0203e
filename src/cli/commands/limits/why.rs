//! `nsls limits --why USER`: what counts against the limits of a user.

use serde::Serialize;

use crate::analysis;
use crate::cli::commands::limits::warn_of_uncounted;
use crate::cli::console::{Console, Outcome, warn};
use crate::cli::error::CliError;
use crate::cli::view::View;
use crate::error::Error;
use crate::model::{Kind, Namespace, NsId, Pid, Process, Snapshot};
use crate::output::{Heading, Role, Table};
use crate::proc::Users;
use crate::query::Value;
use crate::scan::Need;
use crate::text::Text;

/// Lists the namespaces that count against a user, by container.
pub(super) fn run(view: &View, user: &str, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let uid = find_user(view, user)?;
    let snapshot = view
        .scanner()
        .needs([
            Need::OwnerUid,
            Need::Relations,
            Need::Members,
            Need::Command,
            Need::Affiliation,
            Need::Holders,
        ])
        .scan()?;
    let mut counted: Vec<Counted<'_>> = analysis::charged_to(&snapshot, Some(uid))
        .into_iter()
        .map(|(namespace, within)| Counted::new(&snapshot, namespace, within))
        .collect();
    // Those in no container last.
    counted.sort_by(|one, other| {
        let key = |one: &Counted<'_>| one.containers.is_empty();
        (key(one), &one.containers).cmp(&(key(other), &other.containers))
    });
    let table = Table::new(HEADINGS, counted.iter().map(Counted::row));
    let unknown = analysis::charged_to(&snapshot, None).len();
    let document = Document {
        uid,
        unknown,
        counted: counted.iter().map(Counted::entry).collect(),
    };
    let outcome = view.show(&snapshot, console, &document, &table)?;
    if unknown > 0 {
        warn(&match unknown {
            1 => "1 namespace of unknown origin may count, too".to_owned(),
            count => format!("{count} namespaces of unknown origin may count, too"),
        });
    }
    warn_of_uncounted(&snapshot);
    Ok(outcome)
}

/// Returns the UID of a user, who is given by it or by name.
fn find_user(view: &View, user: &str) -> Result<u32, Error> {
    let is_number = user.bytes().all(|byte| byte.is_ascii_digit());
    let uid = match user.parse() {
        Ok(uid) if is_number => Some(uid),
        _ => Users::below(&view.root).uid(user.as_bytes()),
    };
    uid.ok_or_else(|| Error::NoUser(user.to_owned()))
}

const HEADINGS: [Heading<'static>; 8] = [
    Heading::text("CONTAINER").role(Role::of_container),
    Heading::text("TYPE").role(Role::of_kind),
    Heading::number("NS"),
    Heading::text("USERNS"),
    Heading::number("NPROCS"),
    Heading::number("PID"),
    Heading::text("HOLDER"),
    Heading::text("COMMAND").cut(),
];

/// A namespace that counts.
struct Counted<'a> {
    namespace: &'a Namespace,
    /// The user namespaces whose limits it counts against.
    within: Vec<NsId>,
    containers: Vec<String>,
    /// A process in it.
    process: Option<&'a Process>,
    /// The process of the first holder, if no process is in it.
    holder: Option<&'a Process>,
}

impl<'a> Counted<'a> {
    fn new(snapshot: &'a Snapshot, namespace: &'a Namespace, within: Vec<NsId>) -> Self {
        let affiliations = namespace.facts.as_deref();
        let affiliations = affiliations.map_or(&[][..], |facts| &facts.affiliations);
        let containers = affiliations.iter().filter_map(|one| one.container.as_ref());
        let mut containers: Vec<_> = containers.map(ToString::to_string).collect();
        containers.dedup();
        let first = namespace.holders.first();
        let process = snapshot.representative(namespace);
        Counted {
            namespace,
            within,
            containers,
            process,
            holder: first
                .filter(|_| process.is_none())
                .and_then(|holder| snapshot.process(holder.pid()?)),
        }
    }

    fn row(&self) -> Vec<Value<'_>> {
        let namespace = self.namespace;
        let within = self.within.iter().map(|id| id.ino.to_string());
        vec![
            Value::Several(self.containers.clone()),
            namespace.id.kind.to_string().into(),
            namespace.id.ino.into(),
            within.collect::<Vec<_>>().join(",").into(),
            Value::Number(namespace.nprocs as u64),
            namespace.pid.into(),
            match self.process {
                Some(_) => Value::Null,
                None => Value::Holders(&namespace.holders, self.holder),
            },
            self.command().map(Text::as_bytes).into(),
        ]
    }

    fn command(&self) -> Option<&'a Text> {
        self.process.and_then(Process::command)
    }

    fn entry(&self) -> Entry<'_> {
        let namespace = self.namespace;
        let held = Value::Holders(&namespace.holders, self.holder);
        Entry {
            r#type: namespace.id.kind,
            ns: namespace.id.ino,
            userns: self.within.iter().map(|id| id.ino).collect(),
            container: &self.containers,
            nprocs: namespace.nprocs,
            pid: namespace.pid,
            holder: (self.process.is_none() && !namespace.holders.is_empty())
                .then(|| held.bytes().into_owned().into()),
            command: self.command(),
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    uid: u32,
    /// The number of namespaces that may count, too: nobody knows for whom.
    unknown: usize,
    counted: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    r#type: Kind,
    ns: u64,
    userns: Vec<u64>,
    container: &'a [String],
    nprocs: usize,
    pid: Option<Pid>,
    holder: Option<Text>,
    command: Option<&'a Text>,
}
