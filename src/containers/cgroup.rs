//! Containers, pods and units by cgroup path, cgroups(7).
//!
//! Processes in a container can create cgroups of any name below its own. So only
//! the outermost container in a path was put there by an engine of the host, and
//! further names are claims from inside.

use crate::containers::patterns::{container_of, is_helper, is_kubepods, pod};
use crate::model::{Affiliation, Container, Engine};

/// Finds where a process belongs by the text of its `/proc/PID/cgroup`.
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

/// Lists the paths of a cgroup file, with lines of the form
/// `ID:CONTROLLERS:PATH`. The hierarchies of systemd come first, as some engines
/// use no others.
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

/// Splits a path into the names of its cgroups, and decodes systemd's escape for
/// a hyphen. `..` stands for a cgroup above the root of the reader's cgroup
/// namespace.
fn components(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|part| !matches!(*part, "" | ".."))
        .map(|part| part.replace("\\x2d", "-"))
        .collect()
}

/// Returns the container, and its pod, that the cgroup at `place` belongs to.
fn container_at(path: &[String], place: usize) -> Option<(Container, Option<String>)> {
    let own = path.get(place)?;
    if is_helper(own) {
        return None;
    }
    let (engine, id) = container_of(own, above(path, place, 1), above(path, place, 2))?;
    match (engine, path.get(place + 1).map(String::as_str)) {
        // systemd-nspawn(1) itself runs beside its payload.
        (Some(Engine::Nspawn), Some("supervisor")) => return None,
        // The parent of the cgroups of builders.
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

/// Returns the name of the cgroup `levels` above `place`; empty above the root.
fn above(path: &[String], place: usize, levels: usize) -> &str {
    let above = place.checked_sub(levels).and_then(|place| path.get(place));
    above.map_or("", String::as_str)
}

/// Returns the innermost container that a path names below `place`, if it is
/// another than the outer one.
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

/// Returns the user of the systemd slice or manager that a path is in. They can
/// create cgroups of any name there. Root counts as the system.
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

/// Returns the innermost systemd service or scope in a path.
fn unit(path: &str) -> Option<String> {
    let unit = path.rsplit('/').find(|part| {
        part.strip_suffix(".service")
            .or_else(|| part.strip_suffix(".scope"))
            .is_some_and(|name| !name.is_empty())
    });
    unit.map(str::to_owned)
}
