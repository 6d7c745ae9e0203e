//! The JSON Schema of everything that `--json` writes.

mod validate;

use nsls::query::{Column, Type};
use nsls::{Cause, Kind, Link, Member, Source};
use serde_json::{Map, Value, json};

/// Returns the text of the schema in docs/.
pub fn text() -> String {
    format!("{:#}\n", schema())
}

/// Returns the schema. Objects are open because keys may be added without a new
/// version, and so are sets of words, which are given as examples.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Output of nsls --json",
        "description": "One document of version 1: a list of namespaces, one namespace with its processes, or the list of columns. Keys, causes and sources that are not here may come with the same version.",
        "oneOf": [
            { "$ref": "#/$defs/listing" },
            { "$ref": "#/$defs/one" },
            { "$ref": "#/$defs/find" },
            { "$ref": "#/$defs/holders" },
            { "$ref": "#/$defs/compare" },
            { "$ref": "#/$defs/diff" },
            { "$ref": "#/$defs/leaks" },
            { "$ref": "#/$defs/containers" },
            { "$ref": "#/$defs/translate" },
            { "$ref": "#/$defs/limits" },
            { "$ref": "#/$defs/why" },
            { "$ref": "#/$defs/columns" },
            { "$ref": "#/$defs/watching" },
            { "$ref": "#/$defs/event" },
            { "$ref": "#/$defs/count" },
        ],
        "$defs": {
            "listing": listing(),
            "one": document(
                "nsls --json NAMESPACE",
                json!({
                    "boot_id": text_or_null(),
                    "time": time(),
                    "namespace": {
                        "description": "The namespace, with the columns that are there without --output.",
                        "$ref": "#/$defs/row",
                        "required": Column::usual().map(Column::key).collect::<Vec<_>>(),
                    },
                    "namespaces": {
                        "description": "The same namespace, as in a list of namespaces.",
                        "type": "array",
                        "items": { "$ref": "#/$defs/row" },
                        "minItems": 1,
                        "maxItems": 1,
                    },
                    "processes": {
                        "description": "The processes in it, ordered by pid.",
                        "type": "array",
                        "items": { "$ref": "#/$defs/row" },
                    },
                }),
            ),
            "holders": document(
                "nsls holders --json NAMESPACE",
                json!({
                    "namespace": { "$ref": "#/$defs/row" },
                    "holders": { "type": "array", "items": { "$ref": "#/$defs/holder" } },
                }),
            ),
            "find": find(),
            "compare": compare(),
            "diff": diff(),
            "leaks": leaks(),
            "lines": lines(),
            "containers": containers(),
            "translate": translate(),
            "limits": limits(),
            "why": why(),
            "columns": columns(),
            "watching": watching(),
            "event": event(),
            "count": count(),
            "row": row(),
            "gap": gap(),
            "holder": holder(),
        },
    })
}

fn number() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn number_or_null() -> Value {
    json!({ "type": ["integer", "null"], "minimum": 0 })
}

fn text_or_null() -> Value {
    json!({ "type": ["string", "null"] })
}

