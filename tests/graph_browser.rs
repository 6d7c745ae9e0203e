//! What programs make of pictures: Chromium of the page, Graphviz of DOT, Mermaid of a
//! flowchart.

mod hostile;

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
    if !live::has_time() || !live::has(&["chromium", "python3"]) {
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
    if !live::has_time() {
        return None;
    }
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
        hostile::document(|number| format!("name{number}"), 14).to_string(),
    )
    .unwrap();
    let page = draw("html", &saved, dir.path());
    let report = browse(&[Path::new("page"), &page, &axe]).unwrap();
    assert_eq!(behaviour(&report), good());
    assert_eq!(report["hidden"], json!([56, 42]));
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
