use std::collections::BTreeMap;
use std::path::Path;

use crate::common::{Nsls, Outcome, fixtures, names_in};

/// The arguments for every fixture, by snapshot name.
const FORMS: [(&str, &str); 3] = [
    ("table", ""),
    ("raw", "-r --output-all"),
    ("json", "--json"),
];

/// The arguments for some fixtures only.
const MORE: [(&str, &str, &str); 87] = [
    ("containers", "json-lines", "--json=lines -t net"),
    (
        "containers",
        "graph-matrix",
        "graph --format svg --view matrix",
    ),
    ("containers", "graph-tree", "graph --format svg --view tree"),
    (
        "containers",
        "graph-dot",
        "graph --format dot --view matrix",
    ),
    (
        "containers",
        "graph-mermaid",
        "graph --format mermaid --view matrix",
    ),
    ("unshared-not-forked", "graph", "graph"),
    ("empty", "graph", "graph"),
    ("containers", "leaks", "leaks"),
    ("containers", "leaks-json", "leaks --json"),
    ("containers", "find-container", "find web"),
    (
        "containers",
        "find-several",
        "find pid:1060 nobody pod:425c89ed5bb7",
    ),
    ("containers", "find-json", "find --json db pid:[4026532234]"),
    ("containers", "find-enter", "find --enter 4026532234"),
    ("containers", "find-command", "find postgres"),
    ("containers", "find-user", "find user:0 -n"),
    ("containers", "find-port", "find :8080"),
    ("containers", "find-nothing", "find nobody unit:x"),
    ("containers", "find-invalid", "find pid:x"),
    ("containers", "find-no-such-path", "find /nonexistent"),
    ("unreadable", "find-pid-of-another", "find pid:2"),
    ("unreadable", "find-nothing", "find nobody"),
    ("containers", "containers", "containers"),
    ("containers", "containers-json", "containers -J"),
    ("containers", "containers-raw", "containers -r -n"),
    (
        "containers",
        "compare",
        "compare db shop-infra docker:web 1",
    ),
    ("containers", "compare-json", "compare -J db shop-infra"),
    ("containers", "compare-raw", "compare -r 1 2"),
    ("containers", "compare-missing", "compare 1 nobody"),
    ("containers", "compare-ambiguous", "compare 1 docker:1"),
    ("containers", "translate", "translate 1150"),
    ("containers", "translate-json", "translate 1150 --json"),
    ("containers", "translate-from", "translate 25 --from db"),
    (
        "containers",
        "translate-from-json",
        "translate 77 --from docker:web -J",
    ),
    (
        "containers",
        "translate-from-namespace",
        "translate 1 --from pid:[4026532234]",
    ),
    (
        "containers",
        "translate-from-path",
        "translate 25 --from /proc/1070/ns/pid",
    ),
    ("containers", "translate-missing", "translate 99 --from db"),
    (
        "containers",
        "translate-other-type",
        "translate 1 --from net:[4026532232]",
    ),
    ("containers", "translate-gone", "translate 999999"),
    ("containers", "limits", "limits"),
    ("containers", "limits-json", "limits --json"),
    ("containers", "limits-raw", "limits --raw"),
    ("containers", "limits-why", "limits --why root"),
    ("containers", "limits-why-json", "limits --why 0 -J"),
    ("containers", "limits-why-raw", "limits --why 0 -r"),
    (
        "containers",
        "limits-why-nobody",
        "limits --why nobody-here",
    ),
    (
        "containers",
        "container",
        "--container db -o +CONTAINER,HOST",
    ),
    (
        "containers",
        "container-by-engine",
        "--container docker:web -t uts,net --json",
    ),
    (
        "containers",
        "container-by-prefix",
        "--container c38c -t mnt,ipc",
    ),
    ("containers", "container-ambiguous", "--container 1 -t uts"),
    ("containers", "container-missing", "--container nobody"),
    (
        "containers",
        "container-processes",
        "--container db pid:[4026532234] -o +CONTAINER,NSPID,UNIT",
    ),
    (
        "containers",
        "container-of-pid",
        "--pid 1060 --container shop-infra",
    ),
    ("containers", "host", "--host yes -o +HOST"),
    ("containers", "no-host", "--host no -t cgroup"),
    ("containers", "maps", "-t user -o NS,PID,UIDMAP,GIDMAP -J"),
    ("containers", "clocks", "-t time -o NS,PID,TIMEOFFSET -J"),
    (
        "containers",
        "nspid",
        "pid:[4026532234] -Q NSPID==25 -J -o PID,NSPID",
    ),
    (
        "containers",
        "nspid-of-pid",
        "--pid 1070 -t pid,uts -o NS,PID,NSPID",
    ),
    ("containers", "exec", "exec -t net -- true"),
    ("containers", "exec-nowhere", "exec -- true"),
    ("containers", "exec-nothing", "exec -t net"),
    ("broken", "pid-of-link-to-garbage", "--pid 2"),
    ("broken", "pid-that-is-a-file", "--pid 20"),
    ("broken", "pid-with-ns-that-is-a-file", "--pid 21"),
    (
        "broken",
        "namespace-with-broken-processes",
        "mnt:[4026531832]",
    ),
    ("empty", "pid", "--pid 1"),
    ("empty", "namespace", "4026531838"),
    ("hidepid", "pid-that-is-not-there", "--pid 2"),
    ("hidepid", "namespace-that-is-not-there", "4026531838"),
    ("hostile-names", "processes", "/proc/1/ns/ipc"),
    ("hostile-names", "processes-raw", "/proc/1/ns/ipc --raw"),
    ("kernel-4.5", "pid", "--pid 3"),
    ("kernel-5.10", "without-processes", "-P -o +HOLDERS"),
    ("kernel-6.1", "without-processes", "-P -o +HOLDERS"),
    ("kernel-7.2", "without-processes", "-P -o +HOLDERS"),
    ("kernel-4.5", "type-that-is-not-there", "-t cgroup"),
    ("threads-elsewhere", "pid", "--pid 2"),
    ("unreadable", "pid-of-another", "--pid 2"),
    ("unreadable", "translate-another", "translate 2"),
    ("unreadable", "path-of-another", "/proc/2/ns/net"),
    ("unreadable", "namespace-that-may-hide", "net:[1]"),
    ("unshared-not-forked", "pid-of-unborn", "--pid 2"),
    (
        "unshared-not-forked",
        "pid-with-time-for-children",
        "--pid 3",
    ),
    (
        "unshared-not-forked",
        "path-of-unborn",
        "/proc/2/ns/pid_for_children",
    ),
    (
        "unshared-not-forked",
        "namespace-without-process",
        "/proc/3/ns/time_for_children",
    ),
    ("zombie-leader", "pid", "--pid 2"),
    ("zombies", "pid-of-zombie", "--pid 3"),
];

