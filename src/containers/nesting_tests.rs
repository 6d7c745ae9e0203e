//! Cgroups that are named after a container by someone else than its engine.

use crate::containers::cgroup::affiliation;
use crate::model::{Affiliation, Container, Engine};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn of(path: &str) -> Affiliation {
    let path = path.replace("<A>", A).replace("<B>", B);
    affiliation(format!("0::{path}\n").as_bytes())
}

fn container(engine: Option<Engine>, id: &str) -> Option<Container> {
    Some(Container {
        engine,
        id: id.replace("<A>", A).replace("<B>", B),
        name: None,
        uid: None,
    })
}

#[test]
fn a_cgroup_made_inside_a_container_is_a_claim_and_no_container() {
    let docker = Some(Engine::Docker);
    for (path, outer, engine, claimed) in [
        ("/docker/<A>/docker/<B>", (docker, "<A>"), docker, "<B>"),
        (
            "/system.slice/docker-<A>.scope/libpod-<B>.scope",
            (docker, "<A>"),
            Some(Engine::Podman),
            "<B>",
        ),
        (
            "/docker/<A>/user.slice/user-0.slice/x/docker-<B>.scope/init.scope",
            (docker, "<A>"),
            docker,
            "<B>",
        ),
        (
            "/docker/<A>/kubepods.slice/kubepods-pod0a1b2c3d_0001_0002_0003_0123456789ab.slice/crio-<B>.scope",
            (docker, "<A>"),
            Some(Engine::Crio),
            "<B>",
        ),
        (
            "/lxc.payload.alpha/lxc.payload.beta",
            (Some(Engine::Lxc), "alpha"),
            Some(Engine::Lxc),
            "beta",
        ),
        (
            "/machine.slice/machine-deb.scope/payload/machine.slice/machine-x.scope/payload",
            (Some(Engine::Nspawn), "deb"),
            Some(Engine::Nspawn),
            "x",
        ),
        // The innermost of several claims counts.
        (
            "/docker/<A>/lxc/alpha/docker/<B>",
            (docker, "<A>"),
            docker,
            "<B>",
        ),
        ("/any/<A>/any/<B>", (None, "<A>"), None, "<B>"),
    ] {
        let found = of(path);
        assert_eq!(found.container, container(outer.0, outer.1), "{path}");
        assert_eq!(found.nested, container(engine, claimed), "{path}");
        assert_eq!(found.pod, None, "{path}");
    }
}

#[test]
fn what_an_engine_makes_below_its_own_container_is_no_claim() {
    for path in [
        "/docker/<A>",
        "/docker/<A>/init.scope",
        "/docker/<A>/docker/<A>",
        "/docker/<A>/system.slice/docker.service",
        "/machine.slice/libpod-<A>.scope/container",
        "/libpod_parent/<B>/libpod-<A>",
        "/docker/<A>/libpod_parent/libpod-conmon-<B>",
        "/docker/buildkit/xyz",
        "/docker/buildx/xyz",
    ] {
        let found = of(path);
        assert!(found.container.is_some(), "{path}");
        assert_eq!(found.nested, None, "{path}");
    }
}

#[test]
fn a_container_in_the_slice_of_a_user_is_theirs() {
    let uid = |path: &str| of(path).container.and_then(|container| container.uid);
    let manager = "/user.slice/user-1000.slice/user@1000.service";
    assert_eq!(uid("/system.slice/docker-<A>.scope"), None);
    assert_eq!(uid(&format!("{manager}/docker-<A>.scope")), Some(1000));
    assert_eq!(
        uid("/user.slice/user-1000.slice/session-2.scope/lxc/alpha"),
        Some(1000)
    );
    assert_eq!(
        uid("/user@1001.service/user.slice/libpod-<A>.scope"),
        Some(1001)
    );
    // Names inside of a container or of a user's slice change nothing.
    assert_eq!(uid("/docker/<A>/user-1000.slice/docker/<B>"), None);
    let other = format!("{manager}/user-1001.slice/user@1001.service/docker/<A>");
    assert_eq!(uid(&other), Some(1000));
    for path in [
        "/user.slice/user-0.slice/user@0.service/docker/<A>",
        "/user.slice/user-x.slice/user@-1.service/docker/<A>",
        "/user.slice/user-1000.service/user@1000.slice/docker/<A>",
    ] {
        assert_eq!(uid(path), None, "{path}");
    }
}
