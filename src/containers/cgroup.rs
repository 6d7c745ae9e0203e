//! Containers, pods and units by the paths of cgroups, cgroups(7).
//!
//! Whoever is in a container may make cgroups in its cgroup, of any name. So
//! the outermost container of a path is the one that the engine of the host
//! made, and what its path says below that is a claim from inside.

use crate::containers::patterns::{container_of, is_helper, is_kubepods, pod};
use crate::model::{Affiliation, Container, Engine};

/// Finds where a process belongs by the text of its `/proc/PID/cgroup`. Nothing
/// is known of a path that no pattern matches.
pub(super) fn affiliation(text: &[u8]) -> Affiliation {
    let text = String::from_utf8_lossy(text);
    let paths = ordered_paths(&text);
    let unit = paths.iter().find_map(|path| unit(path));
    let mut paths = paths.into_iter().map(components);
    let found = paths.find_map(|path| {
        let (place, container, pod) = (0..path.len()).find_map(|place| {
            let (container, pod) = container_at(&path, place)?;
            Some((place, container, pod))
        })?;
        let nested = nested_in(&path, place, &container);
        Some((container, pod, nested))
    });
    match found {
        Some((container, pod, nested)) => Affiliation {
            container: Some(container),
            pod,
            unit,
            nested,
        },
        None => Affiliation {
            unit,
            ..Affiliation::default()
        },
    }
}

/// Lists the paths of a cgroup file, each line of which is
/// `ID:CONTROLLERS:PATH`. The hierarchies that systemd manages come first, for
/// engines may leave out others.
fn ordered_paths(text: &str) -> Vec<&str> {
    let mut paths: Vec<(u8, &str)> = text
        .lines()
        .filter_map(|line| {
            // A path may contain colons.
            let mut fields = line.splitn(3, ':').skip(1);
            let rank = match fields.next()? {
                "name=systemd" => 0,
                "" => 1,
                _ => 2,
            };
            Some((rank, fields.next()?))
        })
        .collect();
    paths.sort_by_key(|(rank, _)| *rank);
    paths.into_iter().map(|(_, path)| path).collect()
}

/// Splits a path into the names of its cgroups, as they were before systemd
/// escaped them. `..` stands for one above the root of the reader's cgroup
/// namespace.
fn components(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|part| !matches!(*part, "" | ".."))
        .map(|part| part.replace("\\x2d", "-"))
        .collect()
}

/// The container of which the cgroup at this place of a path is, and its pod.
fn container_at(path: &[String], place: usize) -> Option<(Container, Option<String>)> {
    let own = path.get(place)?;
    if is_helper(own) {
        return None;
    }
    let (engine, id) = container_of(own, above(path, place, 1), above(path, place, 2))?;
    match (engine, path.get(place + 1).map(String::as_str)) {
        // systemd-nspawn(1) itself is beside the payload.
        (Some(Engine::Nspawn), Some("supervisor")) => return None,
        // The parent of builders.
        (Some(Engine::Buildkit), Some(_)) if own == "buildx" => return None,
        _ => {}
    }
    let upwards = path.get(..=place)?;
    let pod = (0..=place)
        .rev()
        .find_map(|place| pod(path.get(place)?, above(path, place, 1)));
    let engine = match engine {
        None if pod.is_some() && upwards.iter().any(|part| is_kubepods(part)) => {
            Some(Engine::Kubernetes)
        }
        engine => engine,
    };
    let container = Container {
        engine,
        id: id.to_owned(),
        name: None,
        uid: user_of(upwards),
    };
    Some((container, pod))
}

/// The name of the cgroup so many levels above a place of a path; empty above
/// the root.
fn above(path: &[String], place: usize, levels: usize) -> &str {
    let above = place.checked_sub(levels).and_then(|place| path.get(place));
    above.map_or("", String::as_str)
}

/// The innermost other container that a path names below the one at `place`.
fn nested_in(path: &[String], place: usize, outer: &Container) -> Option<Container> {
    (place + 1..path.len())
        .rev()
        .filter_map(|place| container_at(path, place))
        .map(|(nested, _)| Container {
            uid: outer.uid,
            ..nested
        })
        .find(|nested| nested != outer)
}

/// The user in whose slice of systemd a path lies, or in that of whose manager.
/// Such a user makes cgroups of any name there. Those of root are the system's.
fn user_of(path: &[String]) -> Option<u32> {
    let uid = path.iter().find_map(|part| {
        let slice = part.strip_prefix("user-");
        let manager = part.strip_prefix("user@");
        slice
            .and_then(|rest| rest.strip_suffix(".slice"))
            .or_else(|| manager?.strip_suffix(".service"))?
            .parse()
            .ok()
    });
    uid.filter(|uid| *uid != 0)
}

/// The innermost systemd unit in a path that has processes.
fn unit(path: &str) -> Option<String> {
    let unit = path.rsplit('/').find(|part| {
        part.strip_suffix(".service")
            .or_else(|| part.strip_suffix(".scope"))
            .is_some_and(|name| !name.is_empty())
    });
    unit.map(str::to_owned)
}
