use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::error::Error;
use crate::model::{Affiliation, Container, Kind, KindSet, Process, Snapshot};
use crate::text::Text;

/// A container with at least one process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunningContainer<'a> {
    /// Its engine, ID and name.
    pub container: &'a Container,
    /// The process with the lowest PID. Its namespaces, pod and unit are taken
    /// for those of the container.
    pub representative: &'a Process,
    /// All its processes, by PID.
    pub processes: Vec<&'a Process>,
    /// The UID of its pod, or the engine's ID for it.
    pub pod: Option<&'a str>,
    /// Its systemd unit.
    pub unit: Option<&'a str>,
    /// The containers that cgroups inside are named after: ones that run
    /// nested, or any other names that someone inside chose.
    pub claims: BTreeSet<&'a Container>,
    /// Types whose namespace it shares with the host; requires
    /// [`Need::Host`](crate::Need::Host).
    pub shared: KindSet,
    /// Types for which that is unknown.
    pub unknown: KindSet,
    /// Its host name; requires [`Need::HostNames`](crate::Need::HostNames).
    pub hostname: Option<&'a Text>,
}

/// Returns the containers of a snapshot, by engine and ID; requires
/// [`Need::Affiliation`](crate::Need::Affiliation).
///
/// ```no_run
/// # fn main() -> Result<(), nsls::Error> {
/// use nsls::{Kind, Need, Scanner, Sysroot, analysis};
///
/// let needs = [Need::Affiliation, Need::Host];
/// let snapshot = Scanner::new(Sysroot::live()).needs(needs).scan()?;
/// for one in analysis::containers(&snapshot) {
///     if one.shared.contains(Kind::Net) {
///         println!("{} is on the host's network", one.container);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn containers(snapshot: &Snapshot) -> Vec<RunningContainer<'_>> {
    let mut found: BTreeMap<&Container, RunningContainer<'_>> = BTreeMap::new();
    for process in &snapshot.processes {
        let Some(affiliation) = process.affiliation.as_deref() else {
            continue;
        };
        let Some(container) = &affiliation.container else {
            continue;
        };
        let running = found
            .entry(container)
            .or_insert_with(|| RunningContainer::new(snapshot, container, affiliation, process));
        running.processes.push(process);
        running.claims.extend(&affiliation.nested);
    }
    found.into_values().collect()
}

impl<'a> RunningContainer<'a> {
    fn new(
        snapshot: &'a Snapshot,
        container: &'a Container,
        affiliation: &'a Affiliation,
        representative: &'a Process,
    ) -> Self {
        let mut running = RunningContainer {
            container,
            representative,
            processes: Vec::new(),
            pod: affiliation.pod.as_deref(),
            unit: affiliation.unit.as_deref(),
            claims: BTreeSet::new(),
            shared: KindSet::EMPTY,
            unknown: KindSet::EMPTY,
            hostname: None,
        };
        let own = representative.links.iter();
        for (link, id) in own.filter(|(link, _)| !link.is_for_children()) {
            let namespace = snapshot.namespace(id);
            let facts = namespace.and_then(|namespace| namespace.facts.as_deref());
            match facts.and_then(|facts| facts.is_host) {
                Some(true) => running.shared.insert(link.kind()),
                Some(false) => {}
                None => running.unknown.insert(link.kind()),
            }
            if id.kind == Kind::Uts {
                running.hostname = facts.and_then(|facts| facts.hostname.as_ref());
            }
        }
        running
    }
}

