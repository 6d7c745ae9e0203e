//! `nsls translate`: pids of a process in one pid namespace and another.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::cli::args::TranslateArgs;
use crate::cli::commands::View;
use crate::cli::commands::lookup::{containers, find_container};
use crate::cli::console::{Console, Outcome};
use crate::cli::error::CliError;
use crate::error::Error;
use crate::model::{Kind, KindSet, Link, NsId, Pid, Snapshot, Source, Sources};
use crate::output::{Format, Heading, Table};
use crate::proc::Sysroot;
use crate::query::Value;
use crate::scan::{Need, Needs, NsRef, Scanner, Target};

/// Runs `nsls translate`.
pub(crate) fn run(args: TranslateArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let TranslateArgs { pid, from, view } = args;
    let view = View::new(view, console);
    let root = &view.root;
    let (snapshot, pid) = match &from {
        None => match scan(root, Target::Process(pid), false) {
            // Its pids may be read by everybody, and only which namespaces
            // they belong to not.
            Err(Error::ProcessDenied { .. }) => (scan(root, Target::All, false)?, pid),
            scanned => (scanned?, pid),
        },
        Some(word) => {
            let by_container = !is_namespace(word);
            let snapshot = scan(root, Target::All, by_container)?;
            let within = if by_container {
                pid_ns_of(&snapshot, word)?
            } else {
                named(root, word)?
            };
            let pid = outer(root, &snapshot, within, pid, word)?;
            (snapshot, pid)
        }
    };
    let levels = levels(root, &snapshot, pid)?;
    if from.is_some() && view.format != Format::Json {
        let written = writeln!(console.out, "{pid}");
        return view.finish(&snapshot, console, written);
    }
    let rows = levels
        .iter()
        .map(|level| vec![Value::from(level.ns), Value::from(level.pid)]);
    let table = Table::new(["NS", "PID"].map(Heading::number), rows);
    let pids = &levels;
    view.show(&snapshot, console, &Document { pid, pids }, &table)
}

#[derive(Serialize)]
struct Document<'a> {
    pid: Pid,
    pids: &'a [Level],
}

fn scan(root: &Sysroot, target: Target, by_container: bool) -> Result<Snapshot, Error> {
    let containers = by_container.then_some(Need::Affiliation);
    let needs = [Need::Relations].into_iter().chain(containers);
    Scanner::new(root.clone())
        .kinds(KindSet::of(Kind::Pid))
        .target(target)
        .needs(needs.collect::<Needs>())
        .sources(Sources::of(Source::Processes))
        .scan()
}

/// Whether a word is a number, `pid:[…]` or a path, rather than the name of a
/// container.
fn is_namespace(word: &str) -> bool {
    word.contains('/') || !matches!(NsRef::from(word), NsRef::Path(_))
}

/// The pid namespace that was named.
fn named(root: &Sysroot, word: &str) -> Result<NsId, Error> {
    let target = Target::Namespace(NsRef::from(word));
    let scanner = Scanner::new(root.clone()).target(target);
    let found = scanner.sources(Sources::of(Source::Processes)).scan()?;
    let id = found.namespaces.first().map(|namespace| namespace.id);
    match id {
        Some(id) if id.kind == Kind::Pid => Ok(id),
        Some(NsId { kind, .. }) => Err(Error::NotAPidNamespace {
            name: word.to_owned(),
            kind,
        }),
        None => Err(Error::NoNamespace {
            name: word.to_owned(),
            gaps: Vec::new(),
        }),
    }
}

/// The pid namespace of a container: that of its first process.
fn pid_ns_of(snapshot: &Snapshot, word: &str) -> Result<NsId, Error> {
    let container = find_container(snapshot, word)?;
    let all = containers(snapshot);
    let processes = all.get(&container).into_iter().flat_map(|(_, all)| all);
    let mut numbers = processes.filter_map(|process| process.links.ino(Link::Pid));
    let ino = numbers.next().ok_or(Error::NoContainer {
        name: word.to_owned(),
        gaps: Vec::new(),
    })?;
    let kind = Kind::Pid;
    Ok(NsId { ino, kind })
}

/// A pid namespace and those above it, as far as they are known; the lowest
/// first.
fn line(parents: &BTreeMap<NsId, Option<NsId>>, id: NsId) -> Vec<NsId> {
    let mut line = vec![id];
    let mut seen = HashSet::from([id]);
    while let Some(Some(parent)) = line.last().and_then(|last| parents.get(last)) {
        if !seen.insert(*parent) {
            break;
        }
        line.push(*parent);
    }
    line
}

