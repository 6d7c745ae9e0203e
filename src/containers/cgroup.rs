//! Containers, pods and units by the paths of cgroups, cgroups(7).
//!
//! Engines name the cgroup of a container after it. Each has a pattern of its
//! own, and some of their helpers have one that looks alike.

use crate::model::{Affiliation, Container, Engine, is_long_id};

/// Where a process belongs, by the text of its `/proc/PID/cgroup`. Nothing is
/// known of a path without a pattern.
pub(crate) fn affiliation(text: &[u8]) -> Affiliation {
    let text = String::from_utf8_lossy(text);
    let paths = ordered_paths(&text);
    let paths: Vec<Vec<String>> = paths.into_iter().map(components).collect();
    let found = paths.iter().find_map(|path| find_container(path));
    let (container, pod) = match found {
        Some((container, pod)) => (Some(container), pod),
        None => (None, None),
    };
    Affiliation {
        container,
        pod,
        unit: ordered_paths(&text).into_iter().find_map(unit),
    }
}

/// The paths of a cgroup file, `ID:CONTROLLERS:PATH` each: first those of the
/// hierarchies that systemd keeps, for engines may leave out others.
fn ordered_paths(text: &str) -> Vec<&str> {
    let mut paths: Vec<(u8, &str)> = text
        .lines()
        .filter_map(|line| {
            // A path may hold colons.
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

/// The directories of a path, as they were before systemd escaped them. What is
/// above the root of the reader's cgroup namespace is shown as `..`.
fn components(path: &str) -> Vec<String> {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | ".."));
    parts.map(|part| part.replace("\\x2d", "-")).collect()
}

/// The innermost container of a path, and its pod.
fn find_container(path: &[String]) -> Option<(Container, Option<String>)> {
    (0..path.len()).rev().find_map(|place| {
        let own = path.get(place)?;
        if is_helper(own) {
            return None;
        }
        let parent = |up: usize| {
            let above = place.checked_sub(up).and_then(|place| path.get(place));
            above.map_or("", String::as_str)
        };
        let (engine, id) = container_of(own, parent(1), parent(2))?;
        // systemd-nspawn(1) itself is beside the payload.
        let below = path.get(place + 1).map(String::as_str);
        if engine == Some(Engine::Nspawn) && below == Some("supervisor") {
            return None;
        }
        let pod = (0..=place).rev().find_map(|place| {
            let above = place.checked_sub(1).and_then(|above| path.get(above));
            pod(path.get(place)?, above.map_or("", String::as_str))
        });
        let engine = match (engine, &pod, path.iter().any(|part| is_kubepods(part))) {
            (None, Some(_), true) => Some(Engine::Kubernetes),
            (engine, ..) => engine,
        };
        let id = id.to_owned();
        let name = None;
        Some((Container { engine, id, name }, pod))
    })
}

/// Whether a cgroup is that of something that only watches over a container, or
/// of a virtual machine or mount.
fn is_helper(name: &str) -> bool {
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

fn is_kubepods(name: &str) -> bool {
    name.starts_with("kubepods") || name.starts_with("kubelet-kubepods")
}

/// The engine and the id or name of a container by the name of its cgroup, and
/// of the two above that.
fn container_of<'a>(
    own: &'a str,
    parent: &str,
    grandparent: &str,
) -> Option<(Option<Engine>, &'a str)> {
    let of = |engine, id| Some((Some(engine), id));
    let name = own.strip_suffix(".scope").unwrap_or(own);
    for (prefix, engine) in [
        ("docker-", Engine::Docker),
        ("libpod-", Engine::Podman),
        ("cri-containerd-", Engine::Containerd),
        ("crio-", Engine::Crio),
        ("nerdctl-", Engine::Nerdctl),
    ] {
        if let Some(id) = name.strip_prefix(prefix).filter(|id| is_long_id(id)) {
            return of(engine, id);
        }
    }
    // `SLICE:PREFIX:ID`, what a cgroupfs driver makes of a name for systemd.
    if let [_, prefix, id] = *own.split(':').collect::<Vec<_>>() {
        return match prefix {
            "cri-containerd" if is_long_id(id) => of(Engine::Containerd, id),
            "crio" if is_long_id(id) => of(Engine::Crio, id),
            "nerdctl" if is_long_id(id) => of(Engine::Nerdctl, id),
            "docker" if is_long_id(id) => of(Engine::Docker, id),
            "docker" if is_short_id(id) => of(Engine::Buildkit, id),
            _ => None,
        };
    }
    if let Some(name) = own.strip_prefix("lxc.payload.") {
        return of(Engine::Lxc, name).filter(|_| !name.is_empty());
    }
    if let Some(name) = own
        .strip_prefix("machine-")
        .and_then(|own| own.strip_suffix(".scope"))
    {
        return of(Engine::Nspawn, name);
    }
    if let Some(name) = own.strip_prefix("systemd-nspawn@") {
        return of(Engine::Nspawn, name.strip_suffix(".service")?);
    }
    if let Some(id) = snap(own) {
        return of(Engine::Snap, id);
    }
    if let Some(id) = flatpak(own) {
        return of(Engine::Flatpak, id);
    }
    let is_garden = |name: &str| name == "garden" || name.starts_with("garden-");
    match (grandparent, parent) {
        (_, "lxc" | "lxc.payload") => of(Engine::Lxc, own),
        ("docker", "buildkit" | "buildx") => of(Engine::Buildkit, own),
        (_, "docker") if own == "buildx" => of(Engine::Buildkit, own),
        (_, "docker") if is_long_id(own) => of(Engine::Docker, own),
        (grandparent, "good" | "bad") if is_garden(grandparent) => of(Engine::Garden, own),
        (_, garden) if is_garden(garden) && !matches!(own, "good" | "bad") => {
            of(Engine::Garden, own)
        }
        // A pod, and what watches over it.
        (_, "libpod_parent") => None,
        // Many engines do that, below a parent of anybody's choice.
        _ if is_long_id(own) => Some((None, own)),
        _ => None,
    }
}

/// The ids of BuildKit: 25 letters and digits.
fn is_short_id(word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    word.len() == 25 && word.bytes().all(is_part)
}

/// `snap.NAME.APP….scope` or `.service`.
fn snap(own: &str) -> Option<&str> {
    let rest = own.strip_prefix("snap.")?;
    let rest = rest
        .strip_suffix(".scope")
        .or_else(|| rest.strip_suffix(".service"))?;
    let (name, app) = rest.split_once('.')?;
    (!name.is_empty() && !app.is_empty()).then_some(name)
}

/// `app-flatpak-ID-NUMBER.scope`.
fn flatpak(own: &str) -> Option<&str> {
    let rest = own.strip_prefix("app-flatpak-")?.strip_suffix(".scope")?;
    let (id, number) = rest.rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (!id.is_empty() && is_number).then_some(id)
}

/// The pod of which this is the cgroup: `pod<uid>` of Kubernetes, in a slice
/// behind other words and with `_` for `-`, or a pod of Podman.
fn pod(own: &str, parent: &str) -> Option<String> {
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

/// The innermost unit of systemd in a path that holds processes.
fn unit(path: &str) -> Option<String> {
    let units = path.rsplit('/').find(|part| {
        let name = part
            .strip_suffix(".service")
            .or_else(|| part.strip_suffix(".scope"));
        name.is_some_and(|name| !name.is_empty())
    });
    units.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "5f8272929921c2d4f0a3b1e6d7c8594a0b1c2d3e4f5061728394a5b6c7d8e9f0";

    /// Engine, id or name, pod and unit of a path of the one hierarchy.
    fn found(path: &str) -> (Option<Engine>, String, Option<String>, Option<String>) {
        let path = path.replace("ID", ID);
        let all = affiliation(format!("0::{path}\n").as_bytes());
        let container = all.container.unwrap_or_else(|| panic!("nothing in {path}"));
        (
            container.engine,
            container.id.replace(ID, "ID"),
            all.pod,
            all.unit,
        )
    }

    #[test]
    fn every_engine_names_its_cgroups_in_its_own_way() {
        for (path, engine, id) in [
            ("/system.slice/docker-ID.scope", Engine::Docker, "ID"),
            (
                "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope",
                Engine::Docker,
                "ID",
            ),
            ("/docker/ID", Engine::Docker, "ID"),
            ("/docker/ID/init.scope", Engine::Docker, "ID"),
            (
                "/machine.slice/libpod-ID.scope/container",
                Engine::Podman,
                "ID",
            ),
            ("/libpod_parent/libpod-ID", Engine::Podman, "ID"),
            ("/system.slice/crio-ID.scope/container", Engine::Crio, "ID"),
            ("/crio-ID", Engine::Crio, "ID"),
            (
                "/system.slice/cri-containerd-ID.scope",
                Engine::Containerd,
                "ID",
            ),
            ("/system.slice/nerdctl-ID.scope", Engine::Nerdctl, "ID"),
            ("/lxc.payload.alpha", Engine::Lxc, "alpha"),
            (
                "/lxc.payload.alpha/system.slice/x.service",
                Engine::Lxc,
                "alpha",
            ),
            ("/lxc.payload/alpha", Engine::Lxc, "alpha"),
            ("/lxc/alpha", Engine::Lxc, "alpha"),
            (
                r"/machine.slice/machine-a\x2db.scope/payload",
                Engine::Nspawn,
                "a-b",
            ),
            (
                "/machine.slice/systemd-nspawn@deb.service/payload",
                Engine::Nspawn,
                "deb",
            ),
            (
                "/system.slice:docker:abcdefghijklmnopqrstu0123",
                Engine::Buildkit,
                "abcdefghijklmnopqrstu0123",
            ),
            ("/docker/buildkit/xyz", Engine::Buildkit, "xyz"),
            ("/docker/buildx/xyz", Engine::Buildkit, "xyz"),
            ("/docker/buildx", Engine::Buildkit, "buildx"),
            (
                "/user.slice/snap.firefox.firefox-12ab.scope",
                Engine::Snap,
                "firefox",
            ),
            ("/system.slice/snap.lxd.daemon.service", Engine::Snap, "lxd"),
            (
                "/app.slice/app-flatpak-org.gnome.Maps-4711.scope",
                Engine::Flatpak,
                "org.gnome.Maps",
            ),
            ("/garden/handle", Engine::Garden, "handle"),
            ("/garden-cell/good/handle", Engine::Garden, "handle"),
            ("/garden/bad/handle", Engine::Garden, "handle"),
            ("/../../docker/ID", Engine::Docker, "ID"),
        ] {
            let seen = found(path);
            assert_eq!((seen.0, &*seen.1), (Some(engine), id), "{path}");
            assert_eq!(seen.2, None, "{path}");
        }
        assert_eq!(found("/any-parent/ID").0, None);
    }

    #[test]
    fn a_pod_is_known_by_its_uid_in_any_spelling() {
        let uid = "0a1b2c3d-0001-0002-0003-0123456789ab";
        let under = uid.replace('-', "_");
        for (path, engine) in [
            (
                format!(
                    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{under}.slice/cri-containerd-ID.scope"
                ),
                Engine::Containerd,
            ),
            (
                format!("/kubepods.slice/kubepods-pod{under}.slice/crio-ID.scope"),
                Engine::Crio,
            ),
            (
                format!(
                    "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod{under}.slice/cri-containerd-ID.scope"
                ),
                Engine::Containerd,
            ),
            (
                format!("/kubepods/burstable/pod{uid}/ID"),
                Engine::Kubernetes,
            ),
            (format!("/kubepods/pod{uid}/crio-ID"), Engine::Crio),
            (
                format!(
                    "/system.slice/containerd.service/kubepods-burstable-pod{under}.slice:cri-containerd:ID"
                ),
                Engine::Containerd,
            ),
        ] {
            let seen = found(&path);
            assert_eq!((seen.0, &*seen.1), (Some(engine), "ID"), "{path}");
            assert_eq!(seen.2.as_deref(), Some(uid), "{path}");
        }
        let podman = found(&format!("/libpod_parent/{ID}/libpod-{ID}"));
        assert_eq!(
            (podman.0, podman.2.as_deref()),
            (Some(Engine::Podman), Some(ID))
        );
        let podman = found("/machine.slice/machine-libpod_pod_ID.slice/libpod-ID.scope");
        assert_eq!(podman.2.as_deref(), Some(ID));
        let fixed = "0123456789abcdef0123456789abcdef";
        let seen = found(&format!("/kubepods/pod{fixed}/ID"));
        assert_eq!(seen.2.as_deref(), Some(fixed));
    }

    #[test]
    fn what_only_looks_like_a_container_is_none() {
        for path in [
            "/",
            "/../..",
            "/system.slice/docker.service",
            "/docker",
            "/docker/short",
            "/system.slice/docker-5f82.scope",
            "/machine.slice/libpod-conmon-ID.scope",
            "/libpod_parent/libpod-conmon-ID",
            "/libpod_parent/ID/conmon",
            "/libpod_parent/conmon",
            "/system.slice/crio-conmon-ID.scope",
            "/lxc.monitor.alpha",
            "/lxc.payload.",
            r"/machine.slice/machine-qemu\x2d1\x2dvm.scope",
            "/machine.slice/machine-deb.scope/supervisor",
            "/system.slice/var-lib-docker-ID.mount",
            "/system.slice/docker-ID.mount",
            "/kubepods/burstable",
            "/user.slice/snap.firefox",
            "/app.slice/app-flatpak-x.scope",
            "/garden",
            "/garden/good",
            "/a:b:c",
            "/a:docker:xyz",
        ] {
            let text = format!("0::{}\n", path.replace("ID", ID));
            assert_eq!(affiliation(text.as_bytes()).container, None, "{path}");
        }
        for text in ["", "0", "0::", "0:\n", "nonsense\n", "\u{0}\u{ff}"] {
            assert_eq!(
                affiliation(text.as_bytes()),
                Affiliation::default(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_innermost_container_counts_and_the_first_hierarchy_that_knows_one() {
        let inner = ID.replace('5', "6");
        let nested = format!("/docker/{ID}/docker/{inner}");
        assert_eq!(found(&nested).1, inner);
        let watched = found("/docker/ID/libpod_parent/libpod-conmon-ID");
        assert_eq!((watched.0, &*watched.1), (Some(Engine::Docker), "ID"));
        let hybrid = format!("12:pids:/docker/{ID}\n1:name=systemd:/lxc/alpha\n0::/\n");
        let lxc = affiliation(hybrid.as_bytes());
        assert_eq!(lxc.container.unwrap().engine, Some(Engine::Lxc));
        let v1 = format!("1:name=systemd:/\n4:memory:/docker/{ID}\n0::/\n");
        let docker = affiliation(v1.as_bytes());
        assert_eq!(docker.container.unwrap().engine, Some(Engine::Docker));
        // A path may hold colons.
        let colons = affiliation(format!("0::/a:b/docker/{ID}\n").as_bytes());
        assert_eq!(colons.container.unwrap().engine, Some(Engine::Docker));
    }

    #[test]
    fn the_unit_is_the_innermost_service_or_scope() {
        let unit = |path: &str| affiliation(format!("0::{path}\n").as_bytes()).unit;
        assert_eq!(
            unit("/system.slice/cron.service").as_deref(),
            Some("cron.service")
        );
        let app = "/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope/x";
        assert_eq!(unit(app).as_deref(), Some("a.scope"));
        assert_eq!(unit("/init.scope").as_deref(), Some("init.scope"));
        assert_eq!(unit("/system.slice"), None);
        assert_eq!(unit("/.service"), None);
        let v1 = affiliation(b"0::/\n1:name=systemd:/system.slice/a.service\n");
        assert_eq!(v1.unit.as_deref(), Some("a.service"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = affiliation(&text);
        }

        #[test]
        fn no_path_makes_it_panic(path in "[/.:a-f0-9pod-]{0,200}") {
            let _ = affiliation(format!("0::{path}\n").as_bytes());
        }
    }
}
