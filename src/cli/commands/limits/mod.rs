//! `nsls limits`: namespaces and processes against the limits of the kernel.

mod why;

use serde::Serialize;

use crate::analysis::{self, Limit, Limited};
use crate::cli::args::LimitsArgs;
use crate::cli::console::{Console, Outcome, warn};
use crate::cli::error::CliError;
use crate::cli::view::View;
use crate::error::Error;
use crate::model::{Cause, Gap, Kind, LinkSet, Member, Snapshot, Source};
use crate::output::{Heading, Role, Table};
use crate::proc::{ReadError, Sysroot};
use crate::query::Value;
use crate::scan::{Need, cause_of_read};
use crate::text::{Text, parse_digits};

/// Runs `nsls limits`.
pub(crate) fn run(args: LimitsArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    if let Some(user) = &args.why {
        return why::run(&view, user, console);
    }
    let mut snapshot = view
        .scanner()
        .needs([
            Need::OwnerUid,
            Need::User,
            Need::PidMax,
            Need::MaxNamespaces,
            Need::Relations,
        ])
        .scan()?;
    let limits = analysis::limits(&snapshot, |kind| view.root.max_namespaces(kind));
    // A captured tree records what its system had.
    if view.root.is_live() {
        miss_unreadable(&view.root, &limits, &mut snapshot)?;
    }
    let entries: Vec<_> = limits.iter().map(Entry::new).collect();
    let table = Table::new(HEADINGS, limits.iter().zip(&entries).map(row));
    let outcome = view.show(&snapshot, console, &Document { limits: &entries }, &table)?;
    warn_of_uncounted(&snapshot);
    Ok(outcome)
}

/// Says that counts may be too low, if namespaces may be hidden.
fn warn_of_uncounted(snapshot: &Snapshot) {
    let finds = |gap: &Gap| gap.source.finds_namespaces() || gap.source == Source::Relations;
    let hides = |gap: &&Gap| gap.cause.hides() && finds(gap);
    if snapshot.gaps.iter().any(|gap| hides(&gap)) {
        warn("what could not be seen is not counted: the counts may be too low");
    }
}

/// Counts the namespaces whose limit could not be read.
fn miss_unreadable(root: &Sysroot, limits: &[Limit], snapshot: &mut Snapshot) -> Result<(), Error> {
    for kind in Kind::ALL {
        let Err(error) = root.namespace_limit(*kind) else {
            continue;
        };
        let cause = match error {
            ReadError::Gone => Cause::NoSysctls,
            error => cause_of_read(error, || root.proc_path())?,
        };
        let concerned = limits.iter().filter(|limit| match &limit.limited {
            Limited::Namespaces {
                kind: own, user_ns, ..
            } => own == kind && user_ns.is_none(),
            Limited::Pids { .. } | Limited::Levels { .. } => false,
        });
        let count: u64 = concerned.map(|limit| limit.count).sum();
        if count > 0 {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            miss(snapshot, cause, count);
        }
    }
    Ok(())
}

/// Counts what is missing of so many namespaces, beside what the scan missed.
pub(super) fn miss(snapshot: &mut Snapshot, cause: Cause, count: usize) {
    let source = Source::Contents;
    let known = snapshot
        .gaps
        .binary_search_by_key(&(source, cause), |gap| (gap.source, gap.cause));
    match known {
        Ok(place) => {
            if let Some(gap) = snapshot.gaps.get_mut(place) {
                gap.count = gap.count.map(|known| known.saturating_add(count));
            }
        }
        Err(place) => {
            let gap = Gap {
                source,
                cause,
                count: Some(count),
                total: snapshot.processes.len(),
                links: LinkSet::EMPTY,
            };
            snapshot.gaps.insert(place, gap);
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    limits: &'a [Entry<'a>],
}

#[derive(Serialize)]
struct Entry<'a> {
    limit: String,
    r#type: Kind,
    ns: Option<u64>,
    uid: Option<u32>,
    user: Option<&'a Text>,
    count: u64,
    max: Option<u64>,
}

impl<'a> Entry<'a> {
    fn new(limit: &'a Limit) -> Self {
        let (kind, ns, uid, user) = match &limit.limited {
            Limited::Namespaces {
                kind,
                user_ns,
                uid,
                user,
            } => (*kind, user_ns.map(|id| id.ino), *uid, user.as_ref()),
            Limited::Pids { namespace } | Limited::Levels { namespace } => {
                (namespace.kind, Some(namespace.ino), None, None)
            }
        };
        Entry {
            limit: limit.name(),
            r#type: kind,
            ns,
            uid,
            user,
            count: limit.count,
            max: limit.max,
        }
    }
}

const HEADINGS: [Heading<'static>; 6] = [
    Heading::text("LIMIT").role(of_limit),
    Heading::number("NS"),
    Heading::text("USER"),
    Heading::number("COUNT"),
    Heading::number("MAX"),
    Heading::number("USED%").role(of_used),
];

/// The part of a limit, in percent, from which on it is near its end.
const NEAR: u64 = 90;

fn of_limit(name: &str) -> Option<Role> {
    name.split('_').find_map(Role::of_kind)
}

fn of_used(percent: &str) -> Option<Role> {
    let percent: u64 = parse_digits(percent)?;
    (percent >= NEAR).then_some(Role::Alarm)
}

fn row<'a>((limit, entry): (&Limit, &'a Entry<'_>)) -> Vec<Value<'a>> {
    vec![
        entry.limit.as_str().into(),
        entry.ns.into(),
        match entry.user {
            Some(user) => user.as_bytes().into(),
            None => entry.uid.into(),
        },
        Value::Number(entry.count),
        entry.max.into(),
        used(limit),
    ]
}

/// Returns how much of a limit is used. Less than one percent is neither none
/// nor one.
fn used<'a>(limit: &Limit) -> Value<'a> {
    match limit.percent() {
        Some(0) if limit.count > 0 => "<1".into(),
        percent => percent.into(),
    }
}
