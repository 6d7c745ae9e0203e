//! What programs make of pictures: Chromium of the page, Graphviz of DOT, Mermaid of a
//! flowchart.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::common::{Nsls, Outcome, Tree, fixture, live, skip};

const KINDS: [&str; 8] = ["mnt", "net", "ipc", "user", "pid", "uts", "cgroup", "time"];

/// Returns what `tests/graph/browser.py` reports, or `None` if it cannot run here.
fn browse(arguments: &[&Path]) -> Option<Value> {
    if !live::has(&["chromium", "python3"]) {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graph/browser.py");
    let mut command = Command::new("timeout");
    command.args(["400", "python3"]).arg(script).args(arguments);
    let run = Outcome::of(&mut command);
    assert_eq!(run.status, 0, "{}", run.stderr);
    eprint!("{}", run.stderr);
    Some(serde_json::from_str(&run.stdout).unwrap())
}

/// Returns a file of a package of npm, or `None` if it cannot be had here.
fn package(name: &str, version: &str, file: &str) -> Option<PathBuf> {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{version}"));
    let path = dir.join("package").join(file);
    if path.exists() {
        return Some(path);
    }
    if !live::has(&["npm", "tar"]) {
        return None;
    }
    fs::create_dir_all(&dir).unwrap();
    let package = format!("{name}@{version}");
    let mut pack = Command::new("timeout");
    pack.args([
        "200", "npm", "pack", "--silent", "--cache", ".npm", &package,
    ]);
    let packed = pack.current_dir(&dir).output().unwrap();
    if !packed.status.success() {
        skip(&format!("npm does not fetch {package}"));
        return None;
    }
    let mut unpack = Command::new("tar");
    unpack.args(["-xzf", &format!("{name}-{version}.tgz")]);
    unpack.arg(format!("package/{file}")).current_dir(&dir);
    assert_eq!(Outcome::of(&mut unpack), Outcome::success(""));
    fs::remove_dir_all(dir.join(".npm")).unwrap();
    Some(path)
}

fn axe() -> Option<PathBuf> {
    package("axe-core", "4.14.1", "axe.min.js")
}

/// Draws a tree or a saved document into a file.
fn draw(format: &str, what: &Path, dir: &Path) -> PathBuf {
    let picture = dir.join(format!("picture.{format}"));
    let mut run = Nsls::new([
        "graph",
        "--format",
        format,
        "--output",
        picture.to_str().unwrap(),
    ]);
    run = match what.is_dir() {
        true => run.sysroot(what),
        false => Nsls::new([
            "graph",
            "--format",
            format,
            "--output",
            picture.to_str().unwrap(),
            what.to_str().unwrap(),
        ]),
    };
    let run = run.run();
    assert_eq!((run.status, &*run.stdout), (0, ""), "{run}");
    picture
}

/// Returns the rows that a tree has according to `nsls --json`.
fn listed(root: &Path, arguments: &[&str]) -> Vec<Value> {
    let columns = "NS,TYPE,HOST,CONTAINER,UNIT,LINKS";
    let arguments = [&["--json", "-o", columns], arguments].concat();
    let run = Nsls::new(arguments).sysroot(root).run();
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    document["namespaces"].as_array().unwrap().clone()
}

/// Returns the numbers of each type, `?` where there are none but the type exists.
fn cells<'a>(rows: impl Iterator<Item = &'a Value>, all: &[Value]) -> Value {
    let mut numbers: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for row in rows {
        let kind = row["type"].as_str().unwrap();
        let ns = row["ns"].as_u64().unwrap();
        numbers.entry(kind).or_default().push(ns);
    }
    let cells = KINDS.map(|kind| match numbers.remove(kind) {
        Some(numbers) => json!(numbers),
        None if all.iter().any(|row| row["type"] == kind) => json!("?"),
        None => json!("–"),
    });
    json!(cells)
}

/// Returns whether a list in a column has a name.
fn has(row: &Value, column: &str, name: &str) -> bool {
    row[column]
        .as_array()
        .unwrap()
        .iter()
        .any(|one| one == name)
}

/// Returns the cells that a row of the matrix must have, by its name.
fn expected(root: &Path, name: &str, all: &[Value]) -> Option<Value> {
    if name == "host" {
        return Some(cells(all.iter().filter(|row| row["host"] == "yes"), all));
    }
    if let Some((_, end)) = name.rsplit_once(" (")
        && let Ok(pid) = end.trim_end_matches(')').parse::<u32>()
    {
        let own = listed(root, &["--pid", &pid.to_string()]);
        let links = |row: &Value| row["links"].as_array().unwrap().clone();
        let is_in = |row: &&Value| {
            links(row)
                .iter()
                .any(|link| !link.as_str().unwrap().ends_with("_for_children"))
        };
        return Some(cells(own.iter().filter(is_in), all));
    }
    let column = match name.ends_with(".service") {
        true => "unit",
        false => "container",
    };
    let own: Vec<_> = all.iter().filter(|row| has(row, column, name)).collect();
    (!own.is_empty()).then(|| cells(own.into_iter(), all))
}

