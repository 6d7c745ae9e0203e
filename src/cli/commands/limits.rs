//! `nsls limits`: namespaces and processes against the limits of the kernel.

use serde::Serialize;

use crate::analysis::{self, Limit, Limited};
use crate::cli::args::LimitsArgs;
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::cli::options::View;
use crate::model::Kind;
use crate::output::{Heading, Table};
use crate::query::Value;
use crate::scan::Need;
use crate::text::Text;

/// Runs `nsls limits`.
pub(crate) fn run(args: LimitsArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    let snapshot = view
        .scanner()
        .needs([Need::OwnerUid, Need::User, Need::PidMax, Need::Relations])
        .scan()?;
    let limits = analysis::limits(&snapshot, |kind| view.root.max_namespaces(kind));
    let entries: Vec<_> = limits.iter().map(Entry::new).collect();
    let table = Table::new(HEADINGS, limits.iter().zip(&entries).map(row));
    view.show(&snapshot, console, &Document { limits: &entries }, &table)
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
            Limited::Namespaces { kind, uid, user } => (*kind, None, *uid, user.as_ref()),
            Limited::Pids { namespace } => (namespace.kind, Some(namespace.ino), None, None),
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
    Heading::text("LIMIT"),
    Heading::number("NS"),
    Heading::text("USER"),
    Heading::number("COUNT"),
    Heading::number("MAX"),
    Heading::number("USED%"),
];

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
        limit.percent().into(),
    ]
}
