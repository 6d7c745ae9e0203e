//! Scans for things that were typed.

use std::collections::BTreeSet;

use crate::analysis::{self, Thing};
use crate::cli::view::View;
use crate::error::Error;
use crate::model::{KindSet, MountQuery, Pid, Snapshot, Source};
use crate::scan::{Need, Needs, Target};

/// Scans for all things at once, and reads the details of the processes that
/// matter.
pub(crate) fn scan(view: &View, things: &[&Thing]) -> Result<Snapshot, Error> {
    let scanner = view.scanner();
    let mut mounts = Vec::new();
    for thing in things {
        mounts.extend(match thing {
            Thing::Device(major, minor) => vec![MountQuery::Device(*major, *minor)],
            Thing::Mount(path) => scanner.mounts_of(path)?,
            _ => Vec::new(),
        });
    }
    let all = things.iter();
    let kinds = all.clone().map(|thing| thing.kinds());
    let needs = all.clone().map(|thing| match things {
        // Who else is in its namespaces does not matter.
        [Thing::Process(_)] => thing.needs().without(Need::Members.into()),
        _ => thing.needs(),
    });
    let scanner = scanner
        .kinds(kinds.fold(KindSet::EMPTY, KindSet::union))
        .needs(needs.fold(Needs::EMPTY, Needs::union))
        .mounts(mounts);
    let scanner = match things {
        [Thing::Process(pid)] => scanner.target(Target::Process(*pid)),
        _ if all.clone().all(|thing| thing.is_of_processes()) => scanner.sources(Source::Processes),
        _ => scanner,
    };
    let mut snapshot = scanner.scan()?;
    // Without it more is found than what sets processes apart, which is no loss.
    snapshot.gaps.retain(|gap| !gap.is_about_host());
    let pids: BTreeSet<Pid> = if all.clone().any(|thing| thing.depends_on_details()) {
        let all = snapshot.processes.iter();
        all.map(|process| process.pid).collect()
    } else {
        let matches = all.flat_map(|thing| analysis::find(&snapshot, thing));
        let processes = matches.filter_map(|one| one.process);
        processes.map(|process| process.pid).collect()
    };
    scanner.describe(&mut snapshot, &pids)?;
    Ok(snapshot)
}
