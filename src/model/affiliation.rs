use std::fmt;

/// Where a process belongs, by the path of its cgroup. Nothing of it is known
/// of a process that is in no container, pod or unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Affiliation {
    /// The innermost container.
    pub container: Option<Container>,
    /// The pod of that container: its uid, or what its engine has for one.
    pub pod: Option<String>,
    /// The innermost systemd unit that has processes: a service or scope.
    pub unit: Option<String>,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Container {
    /// Whose it is; none if the path does not tell.
    pub engine: Option<Engine>,
    /// Its id; where the engine has none, its name.
    pub id: String,
    /// Its name, if that is another, and the engine left it on disk.
    pub name: Option<String>,
}

/// What runs containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Engine {
    /// Docker, or Moby.
    Docker,
    /// Podman, or whatever else uses libpod.
    Podman,
    /// containerd for Kubernetes.
    Containerd,
    /// CRI-O, for Kubernetes.
    Crio,
    /// nerdctl.
    Nerdctl,
    /// Kubernetes, with an engine that the path does not tell.
    Kubernetes,
    /// LXC, or Incus.
    Lxc,
    /// systemd-nspawn, or another machine of systemd-machined(8).
    Nspawn,
    /// BuildKit.
    Buildkit,
    /// snap.
    Snap,
    /// Flatpak.
    Flatpak,
    /// Garden of Cloud Foundry.
    Garden,
}

impl Engine {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Docker => "docker",
            Engine::Podman => "podman",
            Engine::Containerd => "containerd",
            Engine::Crio => "cri-o",
            Engine::Nerdctl => "nerdctl",
            Engine::Kubernetes => "kubernetes",
            Engine::Lxc => "lxc",
            Engine::Nspawn => "nspawn",
            Engine::Buildkit => "buildkit",
            Engine::Snap => "snap",
            Engine::Flatpak => "flatpak",
            Engine::Garden => "garden",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Container {
    /// Its name, or else its id, cut to twelve digits as engines do.
    pub fn label(&self) -> &str {
        match &self.name {
            Some(name) => name,
            None if is_long_id(&self.id) => self.id.get(..12).unwrap_or(&self.id),
            None => &self.id,
        }
    }

    /// Whether somebody means this one by its name or id in full, with or
    /// without the engine.
    pub fn is_called(&self, word: &str) -> bool {
        let word = self.without_engine(word);
        self.id == word || self.name.as_deref() == Some(word)
    }

    /// Whether its id begins so.
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

/// Whether a word is an id as most engines make them: 64 hexadecimal digits.
pub fn is_long_id(word: &str) -> bool {
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
        };
        assert_eq!(named.to_string(), "container:alpha");
        assert!(named.is_called("alpha") && !named.has_prefix("al"));
    }
}