/// Returns the container with a name or ID, either of them in full, or else the
/// only one whose ID begins so. The engine may stand in front: `docker:web`.
///
/// A container outside the systemd slices of users takes precedence over those
/// inside with the same ID, for users can give any ID to a cgroup of theirs.
///
/// # Errors
///
/// [`Error::NoContainer`] if there is none, [`Error::AmbiguousContainer`] if
/// there are several.
pub fn find_container<'a>(
    snapshot: &'a Snapshot,
    name: &str,
) -> Result<RunningContainer<'a>, Error> {
    let mut found = containers(snapshot);
    if found.iter().any(|one| one.container.is_called(name)) {
        found.retain(|one| one.container.is_called(name));
    } else {
        found.retain(|one| one.container.has_prefix(name));
    }
    let of_system: HashSet<&str> = found
        .iter()
        .filter(|one| one.container.uid.is_none())
        .map(|one| one.container.id.as_str())
        .collect();
    found.retain(|one| {
        one.container.uid.is_none() || !of_system.contains(one.container.id.as_str())
    });
    match (found.pop(), &found[..]) {
        (Some(only), []) => Ok(only),
        (None, _) => Err(Error::NoContainer {
            name: name.to_owned(),
            gaps: snapshot.hiding_gaps(),
        }),
        (Some(last), others) => Err(Error::AmbiguousContainer {
            name: name.to_owned(),
            candidates: others
                .iter()
                .chain([&last])
                .map(|one| one.container.clone())
                .collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Engine, Holder, Link, Links, Namespace, NsId, Pid};

    const LONG: &str = "5f82729299210000000000000000000000000000000000000000000000000000";
    const OTHER: &str = "5f99999999990000000000000000000000000000000000000000000000000000";

    fn process(pid: Pid, id: &str, name: Option<&str>, links: &[(Link, u64)]) -> Process {
        let container = Container {
            engine: Some(Engine::Docker),
            id: id.to_owned(),
            name: name.map(str::to_owned),
            uid: None,
        };
        let affiliation = Affiliation {
            container: Some(container),
            ..Affiliation::default()
        };
        let mut process = Process::new(pid, Links::default());
        process.affiliation = Some(Arc::new(affiliation));
        for (link, ino) in links {
            process.links.set(*link, *ino);
        }
        process
    }

    fn namespace(kind: Kind, ino: u64, is_host: Option<bool>) -> Namespace {
        let mut namespace = Namespace::new(NsId { ino, kind }, Holder::of_link(1, Link::Net));
        namespace.facts_mut().is_host = is_host;
        namespace.facts_mut().hostname = Some("inside".into());
        namespace
    }

    fn snapshot() -> Snapshot {
        let links = [
            (Link::Net, 1),
            (Link::Uts, 2),
            (Link::Ipc, 3),
            (Link::Mnt, 4),
        ];
        Snapshot {
            namespaces: vec![
                namespace(Kind::Net, 1, Some(true)),
                namespace(Kind::Uts, 2, Some(false)),
                namespace(Kind::Ipc, 3, None),
            ],
            processes: vec![
                Process::new(1, Links::default()),
                process(7, LONG, Some("web"), &links),
                process(8, LONG, Some("web"), &[]),
                process(9, OTHER, None, &[]),
            ],
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_container_is_where_its_first_process_is() {
        let snapshot = snapshot();
        let all = containers(&snapshot);
        let [web, other] = &all[..] else {
            panic!("{all:?}");
        };
        let pids: Vec<_> = web.processes.iter().map(|process| process.pid).collect();
        assert_eq!((pids, web.representative.pid), (vec![7, 8], 7));
        assert_eq!(web.shared, KindSet::of(Kind::Net));
        // Of the mount namespace nothing is known at all.
        assert_eq!(web.unknown, KindSet::from([Kind::Ipc, Kind::Mnt]));
        assert_eq!(web.hostname, Some(&"inside".into()));
        assert_eq!(other.representative.pid, 9);
        assert_eq!((other.shared, other.hostname), (KindSet::EMPTY, None));
    }

    /// Changes where a process belongs.
    fn change(process: &mut Process, change: impl Fn(&mut Affiliation)) {
        if let Some(affiliation) = &mut process.affiliation {
            change(Arc::make_mut(affiliation));
        }
    }

    #[test]
    fn a_container_of_the_system_takes_precedence_over_those_of_users_with_its_id() {
        let mut snapshot = snapshot();
        for (place, uid) in [(2, 1000), (3, 1001)] {
            change(&mut snapshot.processes[place], |affiliation| {
                if let Some(container) = &mut affiliation.container {
                    container.id = LONG.to_owned();
                    container.uid = Some(uid);
                }
            });
        }
        assert_eq!(containers(&snapshot).len(), 3);
        let found = find_container(&snapshot, LONG).unwrap();
        assert_eq!(found.representative.pid, 7);
        // Among users none takes precedence.
        snapshot.processes.remove(1);
        let found = find_container(&snapshot, LONG);
        assert!(matches!(found, Err(Error::AmbiguousContainer { .. })));
    }

    #[test]
    fn every_process_may_claim_to_be_in_another_container() {
        let mut snapshot = snapshot();
        let [_, _, web, other] = &mut snapshot.processes[..] else {
            panic!("four processes");
        };
        let container = other.container().unwrap().clone();
        change(web, |affiliation| {
            affiliation.nested = Some(container.clone());
        });
        let [web, _] = &containers(&snapshot)[..] else {
            panic!("two containers");
        };
        assert!(web.claims.iter().eq([&&container]));
    }

    #[test]
    fn a_container_is_found_by_its_name_or_the_beginning_of_its_id_if_that_is_enough() {
        let snapshot = snapshot();
        for name in ["web", "docker:web", LONG, "5f8"] {
            assert_eq!(
                find_container(&snapshot, name).unwrap().representative.pid,
                7,
                "{name}"
            );
        }
        let found = find_container(&snapshot, "5f");
        assert!(
            matches!(&found, Err(Error::AmbiguousContainer { candidates, .. })
                if candidates.iter().map(|one| &*one.id).eq([LONG, OTHER])),
            "{found:?}"
        );
        for name in ["", "we", "docker:", "6"] {
            let found = find_container(&snapshot, name);
            assert!(matches!(found, Err(Error::NoContainer { .. })), "{name}");
        }
    }
}
