//! `nsls limits`: how many namespaces there are of those that may be made.
//!
//! The kernel counts for each user who made a namespace, and tells nobody. What
//! is counted here are the namespaces that were found, for the user who made
//! their owner, namespaces(7) and user_namespaces(7).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::args::LimitsArgs;
use crate::cli::commands::View;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::model::{Kind, Member, NsId, Snapshot};
use crate::output::{Heading, Table};
use crate::proc::Sysroot;
use crate::query::Value;
use crate::scan::{Need, Scanner};
use crate::text::Text;

/// Runs `nsls limits`.
pub(crate) fn run(args: LimitsArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console);
    let needs = [Need::OwnerUid, Need::User, Need::PidMax, Need::Relations];
    let snapshot = Scanner::new(view.root.clone()).needs(needs).scan()?;
    let mut limits = namespace_limits(&snapshot, &view.root);
    limits.extend(pid_limits(&snapshot));
    let table = Table::new(HEADINGS, limits.iter().map(row));
    view.show(&snapshot, console, &Document { limits: &limits }, &table)
}

#[derive(Serialize)]
struct Document<'a> {
    limits: &'a [Limit],
}

/// One limit, and what was counted against it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Limit {
    limit: String,
    r#type: &'static str,
    /// The pid namespace to which it belongs.
    ns: Option<u64>,
    /// The user to whom it belongs.
    uid: Option<u32>,
    user: Option<Text>,
    count: u64,
    max: Option<u64>,
}

/// Of each type and user.
fn namespace_limits(snapshot: &Snapshot, root: &Sysroot) -> Vec<Limit> {
    type Counted<'a> = (Option<&'a Text>, u64);
    let mut counts: BTreeMap<(usize, Option<u32>), Counted<'_>> = BTreeMap::new();
    for namespace in &snapshot.namespaces {
        let relations = &namespace.relations;
        let user = relations.owner_user.as_ref();
        let key = (namespace.id.kind.index(), relations.owner_uid);
        counts.entry(key).or_insert((user, 0)).1 += 1;
    }
    let limit = |((place, uid), (user, count)): (_, Counted<'_>)| {
        let kind = *Kind::ALL.get::<usize>(place)?;
        Some(Limit {
            limit: format!("max_{kind}_namespaces"),
            r#type: kind.name(),
            ns: None,
            uid,
            user: user.cloned(),
            count,
            max: root.most_namespaces(kind),
        })
    };
    counts.into_iter().filter_map(limit).collect()
}

/// Of each pid namespace: processes in it and in those below, for they have
/// pids in it as well.
fn pid_limits(snapshot: &Snapshot) -> Vec<Limit> {
    let all = || {
        let all = snapshot.namespaces.iter();
        all.filter(|namespace| namespace.id.kind == Kind::Pid)
    };
    let mut counts: BTreeMap<NsId, u64> = BTreeMap::new();
    for namespace in all() {
        let mut here = Some(namespace);
        // The kernel nests 32 deep, pid_namespaces(7).
        for _ in 0..=32 {
            let Some(above) = here else { break };
            *counts.entry(above.id).or_default() += namespace.nprocs as u64;
            here = above.relations.parent.and_then(|id| snapshot.namespace(id));
        }
    }
    all()
        .map(|namespace| Limit {
            limit: "pid_max".to_owned(),
            r#type: namespace.id.kind.name(),
            ns: Some(namespace.id.ino),
            uid: None,
            user: None,
            count: counts.get(&namespace.id).copied().unwrap_or(0),
            max: namespace
                .facts
                .as_ref()
                .and_then(|facts| facts.pid_max)
                .map(u64::from),
        })
        .collect()
}

/// How much of a limit is used, in percent, rounded up: nothing that is used
/// is shown as 0.
fn percent(limit: &Limit) -> Option<u64> {
    let max = limit.max.filter(|max| *max > 0)?;
    Some((limit.count * 100).div_ceil(max))
}

const HEADINGS: [Heading<'static>; 6] = [
    Heading::text("LIMIT"),
    Heading::number("NS"),
    Heading::text("USER"),
    Heading::number("COUNT"),
    Heading::number("MAX"),
    Heading::number("USED%"),
];

fn row(limit: &Limit) -> Vec<Value<'_>> {
    vec![
        limit.limit.as_str().into(),
        limit.ns.into(),
        match &limit.user {
            Some(user) => user.as_bytes().into(),
            None => limit.uid.into(),
        },
        limit.count.into(),
        limit.max.into(),
        percent(limit).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holder, Link, Namespace};

    #[test]
    fn a_process_has_a_pid_in_every_namespace_above() {
        let kind = Kind::Pid;
        let pid_ns = |ino, parent: Option<u64>, nprocs| {
            let mut namespace = Namespace::new(NsId { ino, kind }, Holder::of_link(1, Link::Pid));
            namespace.relations.parent = parent.map(|ino| NsId { ino, kind });
            namespace.nprocs = nprocs;
            namespace.facts_mut().pid_max = Some(32768);
            namespace
        };
        let snapshot = Snapshot {
            namespaces: vec![
                pid_ns(1, None, 100),
                pid_ns(2, Some(1), 10),
                pid_ns(3, Some(2), 1),
            ],
            ..Snapshot::default()
        };
        let limits = pid_limits(&snapshot);
        let counted: Vec<_> = limits.iter().map(|limit| (limit.ns, limit.count)).collect();
        assert_eq!(counted, [(Some(1), 111), (Some(2), 11), (Some(3), 1)]);
        let used: Vec<_> = limits.iter().map(percent).collect();
        assert_eq!(used, [Some(1), Some(1), Some(1)]);
    }
}
