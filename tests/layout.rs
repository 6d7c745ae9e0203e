//! The order of rows, their groups, and blocks instead of rows.

use crate::common::{Nsls, Outcome, Tree, fixture};

/// Some processes in uts namespaces of their own, of two users.
fn tree() -> Tree {
    let tree = Tree::new().process(1, "init\0");
    let rows = [
        (7, 0, 4026532003u64, "web"),
        (8, 1000, 4026532001, "db"),
        (9, 1000, 4026532001, "db"),
        (12, 0, 4026532002, "Cache"),
    ];
    let tree = rows.into_iter().fold(tree, |tree, (pid, uid, ino, name)| {
        tree.process(pid, format!("{name}\0"))
            .link(&format!("proc/{pid}/ns/uts"), &format!("uts:[{ino}]"))
            .file(
                &format!("proc/{pid}/status"),
                format!("Name:\tcomm\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n"),
            )
    });
    tree.link("proc/1/fd/3", "uts:[4026532009]")
}

/// What is listed by a run that succeeds and says nothing else.
fn listed(words: &str) -> String {
    let run = Nsls::words(words).sysroot(tree().path()).run();
    assert_eq!(run, Outcome::success(run.stdout.clone()), "{words}");
    run.stdout
}

#[test]
fn rows_are_sorted_by_the_values_of_columns() {
    for (sort, expected) in [
        (
            "--sort NS",
            "4026531838 4026532001 4026532002 4026532003 4026532009",
        ),
        (
            "--sort -ns",
            "4026532009 4026532003 4026532002 4026532001 4026531838",
        ),
        // Whoever has no PID is last either way.
        (
            "--sort pid",
            "4026531838 4026532003 4026532001 4026532002 4026532009",
        ),
        (
            "--sort -pid",
            "4026532002 4026532001 4026532003 4026531838 4026532009",
        ),
        // Equal ones stay in the order of their numbers.
        (
            "--sort nprocs",
            "4026532009 4026531838 4026532002 4026532003 4026532001",
        ),
        (
            "--sort -nprocs,-pid",
            "4026532001 4026532002 4026532003 4026531838 4026532009",
        ),
        (
            "--sort=-nprocs,command",
            "4026532001 4026532002 4026531838 4026532003 4026532009",
        ),
        (
            "--sort uid,NS",
            "4026531838 4026532002 4026532003 4026532001 4026532009",
        ),
    ] {
        let words = |format: &str| format!("-t uts -o NS {format} {sort}");
        let raw = listed(&words("-n -r"));
        assert_eq!(
            raw.lines().collect::<Vec<_>>().join(" "),
            expected,
            "{sort}"
        );
        assert_eq!(listed(&words("-n")), raw);
        let json = listed(&words("-J"));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let rows = json["namespaces"].as_array().unwrap().iter();
        let numbers: Vec<_> = rows.map(|row| row["ns"].to_string()).collect();
        assert_eq!(numbers.join(" "), expected, "{sort}");
    }
}

