//! `nsls compare`: which namespaces several processes or containers share.

use serde::Serialize;

use crate::cli::args::CompareArgs;
use crate::cli::commands::View;
use crate::cli::commands::lookup::{containers, find_container};
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::error::Error;
use crate::model::{Kind, Links, Member, Pid, Snapshot, Source, Sources};
use crate::output::{Format, Heading, Table};
use crate::query::Value;
use crate::scan::{Need, Needs, Scanner};

/// Runs `nsls compare`: the answer is no if some type is not shared by all.
pub(crate) fn run(args: CompareArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let CompareArgs { subjects, view } = args;
    let view = View::new(view, console);
    let scanner = Scanner::new(view.root.clone())
        .needs(Needs::of(Need::Affiliation))
        .sources(Sources::of(Source::Processes));
    // Only who names a container has to look at all processes.
    let snapshot = if subjects.iter().all(|word| as_pid(word).is_some()) {
        Snapshot::default()
    } else {
        scanner.scan()?
    };
    let subjects: Vec<Subject> = subjects
        .into_iter()
        .map(|name| {
            let pid = match as_pid(&name) {
                Some(pid) => pid,
                None => first_process(&snapshot, &name)?,
            };
            let links = scanner.links_of(pid)?;
            Ok(Subject { name, pid, links })
        })
        .collect::<Result<_, CliError>>()?;
    let types = compare(&subjects);
    let document = Document {
        subjects: subjects.iter().map(Named::of).collect(),
        types: &types,
    };
    let names = subjects.iter().map(|one| one.name.as_str());
    let names = std::iter::once("TYPE").chain(names).chain(["SHARED"]);
    let headings: Vec<_> = names.map(Heading::text).collect();
    let marks = matches!(view.format, Format::Table(_));
    let table = Table::new(headings, types.iter().map(|one| row(one, marks)));
    let outcome = view.show(&snapshot, console, &document, &table)?;
    Ok(match outcome {
        Outcome::Complete if !types.iter().all(|one| one.shared) => Outcome::Different,
        outcome => outcome,
    })
}

/// A pid, as it is typed. An id of a container may be all digits, but is longer.
fn as_pid(word: &str) -> Option<Pid> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|pid| is_number && *pid > 0)
}

fn first_process(snapshot: &Snapshot, word: &str) -> Result<Pid, Error> {
    let container = find_container(snapshot, word)?;
    let all = containers(snapshot);
    let processes = all.get(&container).map(|(_, processes)| processes);
    let first = processes.and_then(|processes| processes.first());
    first.map(|process| process.pid).ok_or(Error::NoContainer {
        name: word.to_owned(),
        gaps: Vec::new(),
    })
}

/// What is compared.
#[derive(Debug)]
struct Subject {
    name: String,
    pid: Pid,
    links: Links,
}

/// One type of namespaces.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Compared {
    r#type: &'static str,
    /// The namespace of each subject; none if it is in none.
    ns: Vec<Option<u64>>,
    shared: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    subjects: Vec<Named<'a>>,
    types: &'a [Compared],
}

/// What is compared, as JSON names it.
#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    pid: Pid,
}

impl<'a> Named<'a> {
    fn of(subject: &'a Subject) -> Self {
        Named {
            name: &subject.name,
            pid: subject.pid,
        }
    }
}

/// Every type that the kernel has.
fn compare(subjects: &[Subject]) -> Vec<Compared> {
    let compared = Kind::ALL.iter().filter_map(|kind| {
        let link = kind.links().iter().find(|link| !link.is_for_children())?;
        let ns: Vec<_> = subjects.iter().map(|one| one.links.ino(link)).collect();
        let first = ns.first().copied().flatten();
        let shared = first.is_some() && ns.iter().all(|ino| *ino == first);
        let is_there = ns.iter().any(Option::is_some);
        let r#type = kind.name();
        is_there.then_some(Compared { r#type, ns, shared })
    });
    compared.collect()
}

/// The cells of a row; what several share is marked.
fn row(compared: &Compared, marks: bool) -> Vec<Value<'static>> {
    let cell = |ino: &Option<u64>| {
        let text = ino.map(|ino| ino.to_string()).unwrap_or_default();
        let others = compared.ns.iter().filter(|other| *other == ino);
        let is_shared = marks && ino.is_some() && others.count() > 1;
        Value::from(text + if is_shared { "=" } else { "" })
    };
    let shared = if compared.shared { "yes" } else { "no" };
    std::iter::once(compared.r#type.into())
        .chain(compared.ns.iter().map(cell))
        .chain([shared.into()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Link;

    fn subject(links: &[(Link, u64)]) -> Subject {
        let mut subject = Subject {
            name: String::new(),
            pid: 1,
            links: Links::default(),
        };
        for (link, ino) in links {
            subject.links.set(*link, *ino);
        }
        subject
    }

    #[test]
    fn a_type_is_shared_if_all_are_in_one_namespace_and_absent_if_nobody_is_in_any() {
        let subjects = [
            subject(&[(Link::Net, 1), (Link::Uts, 3), (Link::User, 5)]),
            subject(&[(Link::Net, 1), (Link::Uts, 4), (Link::TimeForChildren, 6)]),
        ];
        let row = |r#type, ns: [Option<u64>; 2], shared| Compared {
            r#type,
            ns: ns.to_vec(),
            shared,
        };
        assert_eq!(
            compare(&subjects),
            [
                row("net", [Some(1), Some(1)], true),
                row("user", [Some(5), None], false),
                row("uts", [Some(3), Some(4)], false),
            ]
        );
    }

    #[test]
    fn only_plain_numbers_are_pids() {
        assert_eq!(as_pid("1234"), Some(1234));
        for word in ["", "0", "+1", "web", "5827292992112345678"] {
            assert_eq!(as_pid(word), None, "{word}");
        }
    }
}
