//! What the command does, in the order in which it does it.

use std::ffi::OsStr;
use std::io;

use crate::analysis;
use crate::cli::args::{Cli, Command};
use crate::cli::commands::capture::capture;
use crate::cli::commands::{compare, containers, holders, limits, translate};
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::options::{self, Layout, Options};
use crate::model::{Affiliation, Cause, Gap, Snapshot, Source};
use crate::output::{Format, Listing, Look, list_columns};
use crate::query::{Column, Relation, Row, flat, grow};
use crate::scan::{Need, Scanner, Target};

/// Runs the command and returns its exit code.
pub fn run(cli: Result<Cli, CliError>, mut console: Console<'_>) -> u8 {
    let done = cli.and_then(|cli| match cli.command {
        Some(Command::Capture(args)) => capture(
            &options::root(args.root),
            &args.dir,
            &args.pid,
            console.messages,
        )
        .map(|()| Outcome::Complete),
        Some(Command::Holders(args)) => holders::run(args, &mut console),
        Some(Command::Compare(args)) => compare::run(args, &mut console),
        Some(Command::Containers(args)) => containers::run(args, &mut console),
        Some(Command::Translate(args)) => translate::run(args, &mut console),
        Some(Command::Limits(args)) => limits::run(args, &mut console),
        None => Options::new(cli.list).and_then(|options| list(&options, &mut console)),
    });
    match done {
        Ok(Outcome::Complete) => 0,
        Ok(Outcome::Different) => 1,
        Ok(Outcome::Incomplete) => 3,
        // Whoever reads has read enough.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            (console.messages)(&error.message());
            error.exit_code()
        }
    }
}

fn list(options: &Options, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let format = match options.layout {
        Layout::Table { cut, join } => Format::Table(Look {
            width: console.width.filter(|_| cut),
            unicode: console.unicode,
            styles: console.styles && console.width.is_some(),
            join,
        }),
        Layout::Raw => Format::Raw,
        Layout::Json => Format::Json,
    };
    if options.list_columns {
        let written = list_columns(format, options.headings, console.out);
        written
            .and_then(|()| console.out.flush())
            .map_err(CliError::Output)?;
        return Ok(Outcome::Complete);
    }
    let dims_host = options.dims_host() && console.styles && console.width.is_some();
    let scanner = Scanner::new(options.root.clone())
        .kinds(options.kinds)
        .target(options.target.clone())
        .needs(options.needs(dims_host));
    let mut snapshot = match options.sources {
        Some(sources) => scanner.sources(sources).scan(),
        None => scanner.scan(),
    }?;
    if !options.needs(false).contains(Need::Host) {
        // For how a terminal shows it alone, nobody misses what is not known.
        let is_about_host =
            |gap: &Gap| gap.source == Source::Contents && gap.cause == Cause::Outside;
        snapshot.gaps.retain(|gap| !is_about_host(gap));
    }
    let namespace_columns = options.namespace_columns();
    let mut listing = listing(options, &snapshot, &namespace_columns)?;
    listing.dims_host = dims_host;
    let written = listing
        .write(format, console.out)
        .and_then(|()| console.out.flush());
    let can_infer = options.target == Target::All && snapshot.inferred.is_empty();
    console.finish(&snapshot, &options.root, options.strict, can_infer, written)
}

/// The rows of a snapshot that are asked for: its namespaces, or the processes
/// of the one that was asked for.
fn listing<'a>(
    options: &'a Options,
    snapshot: &'a Snapshot,
    namespace_columns: &'a [&'static Column],
) -> Result<Listing<'a>, CliError> {
    let filter = options.filter.as_ref();
    let root = &options.root;
    let matches = |row: &Row<'_>| filter.is_none_or(|filter| filter.matches(row));
    let (namespace, mut rows): (_, Vec<Row<'_>>) =
        match (&options.target, snapshot.namespaces.first()) {
            (Target::Namespace(_), Some(namespace)) => {
                let members = snapshot.members(namespace.id);
                let row = |process| snapshot.member(root, namespace, process);
                let shown = (snapshot.row(root, namespace), namespace_columns);
                (Some(shown), members.map(row).collect())
            }
            _ => {
                let namespaces = snapshot.namespaces.iter();
                let inferred = snapshot.inferred.iter();
                let empty = |row: &Row<'_>| !options.persistent || row.nprocs() == 0;
                let rows = namespaces
                    .map(|namespace| snapshot.row(root, namespace))
                    .chain(inferred.map(|inferred| snapshot.inferred_row(root, inferred)));
                (None, rows.filter(empty).collect())
            }
        };
    rows.retain(matches);
    if let Some(word) = &options.container {
        let container = analysis::find_container(snapshot, word)?.container;
        let is_it = |one: &Affiliation| one.container.as_ref() == Some(container);
        rows.retain(|row| row.affiliations().any(is_it));
    }
    if let Some(is_host) = options.host {
        rows.retain(|row| {
            row.facts()
                .is_some_and(|facts| facts.is_host == Some(is_host))
        });
    }
    Ok(Listing {
        snapshot,
        namespace,
        rows: match options.tree {
            Some(relation) => grow(rows, snapshot, relation),
            None => flat(rows),
        },
        tree_column: options.tree.map(|relation| match relation {
            Relation::Owner | Relation::Parent => "NS",
            Relation::Process => "COMMAND",
        }),
        columns: &options.columns,
        headings: options.headings,
        dims_host: false,
    })
}

/// Whether the name of a locale says that its text is UTF-8, locale(7).
pub fn is_utf8_locale(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let (_, charset) = name.split_once('.').unwrap_or_default();
    let charset = charset.split('@').next().unwrap_or_default();
    matches!(charset, "utf-8" | "utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_its_charset_behind_a_dot() {
        for name in ["C.UTF-8", "de_DE.utf8", "en_US.UTF-8@euro"] {
            assert!(is_utf8_locale(OsStr::new(name)), "{name}");
        }
        for name in [
            "",
            "C",
            "POSIX",
            "de_DE",
            "de_DE.ISO-8859-1",
            "utf8",
            "x.utf8x",
        ] {
            assert!(!is_utf8_locale(OsStr::new(name)), "{name}");
        }
    }
}
