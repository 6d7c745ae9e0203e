//! Processes, by their own names and by what they belong to.

use std::collections::BTreeMap;

use crate::analysis::find::{Found, Match, Thing};
use crate::model::{Affiliation, Kind, Namespace, NsId, Process, Snapshot};

/// Finds processes. Those that are in the same namespaces are found once, with
/// the lowest PID, in the first namespace that sets them apart from the host, or
/// else in their pid namespace.
pub(super) fn processes<'a>(snapshot: &'a Snapshot, thing: &Thing) -> Vec<Match<'a>> {
    let mut found: BTreeMap<Vec<NsId>, Match<'_>> = BTreeMap::new();
    let wanted = snapshot.processes.iter();
    for process in wanted.filter(|process| is_wanted(process, thing)) {
        let own = TELLING.iter().filter_map(|kind| process.links.own(*kind));
        let own: Vec<_> = own.filter_map(|id| snapshot.namespace(id)).collect();
        let apart = own.iter().filter(|namespace| !is_of_host(namespace));
        let key: Vec<NsId> = apart.clone().map(|namespace| namespace.id).collect();
        let Some(namespace) = apart.chain(&own).next() else {
            continue;
        };
        let group = found.entry(key).or_insert(Match {
            found: Found::Processes(0),
            namespace,
            process: Some(process),
        });
        if let Found::Processes(count) = &mut group.found {
            *count += 1;
        }
    }
    let mut matches: Vec<Match<'_>> = found.into_values().collect();
    matches.sort_by_key(|one| one.process.map(|process| process.pid));
    matches
}

/// The types of namespaces, those first that tell most about a process.
const TELLING: [Kind; 8] = [
    Kind::Pid,
    Kind::Mnt,
    Kind::Net,
    Kind::User,
    Kind::Uts,
    Kind::Ipc,
    Kind::Cgroup,
    Kind::Time,
];

fn is_of_host(namespace: &Namespace) -> bool {
    let facts = namespace.facts.as_deref();
    facts.and_then(|facts| facts.is_host) == Some(true)
}

fn is_wanted(process: &Process, thing: &Thing) -> bool {
    match thing {
        Thing::Process(pid) => process.pid == *pid,
        Thing::Command(name) => process
            .command()
            .is_some_and(|command| program(command) == name.as_bytes()),
        Thing::User(name) => {
            process
                .user()
                .is_some_and(|user| **user == *name.as_bytes())
                || process.uid().is_some_and(|uid| uid.to_string() == *name)
        }
        _ => process
            .affiliation
            .as_deref()
            .is_some_and(|affiliation| belongs(affiliation, thing)),
    }
}

fn belongs(affiliation: &Affiliation, thing: &Thing) -> bool {
    match thing {
        Thing::Container(name) => affiliation
            .container
            .as_ref()
            .is_some_and(|container| container.is_called(name) || container.has_prefix(name)),
        Thing::Pod(name) => affiliation
            .pod
            .as_deref()
            .is_some_and(|pod| pod == name || name.len() >= SHORT_POD && pod.starts_with(&**name)),
        Thing::Unit(name) => affiliation.unit.as_deref().is_some_and(|unit| {
            unit == name || unit.rsplit_once('.').is_some_and(|(stem, _)| stem == name)
        }),
        _ => false,
    }
}

/// The number of characters that tell pods apart: people hold a part of the UID,
/// but no word of a few letters is meant as one.
const SHORT_POD: usize = 8;

