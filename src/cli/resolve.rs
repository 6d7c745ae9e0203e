//! What people call a namespace, a process or a container.
//!
//! Numbers and paths need no scan. Any other word is a name: of a container, of a
//! net namespace in `/run/netns`, of an interface.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;

use crate::analysis::{self, Found, Match, PID_MAX, Role, Thing, find_container};
use crate::cli::error::CliError;
use crate::cli::search;
use crate::cli::view::View;
use crate::error::Error;
use crate::model::{Container, Kind, KindSet, Namespace, NsId, Pid, Snapshot};
use crate::query::nearest;
use crate::scan::{NsRef, Target};
use crate::text::parse_digits;

/// Returns what a NAMESPACE names. The number of a process means its namespaces;
/// the name of a container means its pid namespace, or the one of the only type
/// in `kinds`.
pub(crate) fn namespace(view: &View, word: &OsStr, kinds: KindSet) -> Result<Target, CliError> {
    let name = NsRef::from(word);
    let word = match (&name, word.to_str()) {
        (NsRef::Ino(number), Some(word)) => {
            return Ok(match pid(word) {
                Some(pid) if *number <= PID_MAX && exists(view, pid) => Target::Process(pid),
                _ => Target::Namespace(name),
            });
        }
        (NsRef::Path(_), Some(word)) if !word.contains('/') && !word.is_empty() => word,
        _ => return Ok(Target::Namespace(name)),
    };
    let path = view.scanner().identify(&name);
    if let Ok(Some(_)) = path {
        return Ok(Target::Namespace(name));
    }
    let things = named(view, word);
    let snapshot = search::scan(view, &things.iter().collect::<Vec<_>>())?;
    let mut found: BTreeMap<NsId, String> = BTreeMap::new();
    for thing in &things {
        if let Thing::Container(_) = thing {
            let Some(running) = optional(find_container(&snapshot, word))? else {
                continue;
            };
            let kind = match kinds.iter().collect::<Vec<_>>()[..] {
                [only] => only,
                _ => Kind::Pid,
            };
            let Some(id) = running.representative.links.own(kind) else {
                continue;
            };
            if kinds.contains(kind) {
                if kinds == KindSet::all() && is_of_host(&snapshot, id) {
                    return Err(shared_pid_namespace(running.container));
                }
                found.insert(id, running.container.to_string());
            }
            continue;
        }
        for one in analysis::find(&snapshot, thing).iter().filter(is_direct) {
            if kinds.contains(one.namespace.id.kind) {
                found.insert(one.namespace.id, called(thing));
            }
        }
    }
    match (found.len(), found.keys().next()) {
        (1, Some(id)) => Ok(Target::Namespace(NsRef::Id(*id))),
        (0, _) => Err(match path {
            // There is such a file.
            Err(error) if !is_missing(&error) => error.into(),
            _ => unknown(&snapshot, word, &things),
        }),
        _ => {
            let candidates = found.into_iter();
            let candidates = candidates.map(|(id, what)| format!("{id} ({what})"));
            Err(ambiguous(word, candidates))
        }
    }
}

/// Returns the process that a word names: its PID, or the lowest PID of a
/// container, a net namespace in `/run/netns`, or the net namespace of an
/// interface.
pub(crate) fn process(view: &View, word: &str) -> Result<Pid, CliError> {
    if let Some(pid) = pid(word) {
        return Ok(pid);
    }
    let things = named(view, word);
    if things.is_empty() {
        return Err(no_pid(word));
    }
    let snapshot = search::scan(view, &things.iter().collect::<Vec<_>>())?;
    if let Some(running) = optional(find_container(&snapshot, word))? {
        return Ok(running.representative.pid);
    }
    let mut found: BTreeMap<Pid, String> = BTreeMap::new();
    for thing in &things {
        for one in analysis::find(&snapshot, thing).iter().filter(is_direct) {
            if let Some(process) = one.process {
                found.insert(process.pid, called(thing));
            }
        }
    }
    match (found.len(), found.first_key_value()) {
        (1, Some((pid, _))) => Ok(*pid),
        (0, _) => Err(unknown(&snapshot, word, &things)),
        _ => {
            let candidates = found.iter();
            let candidates = candidates.map(|(pid, what)| format!("process {pid} ({what})"));
            Err(ambiguous(word, candidates))
        }
    }
}

