//! `nsls leaks`: namespaces that nothing seems to need, and what a command left
//! behind.

mod command;
mod document;
mod release;

use std::collections::{BTreeSet, HashSet};
use std::thread;
use std::time::Duration;

use crate::analysis::{self, Leak};
use crate::cli::args::LeaksArgs;
use crate::cli::console::{Console, Outcome, warn};
use crate::cli::error::CliError;
use crate::cli::view::View;
use crate::kernel::ticks_since_boot;
use crate::model::{KindSet, Namespace, NsId, Pid, Snapshot};
use crate::output::{Heading, Role, Table};
use crate::query::Value;
use crate::scan::Need;

use document::{Document, Entry};

/// What a look has to collect.
const NEEDS: [Need; 7] = [
    Need::Members,
    Need::Holders,
    Need::UniqueId,
    Need::StartTime,
    Need::Command,
    Need::User,
    Need::Path,
];

/// How long to wait before each further look. What is about to end is then gone.
const WAITS: [Duration; 3] = [
    Duration::from_millis(20),
    Duration::from_millis(80),
    Duration::from_millis(300),
];

/// Runs `nsls leaks`. The outcome is [`Outcome::Different`] if there are any, or
/// that of the command if it failed.
pub(crate) fn run(args: LeaksArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let view = View::new(args.view, console.terminal);
    let kinds = match args.types.is_empty() {
        true => KindSet::all(),
        false => args.types.into_iter().collect(),
    };
    let wants = |leak: &Leak<'_>| kinds.contains(leak.namespace.id.kind);
    if args.command.is_empty() {
        let find = |snapshot: &Snapshot| {
            let found = analysis::leaks(snapshot).into_iter().filter(wants);
            found.map(|leak| key(leak.namespace)).collect()
        };
        let (snapshot, lasting) = look(&view, find)?;
        let mut found = analysis::leaks(&snapshot);
        found.retain(|leak| lasting.contains(&key(leak.namespace)));
        return show(&view, &snapshot, &found, None, console);
    }
    if !view.root.is_live() {
        let message = "commands run on the live system only, not with --sysroot";
        return Err(CliError::Usage(message.to_owned()));
    }
    let before = Before::new(&scan(&view)?);
    let is_report_apart = view.look().is_none();
    let code = match command::run(&args.command, is_report_apart) {
        Ok(code) => code,
        Err(code) => return Ok(Outcome::Ran(code)),
    };
    let find = |snapshot: &Snapshot| {
        let left = before.left(snapshot, kinds).into_iter();
        left.map(key).collect()
    };
    let (snapshot, lasting) = look(&view, find)?;
    let mut left = before.left(&snapshot, kinds);
    left.retain(|namespace| lasting.contains(&key(namespace)));
    let found = analysis::timed(&snapshot, left);
    let outcome = show(&view, &snapshot, &found, Some(before.identity()), console)?;
    if !before.has_ids {
        warn("compared by number and type, as this kernel has no IDs (Linux 6.18)");
    }
    Ok(match code {
        0 => outcome,
        code => Outcome::Ran(code),
    })
}

/// Looks at everything: what a namespace of one type holds may be of another.
fn scan(view: &View) -> Result<Snapshot, CliError> {
    Ok(view.scanner().needs(NEEDS).scan()?)
}

/// Number, type and ID, as far as it is known.
type Key = (NsId, Option<u64>);

const fn key(namespace: &Namespace) -> Key {
    (namespace.id, namespace.relations.unique_id)
}

/// Looks for some namespaces until there are none, a few times. Returns the last
/// look, and those that were there each time: what is about to end is not, nor what
/// came later.
fn look(
    view: &View,
    find: impl Fn(&Snapshot) -> HashSet<Key>,
) -> Result<(Snapshot, HashSet<Key>), CliError> {
    let mut snapshot = scan(view)?;
    let mut lasting = find(&snapshot);
    // Nothing ends in a captured tree.
    for wait in WAITS.iter().filter(|_| view.root.is_live()) {
        if lasting.is_empty() {
            break;
        }
        thread::sleep(*wait);
        snapshot = scan(view)?;
        let found = find(&snapshot);
        lasting.retain(|key| found.contains(key));
    }
    let all = snapshot.namespaces.iter();
    let holders = holders(all.filter(|one| lasting.contains(&key(one))));
    let scanner = view.scanner().needs(NEEDS);
    scanner.describe(&mut snapshot, &holders)?;
    Ok((snapshot, lasting))
}

/// Returns the processes that hold these namespaces.
fn holders<'a>(namespaces: impl Iterator<Item = &'a Namespace>) -> BTreeSet<Pid> {
    let holders = namespaces.flat_map(|namespace| &namespace.holders);
    holders.filter_map(|holder| holder.pid()).collect()
}

/// The namespaces that there were.
struct Before {
    numbers: HashSet<NsId>,
    ids: HashSet<u64>,
    has_ids: bool,
}