/// Returns the name of a program in a command line: what stands first, without
/// the directory, the dash of a login shell, or the colon of a title such as
/// `nginx: worker process`.
fn program(command: &[u8]) -> &[u8] {
    let first = command.split(|byte| *byte == b' ').next();
    let first = first.unwrap_or_default();
    let name = first.rsplit(|byte| *byte == b'/').next();
    let name = name.unwrap_or_default();
    let name = name.strip_suffix(b":").unwrap_or(name);
    name.strip_prefix(b"-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Container, Details, Engine, Holder, Link, Links, Pid};

    const ID: &str = "5f82729299210000000000000000000000000000000000000000000000000000";

    fn process(pid: Pid, pid_ns: u64, net_ns: u64, command: &str) -> Process {
        let mut links = Links::default();
        links.set(Link::Pid, pid_ns);
        links.set(Link::Net, net_ns);
        let mut process = Process::new(pid, links);
        process.details = Some(Box::new(Details {
            command: Some(command.into()),
            uid: Some(1000 + pid),
            user: Some(format!("user{pid}").into()),
            ..Details::default()
        }));
        process
    }

    fn snapshot() -> Snapshot {
        let namespace = |kind, ino, is_host| {
            let mut namespace = Namespace::new(NsId { ino, kind }, Holder::of_link(5, Link::Net));
            namespace.facts_mut().is_host = Some(is_host);
            namespace
        };
        let mut snapshot = Snapshot {
            namespaces: vec![
                namespace(Kind::Pid, 1, true),
                namespace(Kind::Net, 2, true),
                namespace(Kind::Pid, 3, false),
                namespace(Kind::Net, 4, false),
            ],
            processes: vec![
                process(5, 1, 2, "/usr/sbin/nginx -g x"),
                process(6, 3, 4, "nginx: worker process"),
                process(7, 3, 4, "-bash"),
                process(8, 3, 2, "nginx"),
                process(9, 1, 4, "sleep"),
            ],
            ..Snapshot::default()
        };
        for process in &mut snapshot.processes[1..3] {
            process.affiliation = Some(Arc::new(Affiliation {
                container: Some(Container {
                    engine: Some(Engine::Podman),
                    id: ID.to_owned(),
                    name: Some("web".to_owned()),
                    uid: None,
                }),
                pod: Some("0f4b2a1c-77aa-4c6e-9a55-6c0ad0b5d1f0".to_owned()),
                unit: Some("web.service".to_owned()),
                nested: None,
            }));
        }
        snapshot
    }

    fn found(word: &str) -> Vec<String> {
        let snapshot = snapshot();
        let [thing] = &Thing::readings(word).unwrap()[..] else {
            panic!("{word}");
        };
        let matches = crate::analysis::find(&snapshot, thing).into_iter();
        matches
            .map(|one| {
                let Found::Processes(count) = one.found else {
                    panic!("{one:?}");
                };
                format!("{} {} x{count}", one.namespace.id, one.process.unwrap().pid)
            })
            .collect()
    }

    #[test]
    fn processes_are_found_where_they_are_set_apart_or_in_their_pid_namespace() {
        let nginx = ["pid:[1] 5 x1", "pid:[3] 6 x1", "pid:[3] 8 x1"];
        assert_eq!(found("command:nginx"), nginx);
        assert_eq!(found("pid:8"), ["pid:[3] 8 x1"]);
        assert_eq!(found("command:bash"), ["pid:[3] 7 x1"]);
        assert_eq!(found("pid:9"), ["net:[4] 9 x1"]);
        assert_eq!(found("user:user7"), found("user:1007"));
        assert_eq!(found("user:1005"), ["pid:[1] 5 x1"]);
    }

    #[test]
    fn processes_are_found_by_what_they_belong_to() {
        let both = ["pid:[3] 6 x2"];
        for word in [
            "container:web",
            "container:podman:web",
            "container:5f82",
            "pod:0f4b2a1c",
            "unit:web",
            "unit:web.service",
        ] {
            assert_eq!(found(word), both, "{word}");
        }
        for word in [
            "container:docker:web",
            "container:we",
            "pod:0f4b",
            "unit:we",
            "command:nginx:",
            "command:worker",
            "pid:10",
            "user:user",
        ] {
            assert_eq!(found(word), [""; 0], "{word}");
        }
    }
}
