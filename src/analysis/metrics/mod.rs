//! Numbers for a monitoring system.

mod containers;
mod limits;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::analysis::leaks;
use crate::model::{Kind, Member, Namespace, NsId, Snapshot};
use crate::text::Text;

/// Samples of one name, all of them gauges.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Family {
    /// Its name, such as `nsls_namespaces`.
    pub name: &'static str,
    /// What it counts, as one sentence.
    pub help: &'static str,
    /// The samples, no two with the same labels.
    pub samples: Vec<Sample>,
}

/// One number.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Names and values that tell it from others of its family. Containers and
    /// users choose some of the values.
    pub labels: Vec<(&'static str, Text)>,
    /// The number; NaN if it is unknown.
    pub value: f64,
}

/// What limits the one who looks, whose limits alone can be read cheaply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reader {
    /// The reader's user namespace; `None` if unknown, as in a captured tree.
    pub user_ns: Option<NsId>,
    /// The reader's pid namespace; `None` if unknown.
    pub pid_ns: Option<NsId>,
    /// How many namespaces of each type one user may create, by what the reader
    /// sees in `/proc/sys/user`.
    pub max_namespaces: BTreeMap<Kind, u64>,
    /// The largest PID, proc_sys_kernel(5).
    pub pid_max: Option<u64>,
}

/// Summarises a snapshot that took so long to make.
///
/// The number of samples is bounded, whatever containers and users make up:
/// what exceeds it is counted in `nsls_omitted`.
///
/// Requires [`Need::Holders`](crate::Need::Holders),
/// [`Need::Affiliation`](crate::Need::Affiliation) and
/// [`Need::Host`](crate::Need::Host) for containers,
/// [`Need::OwnerUid`](crate::Need::OwnerUid), [`Need::User`](crate::Need::User)
/// and [`Need::Relations`](crate::Need::Relations) for limits, and
/// [`Need::UniqueId`](crate::Need::UniqueId) for the newest ID.
pub fn metrics(snapshot: &Snapshot, reader: &Reader, took: Duration) -> Vec<Family> {
    let (limit, used, users) = limits::families(snapshot, reader);
    let (shares, containers) = containers::family(snapshot);
    let mut families = vec![
        namespaces(snapshot),
        leaked(snapshot),
        Family::one(
            "nsls_processes",
            "Processes of which a namespace could be read.",
            snapshot.processes.len() as f64,
        ),
        limit,
        used,
        shares,
    ];
    families.extend(newest_id(snapshot));
    families.extend([
        gaps(snapshot),
        Family {
            name: "nsls_omitted",
            help: "Containers or users that this metric leaves out because there are too many.",
            samples: vec![
                Sample::new(
                    [("metric", "nsls_container_shares_host")],
                    containers as f64,
                ),
                Sample::new([("metric", "nsls_limit_used")], users as f64),
            ],
        },
        Family::one(
            "nsls_complete",
            "Whether the scan saw everything it looked for (1), or something may be missing (0).",
            f64::from(u8::from(snapshot.is_complete())),
        ),
        Family::one(
            "nsls_scan_duration_seconds",
            "How long the scan took.",
            took.as_secs_f64(),
        ),
        Family {
            name: "nsls_build_info",
            help: "Always 1; the version of nsls.",
            samples: vec![Sample::new([("version", env!("CARGO_PKG_VERSION"))], 1.0)],
        },
    ]);
    families
}

impl Family {
    fn one(name: &'static str, help: &'static str, value: f64) -> Self {
        Family {
            name,
            help,
            samples: vec![Sample::new([], value)],
        }
    }
}

impl Sample {
    fn new<const N: usize>(labels: [(&'static str, &str); N], value: f64) -> Self {
        Sample {
            labels: labels.map(|(name, value)| (name, value.into())).into(),
            value,
        }
    }
}

/// Counts namespaces by type and by what holds them. Those with processes are
/// counted for each type, even if there are none, so that a sum always exists.
fn namespaces(snapshot: &Snapshot) -> Family {
    let mut counts: BTreeMap<(Kind, &str), usize> = Kind::ALL
        .iter()
        .map(|kind| ((*kind, "process"), 0))
        .collect();
    for namespace in &snapshot.namespaces {
        *counts
            .entry((namespace.id.kind, held_by(namespace)))
            .or_default() += 1;
    }
    let sample = |((kind, held), count): ((Kind, &str), usize)| {
        Sample::new([("type", kind.name()), ("held", held)], count as f64)
    };
    Family {
        name: "nsls_namespaces",
        help: "Namespaces, by type and by the first kind of what holds them.",
        samples: counts.into_iter().map(sample).collect(),
    }
}

/// Returns the kind of the first holder. Processes are first, and then the order
/// is that of [`Holder`](crate::Holder).
fn held_by(namespace: &Namespace) -> &'static str {
    if namespace.nprocs > 0 {
        return "process";
    }
    let first = namespace.holders.first();
    first.unwrap_or(&namespace.via).kind()
}

fn leaked(snapshot: &Snapshot) -> Family {
    let leaked = leaks(snapshot);
    let count = |kind: Kind| {
        let all = leaked.iter();
        all.filter(|leak| leak.namespace.id.kind == kind).count()
    };
    Family {
        name: "nsls_leaked_namespaces",
        help: "Namespaces in which no process was found and which no known name explains.",
        samples: Kind::ALL
            .iter()
            .map(|kind| Sample::new([("type", kind.name())], count(*kind) as f64))
            .collect(),
    }
}

/// Returns the highest ID of a namespace that exists, if the kernel has IDs.
fn newest_id(snapshot: &Snapshot) -> Option<Family> {
    let identified = snapshot.namespaces.iter();
    let ids = identified.filter_map(|one| Some((one.id.kind, one.relations.unique_id?)));
    // Before Linux 6.18, mount namespaces alone have IDs, from a counter of their
    // own.
    if !ids.clone().any(|(kind, _)| kind != Kind::Mnt) {
        return None;
    }
    let newest = ids.map(|(_, id)| id).max()?;
    Some(Family::one(
        "nsls_newest_namespace_id",
        "The highest ID among the namespaces; none is reused, and each CPU takes 4096 at once.",
        newest as f64,
    ))
}

/// Adds up gaps of the same source and name of cause. A count that cannot be
/// known makes the sum unknown.
fn gaps(snapshot: &Snapshot) -> Family {
    let mut counts: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for gap in &snapshot.gaps {
        let count = gap.count.map_or(f64::NAN, |count| count as f64);
        *counts
            .entry((gap.source.name(), gap.cause.name()))
            .or_default() += count;
    }
    let sample = |((source, cause), count): ((&str, &str), f64)| {
        Sample::new([("source", source), ("cause", cause)], count)
    };
    Family {
        name: "nsls_gaps",
        help: "What could not be seen, by source and cause; NaN if nobody can know how much.",
        samples: counts.into_iter().map(sample).collect(),
    }
}
