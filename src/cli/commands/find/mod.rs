//! `nsls find`: from a port, an address, a mount, a PID or a name to the
//! namespace, the container and the process behind it.

mod document;
mod enter;
mod what;

use crate::analysis::{self, Match, Thing};
use crate::cli::args::FindArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::search;
use crate::cli::stderr::warn;
use crate::cli::view::View;
use crate::error::Error;
use crate::model::Snapshot;
use crate::output::{Heading, Role, Table, looked_for};
use crate::proc::Sysroot;
use crate::query::Value;
use crate::scan::NsRef;
use crate::text::for_table;

use document::{Document, Entry};

/// Runs `nsls find`. The outcome is [`Outcome::Missing`] if some of the things
/// were not found.
pub(crate) fn run(args: FindArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    let searches = args
        .things
        .iter()
        .map(|word| Search::new(&view, word))
        .collect::<Result<Vec<_>, _>>()?;
    let things: Vec<&Thing> = searches.iter().flat_map(|search| &search.things).collect();
    let snapshot = search::scan(&view, &things)?;
    let mut hits = Vec::new();
    let mut missing = Vec::new();
    for search in &searches {
        let known = hits.len();
        for thing in &search.things {
            let matches = analysis::find(&snapshot, thing).into_iter();
            hits.extend(matches.map(|one| Hit {
                snapshot: &snapshot,
                root: &view.root,
                word: search.word,
                thing,
                one,
            }));
        }
        if hits.len() == known {
            missing.push(search);
        }
    }
    if let ([], [others @ .., last]) = (&hits[..], &missing[..]) {
        for search in others {
            warn(&search.complaint());
        }
        return Err(Error::NothingFound {
            name: last.word.to_owned(),
            looked_for: last.looked_for.clone(),
            nearest: None,
            gaps: snapshot.hiding_gaps(),
        }
        .into());
    }
    let headings = HEADINGS.into_iter().chain(args.enter.then_some(ENTER));
    let rows = hits.iter().map(|hit| hit.row(args.enter));
    let table = Table::new(headings.collect::<Vec<_>>(), rows);
    let matches = hits.iter().map(Entry::new).collect();
    let outcome = view.show(&snapshot, console, &Document { matches }, &table)?;
    for search in &missing {
        warn(&search.complaint());
    }
    Ok(outcome.or(Outcome::Missing, !missing.is_empty()))
}

/// What to look for, for one word.
struct Search<'a> {
    word: &'a str,
    things: Vec<Thing>,
    /// What the word may be, for a message.
    looked_for: String,
}

impl<'a> Search<'a> {
    /// Reads a word. Without a kernel, what only that knows is left out.
    fn new(view: &View, word: &'a str) -> Result<Self, CliError> {
        let things = Thing::readings(word).map_err(|error| {
            CliError::Usage(format!("{error}; nsls find --help shows what may be given"))
        })?;
        let looked_for = looked_for(&things);
        let scanner = view.scanner();
        let mut found = Vec::with_capacity(things.len());
        let mut last = None;
        for thing in things {
            if thing.is_live() && !view.root.is_live() {
                last = Some(Error::NeedsLiveSystem { what: thing.name() });
                continue;
            }
            let Thing::Path(path) = thing else {
                found.push(thing);
                continue;
            };
            match scanner.identify(&NsRef::Path(path)) {
                Ok(Some(id)) => found.push(Thing::Namespace(id)),
                Ok(None) => {}
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) if found.is_empty() => Err(error.into()),
            _ => Ok(Search {
                word,
                things: found,
                looked_for,
            }),
        }
    }

    fn complaint(&self) -> String {
        let word = for_table(self.word.as_bytes());
        format!(
            "found nothing for {word}, looked for {}",
            looked_for(&self.things)
        )
    }
}

/// One row.
struct Hit<'a> {
    snapshot: &'a Snapshot,
    root: &'a Sysroot,
    word: &'a str,
    thing: &'a Thing,
    one: Match<'a>,
}

const HEADINGS: [Heading<'static>; 7] = [
    Heading::text("WHAT"),
    Heading::text("TYPE").role(Role::of_kind),
    Heading::number("NS"),
    Heading::text("CONTAINER").role(Role::of_container),
    Heading::number("PID"),
    Heading::text("USER"),
    Heading::text("COMMAND").cut(),
];
const ENTER: Heading<'static> = Heading::text("ENTER");

impl Hit<'_> {
    fn row(&self, with_enter: bool) -> Vec<Value<'_>> {
        let process = self.one.process;
        let mut cells = vec![
            Value::Text(self.what().into()),
            self.one.namespace.id.kind.name().into(),
            Value::Number(self.one.namespace.id.ino),
            Value::Several(self.containers()),
            process.map(|process| process.pid).into(),
            Value::user_of(process),
            Value::command_of(process),
        ];
        if with_enter {
            cells.push(
                self.enter()
                    .map_or(Value::Null, |line| Value::Text(line.into())),
            );
        }
        cells
    }

    /// Returns the container of the process, or of a namespace without a known
    /// process all there are.
    fn containers(&self) -> Vec<String> {
        let facts = self.one.namespace.facts.as_deref();
        let all = facts.map_or(&[][..], |facts| &facts.affiliations);
        let affiliations: Vec<_> = match self.one.process {
            Some(process) => process.affiliation.as_deref().into_iter().collect(),
            None => all.iter().map(|one| &**one).collect(),
        };
        let containers = affiliations.iter().filter_map(|one| one.container.as_ref());
        containers.map(ToString::to_string).collect()
    }
}
