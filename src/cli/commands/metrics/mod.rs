//! `nsls metrics`: numbers for Prometheus and other monitoring systems.

use std::time::Instant;

use crate::analysis::{Reader, metrics};
use crate::cli::args::{MetricsArgs, ViewArgs};
use crate::cli::commands::limits::miss;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::replace::Place;
use crate::cli::view::View;
use crate::error::Error;
use crate::model::{Cause, Kind, Member, Snapshot};
use crate::output::write_metrics;
use crate::proc::{ReadError, Sysroot};
use crate::scan::{Need, cause_of_read};

/// Runs `nsls metrics`.
pub(crate) fn run(args: MetricsArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(ViewArgs::plain(args.scan), console.terminal);
    // A place that is refused is not worth a scan.
    let place = args.output.as_deref().map(Place::open).transpose()?;
    let start = Instant::now();
    let mut snapshot = view
        .scanner()
        .needs([
            Need::Holders,
            Need::Affiliation,
            Need::Host,
            Need::OwnerUid,
            Need::User,
            Need::Relations,
            Need::UniqueId,
        ])
        .scan()?;
    let took = start.elapsed();
    let reader = reader(&view.root, &mut snapshot)?;
    let families = metrics(&snapshot, &reader, took);
    let Some(place) = place else {
        let written = write_metrics(&families, console.out);
        return console.finish(&snapshot, &view, false, written);
    };
    let mut text = Vec::new();
    write_metrics(&families, &mut text).map_err(CliError::Output)?;
    place.replace(&text)?;
    Ok(Console::conclude(&snapshot, &view, false))
}

/// Reads the limits of this process. On the running system, one that cannot be
/// read is missing; a captured tree records what its system had.
fn reader(root: &Sysroot, snapshot: &mut Snapshot) -> Result<Reader, Error> {
    let mut reader = Reader {
        user_ns: root.own_namespace(Kind::User),
        pid_ns: root.own_namespace(Kind::Pid),
        ..Reader::default()
    };
    let mut causes = Vec::new();
    for kind in Kind::ALL {
        match root.namespace_limit(*kind) {
            Ok(max) => drop(reader.max_namespaces.insert(*kind, max)),
            // One that this kernel does not have.
            Err(ReadError::Gone) if !snapshot.namespaces.iter().any(|one| one.id.kind == *kind) => {
            }
            Err(error) => causes.push(error),
        }
    }
    match root.pid_max() {
        Ok(max) => reader.pid_max = Some(max),
        Err(error) => causes.push(error),
    }
    for error in causes.into_iter().filter(|_| root.is_live()) {
        let cause = match error {
            ReadError::Gone => Cause::NoSysctls,
            error => cause_of_read(error, || root.proc_path())?,
        };
        miss(snapshot, cause, 1);
    }
    Ok(reader)
}
