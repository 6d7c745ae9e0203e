//! `nsls compare`: which namespaces several processes or containers share.

use serde::Serialize;

use crate::analysis::{self, Comparison};
use crate::cli::args::CompareArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::resolve::{self, pid};
use crate::cli::view::View;
use crate::error::Error;
use crate::model::{NsId, Pid, Snapshot, Source};
use crate::output::{Heading, Role, Table};
use crate::query::Value;
use crate::scan::Need;

/// Runs `nsls compare`. The outcome is [`Outcome::Different`] unless all types
/// are shared.
pub(crate) fn run(args: CompareArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    let scanner = view
        .scanner()
        .needs(Need::Affiliation)
        .sources(Source::Processes);
    // Only the name of a container requires a look at all processes.
    let snapshot = if args.subjects.iter().all(|name| pid(name).is_some()) {
        Snapshot::default()
    } else {
        scanner.scan()?
    };
    let mut subjects = Vec::new();
    let mut links = Vec::new();
    for name in &args.subjects {
        let pid = match pid(name) {
            Some(pid) => pid,
            None => match analysis::find_container(&snapshot, name) {
                Err(Error::NoContainer { .. }) => resolve::process(&view, name)?,
                found => found?.representative.pid,
            },
        };
        subjects.push(Subject { name, pid });
        links.push(scanner.links_of(pid)?);
    }
    let compared = analysis::compare(&links);
    let names = args.subjects.iter().map(|name| Heading::text(name));
    let headings: Vec<_> = [Heading::text("TYPE").role(Role::of_kind)]
        .into_iter()
        .chain(names)
        .chain([Heading::text("SHARED").role(of_verdict)])
        .collect();
    let marks = view.look().is_some();
    let table = Table::new(headings, compared.iter().map(|one| row(one, marks)));
    let document = Document {
        subjects,
        types: compared.iter().map(ComparedType::new).collect(),
    };
    let outcome = view.show(&snapshot, console, &document, &table)?;
    Ok(outcome.or(
        Outcome::Different,
        !compared.iter().all(Comparison::is_shared),
    ))
}

#[derive(Serialize)]
struct Document<'a> {
    subjects: Vec<Subject<'a>>,
    types: Vec<ComparedType>,
}

#[derive(Serialize)]
struct Subject<'a> {
    name: &'a str,
    pid: Pid,
}

#[derive(Serialize)]
struct ComparedType {
    r#type: &'static str,
    ns: Vec<Option<u64>>,
    shared: bool,
}

impl ComparedType {
    fn new(compared: &Comparison) -> Self {
        ComparedType {
            r#type: compared.kind.name(),
            ns: compared
                .namespaces
                .iter()
                .map(|id| id.map(|id| id.ino))
                .collect(),
            shared: compared.is_shared(),
        }
    }
}

fn of_verdict(word: &str) -> Option<Role> {
    (word == "no").then_some(Role::Changed)
}

/// Makes the row of a type. With `marks`, a namespace that several share gets a
/// mark.
fn row(compared: &Comparison, marks: bool) -> Vec<Value<'static>> {
    let mut cells = vec![compared.kind.name().into()];
    for id in &compared.namespaces {
        cells.push(match id {
            Some(id) if marks && is_repeated(*id, compared) => Value::from(format!("{}=", id.ino)),
            Some(id) => Value::Number(id.ino),
            None => Value::Null,
        });
    }
    cells.push(if compared.is_shared() { "yes" } else { "no" }.into());
    cells
}

fn is_repeated(id: NsId, compared: &Comparison) -> bool {
    let same = compared.namespaces.iter().filter(|one| **one == Some(id));
    same.count() > 1
}