impl Before {
    fn new(snapshot: &Snapshot) -> Self {
        let all = snapshot.namespaces.iter();
        let ids = all.clone().filter_map(|one| one.relations.unique_id);
        let ids: HashSet<u64> = ids.collect();
        Before {
            numbers: all.map(|one| one.id).collect(),
            has_ids: !ids.is_empty(),
            ids,
        }
    }

    /// Returns the namespaces that there were not.
    fn left<'a>(&self, snapshot: &'a Snapshot, kinds: KindSet) -> Vec<&'a Namespace> {
        let all = snapshot.namespaces.iter();
        let of_kind = all.filter(|one| kinds.contains(one.id.kind));
        of_kind
            .filter(|one| match one.relations.unique_id {
                Some(id) if self.has_ids => !self.ids.contains(&id),
                _ => !self.numbers.contains(&one.id),
            })
            .collect()
    }

    fn identity(&self) -> &'static str {
        if self.has_ids { "id" } else { "number" }
    }
}

fn show(
    view: &View,
    snapshot: &Snapshot,
    found: &[Leak<'_>],
    identity: Option<&'static str>,
    console: &mut Console<'_>,
) -> Result<Outcome, CliError> {
    let now = view.root.is_live().then(ticks_since_boot).flatten();
    let leaks: Vec<_> = found
        .iter()
        .map(|leak| Entry::new(&view.root, snapshot, leak, now))
        .collect();
    let table = Table::new(HEADINGS, leaks.iter().map(row));
    let document = Document {
        identity,
        leaks: &leaks,
    };
    let outcome = view.show(snapshot, console, &document, &table)?;
    if !found.is_empty() && !snapshot.is_complete() {
        warn("something that could not be seen may need some of these");
    }
    Ok(outcome.or(Outcome::Different, !found.is_empty()))
}

const HEADINGS: [Heading<'static>; 7] = [
    Heading::text("TYPE").role(Role::of_kind),
    Heading::number("NS").role(|_| Some(Role::Alarm)),
    Heading::number("NPROCS"),
    Heading::text("HELD"),
    Heading::text("USER"),
    Heading::text("HOLDER"),
    Heading::text("RELEASE"),
];

fn row<'a>(entry: &'a Entry<'_>) -> Vec<Value<'a>> {
    let held = match entry.held_max {
        Some(seconds) => Value::from(format!("<{}", duration(seconds))),
        None => Value::Null,
    };
    let commands: Vec<&[u8]> = entry.release.iter().map(|line| line.as_bytes()).collect();
    vec![
        entry.r#type.into(),
        Value::Number(entry.ns),
        Value::Number(entry.nprocs as u64),
        held,
        match entry.user {
            Some(user) => user.into(),
            None => entry.uid.into(),
        },
        Value::Holders(entry.held, entry.first),
        Value::Text(commands.join(&b"; "[..]).into()),
    ]
}

/// Returns seconds in the largest unit of which there is one, rounded up.
fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let unit = units.iter().find(|(size, _)| seconds >= *size);
    let (size, name) = unit.copied().unwrap_or((1, "s"));
    format!("{}{name}", seconds.div_ceil(size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holder, Kind};

    fn snapshot(all: &[(u64, Option<u64>)]) -> Snapshot {
        let namespace = |(ino, unique_id): &(u64, Option<u64>)| {
            let id = NsId {
                ino: *ino,
                kind: Kind::Net,
            };
            let mut namespace = Namespace::new(id, Holder::Path("".into()));
            namespace.relations.unique_id = *unique_id;
            namespace
        };
        Snapshot {
            namespaces: all.iter().map(namespace).collect(),
            ..Snapshot::default()
        }
    }

    fn left(before: &[(u64, Option<u64>)], after: &[(u64, Option<u64>)]) -> Vec<u64> {
        let after = snapshot(after);
        let left = Before::new(&snapshot(before)).left(&after, KindSet::all());
        left.iter().map(|one| one.id.ino).collect()
    }

    #[test]
    fn what_is_left_has_an_id_that_was_not_there_or_else_a_number() {
        let before = [(1, Some(10)), (2, Some(11)), (3, None)];
        let after = [(1, Some(12)), (2, Some(11)), (3, None), (4, None)];
        assert_eq!(left(&before, &after), [1, 4]);
        assert_eq!(left(&[(1, None)], &[(1, None), (2, None)]), [2]);
        let other = snapshot(&after);
        let uts = KindSet::of(Kind::Uts);
        assert!(Before::new(&snapshot(&[])).left(&other, uts).is_empty());
    }

    #[test]
    fn a_duration_is_rounded_up_to_one_unit() {
        let shown = [0, 59, 60, 7199, 86_399, 200_000].map(duration);
        assert_eq!(shown, ["0s", "59s", "1m", "2h", "24h", "3d"]);
    }
}
