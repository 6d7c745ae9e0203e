//! Containers of real engines: each is listed with its name, its host name and
//! what it shares with the host, as the engine itself reports.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::common::{Nsls, Outcome, live, skip};

/// Held by a test with running engines: another's containers are not expected.
pub static ALONE: Mutex<()> = Mutex::new(());

/// A container, as printed by `tests/engines/start`.
#[derive(Debug)]
struct Started {
    engine: String,
    name: String,
    id: Option<String>,
    pid: u32,
    hostname: String,
    shared: Vec<String>,
    /// Which of net, pid and uts the engine reports as the host's.
    modes: Vec<String>,
}

impl Started {
    fn parse(line: &str) -> Self {
        let words: Vec<_> = line.split(' ').collect();
        let [engine, name, id, pid, hostname, shared, modes] = words[..] else {
            panic!("{line}");
        };
        let list = |words: &str| {
            let words = words.split(',').filter(|word| *word != "-");
            words.map(str::to_owned).collect()
        };
        Started {
            engine: engine.to_owned(),
            name: name.to_owned(),
            id: (id != "-").then(|| id.to_owned()),
            pid: pid.parse().unwrap(),
            hostname: hostname.to_owned(),
            shared: list(shared),
            modes: list(modes),
        }
    }

    /// Returns the name of the engine in nsls, or `None` if the cgroup does not
    /// identify the container: without systemd or permission to create cgroups,
    /// some containers have none.
    fn known_as(&self) -> Option<&'static str> {
        match &*self.engine {
            "docker" => Some("docker"),
            "podman" => Some("podman"),
            "lxc" => Some("lxc"),
            "systemd-nspawn" if self.name == "nsls-nspawn-scope" => Some("nspawn"),
            "systemd-nspawn" | "podman-rootless" | "bubblewrap" | "netns" => None,
            engine => panic!("{engine}"),
        }
    }
}

/// Running containers, which are stopped on drop.
struct Engines {
    script: Child,
    started: Vec<Started>,
}

