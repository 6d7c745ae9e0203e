//! What the command does, in the order in which it does it.

use std::io::{self, Write};

use crate::capture::capture;
use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::model::{Snapshot, summary};
use crate::options::{self, Layout, Options};
use crate::output::{Format, Listing, for_table, list_columns};
use crate::query::{Column, Row};
use crate::scan::{Scanner, Target};

/// Where the command writes.
#[expect(missing_debug_implementations, reason = "it holds writers")]
pub struct Console<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// How many characters the terminal behind `out` is wide, if it is one.
    pub width: Option<usize>,
    /// Takes a message about what went wrong, without its last newline. It is
    /// one line, but for a filter that cannot be parsed.
    pub messages: &'a mut dyn FnMut(&str),
}

/// How a run ended that was no error.
enum Outcome {
    Complete,
    Incomplete,
}

/// Runs the command and returns its exit code.
pub fn run(cli: Cli, mut console: Console<'_>) -> u8 {
    let done = match cli.command {
        Some(Command::Capture(args)) => capture(
            &options::root(args.root),
            &args.dir,
            &args.pid,
            console.messages,
        )
        .map(|()| Outcome::Complete),
        None => Options::new(cli.list).and_then(|options| list(&options, &mut console)),
    };
    match done {
        Ok(Outcome::Complete) => 0,
        Ok(Outcome::Incomplete) => 3,
        // Whoever reads has read enough.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            let message = error.to_string();
            // It may hold what was typed, or a path. That about a filter is
            // escaped already, and has its caret below the right place.
            (console.messages)(&match error {
                Error::Filter(_) => message,
                _ => for_table(message.as_bytes()),
            });
            error.exit_code()
        }
    }
}

fn list(options: &Options, console: &mut Console<'_>) -> Result<Outcome, Error> {
    let format = match options.layout {
        Layout::Table { cut } => Format::Table {
            width: console.width.filter(|_| cut),
        },
        Layout::Raw => Format::Raw,
        Layout::Json => Format::Json,
    };
    if options.list_columns {
        let written = list_columns(format, options.headings, console.out);
        written
            .and_then(|()| console.out.flush())
            .map_err(Error::Output)?;
        return Ok(Outcome::Complete);
    }
    let scanner = Scanner::new(options.root.clone())
        .kinds(options.kinds)
        .target(options.target.clone())
        .needs(options.needs());
    let snapshot = match options.sources {
        Some(sources) => scanner.sources(sources).scan(),
        None => scanner.scan(),
    }?;
    let namespace_columns = options.namespace_columns();
    let listing = listing(options, &snapshot, &namespace_columns);
    let written = listing
        .write(format, console.out)
        .and_then(|()| console.out.flush());
    // The warning first: it holds even if the reader has gone.
    let privileged = !options.root.is_live() || rustix::process::geteuid().is_root();
    if let Some(line) = summary(&snapshot.gaps, privileged) {
        (console.messages)(&line);
    }
    written.map_err(Error::Output)?;
    let incomplete = options.strict && !snapshot.is_complete();
    Ok(if incomplete {
        Outcome::Incomplete
    } else {
        Outcome::Complete
    })
}

/// The rows of a snapshot that the filter lets through: its namespaces, or the
/// processes of the one that was asked for.
fn listing<'a>(
    options: &'a Options,
    snapshot: &'a Snapshot,
    namespace_columns: &'a [&'static Column],
) -> Listing<'a> {
    let row = |namespace| Row {
        namespace,
        process: namespace.pid.and_then(|pid| snapshot.process(pid)),
    };
    let matches = |row: &Row<'_>| {
        options
            .filter
            .as_ref()
            .is_none_or(|filter| filter.matches(row))
    };
    let (namespace, rows) = match (&options.target, snapshot.namespaces.first()) {
        (Target::Namespace(_), Some(namespace)) => {
            let members = snapshot.members(namespace.id);
            let rows = members
                .map(|process| Row {
                    namespace,
                    process: Some(process),
                })
                .filter(matches)
                .collect();
            (Some((row(namespace), namespace_columns)), rows)
        }
        _ => (
            None,
            snapshot
                .namespaces
                .iter()
                .map(row)
                .filter(matches)
                .collect(),
        ),
    };
    let columns = &options.columns;
    Listing {
        snapshot,
        namespace,
        rows,
        columns,
        headings: options.headings,
    }
}
