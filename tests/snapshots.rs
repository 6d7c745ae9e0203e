use std::collections::BTreeMap;
use std::path::Path;

use crate::common::{Nsls, Outcome, fixtures, names_in};

/// What every fixture is asked for, by the name of the snapshot.
const FORMS: [(&str, &str); 3] = [
    ("table", ""),
    ("raw", "-r --output-all"),
    ("json", "--json"),
];

/// What only some are asked for.
const MORE: [(&str, &str, &str); 22] = [
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
    ("kernel-4.5", "type-that-is-not-there", "-t cgroup"),
    ("threads-elsewhere", "pid", "--pid 2"),
    ("unreadable", "pid-of-another", "--pid 2"),
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

/// All runs, as (fixture, form, arguments).
fn runs() -> Vec<(String, &'static str, &'static str)> {
    let of_all = fixtures()
        .into_iter()
        .flat_map(|fixture| FORMS.map(|(form, arguments)| (fixture.clone(), form, arguments)));
    let of_some = MORE.map(|(fixture, form, arguments)| (fixture.to_owned(), form, arguments));
    of_all.chain(of_some).collect()
}

/// The root is named relative to the package, where tests run, so that no
/// message holds where the package lies.
fn run(fixture: &str, arguments: &str) -> Outcome {
    Nsls::words(arguments)
        .sysroot(Path::new("fixtures").join(fixture))
        .run()
}

#[test]
fn what_is_said_about_every_fixture_is_what_was_reviewed() {
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
fn no_snapshot_outlives_its_run() {
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
fn the_same_run_twice_gives_the_same_bytes() {
    for (fixture, _, arguments) in runs() {
        assert_eq!(
            run(&fixture, arguments),
            run(&fixture, arguments),
            "{fixture} {arguments}"
        );
    }
}
