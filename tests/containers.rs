//! Processes whose cgroups are named after containers they are not in.

use serde_json::{Value, json};

use crate::common::{Nsls, Outcome, Tree};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Builds containers A and B, and two processes that pretend to be in B: one
/// inside A, and one in the slice of a user, whose storage also names B.
fn tree() -> Tree {
    let users = "/user.slice/user-1000.slice/user@1000.service";
    let storage = "home/ann/.local/share/containers/storage";
    Tree::new()
        .file(
            "etc/passwd",
            "root:x:0:0::/root:\nann:x:1000:1000::/home/ann:\n",
        )
        .process(7, "a\0")
        .file("proc/7/cgroup", format!("0::/docker/{A}\n"))
        .process(8, "b\0")
        .file(
            "proc/8/cgroup",
            format!("0::/machine.slice/libpod-{B}.scope\n"),
        )
        .process(9, "inside\0")
        .file(
            "proc/9/cgroup",
            format!("0::/docker/{A}/libpod-{B}.scope\n"),
        )
        .process(10, "ann\0")
        .file("proc/10/cgroup", format!("0::{users}/libpod-{B}.scope\n"))
        .file(
            "var/lib/containers/storage/overlay-containers/containers.json",
            format!("[{{\"id\": \"{B}\", \"names\": [\"db\"]}}]"),
        )
        .file(
            &format!("{storage}/overlay-containers/containers.json"),
            format!("[{{\"id\": \"{B}\", \"names\": [\"fake\"]}}]"),
        )
}

#[test]
fn a_container_has_only_the_processes_that_its_engine_put_there() {
    let tree = tree();
    for name in [B, "bbbb", "db", "podman:db"] {
        let run = Nsls::new(["--container", name, "-t", "uts", "-o", "PID"]);
        let members = Nsls::new(["4026531838", "--container", name, "-o", "PID,CONTAINER"]);
        assert_eq!(
            run.sysroot(tree.path()).run(),
            Outcome::success("  PID\n    7\n"),
            "{name}"
        );
        assert_eq!(
            members.sysroot(tree.path()).run(),
            Outcome::success("  PID CONTAINER\n    8 podman:db\n"),
            "{name}"
        );
    }
}

#[test]
fn a_cgroup_named_inside_a_container_is_listed_as_a_claim() {
    let run = Nsls::words("containers --json")
        .sysroot(tree().path())
        .run();
    let mut document: Value = serde_json::from_str(&run.stdout).unwrap();
    let seen = document["containers"].as_array_mut().unwrap();
    let keys = ["engine", "id", "name", "uid", "nprocs", "pid", "claims"];
    let seen: Vec<Value> = seen
        .iter_mut()
        .map(|one| keys.iter().map(|key| one[key].take()).collect())
        .collect();
    assert_eq!(
        seen,
        [
            json!(["docker", A, null, null, 2, 7, [{ "engine": "podman", "id": B }]]),
            json!(["podman", B, "db", null, 1, 8, []]),
            json!(["podman", B, "fake", 1000, 1, 10, []]),
        ]
    );
}