fn kind() -> Value {
    word(Kind::ALL.iter().map(|kind| kind.name()))
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn listing() -> Value {
    let mut listing = document(
        "nsls --json, with or without --pid",
        json!({
            "boot_id": text_or_null(),
            "time": time(),
            "namespaces": { "type": "array", "items": { "$ref": "#/$defs/row" } },
        }),
    );
    listing["not"] = json!({ "required": ["namespace"] });
    listing
}

fn find() -> Value {
    let or_null = |description: &str, properties: Value| {
        let mut object = all_required(description, properties);
        object["type"] = json!(["object", "null"]);
        object
    };
    let socket = or_null(
        "A socket that listens or is bound; its address and port, its path, or its abstract name.",
        json!({
            "protocol": { "type": "string", "examples": ["tcp", "udp", "unix"] },
            "address": text_or_null(),
            "port": number_or_null(),
            "path": text_or_null(),
            "name": text_or_null(),
            "state": { "type": "string", "examples": ["listening", "bound"] },
            "inode": number(),
        }),
    );
    let interface = or_null(
        "An interface, and what it is to the one that was looked for.",
        json!({
            "role": { "type": "string", "examples": ["interface", "peer", "master", "port", "parent"] },
            "name": { "type": "string" },
            "index": number_or_null(),
            "kind": text_or_null(),
            "mac": text_or_null(),
            "up": { "type": ["boolean", "null"] },
            "master": number_or_null(),
            "link": number_or_null(),
            "peer_ns": number_or_null(),
            "addresses": list(json!({ "type": "string" })),
        }),
    );
    let mount = or_null(
        "A mount; device is MAJOR:MINOR, dir the directory of the file system that is mounted.",
        json!({
            "device": { "type": "string" },
            "dir": { "type": "string" },
            "mount_point": { "type": "string" },
            "fs_type": { "type": "string" },
            "source": { "type": "string" },
        }),
    );
    let found = all_required(
        "Where something was found. What it is not about is null.",
        json!({
            "thing": { "description": "The word as it was typed.", "type": "string" },
            "is": { "description": "What it was read as.", "type": "string" },
            "what": { "description": "What was found, as in the table.", "type": "string" },
            "type": kind(),
            "ns": number(),
            "container": {
                "description": "The container, if there is just one.",
                "type": ["string", "null"],
            },
            "containers": list(json!({ "type": "string" })),
            "pid": number_or_null(),
            "user": text_or_null(),
            "uid": number_or_null(),
            "command": text_or_null(),
            "namespaces": {
                "description": "The namespaces of the process, by type.",
                "type": "object",
                "additionalProperties": number(),
            },
            "enter": {
                "description": "A command line for a shell that enters.",
                "type": ["string", "null"],
            },
            "nprocs": number_or_null(),
            "socket": socket,
            "address": text_or_null(),
            "interface": interface,
            "mount": mount,
        }),
    );
    document("nsls find --json THING…", json!({ "matches": list(found) }))
}

fn compare() -> Value {
    let subject = all_required(
        "A process, or the first one of a container.",
        json!({
            "name": { "description": "As it was typed.", "type": "string" },
            "pid": number(),
        }),
    );
    let one_type = all_required(
        "One type of namespaces.",
        json!({
            "type": kind(),
            "ns": list(number_or_null()),
            "shared": {
                "description": "Whether all are in the same one.",
                "type": "boolean",
            },
        }),
    );
    let properties = json!({ "subjects": list(subject), "types": list(one_type) });
    document("nsls compare --json PID|CONTAINER…", properties)
}

fn time() -> Value {
    json!({
        "description": "Seconds since 1970-01-01 00:00 UTC; null for a captured tree.",
        "type": ["number", "null"],
    })
}

/// Returns the schema of the lines of --json=lines. It applies to a single line.
fn lines() -> Value {
    json!({
        "description": "A line of --json=lines: an element of the array that is the last key of the document, or, as the last line, all its other keys. Only the last line has version.",
        "type": "object",
        "if": { "required": ["version"] },
        "then": {
            "properties": {
                "version": version(),
                "complete": { "type": "boolean" },
                "gaps": { "type": "array", "items": { "$ref": "#/$defs/gap" } },
                "sources": list(json!({ "type": "string" })),
            },
        },
    })
}

fn diff() -> Value {
    let side = all_required(
        "One of the two times; path is null for the system as it is.",
        json!({
            "path": text_or_null(),
            "boot_id": text_or_null(),
            "time": time(),
            "complete": { "type": "boolean" },
            "sources": list(json!({ "type": "string" })),
        }),
    );
    let from_to = json!({
        "type": "object",
        "properties": { "old": number_or_null(), "new": number_or_null() },
    });
    let words = list(json!({ "type": "string" }));
    let moved = json!({
        "type": "object",
        "properties": { "added": words, "removed": words },
    });
    let change = all_required(
        "A namespace that differs, as it was last.",
        json!({
            "change": { "enum": ["added", "removed", "changed"] },
            "type": kind(),
            "ns": number(),
            "id": number_or_null(),
            "nprocs": number_or_null(),
            "pid": number_or_null(),
            "user": text_or_null(),
            "command": text_or_null(),
            "nsfs": words,
            "changed": {
                "description": "What changed, and how.",
                "type": "object",
                "properties": {
                    "nprocs": from_to,
                    "pid": from_to,
                    "ons": from_to,
                    "nsfs": moved,
                    "holders": moved,
                },
            },
        }),
    );
    let properties = json!({
        "identity": {
            "description": "The least sure way in which a namespace was recognised.",
            "type": "string",
            "examples": ["boot", "id", "start", "number"],
        },
        "compared": {
            "description": "What was compared, by its keys.",
            "type": "array",
            "items": word(["nprocs", "ons", "nsfs", "holders"].into_iter()),
        },
        "old": side,
        "new": side,
        "changes": list(change),
    });
    document("nsls diff --json OLD [NEW]", properties)
}

fn leaks() -> Value {
    let leak = all_required(
        "A namespace that nothing seems to need, or that a command left behind.",
        json!({
            "type": kind(),
            "ns": number(),
            "id": number_or_null(),
            "nprocs": number(),
            "pid": number_or_null(),
            "held_max": {
                "description": "Seconds that its holders have held it at most.",
                "type": ["integer", "null"],
                "minimum": 0,
            },
            "uid": number_or_null(),
            "user": text_or_null(),
            "holders": { "type": "array", "items": { "$ref": "#/$defs/holder" } },
            "release": {
                "description": "Command lines for a shell that let go of it.",
                "type": "array",
                "items": { "type": "string" },
            },
        }),
    );
    let properties = json!({
        "identity": {
            "description": "By what namespaces were told from those before the command; null without one.",
            "type": ["string", "null"],
            "enum": ["id", "number", null],
        },
        "leaks": list(leak),
    });
    document("nsls leaks --json [-- COMMAND]", properties)
}

fn containers() -> Value {
    let container = all_required(
        "One container, as its first process shows it.",
        json!({
            "engine": text_or_null(),
            "id": { "description": "Its id; where the engine has none, its name.", "type": "string" },
            "name": text_or_null(),
            "uid": {
                "description": "The user in whose systemd slice it runs.",
                "type": ["integer", "null"],
                "minimum": 0,
            },
            "pod": text_or_null(),
            "unit": text_or_null(),
            "hostname": text_or_null(),
            "nprocs": number(),
            "pid": number(),
            "shared": list(kind()),
            "unknown": list(kind()),
            "claims": {
                "description": "The containers that cgroups inside are named after, by anyone inside.",
                "type": "array",
                "items": all_required(
                    "A container that is nested in this one, or imitated.",
                    json!({ "engine": text_or_null(), "id": { "type": "string" } }),
                ),
            },
        }),
    );
    let properties = json!({ "containers": list(container) });
    document("nsls containers --json", properties)
}

fn translate() -> Value {
    let level = all_required(
        "The pid in one pid namespace.",
        json!({ "ns": number_or_null(), "pid": number() }),
    );
    let properties = json!({ "pid": number(), "pids": list(level) });
    document("nsls translate --json PID", properties)
}

fn limits() -> Value {
    let limit = all_required(
        "One limit, and what was counted against it.",
        json!({
            "limit": { "type": "string" },
            "type": kind(),
            "ns": number_or_null(),
            "uid": number_or_null(),
            "user": text_or_null(),
            "count": number(),
            "max": number_or_null(),
        }),
    );
    let properties = json!({ "limits": list(limit) });
    document("nsls limits --json", properties)
}

fn why() -> Value {
    let counted = all_required(
        "A namespace that counts against limits of the user.",
        json!({
            "type": kind(),
            "ns": number(),
            "userns": list(number()),
            "container": list(json!({ "type": "string" })),
            "nprocs": number(),
            "pid": number_or_null(),
            "holder": text_or_null(),
            "command": text_or_null(),
        }),
    );
    let properties = json!({ "uid": number(), "unknown": number(), "counted": list(counted) });
    document("nsls limits --json --why USER", properties)
}

fn watching() -> Value {
    all_required(
        "The first line of nsls watch --json.",
        json!({
            "event": { "const": "watching" },
            "version": version(),
            "time": moment(),
            "by": {
                "description": "What tells of events: records of the kernel, or scans alone.",
                "type": "string",
                "examples": ["perf", "scans"],
            },
            "namespaces": { "description": "How many there are.", "type": "integer", "minimum": 0 },
            "complete": { "type": "boolean" },
            "gaps": { "type": "array", "items": { "$ref": "#/$defs/gap" } },
        }),
    )
}

fn event() -> Value {
    all_required(
        "A line of nsls watch --json: something that happened to a namespace.",
        json!({
            "event": { "enum": ["appeared", "entered", "emptied", "ended"] },
            "time": moment(),
            "type": kind(),
            "ns": number(),
            "id": {
                "description": "Its number that is never reused, if it was read in time.",
                "type": ["integer", "null"],
                "minimum": 0,
            },
            "by": {
                "description": "How it became known.",
                "type": "string",
                "examples": ["fork", "unshare", "setns", "leave", "look", "scan"],
            },
            "pid": number_or_null(),
            "tid": number_or_null(),
            "command": text_or_null(),
            "lived": {
                "description": "Seconds from its beginning to its end, if both were seen.",
                "type": ["number", "null"],
                "minimum": 0,
            },
            "certain": {
                "description": "Whether it was seen, not concluded from what else was.",
                "type": "boolean",
            },
        }),
    )
}

fn count() -> Value {
    all_required(
        "A line of nsls watch --json: records that were lost and made up for by a scan, events that nobody read, or events for which no command ran.",
        json!({
            "event": { "enum": ["lost", "dropped", "skipped"] },
            "time": moment(),
            "count": number(),
        }),
    )
}

fn moment() -> Value {
    json!({
        "description": "RFC 3339, in UTC, with microseconds.",
        "type": "string",
        "pattern": "^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$",
    })
}

/// Returns the schema of a document: its own keys, and those about
/// completeness.
fn document(description: &str, about: Value) -> Value {
    let mut properties = json!({
        "version": version(),
        "complete": {
            "description": "Whether nothing that exists was kept from the view: no gap hides something.",
            "type": "boolean",
        },
        "gaps": {
            "description": "What could not be read, and facts about the system.",
            "type": "array",
            "items": { "$ref": "#/$defs/gap" },
        },
        "sources": {
            "description": "Where was looked for namespaces.",
            "type": "array",
            "items": word(sources().filter(|source| source.finds_namespaces()).map(|source| source.name())),
        },
    });
    let about = about.as_object().unwrap().clone();
    properties.as_object_mut().unwrap().extend(about);
    all_required(description, properties)
}

fn sources() -> impl Iterator<Item = Source> {
    Source::ALL.iter().copied()
}

fn version() -> Value {
    json!({ "description": "Rises when a key goes or changes its meaning.", "const": 1 })
}

/// Returns the schema of an object with all these keys.
fn all_required(description: &str, properties: Value) -> Value {
    let keys: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
    json!({
        "description": description,
        "type": "object",
        "required": keys,
        "properties": properties,
    })
}

/// Returns the schema of an element of `namespaces` or `processes`, which with
/// --output has only some of the keys.
fn row() -> Value {
    let properties: Map<_, _> = Column::ALL
        .iter()
        .map(|column| (column.key().to_owned(), cell(column)))
        .collect();
    json!({
        "description": "The columns that were chosen, by their names in lower case. What is not known, or not there, is null.",
        "type": "object",
        "properties": properties,
    })
}

fn cell(column: &Column) -> Value {
    let number = json!({ "type": "integer", "minimum": 0 });
    let mut cell = match (column.key(), column.json) {
        // These are never null.
        ("nprocs", _) => number,
        ("type", _) => word(Kind::ALL.iter().map(|kind| kind.name())),
        ("links", _) => json!({ "type": "array", "items": link() }),
        (_, Type::Number) => json!({ "type": ["integer", "null"], "minimum": 0 }),
        (_, Type::String) => json!({ "type": ["string", "null"] }),
        (_, Type::NumberOrString) => {
            json!({ "anyOf": [number, { "enum": ["unassigned", null] }] })
        }
        ("holders", _) => json!({ "type": "array", "items": { "$ref": "#/$defs/holder" } }),
        ("uidmap" | "gidmap", _) => list_or_null(&["inner", "outer", "count"]),
        ("interfaces", _) => interfaces(),
        ("timeoffset", _) => object_or_null(&["monotonic", "boottime"], "number"),
        ("sysvipc", _) => object_or_null(&["queues", "segments", "semaphores"], "integer"),
        ("host", _) => json!({ "enum": ["yes", "no", null] }),
        (key, Type::Objects | Type::Object) => panic!("{key} has no schema yet"),
        (_, Type::Numbers) => json!({ "type": "array", "items": number }),
        (_, Type::MaybeStrings) => {
            json!({ "type": ["array", "null"], "items": { "type": "string" } })
        }
        (_, Type::Strings) => json!({ "type": "array", "items": { "type": "string" } }),
    };
    cell["description"] = column.help.into();
    cell
}

/// Returns the schema of an array of objects with these numbers.
fn list_or_null(numbers: &[&str]) -> Value {
    let number = json!({ "type": "integer", "minimum": 0 });
    let properties: Map<_, _> = numbers
        .iter()
        .map(|key| ((*key).to_owned(), number.clone()))
        .collect();
    all_or_null(properties)
}

/// Returns the schema of the interfaces of a net namespace. Of one of which only
/// the name is known, everything else is null.
fn interfaces() -> Value {
    let number = || json!({ "type": ["integer", "null"], "minimum": 0 });
    let text = || json!({ "type": ["string", "null"] });
    let properties = json!({
        "name": { "type": "string" },
        "index": number(),
        "kind": text(),
        "mac": text(),
        "up": { "type": ["boolean", "null"] },
        "master": text(),
        "link": number(),
        "peer": text(),
        "peer_ns": number(),
    });
    all_or_null(properties.as_object().unwrap().clone())
}

/// Returns the schema of an array of objects with all these properties.
fn all_or_null(properties: Map<String, Value>) -> Value {
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({
        "type": ["array", "null"],
        "items": { "type": "object", "required": required, "properties": properties },
    })
}

/// Returns the schema of an object with these numbers.
fn object_or_null(keys: &[&str], of_type: &str) -> Value {
    let properties: Map<_, _> = keys
        .iter()
        .map(|key| ((*key).to_owned(), json!({ "type": of_type })))
        .collect();
    json!({ "type": ["object", "null"], "required": keys, "properties": properties })
}

fn gap() -> Value {
    let hides = |hides| {
        let causes = Cause::ALL
            .iter()
            .filter(move |cause| cause.hides() == hides);
        causes.map(|cause| cause.name()).collect::<Vec<_>>()
    };
    let mut gap = all_required(
        "One cause of something missing, or one fact about the system.",
        json!({
            "source": word(sources().map(|source| source.name())),
            "cause": word(Cause::ALL.iter().map(|cause| cause.name())),
            "hides": {
                "description": "Whether something that exists may be missing from the view.",
                "type": "boolean",
            },
            "count": {
                "description": "How many it concerns; null where nobody can know.",
                "type": ["integer", "null"],
                "minimum": 0,
            },
            "total": {
                "description": "How many processes there were.",
                "type": "integer",
                "minimum": 0,
            },
            "links": {
                "description": "The links in /proc/PID/ns that it concerns.",
                "type": "array",
                "items": link(),
            },
            "message": { "description": "The same for people; its words may change.", "type": "string" },
        }),
    );
    // The value of `hides` for each known cause.
    gap["allOf"] = json!([
        {
            "if": { "properties": { "cause": { "enum": hides(true) } } },
            "then": { "properties": { "hides": { "const": true } } },
        },
        {
            "if": { "properties": { "cause": { "enum": hides(false) } } },
            "then": { "properties": { "hides": { "const": false } } },
        },
    ]);
    gap
}

/// Returns the schema of a holder, which has `kind` and some of the other keys.
fn holder() -> Value {
    let number = || json!({ "type": ["integer", "null"], "minimum": 0 });
    let text = || json!({ "type": ["string", "null"] });
    json!({
        "description": "What keeps a namespace alive.",
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": word([
                "process", "for-children", "thread", "mount", "fd", "path", "socket", "tun",
                "child", "owned", "in-flight", "io_uring", "listed", "kernel",
            ].into_iter()),
            "pid": number(),
            "tid": number(),
            "fd": number(),
            "link": link(),
            "path": text(),
            "mount_ns": number(),
            "ns": number(),
            "type": word(Kind::ALL.iter().map(|kind| kind.name())),
            "id": number(),
            "user": text(),
            "command": text(),
            "holds": number(),
        },
    })
}

fn columns() -> Value {
    let types: Vec<_> = [
        Type::Number,
        Type::String,
        Type::NumberOrString,
        Type::Strings,
        Type::Objects,
        Type::Object,
        Type::Numbers,
    ]
    .map(Type::name)
    .into();
    let column = all_required(
        "One column.",
        json!({
            "name": { "type": "string" },
            "key": { "description": "Its key in the other documents.", "type": "string" },
            "type": { "enum": types },
            "description": { "type": "string" },
        }),
    );
    all_required(
        "nsls --json --list-columns",
        json!({ "version": version(), "columns": { "type": "array", "items": column } }),
    )
}

/// Returns the schema of one of these words, or of a future one.
fn word<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    json!({ "type": "string", "examples": words.collect::<Vec<_>>() })
}

fn link() -> Value {
    word(Link::ALL.iter().map(|link| link.name()))
}
