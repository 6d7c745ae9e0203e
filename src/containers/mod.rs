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
use crate::proc::Sysroot;

/// Where a captured tree has the names of containers, as one JSON object by id.
pub(crate) const CONTAINER_NAMES: &str = "containers.json";

/// What the texts of cgroup files say.
pub(crate) struct Affiliations<'a> {
    root: &'a Sysroot,
    texts: HashMap<Vec<u8>, Arc<Affiliation>>,
    known: HashMap<Affiliation, Arc<Affiliation>>,
    /// The names in the files of containers-storage, by directory.
    stored: HashMap<String, HashMap<String, String>>,
    /// The names that were captured.
    captured: HashMap<String, String>,
}

impl<'a> Affiliations<'a> {
    pub(crate) fn below(root: &'a Sysroot) -> Self {
        let names = (!root.is_live())
            .then(|| root.file(CONTAINER_NAMES))
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
        docker_name(&self.root.file(&config)?)
    }

    fn bundle_name(&self, id: &str) -> Option<String> {
        const TASKS: &str = "run/containerd/io.containerd.runtime.v2.task";
        let spaces = self.root.names_in(TASKS).into_iter();
        let configs = spaces.map(|space| format!("{TASKS}/{space}/{id}/config.json"));
        configs
            .filter_map(|config| bundle_name(&self.root.file(&config)?))
            .next()
    }

    /// Containers of root, or of the user in whose manager the cgroup is.
    fn stored_name(&mut self, id: &str, cgroup: &[u8]) -> Option<String> {
        let home = user_of(cgroup).and_then(|uid| self.root.home(uid));
        let storage = match home {
            Some(home) => format!("{home}/.local/share/containers/storage"),
            None => "var/lib/containers/storage".to_owned(),
        };
        if !self.stored.contains_key(&storage) {
            let mut names = HashMap::new();
            let drivers = self.root.names_in(&storage).into_iter();
            for driver in drivers.filter(|name| name.ends_with("-containers")) {
                for file in ["containers.json", "volatile-containers.json"] {
                    let text = self.root.file(&format!("{storage}/{driver}/{file}"));
                    names.extend(storage_names(&text.unwrap_or_default()));
                }
            }
            self.stored.insert(storage.clone(), names);
        }
        self.stored.get(&storage)?.get(id).cloned()
    }
}

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
