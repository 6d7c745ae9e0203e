//! Where processes belong: containers, pods, units.
//!
//! Many processes have the same cgroup, so each text is parsed once, and each
//! container looked up once.

mod cgroup;
mod docker;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod names;
#[cfg(test)]
mod nesting_tests;
mod patterns;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::containers::cgroup::affiliation;
use crate::containers::docker::Docker;
use crate::containers::names::{bundle_name, storage_names};
use crate::model::{Affiliation, Container, Engine, Namespace, NsId, Process};
use crate::proc::{Limit, ReadError, Sysroot};

/// The file in which a captured tree keeps the names of containers: a JSON object
/// with the keys of [`capture_key`].
pub(crate) const CONTAINER_NAMES: &str = "containers.json";

/// Returns the key of a container in [`CONTAINER_NAMES`]. It includes the user,
/// who can give a container the ID of any other.
pub(crate) fn capture_key(container: &Container) -> String {
    match container.uid {
        Some(uid) => format!("{uid}:{}", container.id),
        None => container.id.clone(),
    }
}

/// Finds where processes belong, and remembers it.
pub(crate) struct Affiliations<'a> {
    root: &'a Sysroot,
    texts: HashMap<Vec<u8>, Arc<Affiliation>>,
    known: HashMap<Affiliation, Arc<Affiliation>>,
    /// Names in containers-storage by container ID, for root (`None`) and users.
    stored: HashMap<Option<u32>, HashMap<String, String>>,
    docker: Docker,
    /// Names in a captured tree.
    captured: HashMap<String, String>,
}

impl<'a> Affiliations<'a> {
    /// Prepares for the processes of a root.
    pub(crate) fn below(root: &'a Sysroot) -> Self {
        let names = (!root.is_live())
            .then(|| root.dir().ok()?.read(CONTAINER_NAMES, Limit::Database).ok())
            .flatten();
        let captured = serde_json::from_slice(&names.unwrap_or_default());
        Affiliations {
            captured: captured.unwrap_or_default(),
            root,
            texts: HashMap::new(),
            known: HashMap::new(),
            stored: HashMap::new(),
            docker: Docker::default(),
        }
    }

    /// Finds where a process with this cgroup file belongs.
    pub(crate) fn of(&mut self, text: Vec<u8>) -> Arc<Affiliation> {
        if let Some(known) = self.texts.get(&text) {
            return known.clone();
        }
        let mut found = affiliation(&text);
        if let Some(container) = &mut found.container {
            container.name = self.name(container);
        }
        let known = self.known.get(&found).cloned().unwrap_or_else(|| {
            let new = Arc::new(found.clone());
            self.known.insert(found, new.clone());
            new
        });
        self.texts.insert(text, known.clone());
        known
    }

    /// Finds the name of a container in the files of its engine. A container of a
    /// user is looked up in the storage of that user only, or it could take the
    /// name of another by taking its ID.
    fn name(&mut self, container: &Container) -> Option<String> {
        if let Some(name) = self.captured.get(&capture_key(container)) {
            return Some(name.clone());
        }
        let Container { id, uid, .. } = container;
        match (container.engine, uid) {
            (Some(Engine::Podman | Engine::Crio), _) => self.stored_name(id, *uid),
            (Some(Engine::Docker), None) => self.docker.name(self.root, id, true),
            (Some(Engine::Containerd | Engine::Nerdctl), None) => self.bundle_name(id),
            (Some(Engine::Kubernetes) | None, None) => self
                .docker
                .name(self.root, id, false)
                .or_else(|| self.bundle_name(id))
                .or_else(|| self.stored_name(id, *uid)),
            (None, Some(_)) => self.stored_name(id, *uid),
            _ => None,
        }
    }

    /// Returns how many containers have no known name although their engine gives
    /// each one, and why the last has none. A captured tree has those that were
    /// known.
    pub(crate) fn unnamed(&self) -> Option<(usize, ReadError)> {
        self.docker.unnamed().filter(|_| self.root.is_live())
    }

    fn bundle_name(&self, id: &str) -> Option<String> {
        const TASKS: &str = "run/containerd/io.containerd.runtime.v2.task";
        let spaces = self.root.dir().ok()?.list(TASKS, |name| {
            let name = std::str::from_utf8(name).ok()?;
            (!matches!(name, "." | "..")).then(|| name.to_owned())
        });
        let mut spaces = spaces.ok()?;
        spaces.sort_unstable();
        let mut configs = spaces
            .into_iter()
            .map(|space| format!("{TASKS}/{space}/{id}/config.json"));
        configs.find_map(|config| bundle_name(&self.read(&config)?))
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.root.dir().ok()?.read(path, Limit::Database).ok()
    }

    fn stored_name(&mut self, id: &str, uid: Option<u32>) -> Option<String> {
        let root = self.root;
        let names = self
            .stored
            .entry(uid)
            .or_insert_with(|| stored_names(root, uid).unwrap_or_default());
        names.get(id).cloned()
    }
}

/// Reads the names of the containers of a user, or of root for `None`.
fn stored_names(root: &Sysroot, uid: Option<u32>) -> Option<HashMap<String, String>> {
    let home;
    let (dir, storage) = match uid {
        Some(uid) => {
            home = root.home(uid)?;
            (&home, ".local/share/containers/storage")
        }
        None => (root.dir().ok()?, "var/lib/containers/storage"),
    };
    let mut names = HashMap::new();
    for driver in DRIVERS {
        for file in ["containers.json", "volatile-containers.json"] {
            let path = format!("{storage}/{driver}-containers/{file}");
            let text = dir.read(&path, Limit::Database);
            names.extend(storage_names(&text.unwrap_or_default()));
        }
    }
    Some(names)
}

/// Drivers of containers-storage, storage.conf(5). The directory is not listed
/// instead, as a user may fill it with any number of entries.
const DRIVERS: [&str; 6] = ["overlay", "overlay2", "vfs", "btrfs", "zfs", "aufs"];

/// Adds to every namespace where its processes belong, in one pass.
pub(crate) fn affiliate(namespaces: &mut [Namespace], processes: &[Process]) {
    let places: HashMap<NsId, usize> = namespaces
        .iter()
        .enumerate()
        .map(|(place, namespace)| (namespace.id, place))
        .collect();
    let mut seen = HashSet::new();
    for process in processes {
        let Some(affiliation) = &process.affiliation else {
            continue;
        };
        let own = process
            .links
            .iter()
            .filter(|(link, _)| !link.is_for_children());
        for place in own.filter_map(|(_, id)| places.get(&id)) {
            if seen.insert((*place, Arc::as_ptr(affiliation)))
                && let Some(namespace) = namespaces.get_mut(*place)
            {
                namespace.facts_mut().affiliations.push(affiliation.clone());
            }
        }
    }
    for namespace in namespaces {
        if let Some(facts) = namespace.facts.as_mut().map(Arc::make_mut) {
            facts.affiliations.sort_unstable();
        }
    }
}