impl Engines {
    /// Starts every container that can run.
    fn start(dir: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engines/start");
        let mut script = Command::new(script)
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut started = Vec::new();
        for line in BufReader::new(script.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if line == "ready" {
                break;
            }
            if line.contains(" - skipped ") {
                skip(&line);
            } else {
                started.push(Started::parse(&line));
            }
        }
        Engines { script, started }
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

fn json_of(words: &str) -> Value {
    let run = Nsls::words(words).run();
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{words}: {run}"))
}

/// Returns the entry of a container in the output of `nsls containers`.
fn listed(containers: &Value, one: &Started) -> Value {
    let id = one.id.as_ref().unwrap_or(&one.name);
    let all = containers["containers"].as_array().unwrap();
    let mut found = all.iter().filter(|entry| entry["id"] == **id);
    let mut found = found.next().unwrap_or(&Value::Null).clone();
    if let Some(entry) = found.as_object_mut() {
        // The pod ID and the unit are not under the control of this test.
        entry.remove("pod");
        entry.remove("unit");
    }
    found
}

#[test]
fn containers_of_every_engine_are_listed_with_what_they_share() {
    if !live::has_time() || !live::can_unshare() || !live::has(&["bash", "nsenter"]) {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let engines = Engines::start(dir.path());
    let log = || std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    assert!(!log().contains("MISMATCH"), "{}", log());
    let own = std::process::id();
    let containers = json_of("containers --json");
    for one in &engines.started {
        if let Some(engine) = one.known_as() {
            let expected = json!({
                "engine": engine,
                "id": one.id.as_ref().unwrap_or(&one.name),
                "name": one.id.as_ref().map(|_| &one.name),
                "uid": null,
                "hostname": one.hostname,
                "nprocs": 1,
                "pid": one.pid,
                "shared": one.shared,
                "unknown": [],
                "claims": [],
            });
            assert_eq!(listed(&containers, one), expected, "{one:?}");
            compare(one, &one.name, own);
            let run =
                Nsls::words(&format!("--container {} -t uts -n -o CONTAINER", one.name)).run();
            let label = format!("{engine}:{}\n", one.name);
            let is_alone = !one.shared.contains(&"uts".to_owned()) && one.modes.is_empty();
            let names = run.stdout.contains(&label) || run.stdout.contains(" +");
            assert!(names || !is_alone, "{one:?}: {run}");
            translate(one);
        }
        compare(one, &one.pid.to_string(), own);
        let hostname = format!("--pid {} -t uts -n -o HOSTNAME", one.pid);
        let hostname = Nsls::words(&hostname).run().stdout;
        assert_eq!(hostname, format!("{}\n", one.hostname), "{one:?}");
    }
    pod(&engines.started, &containers);
    // Neither monitors nor anything else are listed as containers.
    let known = engines
        .started
        .iter()
        .filter(|one| one.known_as().is_some());
    let all = containers["containers"].as_array().unwrap();
    assert_eq!(all.len(), known.count(), "{containers:#}");
}

/// Checks that `nsls compare` agrees with the namespaces and with the engine.
fn compare(one: &Started, subject: &str, own: u32) {
    let compared = json_of(&format!("compare -J {subject} {own}"));
    let shared = |kind: &&str| {
        let types = compared["types"].as_array().unwrap();
        types
            .iter()
            .any(|one| one["type"] == **kind && one["shared"] == true)
    };
    let all = ["mnt", "net", "ipc", "user", "pid", "uts", "cgroup", "time"];
    let found: Vec<_> = all.into_iter().filter(shared).collect();
    assert_eq!(found, one.shared, "{one:?}");
    if one.engine == "docker" || one.engine == "podman" {
        let modes: Vec<_> = ["net", "pid", "uts"].into_iter().filter(shared).collect();
        assert_eq!(modes, one.modes, "{one:?}");
    }
}

/// Checks that its first process is PID 1 inside, if it has its own pid
/// namespace.
fn translate(one: &Started) {
    if one.shared.contains(&"pid".to_owned()) {
        return;
    }
    let run = Nsls::words(&format!("translate 1 --from {}", one.name)).run();
    assert_eq!(
        (run.status, run.stdout),
        (0, format!("{}\n", one.pid)),
        "{one:?}"
    );
    let run = Nsls::words(&format!("translate {} -n -r", one.pid)).run();
    let pids: Vec<_> = run
        .stdout
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    assert_eq!(pids, [&*one.pid.to_string(), "1"], "{one:?}");
}

/// Checks that the containers of a pod share the pod and three namespaces.
fn pod(started: &[Started], containers: &Value) {
    let of_pod: Vec<_> = started
        .iter()
        .filter(|one| one.name.starts_with("nsls-pod-"))
        .collect();
    let [first, others @ ..] = &of_pod[..] else {
        return;
    };
    let pod = |one: &Started| {
        let all = containers["containers"].as_array().unwrap();
        let entry = all.iter().find(|entry| entry["pid"] == one.pid).unwrap();
        entry["pod"].as_str().unwrap().to_owned()
    };
    for other in others {
        assert_eq!(pod(other), pod(first));
        let run = Nsls::words(&format!("compare -r -n {} {}", first.name, other.name)).run();
        let shared: Vec<_> = run
            .stdout
            .lines()
            .filter(|line| line.ends_with(" yes"))
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert_eq!(
            shared,
            ["net", "ipc", "user", "uts", "cgroup", "time"],
            "{run}"
        );
        assert_eq!(
            run,
            Outcome {
                status: 1,
                ..run_of(&run)
            }
        );
    }
}

fn run_of(run: &Outcome) -> Outcome {
    Outcome {
        status: run.status,
        stdout: run.stdout.clone(),
        stderr: run.stderr.clone(),
    }
}
