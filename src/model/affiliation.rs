use std::fmt;

use serde::Serialize;

use crate::model::named;

/// Where a process belongs according to its cgroup. All fields are `None` for a
/// process in no container, pod or unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Affiliation {
    /// The container. Of several in each other, the outermost, which alone was
    /// made from outside.
    pub container: Option<Container>,
    /// The pod of that container: its UID, or the engine's ID for it.
    pub pod: Option<String>,
    /// The innermost systemd unit with processes, a service or scope.
    pub unit: Option<String>,
    /// The innermost container that the cgroup is named after within
    /// [`container`](Self::container): one that runs nested, or any other name
    /// that someone inside chose.
    pub nested: Option<Container>,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Container {
    /// What runs it; `None` if its cgroup path does not show that.
    pub engine: Option<Engine>,
    /// Its ID, or its name if the engine has no IDs.
    pub id: String,
    /// Its name, if it differs from the ID and the engine keeps it on disk.
    pub name: Option<String>,
    /// The user in whose systemd slice it runs; `None` outside of those.
    pub uid: Option<u32>,
}

named! {
    /// A container engine.
    pub enum Engine {
        /// Docker, or Moby.
        Docker = "docker",
        /// Podman and other users of libpod.
        Podman = "podman",
        /// containerd under Kubernetes.
        Containerd = "containerd",
        /// CRI-O under Kubernetes.
        Crio = "cri-o",
        /// nerdctl.
        Nerdctl = "nerdctl",
        /// Kubernetes with an engine that the cgroup path does not show.
        Kubernetes = "kubernetes",
        /// LXC, or Incus.
        Lxc = "lxc",
        /// systemd-nspawn, or another machine of systemd-machined(8).
        Nspawn = "nspawn",
        /// BuildKit.
        Buildkit = "buildkit",
        /// snap.
        Snap = "snap",
        /// Flatpak.
        Flatpak = "flatpak",
        /// Garden of Cloud Foundry.
        Garden = "garden",
    }
}

impl Container {
    /// Returns its name, or else its ID shortened to twelve digits, as engines
    /// print it.
    pub fn label(&self) -> &str {
        match &self.name {
            Some(name) => name,
            None if is_long_id(&self.id) => self.id.get(..12).unwrap_or(&self.id),
            None => &self.id,
        }
    }

    /// Returns whether a word is its full name or ID, with or without the
    /// engine in front: `web`, `docker:web`.
    pub fn is_called(&self, word: &str) -> bool {
        let word = self.without_engine(word);
        self.id == word || self.name.as_deref() == Some(word)
    }

    /// Returns whether its ID begins with a word.
    pub fn has_prefix(&self, word: &str) -> bool {
        let word = self.without_engine(word);
        !word.is_empty() && is_long_id(&self.id) && self.id.starts_with(word)
    }

    fn without_engine<'a>(&self, word: &'a str) -> &'a str {
        let own = word
            .split_once(':')
            .filter(|(engine, _)| *engine == self.engine_name());
        own.map_or(word, |(_, word)| word)
    }

    fn engine_name(&self) -> &'static str {
        self.engine.map_or("container", Engine::name)
    }
}

/// `docker:5f8272929921`.
impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.engine_name(), self.label())
    }
}

/// Returns whether a word has the form of most engines' IDs, 64 hexadecimal
/// digits.
pub(crate) fn is_long_id(word: &str) -> bool {
    word.len() == 64
        && word
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_called_by_its_id_its_name_and_the_beginning_of_its_id() {
        let id = "5f8272929921".to_owned() + &"0".repeat(52);
        let mut container = Container {
            engine: Some(Engine::Docker),
            id: id.clone(),
            name: None,
            uid: None,
        };
        assert_eq!(container.to_string(), "docker:5f8272929921");
        assert!(container.is_called(&id) && !container.is_called("5f8272929921"));
        assert!(container.has_prefix("5f") && container.has_prefix("docker:5f8272929921"));
        assert!(!container.has_prefix("") && !container.has_prefix("podman:5f"));
        container.name = Some("web".to_owned());
        assert_eq!(container.to_string(), "docker:web");
        assert!(container.is_called("web") && container.is_called("docker:web"));
        assert!(!container.is_called("lxc:web") && !container.has_prefix("we"));
        let named = Container {
            engine: None,
            id: "alpha".to_owned(),
            name: None,
            uid: None,
        };
        assert_eq!(named.to_string(), "container:alpha");
        assert!(named.is_called("alpha") && !named.has_prefix("al"));
    }
}
