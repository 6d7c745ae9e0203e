//! Where processes belong: containers, pods, units.
//!
//! Many processes have the same cgroup, so each text is looked into once, and
//! each container looked up once.

mod cgroup;
mod names;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::containers::cgroup::affiliation;
use crate::containers::names::{bundle_name, docker_name, storage_names};
use crate::model::{Affiliation, Container, Engine, Namespace, NsId, Process};
use crate::proc::{Limit, Sysroot};

/// Where a captured tree has the names of containers, as one JSON object by id.
pub(crate) const CONTAINER_NAMES: &str = "containers.json";

/// What the texts of cgroup files say.
pub(crate) struct Affiliations<'a> {
    root: &'a Sysroot,
    texts: HashMap<Vec<u8>, Arc<Affiliation>>,
    known: HashMap<Affiliation, Arc<Affiliation>>,
    /// The names in containers-storage, of root or by user.
    stored: HashMap<Option<u32>, HashMap<String, String>>,
    /// The names that were captured.
    captured: HashMap<String, String>,
}

impl<'a> Affiliations<'a> {
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
        }
    }

    /// Where a process with this cgroup file belongs.
    pub(crate) fn of(&mut self, text: Vec<u8>) -> Arc<Affiliation> {
        if let Some(known) = self.texts.get(&text) {
            return known.clone();
        }
        let mut found = affiliation(&text);
        if let Some(container) = &mut found.container {
            container.name = self.name(container, &text);
        }
        let known = self.known.get(&found).cloned().unwrap_or_else(|| {
            let new = Arc::new(found.clone());
            self.known.insert(found, new.clone());
            new
        });
        self.texts.insert(text, known.clone());
        known
    }

    /// The name of a container, where its engine left it on disk.
    fn name(&mut self, container: &Container, cgroup: &[u8]) -> Option<String> {
        let id = &container.id;
        if let Some(name) = self.captured.get(id) {
            return Some(name.clone());
        }
        match container.engine {
            Some(Engine::Docker) => self.docker_name(id),
            Some(Engine::Podman | Engine::Crio) => self.stored_name(id, cgroup),
            Some(Engine::Containerd | Engine::Nerdctl) => self.bundle_name(id),
            Some(Engine::Kubernetes) | None => self
                .docker_name(id)
                .or_else(|| self.bundle_name(id))
                .or_else(|| self.stored_name(id, cgroup)),
            Some(_) => None,
        }
    }

    fn docker_name(&self, id: &str) -> Option<String> {
        let config = format!("var/lib/docker/containers/{id}/config.v2.json");
        docker_name(&self.read(&config)?)
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

    /// The name of a container of root, or of the user in whose manager its
    /// cgroup is.
    fn stored_name(&mut self, id: &str, cgroup: &[u8]) -> Option<String> {
        let uid = user_of(cgroup);
        let root = self.root;
        let names = self
            .stored
            .entry(uid)
            .or_insert_with(|| stored_names(root, uid).unwrap_or_default());
        names.get(id).cloned()
    }
}

/// Reads the names of the containers of a user, or of root.
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

/// The drivers of containers-storage, storage.conf(5). A user may have any
/// number of directories, so their storage is not searched for others.
const DRIVERS: [&str; 6] = ["overlay", "overlay2", "vfs", "btrfs", "zfs", "aufs"];

/// The user of `user@1000.service` in a path.
fn user_of(cgroup: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(cgroup).ok()?;
    let (_, rest) = text.split_once("/user@")?;
    rest.split_once(".service")?.0.parse().ok()
}

/// Tells every namespace where the processes in it belong: one pass.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rootless_container_is_stored_at_its_user() {
        let path = b"0::/user.slice/user-1000.slice/user@1000.service/user.slice/x.scope\n";
        assert_eq!(user_of(path), Some(1000));
        for text in [
            "",
            "0::/user@x.service\n",
            "0::/user@1000\n",
            "0::/a/user@1000.slice\n",
        ] {
            assert_eq!(user_of(text.as_bytes()), None, "{text}");
        }
    }
}
