//! `nsls graph`: pictures of captured trees and saved documents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Nsls, Outcome, Tree, fixture, fixtures};

fn graph(arguments: &[&str]) -> Outcome {
    Nsls::new([&["graph"], arguments].concat()).run()
}

/// Returns the page or graphic of a fixture.
fn of_fixture(arguments: &str, name: &str) -> String {
    let run = Nsls::words(&format!("graph {arguments}"));
    let run = run.sysroot(fixture(name)).run();
    assert_eq!(run.status, 0, "{run}");
    run.stdout
}

/// Writes a document and returns its path.
fn saved(dir: &Path, document: &Value) -> String {
    let path = dir.join("saved.json");
    fs::write(&path, document.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn document(namespaces: &[Value]) -> Value {
    json!({
        "version": 1, "complete": true, "gaps": [], "sources": ["processes"],
        "boot_id": null, "time": 0, "namespaces": namespaces,
    })
}

/// Returns the rows of the matrix of a page: the name, and the numbers in its cells.
fn matrix(page: &str) -> BTreeMap<String, BTreeSet<u64>> {
    let table = between(page, "<table class=\"matrix\">", "</table>");
    let rows = table.split("<tr").skip(1);
    let mut named: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for row in rows.filter(|row| row.contains("<td>") && !row.contains("<input")) {
        let name = between(row, "<th scope=\"row\">", "</th>");
        let name = name.split("<small>").next().unwrap();
        let numbers = row.split("data-ns=\"").skip(1);
        let numbers = numbers.map(|text| text.split('"').next().unwrap().parse::<u64>().unwrap());
        named.entry(name.to_owned()).or_default().extend(numbers);
    }
    named
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

#[test]
fn the_matrix_says_what_json_says_of_the_host_and_of_containers() {
    for name in fixtures() {
        let run = Nsls::words("--json --output-all")
            .sysroot(fixture(&name))
            .run();
        let Ok(document) = serde_json::from_str::<Value>(&run.stdout) else {
            continue;
        };
        let mut expected: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for row in document["namespaces"].as_array().unwrap() {
            let ns = row["ns"].as_u64().unwrap();
            if row["host"] == "yes" {
                expected.entry("host".to_owned()).or_default().insert(ns);
            }
            for container in row["container"].as_array().unwrap() {
                let container = container.as_str().unwrap().to_owned();
                expected.entry(container).or_default().insert(ns);
            }
        }
        let drawn = matrix(&of_fixture("--view matrix", &name));
        for (row, numbers) in &expected {
            assert_eq!(drawn.get(row), Some(numbers), "{row} of {name}");
        }
        let all: BTreeSet<u64> = drawn.values().flatten().copied().collect();
        let namespaces = document["namespaces"].as_array().unwrap();
        assert_eq!(all.len(), namespaces.len(), "{name}");

        // A picture of the document shows the same rows, as far as it names them.
        let dir = tempfile::tempdir().unwrap();
        let again = graph(&["--view", "matrix", &saved(dir.path(), &document)]);
        assert_eq!(again.status, 0);
        let again = matrix(&again.stdout);
        for (row, numbers) in &expected {
            assert_eq!(again.get(row), Some(numbers), "{row} of {name}, saved");
        }
    }
}

#[test]
fn a_document_is_drawn_as_far_as_it_goes_and_says_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let path = saved(
        dir.path(),
        &document(&[json!({ "ns": 5, "type": "net", "nprocs": 0, "nsfs": ["/run/netns/x"] })]),
    );
    let run = graph(&["--format", "svg", "--view", "wires", &path]);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    let texts = run.stdout.split("<text").skip(1);
    let texts: Vec<&str> = texts.map(|text| between(text, ">", "</text>")).collect();
    let expected = [
        "Interfaces not known: 1 net namespace",
        "5 mount /run/netns/x",
        "Not seen: this file has no column COMMAND",
        "Not seen: this file has no column CONTAINER",
        "Not seen: this file has no column HOST",
        "Not seen: this file has no column INTERFACES",
        "Not seen: this file has no column ADDRESSES",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn what_was_hidden_from_whoever_saved_it_is_said_and_with_strict_an_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let mut document = document(&[json!({ "ns": 5, "type": "net", "nprocs": 1, "pid": 7 })]);
    document["complete"] = json!(false);
    document["gaps"] = json!([
        { "hides": true, "message": "2 processes\u{1b} hide" },
        { "hides": false, "message": "a fact" },
    ]);
    let path = saved(dir.path(), &document);
    let line = "nsls: the document is incomplete: 2 processes\\x1b hide\n";
    for (arguments, status) in [(vec![&*path], 0), (vec!["--strict", &*path], 3)] {
        let run = graph(&arguments);
        assert_eq!((run.status, &*run.stderr), (status, line));
        let remarks = between(&run.stdout, "<ul>", "<li>this file");
        assert_eq!(remarks, "\n<li>2 processes\\x1b hide</li>\n");
        assert!(!run.stdout.contains("a fact"));
    }
}

#[test]
fn what_is_no_document_is_refused_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = saved(dir.path(), &json!([]));
    let message = format!("cannot draw {path}: not written by nsls --json (line 1)");
    assert_eq!(graph(&[&path]), Outcome::failure(2, &message));
    for row in [
        json!({ "ns": 5, "type": "net" }),
        json!({ "ns": 5, "type": "net", "nprocs": 1 }),
    ] {
        saved(dir.path(), &document(&[row]));
        let message = format!(
            "cannot draw {path}: its rows have no nprocs and pid: use -o with a + in front"
        );
        assert_eq!(graph(&[&path]), Outcome::failure(2, &message));
    }
    let gone = format!("{path}x");
    let message = format!("cannot draw {gone}: no such file or directory");
    assert_eq!(graph(&[&gone]), Outcome::failure(2, &message));
    let both = graph(&[&path, "--sysroot", "/"]);
    assert_eq!((both.status, &*both.stdout), (2, ""));
}

#[test]
fn a_file_has_the_same_picture_and_is_replaced_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("picture.html");
    fs::write(&file, "old\n").unwrap();
    let run = Nsls::new(["graph", "--output", file.to_str().unwrap()]);
    assert_eq!(run.sysroot(fixture("zombies")).run().stdout, "");
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        of_fixture("", "zombies")
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let run = Nsls::new(["graph", "--output", "/dev/full"]);
    let message = "cannot write /dev/full: not a regular file";
    assert_eq!(
        run.sysroot("/nonexistent").run(),
        Outcome::failure(1, message)
    );
}

#[test]
fn an_unreadable_link_is_unknown_and_not_the_hosts() {
    let container = "a".repeat(64);
    let tree = Tree::new()
        .process(1, "init\0")
        .process(7, "a\0")
        .file("proc/7/cgroup", format!("0::/docker/{container}\n"))
        .link("proc/7/ns/net", "ENOTHING");
    let run = Nsls::words("graph --view matrix")
        .sysroot(tree.path())
        .run();
    let line = "nsls: 1 of 2 processes could not be parsed (broken links)\n";
    assert_eq!((run.status, &*run.stderr), (0, line));
    let row = between(
        &run.stdout,
        "docker:aaaaaaaaaaaa<small>1 process</small></th>",
        "</tr>",
    );
    let cells: Vec<&str> = row.split("<td>").skip(1).collect();
    assert_eq!(
        cells
            .iter()
            .filter(|cell| cell.contains(">?</span>"))
            .count(),
        1
    );
    assert!(cells[1].contains(">?</span>"));
    let remark = "<li>1 of 2 processes could not be parsed (broken links)</li>";
    assert!(run.stdout.contains(remark));
}

/// Returns a document of which everyone but `nsls` chose every word.
fn chosen(word: &str) -> Value {
    let interface = |name: &str, ns: u64| {
        json!({
            "name": name, "index": 2, "kind": word, "up": true, "master": word,
            "link": 2, "peer": word, "peer_ns": ns,
        })
    };
    let namespace = |ns: u64, kind: &str, nprocs: u64| {
        json!({
            "ns": ns, "type": kind, "nprocs": nprocs, "pid": if nprocs > 0 { Some(ns) } else { None },
            "command": word, "user": word, "path": word, "nsfs": [word], "host": "no",
            "container": if nprocs > 1 { vec![word] } else { vec![] },
            "unit": if nprocs > 1 { vec![format!("{word}.service")] } else { vec![] },
            "pns": null, "ons": 1,
            "holders": [{ "kind": "mount", "path": word, "mount_ns": null }],
            "interfaces": [interface(word, 3), interface(word, 2)], "addresses": [word],
        })
    };
    let mut document = document(&[
        namespace(1, "user", 2),
        namespace(2, "net", 2),
        namespace(3, "net", 0),
        namespace(4, "pid", 1),
        namespace(5, "uts", 0),
    ]);
    document["gaps"] = json!([{ "hides": true, "message": word }]);
    document
}

/// Returns the tags of a page or graphic in order, their attributes without values.
fn tags(page: &str) -> Vec<String> {
    let (style, rest) = page.split_once("</style>").unwrap();
    assert!(style.contains("<style>"));
    let mut tags = Vec::new();
    for part in rest.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>'), "{part}");
        let mut outside = String::new();
        for (place, piece) in tag.split('"').enumerate() {
            if place % 2 == 0 {
                outside += piece;
            }
        }
        tags.push(outside);
    }
    tags
}