#[test]
fn each_cell_of_the_matrix_in_a_browser_is_what_json_says() {
    for name in ["containers", "ubuntu-20.04", "zombies"] {
        let root = fixture(name);
        let dir = tempfile::tempdir().unwrap();
        let page = draw("html", &root, dir.path());
        let Some(report) = browse(&[Path::new("page"), &page]) else {
            return;
        };
        let all = listed(&root, &[]);
        let mut left: Vec<u64> = all.iter().map(|row| row["ns"].as_u64().unwrap()).collect();
        let rows = report["matrix"].as_array().unwrap();
        for row in rows.iter().filter(|row| row["is_fold"] == false) {
            let who = row["name"].as_str().unwrap();
            if let Some(expected) = expected(&root, who, &all) {
                assert_eq!(row["cells"], expected, "{who} of {name}");
            }
            let numbers = row["cells"].as_array().unwrap().iter();
            let numbers: Vec<_> = numbers.filter_map(Value::as_array).flatten().collect();
            left.retain(|ns| !numbers.contains(&&json!(ns)));
        }
        assert_eq!(left, [] as [u64; 0], "in no row of {name}");
        // Every container has its row.
        for row in &all {
            for container in row["container"].as_array().unwrap() {
                let rows = report["matrix"].as_array().unwrap();
                assert!(
                    rows.iter().any(|row| row["name"] == *container),
                    "{container}"
                );
            }
        }
    }
}

/// What a page is and does, apart from what it shows.
fn behaviour(report: &Value) -> Value {
    let mut report = report.clone();
    for key in ["matrix", "elements", "text", "lit", "hidden"] {
        report.as_object_mut().unwrap().remove(key);
    }
    report
}

/// What a good page is and does.
fn good() -> Value {
    let none = json!({ "1280 light": [], "1280 dark": [], "400 light": [], "400 dark": [] });
    let fits = json!({ "1280 light": 0, "1280 dark": 0, "400 light": 0, "400 dark": 0 });
    json!({
        "console": [], "requests": [], "unreachable": [], "overflow": fits, "violations": none,
        "same_without_scripts": true, "opened": true,
    })
}

#[test]
fn the_page_is_quiet_accessible_and_narrow_and_works_with_the_keyboard_and_without_scripts() {
    let dir = tempfile::tempdir().unwrap();
    let Some(axe) = axe() else { return };
    let containers = draw("html", &fixture("containers"), dir.path());
    let Some(report) = browse(&[Path::new("page"), &containers, &axe]) else {
        return;
    };
    assert_eq!(behaviour(&report), good());
    // The host's mnt namespace lights up wherever it is, and nothing else does.
    assert_eq!(report["lit"]["dark"], 0);
    assert_eq!(report["lit"]["wrong"], 0);
    assert!(report["lit"]["same"].as_u64().unwrap() > 1);

    // With wires, remarks, and rows that are alike, which appear when their box is ticked.
    let saved = dir.path().join("saved.json");
    fs::write(
        &saved,
        document(|number| format!("name{number}"), 14).to_string(),
    )
    .unwrap();
    let page = draw("html", &saved, dir.path());
    let report = browse(&[Path::new("page"), &page, &axe]).unwrap();
    assert_eq!(behaviour(&report), good());
    assert_eq!(report["hidden"], json!([56, 42]));
}

