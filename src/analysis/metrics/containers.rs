//! What containers share with the host.

use std::collections::BTreeMap;

use crate::analysis::metrics::{Family, Sample};
use crate::analysis::{RunningContainer, containers};
use crate::model::{Engine, Kind, Member, Snapshot};
use crate::text::Text;

/// The number of containers. Users can make up any number of them, so those of
/// the system are first.
pub(super) const MOST_CONTAINERS: usize = 1000;

/// What tells containers apart: user, engine, and name or ID.
type Key = (Option<u32>, &'static str, String);

/// Returns which types each container shares, and how many containers are left
/// out.
pub(super) fn family(snapshot: &Snapshot) -> (Family, usize) {
    let mut found = containers(snapshot);
    // It keeps the order of those of one user.
    found.sort_by_key(|running| running.container.uid);
    let omitted = found.len().saturating_sub(MOST_CONTAINERS);
    found.truncate(MOST_CONTAINERS);
    let mut namesakes: BTreeMap<Key, usize> = BTreeMap::new();
    for running in &found {
        *namesakes
            .entry(key(running, running.container.label()))
            .or_default() += 1;
    }
    let mut shares: BTreeMap<(Key, Kind), bool> = BTreeMap::new();
    for running in &found {
        let short = key(running, running.container.label());
        let key = match namesakes.get(&short) {
            Some(1) => short,
            _ => key(running, &running.container.id),
        };
        for kind in Kind::ALL {
            if running.unknown.contains(*kind) {
                continue;
            }
            // The ID of one may be the name of another.
            let known = shares.entry((key.clone(), *kind)).or_default();
            *known |= running.shared.contains(*kind);
        }
    }
    let family = Family {
        name: "nsls_container_shares_host",
        help: "Whether a container shares the namespace of a type with the host (1) or not (0).",
        samples: shares.into_iter().map(sample).collect(),
    };
    (family, omitted)
}

fn key(running: &RunningContainer<'_>, name: &str) -> Key {
    let container = running.container;
    let engine = container.engine.map_or("", Engine::name);
    (container.uid, engine, name.to_owned())
}

fn sample((((uid, engine, name), kind), is_shared): ((Key, Kind), bool)) -> Sample {
    Sample {
        labels: vec![
            ("container", Text::from(name)),
            ("engine", engine.into()),
            // Whose slice of systemd it is in, so that no user can pose as the
            // system.
            (
                "uid",
                uid.map(|uid| uid.to_string()).unwrap_or_default().into(),
            ),
            ("type", kind.name().into()),
        ],
        value: f64::from(u8::from(is_shared)),
    }
}
