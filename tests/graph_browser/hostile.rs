//! Names that others chose to break pictures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{behaviour, browse, draw, package};
use crate::common::{Outcome, Tree, fixture, live};

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
pub(super) fn document(name: impl Fn(usize) -> String, count: usize) -> Value {
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
