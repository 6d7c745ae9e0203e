//! Cgroup paths of every engine.

use proptest::prelude::*;

use crate::containers::cgroup::affiliation;
use crate::model::{Affiliation, Engine};

const ID: &str = "5f8272929921c2d4f0a3b1e6d7c8594a0b1c2d3e4f5061728394a5b6c7d8e9f0";

/// Returns engine, ID or name, pod and unit for a path on cgroup v2.
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
fn the_first_hierarchy_that_knows_a_container_counts() {
    let watched = found("/docker/ID/libpod_parent/libpod-conmon-ID");
    assert_eq!((watched.0, &*watched.1), (Some(Engine::Docker), "ID"));
    let hybrid = format!("12:pids:/docker/{ID}\n1:name=systemd:/lxc/alpha\n0::/\n");
    let lxc = affiliation(hybrid.as_bytes());
    assert_eq!(lxc.container.unwrap().engine, Some(Engine::Lxc));
    let v1 = format!("1:name=systemd:/\n4:memory:/docker/{ID}\n0::/\n");
    let docker = affiliation(v1.as_bytes());
    assert_eq!(docker.container.unwrap().engine, Some(Engine::Docker));
    // A path may contain colons.
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
