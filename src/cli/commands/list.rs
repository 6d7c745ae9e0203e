//! `nsls` without a subcommand: namespaces, or the processes of one.

use crate::cli::args::ListArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::options::Options;
use crate::cli::stderr::say;
use crate::cli::summary;
use crate::cli::terminal::Terminal;
use crate::error::Error;
use crate::model::{Namespace, Snapshot, Source};
use crate::output::{Listing, list_columns};
use crate::query::{Column, Relation, Row, flat, grouped, grow};
use crate::scan::{Need, Needs, Target};
use crate::text::for_table;

/// Lists namespaces, processes or columns.
pub(crate) fn run(args: ListArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let options = Options::new(args, console.terminal)?;
    let view = &options.view;
    if options.list_columns {
        list_columns(view.format, view.headings, console.out)
            .and_then(|()| console.out.flush())
            .map_err(CliError::Output)?;
        return Ok(Outcome::Done);
    }
    let mut needs = options.needs();
    let asked = needs;
    if options.has_last_lines(console.terminal) {
        needs.insert(Need::Affiliation);
    }
    if options.has_last_lines(console.terminal) || options.dims_host() {
        needs.insert(Need::Host);
    }
    let taken = view.taken();
    let mut snapshot = scan(&options, needs)?;
    // Without these a line or a look is missing, which is no loss to report.
    snapshot.gaps.retain(|gap| {
        (asked.contains(Need::Affiliation) || gap.source != Source::Cgroups)
            && (asked.contains(Need::Host) || !gap.is_about_host())
    });
    let snapshot = snapshot;
    let namespace = requested_namespace(&options, &snapshot);
    let mut rows = select(&options, &snapshot, rows(&options, &snapshot, namespace))?;
    options.sort.apply(&mut rows);
    let summary =
        (view.sums_up && !matches!(options.target, Target::Process(_))).then(|| match namespace {
            Some(_) => summary::of_processes(&rows, needs),
            None => summary::of_namespaces(&rows, &snapshot, needs),
        });
    let namespace_columns: Vec<_> = Column::usual().collect();
    let listing = Listing {
        snapshot: &snapshot,
        taken,
        namespace: namespace.map(|namespace| {
            let row = snapshot.row(&view.root, namespace);
            (row, &*namespace_columns)
        }),
        rows: match (options.tree, options.grouping) {
            (Some(relation), _) => grow(rows, &snapshot, relation, &options.sort),
            (None, Some(grouping)) => grouped(rows, grouping),
            (None, None) => flat(rows),
        },
        tree_column: options.tree.map(|relation| match relation {
            Relation::Owner | Relation::Parent => "NS",
            Relation::Process => "COMMAND",
        }),
        columns: &options.columns,
        headings: view.headings,
        dims_host: options.dims_host(),
    };
    let mut written = listing.write(view.format, console.out);
    for line in last_lines(&options, &snapshot, console.terminal) {
        written = written.and_then(|()| writeln!(console.out, "{line}"));
    }
    let can_infer = options.target == Target::All && !options.infer;
    let outcome = console.finish(&snapshot, view, can_infer, written)?;
    if let Some(pid) = options.took_for_pid {
        view.remark(&format!("{pid} is a process, so this is --pid {pid}"));
    }
    if let Some(summary) = summary {
        say(&summary);
    }
    Ok(outcome)
}

/// Returns last lines on a terminal that say which container a process is in, and
/// what it shares with the host.
fn last_lines(options: &Options, snapshot: &Snapshot, terminal: Terminal) -> Vec<String> {
    let process = match options.target {
        Target::Process(pid) if options.has_last_lines(terminal) => snapshot.process(pid),
        _ => None,
    };
    let Some(process) = process else {
        return Vec::new();
    };
    let pid = process.pid;
    let container = process.container().map(|container| {
        let container = for_table(container.to_string().as_bytes());
        format!("process {pid} is in the container {container}")
    });
    let shared = snapshot.namespaces.iter().filter(|one| {
        let is_host = one.facts.as_deref().and_then(|facts| facts.is_host);
        is_host == Some(true) && process.links.is_in(one.id)
    });
    let shared: Vec<_> = shared.map(|one| one.id.kind.name()).collect();
    let shared = (!shared.is_empty())
        .then(|| format!("process {pid} shares {} with the host", shared.join(",")));
    container.into_iter().chain(shared).collect()
}

/// Scans for what the options name.
pub(super) fn scan(options: &Options, needs: Needs) -> Result<Snapshot, Error> {
    let mut scanner = options
        .view
        .scanner()
        .target(options.target.clone())
        .kinds(options.kinds)
        .needs(needs);
    if let Some(sources) = options.sources {
        scanner = scanner.sources(sources);
    }
    scanner.scan()
}

/// Returns the namespace whose processes are listed, if that is the request.
fn requested_namespace<'a>(options: &Options, snapshot: &'a Snapshot) -> Option<&'a Namespace> {
    match options.target {
        Target::Namespace(_) => snapshot.namespaces.first(),
        Target::All | Target::Process(_) => None,
    }
}

/// Returns a row for each process of a namespace, or else for each namespace.
fn rows<'a>(
    options: &'a Options,
    snapshot: &'a Snapshot,
    namespace: Option<&'a Namespace>,
) -> Vec<Row<'a>> {
    let root = &options.view.root;
    match namespace {
        Some(namespace) => snapshot
            .members(namespace.id)
            .map(|process| snapshot.member(root, namespace, process))
            .collect(),
        None => {
            let found = snapshot.namespaces.iter();
            let inferred = snapshot.inferred.iter();
            let asked = match options.target {
                Target::Process(pid) => snapshot.process(pid),
                Target::All | Target::Namespace(_) => None,
            };
            found
                .map(|namespace| Row {
                    asked,
                    ..snapshot.row(root, namespace)
                })
                .chain(inferred.map(|inferred| snapshot.inferred_row(root, inferred)))
                .collect()
        }
    }
}

/// Keeps the rows that meet all conditions.
pub(super) fn select<'a>(
    options: &Options,
    snapshot: &Snapshot,
    mut rows: Vec<Row<'a>>,
) -> Result<Vec<Row<'a>>, CliError> {
    if options.persistent {
        rows.retain(|row| row.nprocs() == 0);
    }
    if let Some(filter) = &options.filter {
        rows.retain(|row| filter.matches(row));
    }
    if let Some(running) = options.running(snapshot)? {
        rows.retain(|row| {
            let mut containers = row.affiliations().filter_map(|one| one.container.as_ref());
            containers.any(|one| one == running.container)
        });
    }
    if options.host.is_some() {
        rows.retain(|row| row.facts().and_then(|facts| facts.is_host) == options.host);
    }
    Ok(rows)
}