#[test]
fn siblings_are_sorted_in_a_tree_and_members_in_a_namespace() {
    let expected = "COMMAND
init
|-web
|-db
`-Cache

";
    assert_eq!(
        listed("-t uts -o COMMAND -T=process --sort -command"),
        expected
    );
    assert_eq!(
        listed("net:[4026531833] -o PID --sort -pid"),
        "  PID\n   12\n    9\n    8\n    7\n    1\n"
    );
}

#[test]
fn a_column_to_sort_by_is_refused_if_there_is_none_of_its_name() {
    for (sort, why) in [
        ("NPROC", "unknown column 'NPROC', nearest is NPROCS"),
        (
            "NS,-x1",
            "unknown column 'x1' (--list-columns shows them all)",
        ),
    ] {
        let run = Nsls::new(["--sort", sort]).sysroot(tree().path()).run();
        assert_eq!(run, Outcome::failure(2, why));
    }
    let run = Nsls::new(["--sort", ""]).sysroot(tree().path()).run();
    let why = "no columns given (--list-columns shows them all)";
    assert_eq!(run, Outcome::failure(2, why));
}

#[test]
fn types_are_named_in_any_case_and_also_by_whole_words() {
    let types = |list: &str| listed(&format!("-n -o TYPE,NS -t {list} -Q NPROCS>2"));
    let one = |kind: &str| listed(&format!("-n -o TYPE,NS -Q NPROCS>2&&TYPE=='{kind}'"));
    assert_eq!(types("mount"), one("mnt"));
    assert_eq!(types("MNT"), one("mnt"));
    assert_eq!(types("Network"), one("net"));
    assert_eq!(types("UTS,cGroup").lines().count(), 1);
}

#[test]
fn rows_stand_under_the_heading_of_their_group_with_a_count() {
    let expected = "        NS NPROCS   PID
root (3)
4026531838      1     1
4026532002      1    12
4026532003      1     7

1000 (1)
4026532001      2     8

unknown user (1)
4026532009      0
";
    let user = "-t uts -o NS,NPROCS,PID --group user";
    assert_eq!(listed(user), expected);
    let sorted = "root (3)
4026532002 1    12
4026532003 1     7
4026531838 1     1

1000 (1)
4026532001 2     8

unknown user (1)
4026532009 0
";
    assert_eq!(listed(&format!("-n {user} --sort -pid")), sorted);
    let types = "TYPE   PID
time (1)
time     1

uts (4)
uts      1
uts      8
uts     12
uts      7
";
    let shown = listed("-t uts,time -o TYPE,PID --group type -Q PID>0");
    assert_eq!(shown, types);
    assert_eq!(
        listed("uts:[4026532001] --group user"),
        "  PID  PPID USER COMMAND\n1000 (2)\n    8     1 1000 db\n    9     1 1000 db\n"
    );
}

#[test]
fn a_row_of_several_containers_stands_once_in_a_group_of_all_of_them() {
    let args = [
        "-o",
        "NS,TYPE,CONTAINER",
        "--group",
        "container",
        "-Q",
        "NS == 4026531838 || NS >= 4026532227 && NS <= 4026532233",
    ];
    let run = Nsls::new(args).sysroot(fixture("containers")).run();
    let expected = "        NS TYPE   CONTAINER
host (1)
4026531838 uts    cri-o:c38cbd92fce4 +2

podman:shop-infra (3)
4026532227 mnt    podman:shop-infra
4026532230 pid    podman:shop-infra
4026532231 cgroup podman:shop-infra

podman:db, podman:shop-infra (3)
4026532228 ipc    podman:db +1
4026532229 uts    podman:db +1
4026532232 net    podman:db +1

podman:db (1)
4026532233 mnt    podman:db
";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn a_name_in_a_heading_is_escaped() {
    let tree = Tree::new()
        .process(1, "init\0")
        .file("etc/passwd", "ro\x1b[1mot:x:0:0::/:/bin/sh\n");
    let run = Nsls::words("-t uts -o NS --group user -n")
        .sysroot(tree.path())
        .run();
    assert_eq!(run, Outcome::success("ro\\x1b[1mot (1)\n4026531838\n"));
}

#[test]
fn a_block_has_a_line_for_each_column_and_more_for_several_paths() {
    assert_eq!(
        listed("-t uts -o NS,COMMAND,NPROCS --vertical -Q PID==7||NPROCS==0"),
        "NS       4026532003\nCOMMAND  web\nNPROCS   1\n\nNS       4026532009\nCOMMAND\nNPROCS   0\n"
    );
    let tree = tree().file(
        "proc/self/mountinfo",
        "1 0 0:1 / / rw - ext4 /dev/sda1 rw\n\
         2 1 0:4 uts:[4026532003] /a rw - nsfs nsfs rw\n\
         3 1 0:4 uts:[4026532003] /b\\040c rw - nsfs nsfs rw\n",
    );
    let nsls = |more: &str| {
        let words = format!("-t uts -o NSFS,PID --vertical -Q PID==7 {more}");
        Nsls::words(&words).sysroot(tree.path()).run().stdout
    };
    assert_eq!(nsls(""), "NSFS  /a\n      /b c\nPID   7\n");
    assert_eq!(nsls("-W"), "NSFS  /a,/b c\nPID   7\n");
}

#[test]
fn blocks_show_groups_trees_and_the_answers_of_subcommands() {
    assert_eq!(
        listed("-t uts -o PID --vertical --group user -Q UID==1000||PID==1"),
        "root (1)\n\nPID  1\n\n1000 (1)\n\nPID  8\n"
    );
    assert_eq!(
        listed("-t uts -o COMMAND --vertical -T=process -Q PID<8"),
        "COMMAND  init\n\nCOMMAND  `-web\n"
    );
    assert_eq!(
        listed("holders uts:[4026532009] --vertical"),
        "KIND     fd\nPID      1\nUSER     root\nCOMMAND  init\nWHERE    fd 3\n"
    );
    assert_eq!(listed("-t uts --vertical -Q PID==99"), "");
}

#[test]
fn namespaces_without_processes_are_shown_with_what_holds_them() {
    let run = |words: &str| Nsls::words(words).sysroot(tree().path()).run();
    let expected = "        NS TYPE NPROCS   PID USER HOLDERS
4026532009 uts       0            fd 3 of 1 (init)
";
    assert_eq!(run("-P"), Outcome::success(expected));
    let chosen = run("-P -o NS,COMMAND");
    assert_eq!(chosen, Outcome::success("        NS COMMAND\n4026532009\n"));
    let net = run("-P -t net").stdout;
    assert_eq!(
        net,
        "        NS TYPE NPROCS   PID USER NETNSID NSFS HOLDERS\n"
    );
    let json = run("-P -J").stdout;
    assert!(!json.contains("holders"));
}