fn tags_with(word: &str, arguments: &[&str]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = saved(dir.path(), &chosen(word));
    let run = graph(&[arguments, &[&path]].concat());
    assert_eq!(run.status, 0);
    assert!(
        run.stdout
            .chars()
            .all(|letter| letter == '\n' || !letter.is_control())
    );
    tags(&run.stdout)
}

const DRAWN: [&[&str]; 4] = [
    &[],
    &["--format=svg"],
    &["--format=svg", "--view=tree"],
    &["--format=svg", "--view=wires"],
];

#[test]
fn a_name_with_a_script_adds_no_element() {
    for arguments in DRAWN {
        let expected = tags_with("plain", arguments);
        for word in [
            "<script>alert(1)</script>",
            "</title></text></svg><script>",
            "</style><img src=x onerror=alert(1)>",
            "<!-- <![CDATA[ ]]> -->",
            "&lt;script&gt; &#60;b&#62;",
        ] {
            assert_eq!(tags_with(word, arguments), expected, "{word} {arguments:?}");
        }
    }
}

#[test]
fn a_name_with_a_quote_adds_no_attribute() {
    for arguments in DRAWN {
        let expected = tags_with("plain", arguments);
        for word in [
            "\" onfocus=\"alert(1)",
            "' autofocus onfocus='alert(1)",
            "x\" href=\"javascript:alert(1)",
        ] {
            assert_eq!(tags_with(word, arguments), expected, "{word} {arguments:?}");
        }
    }
}