/// Returns all runs, as (fixture, form, arguments).
fn runs() -> Vec<(String, &'static str, &'static str)> {
    let of_all = fixtures()
        .into_iter()
        .flat_map(|fixture| FORMS.map(|(form, arguments)| (fixture.clone(), form, arguments)));
    let of_some = MORE.map(|(fixture, form, arguments)| (fixture.to_owned(), form, arguments));
    of_all.chain(of_some).collect()
}

/// Runs nsls with a root relative to the package, so that no message depends on
/// the location of the package.
fn run(fixture: &str, arguments: &str) -> Outcome {
    Nsls::words(arguments)
        .sysroot(Path::new("fixtures").join(fixture))
        .run()
}

#[test]
fn the_output_for_every_fixture_matches_its_snapshots() {
    for (fixture, form, arguments) in runs() {
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(format!("snapshots/{fixture}"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let line = format!("nsls --sysroot fixtures/{fixture} {arguments}");
        settings.set_description(line.trim_end());
        settings.bind(|| insta::assert_snapshot!(form, run(&fixture, arguments)));
    }
}

#[test]
fn every_snapshot_belongs_to_a_run() {
    let mut expected = BTreeMap::<_, Vec<_>>::new();
    for (fixture, form, _) in runs() {
        expected
            .entry(fixture)
            .or_default()
            .push(format!("{form}.snap"));
    }
    for forms in expected.values_mut() {
        forms.sort();
    }
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let found: BTreeMap<_, _> = names_in(&snapshots)
        .into_iter()
        .filter(|name| snapshots.join(name).is_dir())
        .map(|name| {
            let mut files = names_in(&snapshots.join(&name));
            files.retain(|file| file.ends_with(".snap"));
            (name, files)
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn output_is_deterministic() {
    for (fixture, _, arguments) in runs() {
        assert_eq!(
            run(&fixture, arguments),
            run(&fixture, arguments),
            "{fixture} {arguments}"
        );
    }
}
