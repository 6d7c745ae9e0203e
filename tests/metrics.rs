//! `nsls metrics`, on captured trees.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::{Nsls, Outcome, Tree, fixture};

/// Runs `nsls metrics`, and replaces the only number that varies.
fn metrics(arguments: &str, root: &Path) -> Outcome {
    let run = Nsls::words(&format!("metrics {arguments}"))
        .sysroot(root)
        .run();
    Outcome {
        stdout: without_time(&run.stdout),
        ..run
    }
}

fn without_time(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let time = line.strip_prefix("nsls_scan_duration_seconds ");
        match time {
            Some(time) => {
                assert!(time.parse::<f64>().unwrap() < 60.0, "{time}");
                "nsls_scan_duration_seconds TIME\n".to_owned()
            }
            None => format!("{line}\n"),
        }
    });
    lines.collect()
}

/// Two processes; the second is in a container whose name is an attack on the
/// format.
fn tree() -> Tree {
    let id = "a".repeat(64);
    Tree::new()
        .process(1, "init\0")
        .process(7, "web\0")
        .link("proc/7/ns/net", "net:[4026532001]")
        .link("proc/7/ns/uts", "uts:[4026532002]")
        .file(
            "proc/7/cgroup",
            format!("0::/machine.slice/libpod-{id}.scope\n"),
        )
        .file(
            "var/lib/containers/storage/overlay-containers/containers.json",
            format!(
                r#"[{{"id": "{id}", "names": ["x\"}} 1\nnsls_complete 7\\\\u001b[31m\u0000é"]}}]"#
            ),
        )
        .file("proc/sys/kernel/osrelease", "6.18.0\n")
        .file("proc/sys/user/max_net_namespaces", "100\n")
        .file("proc/sys/user/max_uts_namespaces", "many\n")
}

const WHOLE: &str = r##"# HELP nsls_namespaces Namespaces, by type and by the first kind of what holds them.
# TYPE nsls_namespaces gauge
nsls_namespaces{type="mnt",held="process"} 1
nsls_namespaces{type="net",held="process"} 2
nsls_namespaces{type="ipc",held="process"} 1
nsls_namespaces{type="user",held="process"} 1
nsls_namespaces{type="pid",held="process"} 1
nsls_namespaces{type="uts",held="process"} 2
nsls_namespaces{type="cgroup",held="process"} 1
nsls_namespaces{type="time",held="process"} 1
# HELP nsls_leaked_namespaces Namespaces in which no process was found and which no known name explains.
# TYPE nsls_leaked_namespaces gauge
nsls_leaked_namespaces{type="mnt"} 0
nsls_leaked_namespaces{type="net"} 0
nsls_leaked_namespaces{type="ipc"} 0
nsls_leaked_namespaces{type="user"} 0
nsls_leaked_namespaces{type="pid"} 0
nsls_leaked_namespaces{type="uts"} 0
nsls_leaked_namespaces{type="cgroup"} 0
nsls_leaked_namespaces{type="time"} 0
# HELP nsls_processes Processes of which a namespace could be read.
# TYPE nsls_processes gauge
nsls_processes 2
# HELP nsls_limit Limits of the kernel on namespaces, levels and PIDs, where nsls runs.
# TYPE nsls_limit gauge
nsls_limit{limit="max_net_namespaces"} 100
# HELP nsls_limit_used How much of a limit was found to be used, by user where each has their own.
# TYPE nsls_limit_used gauge
nsls_limit_used{limit="max_net_namespaces",user=""} 1
nsls_limit_used{limit="max_uts_namespaces",user=""} 1
# HELP nsls_container_shares_host Whether a container shares the namespace of a type with the host (1) or not (0).
# TYPE nsls_container_shares_host gauge
nsls_container_shares_host{container="NAME",engine="podman",uid="",type="mnt"} 1
nsls_container_shares_host{container="NAME",engine="podman",uid="",type="net"} 0
nsls_container_shares_host{container="NAME",engine="podman",uid="",type="ipc"} 1
nsls_container_shares_host{container="NAME",engine="podman",uid="",type="user"} 1
nsls_container_shares_host{container="NAME",engine="podman",uid="",type="pid"} 1
nsls_container_shares_host{container="NAME",engine="podman",uid="",type="uts"} 0
nsls_container_shares_host{container="NAME",engine="podman",uid="",type="cgroup"} 1
nsls_container_shares_host{container="NAME",engine="podman",uid="",type="time"} 1
# HELP nsls_omitted Containers or users that this metric leaves out because there are too many.
# TYPE nsls_omitted gauge
nsls_omitted{metric="nsls_container_shares_host"} 0
nsls_omitted{metric="nsls_limit_used"} 0
# HELP nsls_complete Whether the scan saw everything it looked for (1), or something may be missing (0).
# TYPE nsls_complete gauge
nsls_complete 1
# HELP nsls_scan_duration_seconds How long the scan took.
# TYPE nsls_scan_duration_seconds gauge
nsls_scan_duration_seconds TIME
# HELP nsls_build_info Always 1; the version of nsls.
# TYPE nsls_build_info gauge
nsls_build_info{version="0.1.0"} 1
# EOF
"##;