#[test]
fn control_characters_and_direction_marks_are_seen() {
    for arguments in DRAWN {
        let expected = tags_with("plain", arguments);
        let word = "a\u{0}\u{1b}[31m\n\u{202e}\u{feff}\u{ffff}";
        assert_eq!(tags_with(word, arguments), expected);
    }
}

#[test]
fn a_page_loads_and_runs_nothing() {
    let page = of_fixture("", "containers");
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
                  style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">";
    assert!(page.contains(policy));
    for word in [
        "<script", "<link", "<img", "<iframe", "url(", "@import", "http://", "https://", "src=",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn two_thousand_namespaces_fold_into_a_page_of_moderate_size() {
    let host = |kind: &str, ns: u64| json!({ "ns": ns, "type": kind, "nprocs": 9, "pid": 1, "host": "yes", "container": [] });
    let mut namespaces = vec![host("user", 1), host("time", 2)];
    for place in 0..333 {
        for (other, kind) in ["mnt", "net", "ipc", "pid", "uts", "cgroup"]
            .iter()
            .enumerate()
        {
            let ns = 4026532000 + place * 6 + other as u64;
            namespaces.push(json!({
                "ns": ns, "type": kind, "nprocs": 2, "pid": 100 + place, "host": "no",
                "command": "/usr/sbin/nginx -g daemon off;",
                "container": [format!("docker:app{place:03}")],
            }));
        }
    }
    assert_eq!(namespaces.len(), 2000);
    let dir = tempfile::tempdir().unwrap();
    let run = graph(&[&saved(dir.path(), &document(&namespaces))]);
    assert_eq!(run.status, 0);
    let rows = matrix(&run.stdout);
    assert_eq!(rows.len(), 1 + 333);
    assert_eq!(run.stdout.matches("<tbody class=\"fold\">").count(), 1);
    let table = between(&run.stdout, "<table class=\"matrix\">", "</table>");
    assert_eq!(table.matches("<tr class=\"more\">").count(), 333);
    assert!(run.stdout.len() < 2_000_000, "{}", run.stdout.len());
}