fn parents(snapshot: &Snapshot) -> BTreeMap<NsId, Option<NsId>> {
    let all = snapshot.namespaces.iter().chain(&snapshot.ancestors);
    let pid_ns = all.filter(|namespace| namespace.id.kind == Kind::Pid);
    pid_ns
        .map(|namespace| (namespace.id, namespace.relations.parent))
        .collect()
}

/// The pid here of the process that has another one within a pid namespace.
/// It need not be in that namespace: every namespace above sees it too.
fn outer(
    root: &Sysroot,
    snapshot: &Snapshot,
    within: NsId,
    inner: Pid,
    word: &str,
) -> Result<Pid, Error> {
    let parents = parents(snapshot);
    // How far each pid namespace is below that one.
    let below: BTreeMap<u64, usize> = parents
        .keys()
        .filter_map(|id| {
            let line = line(&parents, *id);
            let steps = line.iter().position(|above| *above == within)?;
            Some((id.ino, steps))
        })
        .collect();
    let steps_of = |pid: Pid| {
        let process = snapshot.process(pid)?;
        below.get(&process.links.ino(Link::Pid)?).copied()
    };
    let pids = snapshot.processes.iter().map(|process| process.pid);
    let pids: Vec<Pid> = pids.filter(|pid| steps_of(*pid).is_some()).collect();
    let nspids = Scanner::new(root.clone()).nspids(&pids)?;
    let found = nspids.into_iter().find(|(pid, nspid)| {
        let place = steps_of(*pid).and_then(|steps| nspid.len().checked_sub(steps + 1));
        place.and_then(|place| nspid.get(place)) == Some(&inner)
    });
    found
        .map(|(pid, _)| pid)
        .ok_or_else(|| Error::NoInnerProcess {
            pid: inner,
            name: word.to_owned(),
            gaps: snapshot.hiding_gaps(),
        })
}

/// One pid of a process.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Level {
    /// The pid namespace; none if it is not known.
    ns: Option<u64>,
    pid: Pid,
}

/// All pids of a process, from that in the pid namespace of the proc tree to
/// that in its own.
fn levels(root: &Sysroot, snapshot: &Snapshot, pid: Pid) -> Result<Vec<Level>, Error> {
    let scanner = Scanner::new(root.clone());
    let own = match scanner.links_of(pid) {
        Err(Error::ProcessDenied { .. }) => None,
        links => links?.ino(Link::Pid),
    };
    let kind = Kind::Pid;
    let line = own.map_or_else(Vec::new, |ino| line(&parents(snapshot), NsId { ino, kind }));
    let nspid = scanner.nspids(&[pid])?.into_iter().next();
    let (_, nspid) = nspid.ok_or(Error::NoProcess(pid))?;
    Ok(assign(&nspid, &line))
}

/// The lowest namespace belongs to the last pid, and so on.
fn assign(nspid: &[Pid], line: &[NsId]) -> Vec<Level> {
    let mut numbers = line.iter().map(|id| id.ino);
    let mut levels: Vec<_> = nspid
        .iter()
        .rev()
        .map(|pid| Level {
            ns: numbers.next(),
            pid: *pid,
        })
        .collect();
    levels.reverse();
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ino: u64) -> NsId {
        let kind = Kind::Pid;
        NsId { ino, kind }
    }

    #[test]
    fn a_line_goes_up_as_far_as_it_is_known_and_never_in_circles() {
        let parents = BTreeMap::from([
            (id(1), None),
            (id(2), Some(id(1))),
            (id(3), Some(id(2))),
            (id(4), Some(id(4))),
        ]);
        assert_eq!(line(&parents, id(3)), [id(3), id(2), id(1)]);
        assert_eq!(line(&parents, id(4)), [id(4)]);
        assert_eq!(line(&parents, id(9)), [id(9)]);
    }

    #[test]
    fn each_pid_gets_its_namespace_from_the_innermost_on() {
        let level = |ns, pid| Level { ns, pid };
        let both = [level(Some(1), 9454), level(Some(2), 11)];
        assert_eq!(assign(&[9454, 11], &[id(2), id(1)]), both);
        let inner = [level(None, 9454), level(Some(2), 11)];
        assert_eq!(assign(&[9454, 11], &[id(2)]), inner);
        assert_eq!(assign(&[7], &[id(2), id(1)]), [level(Some(2), 7)]);
    }

    #[test]
    fn a_word_that_is_no_number_and_no_path_is_a_container() {
        for word in ["4026532000", "pid:[4026532000]", "/proc/1/ns/pid", "./x"] {
            assert!(is_namespace(word), "{word}");
        }
        for word in ["web", "docker:web", "5f82"] {
            assert!(!is_namespace(word), "{word}");
        }
    }
}