/// What someone may call a process, container, interface or mount, and how it is shown.
const ATTACKS: [(&str, &str); 16] = [
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    (
        "\"><img src=x onerror=alert(2)>",
        "\"><img src=x onerror=alert(2)>",
    ),
    ("' onmouseover='alert(3)", "' onmouseover='alert(3)"),
    (
        "</title></style></svg><svg/onload=1>",
        "</title></style></svg><svg/onload=1>",
    ),
    ("<!-- ]]> <![CDATA[", "<!-- ]]> <![CDATA["),
    ("&lt;b&gt; &#60; &amp", "&lt;b&gt; &#60; &amp"),
    (
        r#"" shape=box URL="javascript:1"#,
        r#"" shape=box URL="javascript:1"#,
    ),
    (r#"\N \L \G \" \\"#, r#"\N \L \G \" \\"#),
    ("a\nb\r\n  p0 -> p1", r"a\x0ab\x0d\x0a  p0 -> p1"),
    ("\u{1b}]0;x\u{7} \u{0}", r"\x1b]0;x\x07 \x00"),
    (
        "\u{202e}txt.exe\u{2066}",
        r"\xe2\x80\xaetxt.exe\xe2\x81\xa6",
    ),
    ("end", "end"),
    (
        "%%{init: {\"theme\": \"x\"}}%%",
        "%%{init: {\"theme\": \"x\"}}%%",
    ),
    ("`**md** [x](javascript:1)`", "`**md** [x](javascript:1)`"),
    (
        "x]; click p0 call alert() #quot; #35;",
        "x]; click p0 call alert() #quot; #35;",
    ),
    ("style a:#b; classDef c:#d;", "style a:#b; classDef c:#d;"),
];

/// Returns a document in which others chose all that they can choose.
fn document(name: impl Fn(usize) -> String, count: usize) -> Value {
    let rows = (0..count).flat_map(|number| {
        let (name, ns) = (name(number), 1000 + 10 * number);
        let next = 1000 + 10 * ((number + 1) % count);
        [
            json!({
                "ns": ns, "type": "net", "nprocs": 1, "pid": 100 + number, "command": name,
                "host": "no", "container": [format!("podman:{name}")], "unit": [],
                "holders": [], "nsfs": [], "addresses": [name],
                "interfaces": [
                    { "name": name, "index": 2, "kind": name, "up": true },
                    { "name": format!("{name}2"), "index": 3, "kind": "veth", "up": true,
                        "link": 4, "peer": format!("{name}3"), "peer_ns": next },
                    { "name": format!("{name}3"), "index": 4, "kind": "veth", "up": true,
                        "link": 3, "peer": format!("{name}2"), "peer_ns": next },
                ],
            }),
            json!({
                "ns": ns + 1, "type": "mnt", "nprocs": 1, "pid": 200 + number,
                "command": name, "host": "no", "container": [],
                "unit": [format!("{name}.service")], "holders": [], "nsfs": [],
            }),
            json!({
                "ns": ns + 2, "type": "uts", "nprocs": 1, "pid": 300 + number,
                "command": name, "host": "no", "container": [], "unit": [],
                "holders": [], "nsfs": [],
            }),
            json!({
                "ns": ns + 3, "type": "ipc", "nprocs": 0, "pid": null, "host": "no",
                "container": [], "unit": [], "nsfs": [format!("/run/{name}")],
                "holders": [{ "kind": "mount", "path": format!("/run/{name}"), "id": 1 }],
            }),
        ]
    });
    json!({
        "version": 1, "complete": false, "sources": ["processes"], "boot_id": null, "time": 0,
        "gaps": (0..count).map(|number| json!({ "hides": true, "message": name(number) }))
            .collect::<Vec<_>>(),
        "namespaces": rows.collect::<Vec<_>>(),
    })
}

/// Draws documents with hostile and with harmless names.
fn hostile_and_harmless(format: &str, dir: &Path) -> [PathBuf; 2] {
    let hostile = document(|number| ATTACKS[number].0.to_owned(), ATTACKS.len());
    let harmless = document(|number| format!("name{number}"), ATTACKS.len());
    [(hostile, "hostile"), (harmless, "harmless")].map(|(document, name)| {
        let dir = dir.join(name);
        fs::create_dir(&dir).unwrap();
        let saved = dir.join("saved.json");
        fs::write(&saved, document.to_string()).unwrap();
        draw(format, &saved, &dir)
    })
}

#[test]
fn hostile_names_are_text_on_the_page_and_add_no_element() {
    let dir = tempfile::tempdir().unwrap();
    let [hostile, harmless] = hostile_and_harmless("html", dir.path());
    let Some(harmless) = browse(&[Path::new("page"), &harmless]) else {
        return;
    };
    let hostile = browse(&[Path::new("page"), &hostile]).unwrap();
    assert_eq!(hostile["elements"], harmless["elements"]);
    assert_eq!(hostile["elements"]["script"], Value::Null);
    assert_eq!(behaviour(&hostile), behaviour(&harmless));
    let text = hostile["text"].as_str().unwrap();
    for (_, shown) in ATTACKS {
        for shown in [
            shown.to_owned(),
            format!("podman:{shown}"),
            format!("{shown}.service"),
        ] {
            assert!(text.contains(&shown), "{shown}");
        }
    }
}

#[test]
fn hostile_names_of_a_captured_tree_are_text_on_the_page() {
    let mut tree = Tree::new().process(1, "init\0");
    for (number, (attack, _)) in ATTACKS.into_iter().enumerate() {
        let pid = 10 + u32::try_from(number).unwrap();
        tree = tree.process(pid, attack.replace('\0', "\u{1}"));
        tree = tree.link(
            &format!("proc/{pid}/ns/net"),
            &format!("net:[{}]", 9000 + pid),
        );
        if !attack.contains(['/', '\n', '\0']) {
            let cgroup = format!("0::/lxc.payload.{attack}\n");
            tree = tree.file(&format!("proc/{pid}/cgroup"), cgroup);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let page = draw("html", tree.path(), dir.path());
    let Some(report) = browse(&[Path::new("page"), &page]) else {
        return;
    };
    assert_eq!(report["elements"]["script"], Value::Null);
    let odd = report["elements"].as_object().unwrap().keys();
    let odd: Vec<_> = odd
        .filter(|name| name.contains(' ') || *name == "img")
        .collect();
    assert_eq!(odd, [] as [&String; 0]);
    assert_eq!(report["console"], json!([]));
    assert_eq!(report["requests"], json!([]));
}

/// Prints how often each element is in an SVG document, and its texts.
const PARSE: &str = "
import collections, json, sys, xml.etree.ElementTree as tree
all = list(tree.parse(sys.argv[1]).getroot().iter())
names = collections.Counter(one.tag.split('}')[1] for one in all)
texts = [(one.text or '').replace('\u{a0}', ' ') for one in all if one.tag.endswith('}text')]
print(json.dumps({'elements': names, 'texts': texts}))
";

#[test]
fn graphviz_draws_every_fixture_and_hostile_names_as_text() {
    if !live::has(&["dot", "python3"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let render = |picture: &Path| -> Value {
        let svg = picture.with_extension("svg");
        let mut dot = Command::new("dot");
        dot.args(["-Tsvg", "-o"]).args([&svg, picture]);
        assert_eq!(Outcome::of(&mut dot), Outcome::success(""));
        let mut python = Command::new("python3");
        python.args(["-c", PARSE]).arg(&svg);
        serde_json::from_str(&Outcome::of(&mut python).stdout).unwrap()
    };
    for name in ["containers", "zombies", "hostile-names", "broken"] {
        render(&draw("dot", &fixture(name), dir.path()));
    }
    let [hostile, harmless] = hostile_and_harmless("dot", dir.path()).map(|path| render(&path));
    assert_eq!(hostile["elements"], harmless["elements"]);
    for (_, shown) in ATTACKS {
        let texts = hostile["texts"].as_array().unwrap();
        let shows = |text: &Value| text.as_str().is_some_and(|text| text.contains(shown));
        assert!(texts.iter().any(shows), "{shown}");
    }
}

#[test]
fn mermaid_draws_every_fixture_and_hostile_names_as_text() {
    let Some(library) = package("mermaid", "11.17.2", "dist/mermaid.min.js") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let render = |picture: &Path| browse(&[Path::new("mermaid"), &library, picture]);
    for name in ["containers", "broken"] {
        let picture = draw("mermaid", &fixture(name), dir.path());
        let Some(report) = render(&picture) else {
            return;
        };
        assert_eq!(report["type"], "flowchart-v2", "{name}");
    }
    let drawn = hostile_and_harmless("mermaid", dir.path());
    let [hostile, harmless] = drawn.map(|path| render(&path).unwrap());
    assert_eq!(hostile["elements"], harmless["elements"]);
    assert_eq!(hostile["handlers"], 0);
    let count = |report: &Value, what: &str| report[what].as_array().unwrap().len();
    for what in ["nodes", "groups", "edges"] {
        assert_eq!(count(&hostile, what), count(&harmless, what), "{what}");
    }
    for (_, shown) in ATTACKS {
        let nodes = hostile["nodes"].as_array().unwrap();
        let shows = |text: &Value| text.as_str().is_some_and(|text| text.contains(shown));
        assert!(nodes.iter().any(shows), "{shown}");
    }
}

#[test]
fn a_page_of_two_thousand_namespaces_opens_and_folds_what_is_alike() {
    let mut tree = Tree::new().process(1, "init\0");
    for number in 0..286_u32 {
        let pid = 100 + number;
        tree = tree.process(pid, format!("server\0--port\0{number}\0"));
        for (place, kind) in KINDS.into_iter().filter(|kind| *kind != "user").enumerate() {
            let ns = 5_000 + 10 * u64::from(number) + u64::try_from(place).unwrap();
            tree = tree.link(&format!("proc/{pid}/ns/{kind}"), &format!("{kind}:[{ns}]"));
        }
        let id = format!("{number:064x}");
        tree = tree.file(&format!("proc/{pid}/cgroup"), format!("0::/docker/{id}\n"));
    }
    let dir = tempfile::tempdir().unwrap();
    let page = draw("html", tree.path(), dir.path());
    eprintln!("{} bytes", fs::metadata(&page).unwrap().len());
    let Some(report) = browse(&[Path::new("page"), &page]) else {
        return;
    };
    assert_eq!(report["hidden"], json!([286, 0]));
    // The host, what stands for all containers, and these.
    assert_eq!(report["matrix"].as_array().unwrap().len(), 288);
    assert_eq!(report["overflow"], good()["overflow"]);
    assert_eq!(report["console"], json!([]));
}
