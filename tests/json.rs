use serde::Deserialize;
use serde_json::Value;

use crate::common::{Nsls, Outcome, fixture, fixtures};

/// Everything that a document may contain. Unknown keys are errors.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Listing {
    version: u32,
    complete: bool,
    gaps: Vec<Gap>,
    sources: Vec<String>,
    boot_id: Option<String>,
    time: Option<f64>,
    namespaces: Vec<Namespace>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct OneNamespace {
    version: u32,
    complete: bool,
    gaps: Vec<Gap>,
    sources: Vec<String>,
    boot_id: Option<String>,
    time: Option<f64>,
    namespace: Namespace,
    namespaces: [Namespace; 1],
    processes: Vec<Process>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Gap {
    source: String,
    cause: String,
    hides: bool,
    count: Option<usize>,
    total: usize,
    links: Vec<String>,
    message: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Namespace {
    ns: u64,
    r#type: String,
    path: Option<String>,
    nprocs: usize,
    pid: Option<u32>,
    ppid: Option<u32>,
    command: Option<String>,
    uid: Option<u32>,
    user: Option<String>,
    netnsid: Option<Value>,
    nsfs: Vec<String>,
    pns: Option<u64>,
    ons: Option<u64>,
    start: Option<u64>,
    netns: Option<Vec<String>>,
    inferred: Option<String>,
    links: Vec<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Process {
    pid: u32,
    ppid: Option<u32>,
    user: Option<String>,
    command: Option<String>,
}

fn run(fixture_name: &str, arguments: &str) -> Outcome {
    Nsls::words(arguments).sysroot(fixture(fixture_name)).run()
}

/// Returns the parsed output of a run, which says nothing on standard error.
fn read<T: for<'a> Deserialize<'a>>(fixture_name: &str, arguments: &str) -> T {
    let outcome = run(fixture_name, arguments);
    let rest = (outcome.status, &*outcome.stderr);
    assert_eq!(rest, (0, ""), "{fixture_name} {arguments}: {outcome}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// Returns the fixtures with processes.
fn listed() -> Vec<String> {
    let mut fixtures = fixtures();
    fixtures.retain(|name| name != "empty");
    fixtures
}

/// Returns what standard error must say about gaps.
fn warning<'a>(gaps: impl Iterator<Item = &'a Gap>) -> String {
    let messages: Vec<_> = gaps.map(|gap| gap.message.as_str()).collect();
    match messages.join(", ") {
        all if all.is_empty() => all,
        all => format!("nsls: {all}\n"),
    }
}

#[test]
fn every_listing_has_the_same_shape_and_is_flat_and_ordered() {
    for name in listed() {
        let listing: Listing = read(&name, "--json");
        assert_eq!(listing.version, 1, "{name}");
        let hidden = listing.gaps.iter().any(|gap| gap.hides);
        assert_eq!(listing.complete, !hidden, "{name}");
        let numbers: Vec<_> = listing.namespaces.iter().map(|one| one.ns).collect();
        let mut ordered = numbers.clone();
        ordered.sort_unstable();
        ordered.dedup();
        assert_eq!(numbers, ordered, "{name}");
    }
}

#[test]
fn a_table_says_on_standard_error_what_hides_something_and_only_with_verbose_the_rest() {
    for name in listed() {
        let listing: Value = read(&name, "--json");
        let keys = listing["namespaces"][0].as_object().unwrap().keys();
        let columns: Vec<_> = keys.cloned().collect();
        let columns = columns.join(",");
        let listing: Listing = serde_json::from_value(listing).unwrap();
        let gaps = listing.gaps.iter();
        let stderr = |arguments: &str| run(&name, &format!("{arguments} -o {columns}")).stderr;
        assert_eq!(stderr("-v"), warning(gaps.clone()), "{name}");
        assert_eq!(stderr(""), warning(gaps.filter(|gap| gap.hides)), "{name}");
        assert_eq!(stderr("-J -v"), "", "{name}");
    }
}

#[test]
fn process_keys_are_null_without_a_process() {
    for name in listed() {
        let listing: Listing = read(&name, "--json");
        for namespace in listing.namespaces {
            assert_eq!(namespace.nprocs == 0, namespace.pid.is_none(), "{name}");
            if namespace.pid.is_none() {
                let of_process = (
                    namespace.ppid,
                    namespace.command,
                    namespace.uid,
                    namespace.user,
                );
                assert_eq!(of_process, (None, None, None, None), "{name}");
            }
        }
    }
}

#[test]
fn every_namespace_can_be_selected_by_number_type_and_path() {
    for name in listed() {
        let listing: Listing = read(&name, "--json");
        // A large tree adds nothing that a small one lacks.
        for namespace in listing.namespaces.into_iter().rev().take(12) {
            let number = namespace.ns.to_string();
            let one: OneNamespace = read(&name, &format!("--json {number}"));
            assert_eq!(one.version, 1, "{name} {number}");
            let hidden = one.gaps.iter().any(|gap| gap.hides);
            assert_eq!(one.complete, !hidden, "{name} {number}");
            assert_eq!(one.namespace, namespace, "{name} {number}");
            assert_eq!(one.namespaces[0], namespace, "{name} {number}");
            assert_eq!(one.processes.len(), namespace.nprocs, "{name} {number}");
            let first = one.processes.first().map(|process| process.pid);
            assert_eq!(first, namespace.pid, "{name} {number}");
            assert!(one.processes.is_sorted_by_key(|process| process.pid));

            let typed = format!("--json {}:[{number}]", namespace.r#type);
            let by_type: OneNamespace = read(&name, &typed);
            assert_eq!(by_type.namespace, namespace, "{name} {typed}");
            assert_eq!(by_type.processes, one.processes, "{name} {typed}");
            let path = namespace.path.as_deref().unwrap();
            if !path.starts_with("/proc/") {
                // A capture has no file where a namespace is mounted.
                continue;
            }
            let by_path = format!("--json {path}");
            let found: OneNamespace = read(&name, &by_path);
            // A path makes the other sources unnecessary.
            let sources = found.sources.clone();
            assert_eq!(
                found,
                OneNamespace { sources, ..by_type },
                "{name} {by_path}"
            );
        }
    }
}

#[test]
fn the_namespaces_of_a_process_are_part_of_the_listing() {
    for name in listed() {
        let listing: Listing = read(&name, "--json");
        let pid = listing.namespaces.iter().filter_map(|one| one.pid).max();
        let pid = pid.unwrap();
        let of_process: Listing = read(&name, &format!("--json --pid {pid}"));
        for mut namespace in of_process.namespaces {
            let same = |one: &&Namespace| one.ns == namespace.ns;
            let listed = listing.namespaces.iter().find(same).unwrap();
            // With --pid, the links are those of the process alone.
            assert!(
                namespace
                    .links
                    .iter()
                    .all(|link| listed.links.contains(link))
            );
            namespace.links.clone_from(&listed.links);
            assert_eq!(namespace, *listed, "{name} --pid {pid}");
        }
    }
}

#[test]
fn chosen_columns_are_the_only_keys_in_the_order_given() {
    let listing = r#"{
  "version": 1,
  "complete": true,
  "gaps": [],
  "sources": [
    "processes",
    "threads",
    "fds",
    "mounts"
  ],
  "boot_id": null,
  "time": null,
  "namespaces": [
    {
      "links": [
        "uts"
      ],
      "user": "root",
      "ns": 4026531838
    },
    {
      "links": [
        "uts"
      ],
      "user": "root",
      "ns": 4026532206
    },
    {
      "links": [
        "uts"
      ],
      "user": "root",
      "ns": 4026532318
    },
    {
      "links": [
        "uts"
      ],
      "user": "root",
      "ns": 4026532319
    }
  ]
}
"#;
    assert_eq!(
        run("ubuntu-20.04", "-J -t uts -o links,USER,Ns,user"),
        Outcome::success(listing)
    );
    let processes = r#"{
  "version": 1,
  "complete": true,
  "gaps": [],
  "sources": [
    "processes",
    "threads"
  ],
  "boot_id": null,
  "time": null,
  "namespace": {
    "ns": 4026532206,
    "type": "uts",
    "path": "/proc/206/ns/uts",
    "nprocs": 1,
    "pid": 206,
    "ppid": 1,
    "command": "/lib/systemd/systemd-udevd",
    "uid": 0,
    "user": "root",
    "netnsid": null,
    "nsfs": [],
    "pns": null,
    "ons": null,
    "start": 252,
    "netns": null,
    "inferred": null,
    "links": [
      "uts"
    ]
  },
  "namespaces": [
    {
      "ns": 4026532206,
      "type": "uts",
      "path": "/proc/206/ns/uts",
      "nprocs": 1,
      "pid": 206,
      "ppid": 1,
      "command": "/lib/systemd/systemd-udevd",
      "uid": 0,
      "user": "root",
      "netnsid": null,
      "nsfs": [],
      "pns": null,
      "ons": null,
      "start": 252,
      "netns": null,
      "inferred": null,
      "links": [
        "uts"
      ]
    }
  ],
  "processes": [
    {
      "command": "/lib/systemd/systemd-udevd",
      "pid": 206
    }
  ]
}
"#;
    assert_eq!(
        run("ubuntu-20.04", "-J -o command,pid 4026532206"),
        Outcome::success(processes)
    );
}

#[test]
fn every_listed_column_has_its_key_and_type() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Columns {
        version: u32,
        columns: Vec<Column>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Column {
        name: String,
        key: String,
        r#type: String,
        description: String,
    }
    let listed = Nsls::words("--list-columns --json").run();
    let Columns { version, columns } = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(version, 1);
    for column in columns {
        assert_eq!(column.key, column.name.to_lowercase());
        assert_ne!(column.description, "");
        for fixture_name in self::listed() {
            let all: Value = read(&fixture_name, &format!("-J -o {}", column.name));
            for object in all["namespaces"].as_array().unwrap() {
                let object = object.as_object().unwrap();
                assert!(object.keys().eq([&column.key]));
                let fits = match (&*column.r#type, &object[&column.key]) {
                    ("number", Value::Number(_)) | ("string", Value::String(_)) => true,
                    ("array", Value::Array(list)) => list.iter().all(Value::is_string),
                    ("array of objects", Value::Array(list)) => list.iter().all(Value::is_object),
                    ("array of numbers", Value::Array(list)) => list.iter().all(Value::is_number),
                    ("array of objects" | "object", Value::Null) => true,
                    ("array", Value::Null) => {
                        ["ADDRESSES", "LISTEN", "NETNS"].contains(&&*column.name)
                    }
                    ("object", Value::Object(_)) => true,
                    ("number or string", Value::Number(_) | Value::String(_)) => true,
                    ("number" | "string" | "number or string", Value::Null) => true,
                    _ => false,
                };
                assert!(fits, "{fixture_name}: {} in {object:?}", column.r#type);
            }
        }
    }
}

/// The forms of which lines are compared with the document, and the key of their
/// rows.
const ROWS: [(&str, &str); 9] = [
    ("--json", "namespaces"),
    ("--json -t net -o NS,USER", "namespaces"),
    ("--json pid:[4026532234]", "processes"),
    ("-H --json", "columns"),
    ("containers --json", "containers"),
    ("compare --json db 1", "types"),
    ("limits --json", "limits"),
    ("holders --json pid:[4026532234]", "holders"),
    ("find --json db", "matches"),
];

#[test]
fn lines_hold_the_same_as_the_document_and_say_last_what_is_missing() {
    for fixture_name in ["containers", "unreadable"] {
        for (arguments, key) in ROWS {
            let words = |more: &str| arguments.replace("--json", more);
            let whole = run(fixture_name, arguments);
            if whole.stdout.is_empty() {
                // That tree has no such thing.
                continue;
            }
            let lines = run(fixture_name, &words("--json=lines"));
            let short = run(fixture_name, &words("-J=compact"));
            assert_eq!((lines.status, &lines.stderr), (whole.status, &whole.stderr));
            let mut document: Value = serde_json::from_str(&whole.stdout).unwrap();
            let compact: Value = serde_json::from_str(&short.stdout).unwrap();
            assert_eq!(compact, document);
            assert_eq!(short.stdout.lines().count(), 1);
            let parse = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
            let mut lines: Vec<Value> = lines.stdout.lines().map(parse).collect();
            let rows = document.as_object_mut().unwrap().remove(key).unwrap();
            assert_eq!(lines.pop().unwrap(), document, "{arguments}");
            assert!(lines.iter().all(|line| line.get("version").is_none()));
            assert_eq!(Value::Array(lines), rows, "{arguments}");
        }
    }
}

#[test]
fn the_environment_of_lsns_chooses_the_layout_of_the_listing_alone() {
    let output = |arguments: &str, layout: &str| {
        let mut command = Nsls::words(arguments)
            .sysroot(fixture("containers"))
            .command();
        Outcome::of(command.env("LIBSMARTCOLS_JSON", layout))
    };
    let plain = |arguments: &str| run("containers", arguments);
    assert_eq!(output("-J", "lines"), plain("--json=lines"));
    assert_eq!(output("-J", "compact"), plain("--json=compact"));
    assert_eq!(output("-JH", "lines"), plain("-H -J=lines"));
    // Only if JSON was asked for, in no layout; and only for what is known.
    for (arguments, layout) in [
        ("-J", "other"),
        ("-J", ""),
        ("--json=pretty", "lines"),
        ("", "lines"),
        ("containers -J", "lines"),
    ] {
        assert_eq!(output(arguments, layout), plain(arguments), "{arguments}");
    }
}
