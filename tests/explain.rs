//! `nsls explain`, `nsls --generate` and `nsls __complete`.

use std::fs;
use std::path::Path;

use nsls::query::Column;
use nsls::{Cause, Kind, Member, Source};

use crate::common::{Nsls, Outcome, fixture};

fn run(arguments: &str) -> Outcome {
    Nsls::words(arguments).run()
}

#[test]
fn every_type_column_cause_and_source_has_an_explanation() {
    let kinds = Kind::ALL.iter().map(|kind| ("type", kind.name()));
    let columns = Column::ALL.iter().map(|column| ("column", column.name));
    let causes = Cause::ALL.iter().map(|cause| ("gap", cause.name()));
    let sources = Source::ALL.iter().map(|source| ("source", source.name()));
    for (category, name) in kinds.chain(columns).chain(causes).chain(sources) {
        let run = run(&format!("explain {category} {name}"));
        assert_eq!((run.status, &*run.stderr), (0, ""), "{category} {name}");
        let (title, text) = run.stdout.split_once("\n\n").unwrap();
        assert!(title.starts_with(&format!("{name}, a")), "{title}");
        assert!(text.len() > 30, "{category} {name}: {text}");
        let marks = ["](", "**", "| "];
        assert!(!marks.iter().any(|mark| text.contains(mark)), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}

#[test]
fn a_kind_of_holder_is_explained_with_how_to_release_it() {
    assert_eq!(
        run("explain io_uring"),
        Outcome::success(
            "io_uring, a kind of holder\n\n\
             - holder: a file registered in an io_uring, with --bpf; fd is the ring\n\
             - how to release it: unregister it, or close the ring\n"
        )
    );
    for kind in [
        "process",
        "for-children",
        "thread",
        "mount",
        "fd",
        "socket",
        "tun",
        "child",
        "owned",
        "in-flight",
        "kernel",
    ] {
        assert_eq!(run(&format!("explain holder {kind}")).status, 0, "{kind}");
    }
}

#[test]
fn a_word_with_several_meanings_is_explained_in_all_or_in_the_one_chosen() {
    let both = run("explain pid");
    let one = run("explain type pid").stdout + "\n" + &run("explain column PID").stdout;
    assert_eq!(both, Outcome::success(one));
    assert_eq!(run("explain holders"), run("explain HOLDERS"));
    assert_eq!(run("explain clone_newpid"), run("explain type pid"));
}

#[test]
fn a_word_that_means_nothing_is_refused() {
    for (arguments, message) in [
        (
            "explain bogus",
            "unknown word 'bogus' (nsls explain lists what it can)",
        ),
        ("explain denyed", "unknown word 'denyed', nearest is denied"),
        (
            "explain gap net",
            "unknown gap 'net' (nsls explain lists what it can)",
        ),
        (
            "explain bogus net",
            "unknown kind of word 'bogus': choose one of type, column, gap, holder, source",
        ),
    ] {
        assert_eq!(run(arguments), Outcome::failure(2, message), "{arguments}");
    }
}

#[test]
fn explanations_are_as_reviewed() {
    let mut settings = insta::Settings::new();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, arguments) in [
        ("explain", "explain"),
        ("explain-net", "explain net"),
        ("explain-column", "explain HOLDERS"),
        ("explain-gap", "explain gap denied"),
        ("explain-source", "explain fds"),
    ] {
        let run = run(arguments);
        settings.set_description(format!("nsls {arguments}"));
        settings.bind(|| insta::assert_snapshot!(name, run));
    }
}

/// The flag of each type and the kernel that had it first, as in clone(2) and
/// unshare(2), and how unshare(1) calls it.
#[test]
fn the_table_of_types_agrees_with_the_manual_pages() {
    let page = fs::read_to_string(root().join("docs/types.md")).unwrap();
    for (kind, since, flag, option) in [
        ("mnt", "2.4.19", "CLONE_NEWNS", "mount"),
        ("net", "2.6.24", "CLONE_NEWNET", "net"),
        ("ipc", "2.6.19", "CLONE_NEWIPC", "ipc"),
        ("user", "3.8", "CLONE_NEWUSER", "user"),
        ("pid", "2.6.24", "CLONE_NEWPID", "pid"),
        ("uts", "2.6.19", "CLONE_NEWUTS", "uts"),
        ("cgroup", "4.6", "CLONE_NEWCGROUP", "cgroup"),
        ("time", "5.6", "CLONE_NEWTIME", "time"),
    ] {
        let manual = if kind == "mnt" {
            "mount"
        } else if kind == "net" {
            "network"
        } else {
            kind
        };
        let cells = format!("| {since} | `{flag}` | `--{option}` | {manual}_namespaces(7) |");
        let mut rows = page.lines();
        let row = rows.find(|row| row.starts_with(&format!("| [`{kind}`](#{kind}) |")));
        assert!(row.is_some_and(|row| row.ends_with(&cells)), "{row:?}");
    }
}

#[test]
fn the_page_of_types_names_the_columns_that_look_into_each() {
    let types = fs::read_to_string(root().join("docs/types.md")).unwrap();
    let containers = fs::read_to_string(root().join("docs/containers.md")).unwrap();
    let (_, containers) = containers.split_once("\n## What is in it?\n").unwrap();
    let rows = containers.lines().filter(|line| line.starts_with("| `"));
    let mut count = 0;
    for row in rows {
        let cells: Vec<_> = row.split(" | ").collect();
        let kind = cells.get(1).map_or("", |cell| cell.trim_matches('`'));
        let heading = format!("\n## {kind}\n");
        let Some((_, rest)) = types.split_once(&heading) else {
            continue;
        };
        let section = rest.split("\n## ").next().unwrap();
        for column in cells[0].split('`').skip(1).step_by(2) {
            count += 1;
            assert!(section.contains(&format!("`{column}`")), "{kind}: {column}");
        }
    }
    assert!(count > 10, "only {count} columns were found");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_man_page_and_completions_are_written_as_in_docs() {
    // As they were when the command was built.
    let mut names: Vec<_> = fs::read_dir("docs/man").unwrap().collect();
    names.sort_by_key(|entry| entry.as_ref().unwrap().file_name());
    let subcommands = names.iter().map(|entry| {
        let path = entry.as_ref().unwrap().path();
        fs::read_to_string(path).unwrap()
    });
    let man = include_str!("../docs/nsls.8").to_owned() + &subcommands.collect::<String>();
    for (what, text) in [
        ("man", &*man),
        (
            "complete-bash",
            include_str!("../docs/completions/nsls.bash"),
        ),
        ("complete-zsh", include_str!("../docs/completions/_nsls")),
        (
            "complete-fish",
            include_str!("../docs/completions/nsls.fish"),
        ),
    ] {
        let run = run(&format!("--generate {what}"));
        assert!(run == Outcome::success(text), "{what}");
    }
}

/// Returns the names for completions in this fixture.
fn names(what: &str, root: &str) -> Outcome {
    let words = ["__complete", what, "--sysroot"].map(Into::into);
    let root = fixture(root).into_os_string();
    Nsls::new(words.into_iter().chain([root])).run()
}

#[test]
fn containers_and_namespaces_are_named_for_completions() {
    let containers = names("containers", "containers");
    let lines: Vec<_> = containers.stdout.lines().collect();
    assert!(lines.contains(&"db\tcontainer"), "{lines:?}");
    assert!(lines.contains(&"web\tcontainer"), "{lines:?}");
    let namespaces = names("namespaces", "containers");
    let all: Vec<_> = namespaces.stdout.lines().collect();
    assert!(lines.iter().all(|line| all.contains(line)), "{all:?}");
    assert!(all.contains(&"4026532234\tpid postgres"), "{all:?}");
    assert_eq!((containers.status, &*containers.stderr), (0, ""));
    assert_eq!((namespaces.status, &*namespaces.stderr), (0, ""));
}

#[test]
fn a_completion_never_complains() {
    for root in ["empty", "unreadable", "broken", "hidepid"] {
        let run = names("containers", root);
        assert_eq!((run.status, &*run.stderr), (0, ""), "{root}");
    }
    assert_eq!(names("containers", "empty"), Outcome::success(""));
}
