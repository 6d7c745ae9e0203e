//! Validates the output of the command, and malformed documents, against the
//! schema.

use jsonschema::Validator;
use serde_json::{Value, json};

use super::schema;
use crate::common::{Nsls, fixture, fixtures};

fn open() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

/// Returns the schema without room for additions.
fn closed() -> Validator {
    let mut schema = schema();
    close(&mut schema["$defs"]);
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Forbids unnamed keys and words that are not among the examples.
fn close(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        if object.get("type") == Some(&json!("object")) {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
        if let Some(words) = object.remove("examples") {
            object.insert("enum".to_owned(), words);
        }
        object.values_mut().for_each(close);
    } else if let Some(list) = schema.as_array_mut() {
        list.iter_mut().for_each(close);
    }
}

fn read(fixture_name: &str, arguments: &str) -> Value {
    let run = Nsls::words(arguments).sysroot(fixture(fixture_name)).run();
    let may_differ = ["compare ", "leaks ", "diff "];
    let may_differ = may_differ.iter().any(|word| arguments.starts_with(word));
    let is_answer = run.status == 0 || may_differ;
    assert!(is_answer, "{fixture_name} {arguments}: {run}");
    serde_json::from_str(&run.stdout).unwrap()
}

fn check(validator: &Validator, name: &str, document: &Value) {
    if let Err(error) = validator.validate(document) {
        panic!("{name}: {error} at {}", error.instance_path());
    }
}

/// Returns whether a tree lacks what a form needs: the PIDs of the process.
fn lacks(fixture_name: &str, arguments: &str) -> bool {
    let run = Nsls::words(arguments).sysroot(fixture(fixture_name)).run();
    arguments.starts_with("translate ") && run.stderr.contains("no process")
}

#[test]
fn every_form_of_every_fixture_matches_the_schema_exactly() {
    let (open, closed) = (open(), closed());
    for name in fixtures().into_iter().filter(|name| name != "empty") {
        let all = read(&name, "--json");
        let namespaces = all["namespaces"].as_array().unwrap();
        let pid = namespaces
            .iter()
            .filter_map(|one| one["pid"].as_u64())
            .max();
        let ns = namespaces.last().unwrap()["ns"].clone();
        for arguments in [
            "--json".to_owned(),
            "--json --output-all".to_owned(),
            "--json -o user,NS,links".to_owned(),
            "--json -t net -o netnsid".to_owned(),
            "--json -Q false".to_owned(),
            format!("--json --pid {}", pid.unwrap()),
            format!("--json {ns}"),
            format!("--json -o pid,ons {ns}"),
            "--json --infer -o pid".to_owned(),
            "containers --json".to_owned(),
            "limits --json".to_owned(),
            format!("holders --json {ns}"),
            format!("compare --json {0} {0}", pid.unwrap()),
            format!("translate --json {}", pid.unwrap()),
            "leaks --json".to_owned(),
            format!("diff --json {0}", fixture("ubuntu-20.04").display()),
        ] {
            if lacks(&name, &arguments) {
                continue;
            }
            let document = read(&name, &arguments);
            let name = format!("{name} {arguments}");
            check(&open, &name, &document);
            check(&closed, &name, &document);
        }
    }
}

#[test]
fn every_line_matches_the_schema_of_lines() {
    let mut schema = schema();
    schema.as_object_mut().unwrap().remove("oneOf");
    schema["$ref"] = json!("#/$defs/lines");
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let run = Nsls::words("--json=lines")
        .sysroot(fixture("unreadable"))
        .run();
    let parse = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
    let lines: Vec<Value> = run.stdout.lines().map(parse).collect();
    let (last, rows) = lines.split_last().unwrap();
    assert!(!rows.is_empty());
    for line in &lines {
        check(&validator, "--json=lines", line);
    }
    for broken in [
        with(last.clone(), "/version", json!(2)),
        with(last.clone(), "/gaps/0/hides", json!(1)),
        json!([]),
    ] {
        assert!(!validator.is_valid(&broken), "{broken:#}");
    }
}

#[test]
fn the_list_of_columns_matches_the_schema() {
    let columns = read("ubuntu-20.04", "--json --list-columns");
    check(&closed(), "--list-columns", &columns);
}

#[test]
fn future_additions_match_the_schema() {
    let open = open();
    let mut document = read("unreadable", "--json");
    document["new"] = json!({});
    document["namespaces"][0]["new"] = json!([1]);
    document["gaps"][0]["new"] = json!(1.5);
    document["gaps"][0]["cause"] = json!("new");
    document["gaps"][0]["hides"] = json!(false);
    check(&open, "with new keys", &document);
}

/// Removes a key from a document.
fn without(mut document: Value, pointer: &str, key: &str) -> Value {
    let object = document.pointer_mut(pointer).unwrap().as_object_mut();
    assert!(object.unwrap().remove(key).is_some(), "{pointer} {key}");
    document
}

/// Replaces a value in a document.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

#[test]
fn malformed_documents_do_not_match_the_schema() {
    let open = open();
    let listing = || read("unreadable", "--json");
    let one = || read("ubuntu-20.04", "--json 4026532206");
    for (name, document) in [
        ("no version", without(listing(), "", "version")),
        ("version 2", with(listing(), "/version", json!(2))),
        ("no gaps", without(listing(), "", "gaps")),
        ("no complete", without(listing(), "", "complete")),
        ("no namespaces", without(listing(), "", "namespaces")),
        (
            "ns a string",
            with(listing(), "/namespaces/0/ns", json!("4026531833")),
        ),
        (
            "type null",
            with(listing(), "/namespaces/0/type", json!(null)),
        ),
        (
            "nprocs negative",
            with(listing(), "/namespaces/0/nprocs", json!(-1)),
        ),
        (
            "pid a fraction",
            with(listing(), "/namespaces/0/pid", json!(1.5)),
        ),
        (
            "user a number",
            with(listing(), "/namespaces/0/user", json!(0)),
        ),
        (
            "nsfs null",
            with(listing(), "/namespaces/0/nsfs", json!(null)),
        ),
        (
            "netnsid a word",
            with(listing(), "/namespaces/0/netnsid", json!("none")),
        ),
        ("no hides", without(listing(), "/gaps/0", "hides")),
        (
            "hides of denied",
            with(listing(), "/gaps/0/hides", json!(false)),
        ),
        ("no processes", without(one(), "", "processes")),
        ("namespace in part", without(one(), "/namespace", "type")),
        ("a list", json!([])),
    ] {
        assert!(!open.is_valid(&document), "{name}: {document:#}");
    }
}

#[test]
fn unknown_words_and_keys_are_detected() {
    let closed = closed();
    let listing = || read("unreadable", "--json");
    let new_key = |pointer: &str| {
        let mut document = listing();
        document.pointer_mut(pointer).unwrap()["new"] = json!(1);
        document
    };
    for (name, document) in [
        ("cause", with(listing(), "/gaps/0/cause", json!("new"))),
        ("source", with(listing(), "/gaps/0/source", json!("new"))),
        ("link", with(listing(), "/gaps/0/links", json!(["new"]))),
        ("type", with(listing(), "/namespaces/0/type", json!("new"))),
        ("key of the document", new_key("")),
        ("key of a gap", new_key("/gaps/0")),
        ("key of a namespace", new_key("/namespaces/0")),
    ] {
        assert!(!closed.is_valid(&document), "{name}: {document:#}");
    }
}