/// Returns the container that a word names, if none is called so: that of a
/// process, of a net namespace in `/run/netns`, or of an interface.
pub(crate) fn container(view: &View, word: &str) -> Result<Container, CliError> {
    let things = match pid(word) {
        Some(pid) => vec![Thing::Process(pid)],
        None => named(view, word),
    };
    let snapshot = search::scan(view, &things.iter().collect::<Vec<_>>())?;
    let mut found: Vec<&Container> = Vec::new();
    for thing in &things {
        for one in analysis::find(&snapshot, thing).iter().filter(is_direct) {
            let facts = one.namespace.facts.as_deref();
            let all = facts.map_or(&[][..], |facts| &facts.affiliations);
            let all = all.iter().filter_map(|one| one.container.as_ref());
            match (thing, one.process) {
                (Thing::Process(_), Some(process)) => found.extend(process.container()),
                _ => found.extend(all),
            }
        }
    }
    found.sort();
    found.dedup();
    match found[..] {
        [only] => Ok(only.clone()),
        [] => Err(unknown(&snapshot, word, &things)),
        _ => Err(ambiguous(word, found.iter().map(ToString::to_string))),
    }
}

/// Names a thing in a list of candidates.
fn called(thing: &Thing) -> String {
    match thing {
        Thing::NetnsName(name) => format!("/run/netns/{name}"),
        Thing::Interface { name, .. } => format!("interface {name}"),
        other => other.to_string(),
    }
}

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

/// Returns what a name may be the name of.
fn named(view: &View, word: &str) -> Vec<Thing> {
    let readings = Thing::readings(word).unwrap_or_default();
    let is_name = |thing: &Thing| {
        matches!(
            thing,
            Thing::Container(_) | Thing::NetnsName(_) | Thing::Interface { .. }
        )
    };
    let names = readings.into_iter().filter(is_name);
    let is_known = |thing: &Thing| view.root.is_live() || !thing.is_live();
    names.filter(is_known).collect()
}

/// Returns whether a match is what was named, rather than what is connected to it.
fn is_direct(one: &&Match<'_>) -> bool {
    !matches!(one.found, Found::Interface(_, role) if role != Role::Wanted)
}

/// Parses a PID. The ID of a container may be all digits, but has more of them.
pub(crate) fn pid(word: &str) -> Option<Pid> {
    parse_digits(word.trim()).filter(|pid| *pid > 0)
}

fn exists(view: &View, pid: Pid) -> bool {
    let links = view.scanner().links_of(pid);
    !matches!(
        links,
        Err(Error::NoProcess(_) | Error::HiddenProcess(_) | Error::NoProcesses(_))
    )
}

fn is_of_host(snapshot: &Snapshot, id: NsId) -> bool {
    let facts = |namespace: &Namespace| namespace.facts.as_deref()?.is_host;
    snapshot.namespace(id).and_then(facts) == Some(true)
}

/// Takes the absence of a container for an answer.
fn optional<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Err(Error::NoContainer { .. }) => Ok(None),
        found => found.map(Some),
    }
}

/// Returns the error for a number that no process can have.
pub(crate) fn no_pid(word: &str) -> CliError {
    CliError::Usage(format!(
        "'{word}' is no PID; they are numbers from 1 to {PID_MAX}"
    ))
}

fn shared_pid_namespace(container: &Container) -> CliError {
    CliError::Usage(format!(
        "{container} is in the pid namespace of the host: choose another type with --type, or use --container"
    ))
}

fn ambiguous(word: &str, candidates: impl Iterator<Item = String>) -> CliError {
    Error::Ambiguous {
        name: word.to_owned(),
        candidates: candidates.collect(),
    }
    .into()
}

/// Returns an error that proposes the most similar name.
fn unknown(snapshot: &Snapshot, word: &str, things: &[Thing]) -> CliError {
    let containers = snapshot.processes.iter().filter_map(|one| one.container());
    let mut names: Vec<String> = containers.map(|one| one.label().to_owned()).collect();
    for namespace in &snapshot.namespaces {
        let mounts = namespace.mounts.iter();
        let netns = mounts.filter_map(|path| path.strip_prefix(analysis::NETNS));
        let interfaces = namespace.facts.iter().flat_map(|facts| &facts.interfaces);
        let interfaces = interfaces.flatten().map(|interface| &*interface.name);
        let all = netns.chain(interfaces);
        names.extend(all.map(|name| String::from_utf8_lossy(name).into_owned()));
    }
    Error::NothingFound {
        name: word.to_owned(),
        looked_for: crate::output::looked_for(things),
        nearest: nearest(word, names.iter().map(String::as_str)).map(str::to_owned),
        gaps: snapshot.hiding_gaps(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_are_pids() {
        assert_eq!((pid("1234"), pid(" 12 ")), (Some(1234), Some(12)));
        for word in ["", "0", "+1", "1 2", "web", "5827292992112345678"] {
            assert_eq!(pid(word), None, "{word}");
        }
    }
}