/// The name of the container, with nothing in it that ends a label or a line or
/// reaches a terminal.
const NAME: &str = r#"x\"} 1\\x0ansls_complete 7\\\\u001b[31m\\x00é"#;

#[test]
fn the_name_of_a_container_cannot_add_a_metric() {
    let expected = WHOLE.replace("NAME", NAME);
    assert_eq!(metrics("", tree().path()), Outcome::success(expected));
}

#[test]
fn a_file_has_the_same_text_and_is_replaced_at_once() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("nsls.prom");
    fs::write(&file, "old\n".repeat(1000)).unwrap();
    let run = metrics(&format!("--output {}", file.display()), tree().path());
    assert_eq!(run, Outcome::success(""));
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(without_time(&text), WHOLE.replace("NAME", NAME));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_cannot_be_written_is_named_and_nothing_is_scanned() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).display().to_string();
    symlink("elsewhere", place.path().join("link")).unwrap();
    for (file, why) in [
        (path("link"), "symbolic link"),
        (path("gone/x"), "no such file or directory"),
        (path(""), "is a directory"),
        ("/dev/full".to_owned(), "not a regular file"),
    ] {
        let run = metrics(&format!("--output {file}"), Path::new("/nonexistent"));
        let message = format!("cannot write {file}: {why}");
        assert_eq!(run, Outcome::failure(1, &message));
    }
}

#[test]
fn the_file_of_an_earlier_run_stays_if_there_is_nothing_to_write() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("nsls.prom");
    fs::write(&file, "old\n").unwrap();
    let run = metrics(
        &format!("--output {}", file.display()),
        Path::new("fixtures/empty"),
    );
    let message =
        "no processes in fixtures/empty/proc; --sysroot takes a directory written by nsls capture";
    assert_eq!(run, Outcome::failure(1, message));
    assert_eq!(fs::read_to_string(&file).unwrap(), "old\n");
}

#[test]
fn an_incomplete_view_is_written_said_and_with_strict_an_exit_code() {
    let root = tree().link("proc/7/ns/net", "ENOTHING");
    let line = "nsls: 1 of 2 processes could not be parsed (broken links)\n";
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("nsls.prom");
    for (arguments, status) in [("", 0), ("--strict", 3)] {
        let run = metrics(arguments, root.path());
        assert_eq!((run.status, &*run.stderr), (status, line));
        assert!(run.stdout.contains("\nnsls_complete 0\n"));
        let gap = "\nnsls_gaps{source=\"processes\",cause=\"malformed\"} 1\n";
        assert!(run.stdout.contains(gap));
        let arguments = format!("{arguments} --output {}", file.display());
        let written = metrics(&arguments, root.path());
        assert_eq!((written.status, &*written.stderr), (status, line));
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(without_time(&text), run.stdout);
    }
}

/// Returns the names of metrics in a text.
pub fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let names = words.filter(|word| {
        word.strip_prefix("nsls_")
            .is_some_and(|rest| !rest.is_empty())
    });
    names.map(str::to_owned).collect()
}

#[test]
fn the_guide_lists_every_metric_and_no_other() {
    let of_fixtures: BTreeSet<_> = ["containers", "unreadable", "kernel-6.1"]
        .into_iter()
        .flat_map(|name| names(&metrics("", &fixture(name)).stdout))
        .collect();
    let guide = include_str!("../docs/monitoring.md");
    let rows = guide.lines().filter(|line| line.starts_with("| `nsls_"));
    let listed: BTreeSet<_> = rows
        .flat_map(|row| names(row.split('|').nth(1).unwrap()))
        .collect();
    // Only the running kernel knows it.
    let live = BTreeSet::from(["nsls_newest_namespace_id".to_owned()]);
    assert_eq!(listed, of_fixtures.union(&live).cloned().collect());
    // All that anything shipped names exists.
    let shipped = [
        include_str!("../contrib/prometheus/nsls.rules.yml"),
        include_str!("../contrib/grafana/nsls.json"),
        guide,
    ];
    for text in shipped {
        let named = names(text);
        let unknown: Vec<_> = named.difference(&listed).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