#[test]
fn the_table_shows_one_claim_of_each_container_and_counts_the_rest() {
    let c = "c".repeat(64);
    let root = tree()
        .process(11, "inside\0")
        .file("proc/11/cgroup", format!("0::/docker/{A}/lxc.payload.x\n"))
        .process(12, "db\0")
        .file(
            "proc/12/cgroup",
            format!("0::/machine.slice/libpod-{B}.scope/docker/{A}\n"),
        )
        .process(13, "hostile\0")
        .file(
            "proc/13/cgroup",
            format!("0::/docker/{c}/lxc.payload.\x1b[31m\n"),
        );
    let shown = |form: &str| {
        let words = format!("containers {form}");
        let run = Nsls::words(&words).sysroot(root.path()).run();
        let stderr = "nsls: this tree has no record of what is inside namespaces\n";
        assert_eq!((run.status, &*run.stderr), (0, stderr));
        run.stdout
    };
    assert_eq!(
        shown(""),
        r"ENGINE CONTAINER    POD HOSTNAME NPROCS   PID CLAIMS                 SHARED
docker aaaaaaaaaaaa                   3     7 podman:bbbbbbbbbbbb +1 mnt,net,ipc,user,pid,uts,cgroup,time
docker cccccccccccc                   1    13 lxc:\x1b[31m           mnt,net,ipc,user,pid,uts,cgroup,time
podman db                             2     8 docker:aaaaaaaaaaaa    mnt,net,ipc,user,pid,uts,cgroup,time
podman fake                           1    10                        mnt,net,ipc,user,pid,uts,cgroup,time
"
    );
    assert_eq!(
        shown("--raw"),
        r"ENGINE CONTAINER POD HOSTNAME NPROCS PID CLAIMS SHARED
docker aaaaaaaaaaaa   3 7 podman:bbbbbbbbbbbb\x20+1 mnt,net,ipc,user,pid,uts,cgroup,time
docker cccccccccccc   1 13 lxc:\x1b[31m mnt,net,ipc,user,pid,uts,cgroup,time
podman db   2 8 docker:aaaaaaaaaaaa mnt,net,ipc,user,pid,uts,cgroup,time
podman fake   1 10  mnt,net,ipc,user,pid,uts,cgroup,time
"
    );
}

#[test]
fn links_do_not_lead_out_of_the_storage_of_a_user() {
    let id = "c".repeat(64);
    let file = "home/ann/.local/share/containers/storage/overlay-containers/containers.json";
    let names = format!("[{{\"id\": \"{id}\", \"names\": [\"stolen\"]}}]");
    let stored = || {
        tree()
            .file("root/containers.json", &names)
            .without("proc/9")
            .without("proc/8")
            .without("proc/7")
            .file(
                "proc/10/cgroup",
                format!("0::/user.slice/user-1000.slice/user@1000.service/libpod-{id}.scope\n"),
            )
    };
    let shown = |tree: Tree| {
        let run = Nsls::words("-t uts -n -o CONTAINER").sysroot(tree.path());
        run.run().stdout
    };
    assert_eq!(shown(stored().file(file, &names)), "podman:stolen\n");
    let label = "podman:cccccccccccc\n";
    assert_eq!(shown(stored().link(file, "/root/containers.json")), label);
    assert_eq!(shown(stored().fifo(file)), label);
    let moved = stored()
        .without("home/ann/.local/share/containers")
        .file(
            "home/ann/storage/overlay-containers/containers.json",
            &names,
        )
        .link(
            "home/ann/.local/share/containers/storage",
            "../../../storage",
        );
    assert_eq!(shown(moved), label);
}

#[test]
fn a_capture_keeps_container_names_apart_by_user() {
    let dir = tempfile::tempdir().unwrap();
    let run = Nsls::new(["capture".as_ref(), dir.path().as_os_str()]);
    assert_eq!(run.sysroot(tree().path()).run().status, 0);
    let named = |root: &std::path::Path| {
        let run = Nsls::words("4026531838 -o PID,CONTAINER")
            .sysroot(root)
            .run();
        assert_eq!(run.status, 0, "{run}");
        run.stdout
    };
    assert_eq!(named(dir.path()), named(tree().path()));
}

#[test]
fn docker_containers_have_names_wherever_its_data_root_is() {
    let id = |number: u32| number.to_string().repeat(64);
    let in_container = |tree: Tree, number: u32| {
        let cgroup = format!("0::/system.slice/docker-{}.scope\n", id(number));
        tree.process(10 + number, "x\0")
            .file(&format!("proc/{}/cgroup", 10 + number), cgroup)
    };
    let config = |tree: Tree, root: &str, number: u32, name: &str| {
        let path = format!("{root}/containers/{}/config.v2.json", id(number));
        tree.file(&path, format!(r#"{{"Name":"/{name}"}}"#))
    };
    let daemon = |tree: Tree, pid: u32, arguments: &str| {
        tree.process(pid, format!("dockerd\0{arguments}\0"))
            .file(&format!("proc/{pid}/cgroup"), "0::/\n")
            .file(
                &format!("proc/{pid}/stat"),
                format!("{pid} (dockerd) S 1 {pid} {pid} 0 -1\n"),
            )
    };
    let tree = Tree::new()
        .process(1, "init\0")
        .file("proc/1/cgroup", "0::/\n");
    let tree = (1..=8).fold(tree, in_container);
    let tree = tree.file("etc/docker/daemon.json", r#"{"data-root":"/data"}"#);
    let tree = tree.file("c.json", r#"{"data-root":"/more"}"#);
    let tree = config(tree, "var/lib/docker", 1, "default");
    let tree = config(tree, "data", 2, "configured");
    let tree = config(daemon(tree, 30, "--data-root=/d"), "d", 3, "by-argument");
    let tree = config(
        daemon(tree, 31, "--config-file\0/c.json"),
        "more",
        4,
        "by-file",
    );
    // Others may call themselves so.
    let tree = config(daemon(tree, 32, "-g/evil"), "evil", 5, "of-a-user");
    let tree = tree.file("proc/32/status", "Name:\tdockerd\nUid:\t7\t7\t7\t7\n");
    let tree = config(daemon(tree, 33, "-g/inner"), "inner", 6, "of-a-container");
    let tree = tree.link("proc/33/ns/mnt", "mnt:[4026532999]");
    // No link leads out of a data root.
    let tree = tree.file("secret", r#"{"Name":"/secret"}"#).link(
        &format!("data/containers/{}/config.v2.json", id(7)),
        "/secret",
    );
    let list = "containers -r -n";
    let run = Nsls::words(list).sysroot(tree.path()).run();
    let names: Vec<_> = run
        .stdout
        .lines()
        .map(|line| line.split(' ').nth(1))
        .collect();
    let short = |number| id(number)[..12].to_owned();
    let (five, six, seven, eight) = (short(5), short(6), short(7), short(8));
    let expected = [
        "default",
        "configured",
        "by-argument",
        "by-file",
        &five,
        &six,
        &seven,
        &eight,
    ];
    assert_eq!(names, expected.map(Some));
    assert_eq!(run.status, 0);
}
