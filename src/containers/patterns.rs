//! Names that engines give to the cgroups of their containers, and similar names
//! of other cgroups.

use crate::model::{Engine, is_long_id};

/// Returns whether a cgroup belongs to the monitor of a container, to a virtual
/// machine or to a mount.
pub(super) fn is_helper(name: &str) -> bool {
    [
        "libpod-conmon-",
        "crio-conmon-",
        "lxc.monitor",
        "machine-qemu",
    ]
    .iter()
    .any(|helper| name.starts_with(helper))
        || name.ends_with(".mount")
}

/// Returns whether a cgroup holds pods of Kubernetes.
pub(super) fn is_kubepods(name: &str) -> bool {
    name.starts_with("kubepods") || name.starts_with("kubelet-kubepods")
}

/// Finds the engine and the ID or name of a container by the name of its cgroup
/// and of the two above. The engine is `None` for names that several engines use.
pub(super) fn container_of<'a>(
    own: &'a str,
    parent: &str,
    grandparent: &str,
) -> Option<(Option<Engine>, &'a str)> {
    let name = own.strip_suffix(".scope").unwrap_or(own);
    for (prefix, engine) in [
        ("docker-", Engine::Docker),
        ("libpod-", Engine::Podman),
        ("cri-containerd-", Engine::Containerd),
        ("crio-", Engine::Crio),
        ("nerdctl-", Engine::Nerdctl),
    ] {
        if let Some(id) = name.strip_prefix(prefix).filter(|id| is_long_id(id)) {
            return found(engine, id);
        }
    }
    // A cgroupfs driver used `SLICE:PREFIX:ID`, meant for systemd, as a name.
    if let [_, prefix, id] = *own.split(':').collect::<Vec<_>>() {
        return match prefix {
            "cri-containerd" if is_long_id(id) => found(Engine::Containerd, id),
            "crio" if is_long_id(id) => found(Engine::Crio, id),
            "nerdctl" if is_long_id(id) => found(Engine::Nerdctl, id),
            "docker" if is_long_id(id) => found(Engine::Docker, id),
            "docker" if is_short_id(id) => found(Engine::Buildkit, id),
            _ => None,
        };
    }
    if let Some(name) = own.strip_prefix("lxc.payload.") {
        return found(Engine::Lxc, name).filter(|_| !name.is_empty());
    }
    if let Some(name) = own
        .strip_prefix("machine-")
        .and_then(|own| own.strip_suffix(".scope"))
    {
        return found(Engine::Nspawn, name);
    }
    if let Some(name) = own.strip_prefix("systemd-nspawn@") {
        return found(Engine::Nspawn, name.strip_suffix(".service")?);
    }
    if let Some(id) = snap(own) {
        return found(Engine::Snap, id);
    }
    if let Some(id) = flatpak(own) {
        return found(Engine::Flatpak, id);
    }
    match (grandparent, parent) {
        (_, "lxc" | "lxc.payload") => found(Engine::Lxc, own),
        ("docker", "buildkit" | "buildx") => found(Engine::Buildkit, own),
        (_, "docker") if own == "buildx" => found(Engine::Buildkit, own),
        (_, "docker") if is_long_id(own) => found(Engine::Docker, own),
        (grandparent, "good" | "bad") if is_garden(grandparent) => found(Engine::Garden, own),
        (_, garden) if is_garden(garden) && !matches!(own, "good" | "bad") => {
            found(Engine::Garden, own)
        }
        // A pod and its monitor.
        (_, "libpod_parent") => None,
        // Many engines use the bare ID, below a configurable parent.
        _ if is_long_id(own) => Some((None, own)),
        _ => None,
    }
}

fn found(engine: Engine, id: &str) -> Option<(Option<Engine>, &str)> {
    Some((Some(engine), id))
}

fn is_garden(name: &str) -> bool {
    name == "garden" || name.starts_with("garden-")
}

/// Returns whether a word is an ID of BuildKit: 25 letters and digits.
fn is_short_id(word: &str) -> bool {
    word.len() == 25
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Parses `snap.NAME.APP….scope` or `.service` for the name of the snap.
fn snap(own: &str) -> Option<&str> {
    let rest = own.strip_prefix("snap.")?;
    let rest = rest
        .strip_suffix(".scope")
        .or_else(|| rest.strip_suffix(".service"))?;
    let (name, app) = rest.split_once('.')?;
    (!name.is_empty() && !app.is_empty()).then_some(name)
}

/// Parses `app-flatpak-ID-NUMBER.scope` for the ID of the application.
fn flatpak(own: &str) -> Option<&str> {
    let rest = own.strip_prefix("app-flatpak-")?.strip_suffix(".scope")?;
    let (id, number) = rest.rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (!id.is_empty() && is_number).then_some(id)
}

/// Finds the pod of a cgroup by its name and that of the one above: `pod<uid>` of
/// Kubernetes, which follows other words and has `_` for `-` in a slice, or a pod
/// of Podman.
pub(super) fn pod(own: &str, parent: &str) -> Option<String> {
    if parent == "libpod_parent" {
        return is_long_id(own).then(|| own.to_owned());
    }
    let slice = own.split(':').next().unwrap_or(own);
    let slice = slice.strip_suffix(".slice").unwrap_or(slice);
    if let Some(id) = slice.strip_prefix("machine-libpod_pod_") {
        return is_long_id(id).then(|| id.to_owned());
    }
    if let Some(id) = slice.strip_prefix("libpod_pod_") {
        return is_long_id(id).then(|| id.to_owned());
    }
    let uid = match slice.rsplit_once("-pod") {
        Some((before, uid)) if is_kubepods(before) => uid,
        _ => slice.strip_prefix("pod")?,
    };
    let uid = uid.replace('_', "-");
    let is_uid = matches!(uid.len(), 32 | 36)
        && uid
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_uid.then_some(uid)
}
