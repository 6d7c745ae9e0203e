use std::path::Path;

use crate::common::{Nsls, Outcome, Tree};

/// Builds a tree, in the initial namespaces, that gives every form some output.
fn tree() -> Tree {
    Tree::new()
        .process(1, "init\0")
        .process(7, "sleep\x001000\0")
}

fn run(arguments: &str) -> Outcome {
    Nsls::words(arguments).sysroot(tree().path()).run()
}

/// Runs a command line that is refused before anything is read.
fn typed(arguments: &str) -> Outcome {
    Nsls::words(arguments).run()
}

/// What to do about a root that is none.
const CAPTURED: &str = "--sysroot takes a directory written by nsls capture";

/// What is said of a name that a captured tree does not have.
fn nothing_for(name: &str) -> String {
    format!(
        "found nothing for {name}, looked for a container or net namespace in /run/netns; \
         nsls find --help shows what may be given"
    )
}

#[test]
fn a_file_with_a_name_like_that_of_a_subcommand_is_a_namespace() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/proc/self/ns/uts", dir.path().join("limit")).unwrap();
    std::fs::write(dir.path().join("holder"), "").unwrap();
    let run = |name| {
        let mut command = Nsls::new(["-n", "-o", "NS", name]).command();
        Outcome::of(command.current_dir(dir.path()))
    };
    assert_eq!(run("limit").status, 0);
    let message = "holder is not a namespace; nsls --help shows what may be given";
    assert_eq!(run("holder"), Outcome::failure(1, message));
}

#[test]
fn of_a_repeated_option_the_last_counts() {
    for (arguments, same) in [
        ("-n -n -t uts", "-n -t uts"),
        ("-r --raw -t uts", "-r -t uts"),
        ("-o NS -o TYPE", "-o TYPE"),
        ("-o +NS -o FOO -o +TYPE", "-o +TYPE"),
        ("-p 7 -p 1", "-p 1"),
        ("--pid 999999 --task 7", "-p 7"),
        ("-Q TYPE=='net' -Q TYPE=='uts'", "-Q TYPE=='uts'"),
        ("--filter FOO -Q TYPE=='uts'", "-Q TYPE=='uts'"),
        ("-T=owner --tree=process", "--tree=process"),
        // A list of columns counts wherever it stands.
        ("--output-all -o NS", "-o NS"),
        ("-o NS --output-all", "-o NS"),
    ] {
        let expected = run(same);
        assert_eq!((expected.status, &*expected.stderr), (0, ""), "{same}");
        assert_eq!(run(arguments), expected, "{arguments}");
    }
    let message = "unknown column 'FOO' (--list-columns shows them all)";
    assert_eq!(run("-o NS -o FOO"), Outcome::failure(2, message));
    assert_eq!(
        run("-p 7 -p 999999"),
        Outcome::failure(1, "no process 999999")
    );
}

#[test]
fn a_long_option_may_be_cut_short_while_it_is_unambiguous() {
    for (arguments, same) in [
        ("--nohead --ty=uts", "--noheadings --type=uts"),
        ("--tr=process", "--tree=process"),
        ("--ta 7", "--pid 7"),
        ("--fil NPROCS>1", "--filter NPROCS>1"),
        // A whole name is never ambiguous.
        ("--output NS", "-o NS"),
        ("--list", "-l"),
    ] {
        let expected = run(same);
        assert_eq!((expected.status, &*expected.stderr), (0, ""), "{same}");
        assert_eq!(run(arguments), expected, "{arguments}");
    }
    for word in ["--out", "--no", "--li"] {
        let run = typed(word);
        assert_eq!((run.status, &*run.stdout), (2, ""), "{word}");
        let message = format!("nsls: unknown option '{word}'");
        assert!(run.stderr.starts_with(&message), "{}", run.stderr);
    }
}

#[test]
fn a_column_named_twice_stands_there_twice_but_a_key_of_json_once() {
    let twice = "        NS         NS\n4026531838 4026531838\n";
    assert_eq!(run("-t uts -o NS,ns"), Outcome::success(twice));
    let raw = "NS TYPE NPROCS PID USER COMMAND TYPE\n4026531838 uts 2 1 root init uts\n";
    assert_eq!(run("-t uts -r -o +TYPE"), Outcome::success(raw));
    assert_eq!(
        run("-t uts --json=lines -o NS,NS"),
        run("-t uts --json=lines -o NS")
    );
}

#[test]
fn what_is_special_of_net_namespaces_is_shown_wherever_they_are_asked_for() {
    let net = "        NS TYPE NPROCS   PID USER NETNSID NSFS COMMAND\n";
    let row = "4026531833 net       2     1 root              init\n";
    assert_eq!(run("-t net"), Outcome::success(format!("{net}{row}")));
    assert_eq!(
        run("-t net -P -t net"),
        Outcome::success(net.replace("COMMAND", "HOLDERS"))
    );
    let uts = "4026531838 uts       2     1 root              init\n";
    for arguments in ["-t net -t uts", "-t uts -t net", "-t uts,net"] {
        let listing = format!("{net}{row}{uts}");
        assert_eq!(run(arguments), Outcome::success(listing), "{arguments}");
    }
    let of_process = "        NS TYPE NPROCS   PID USER NETNSID NSFS LINKS COMMAND\n\
                      4026531833 net       2     1 root              net   init\n";
    assert_eq!(run("-p 7 -t net"), Outcome::success(of_process));
    let without = "        NS TYPE NPROCS   PID USER LINKS COMMAND\n\
                   4026531838 uts       2     1 root uts   init\n";
    assert_eq!(run("-p 7 -t uts"), Outcome::success(without));
}

#[test]
fn blanks_around_a_pid_do_not_matter() {
    let run = |pid| Nsls::new(["-p", pid]).sysroot(tree().path()).run();
    let expected = run("7");
    assert_eq!((expected.status, &*expected.stderr), (0, ""));
    for pid in [" 7", "7 ", " 7 "] {
        assert_eq!(run(pid), expected, "{pid:?}");
    }
    assert_eq!(run("7 1").status, 1);
}

#[test]
fn missing_processes_and_namespaces_are_named() {
    for (arguments, message) in [
        ("-p 999999", "no process 999999"),
        ("-p 4294967295", "no process 4294967295"),
        (
            "4026531999",
            "no namespace 4026531999; nsls lists those there are",
        ),
        (
            "net:[4026531838]",
            "no namespace net:[4026531838]; nsls lists those there are",
        ),
        (
            "/run/netns/blue",
            "cannot read /run/netns/blue: no such file or directory",
        ),
        ("blue", &nothing_for("blue")),
        (
            "/proc/7/ns/foo",
            "cannot read /proc/7/ns/foo: no such file or directory",
        ),
        (
            "/etc/passwd",
            "/etc/passwd is not a namespace; nsls --help shows what may be given",
        ),
        (
            "/proc/7/ns",
            "/proc/7/ns is not a namespace; nsls --help shows what may be given",
        ),
        (
            "/etc/passwd/net",
            "cannot read /etc/passwd/net: not a directory",
        ),
    ] {
        assert_eq!(run(arguments), Outcome::failure(1, message), "{arguments}");
    }
}

#[test]
fn an_invalid_root_is_named() {
    let tree = tree();
    let root = tree.path().display();
    let run = |root: &dyn AsRef<Path>| Nsls::words("").sysroot(root).run();
    assert_eq!(
        run(&tree.path().join("nowhere")),
        Outcome::failure(
            1,
            &format!("cannot read {root}/nowhere/proc: no such file or directory; {CAPTURED}")
        )
    );
    assert_eq!(
        run(&tree.path().join("etc")),
        Outcome::failure(
            1,
            &format!("cannot read {root}/etc/proc: no such file or directory; {CAPTURED}")
        )
    );
    assert_eq!(
        run(&tree.path().join("etc/passwd")),
        Outcome::failure(
            1,
            &format!("cannot read {root}/etc/passwd/proc: not a directory; {CAPTURED}")
        )
    );
    let empty = Tree::new();
    assert_eq!(
        run(&empty.path()),
        Outcome::failure(
            1,
            &format!(
                "no processes in {}/proc; {CAPTURED}",
                empty.path().display()
            )
        )
    );
}

#[test]
fn a_root_without_readable_processes_is_an_error() {
    let tree = Tree::new()
        .process(7, "sleep\0")
        .without("proc/7/ns")
        .file("proc/7/ns/net", "EACCES\n")
        .file("proc/7/ns/uts", "EACCES\n");
    let message = format!(
        "cannot read the namespaces of any process in {}/proc: \
         1 of 1 processes could not be read (permission denied); nsls explain denied says more",
        tree.path().display()
    );
    assert_eq!(
        Nsls::words("-t net").sysroot(tree.path()).run(),
        Outcome::failure(1, &message)
    );
}

#[test]
fn an_incomplete_view_fails_only_with_strict() {
    let tree = tree()
        .without("proc/7/ns/uts")
        .file("proc/7/ns/uts", "EACCES\n");
    let run = |arguments| Nsls::words(arguments).sysroot(tree.path()).run();
    let incomplete = Outcome {
        status: 0,
        stdout: "        NS TYPE NPROCS   PID USER COMMAND\n\
                 4026531838 uts       1     1 root init\n"
            .to_owned(),
        stderr: "nsls: 1 of 2 processes could not be read (permission denied)\n".to_owned(),
    };
    assert_eq!(
        run("-t uts --strict"),
        Outcome {
            status: 3,
            ..incomplete
        }
    );
    assert_eq!(
        run("-t uts"),
        Outcome {
            status: 0,
            ..run("-t uts --strict")
        }
    );
    let complete = "        NS TYPE NPROCS   PID USER COMMAND\n\
                    4026531839 ipc       2     1 root init\n";
    assert_eq!(run("-t ipc --strict"), Outcome::success(complete));
}

#[test]
fn a_type_is_chosen_by_list_or_by_repetition() {
    let listing = "        NS TYPE NPROCS   PID USER COMMAND\n\
                   4026531838 uts       2     1 root init\n\
                   4026531839 ipc       2     1 root init\n";
    for arguments in ["-t ipc,uts", "-t uts -t ipc", "--type=uts,ipc,uts"] {
        assert_eq!(run(arguments), Outcome::success(listing), "{arguments}");
    }
}

#[test]
fn headings_can_be_omitted() {
    assert_eq!(
        run("-n -t ipc"),
        Outcome::success("4026531839 ipc 2     1 root init\n")
    );
    assert_eq!(
        run("-n -r -t ipc"),
        Outcome::success("4026531839 ipc 2 1 root init\n")
    );
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = concat!("nsls ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(Nsls::words("-V").run(), Outcome::success(version));
    assert_eq!(Nsls::words("--version").run(), Outcome::success(version));
}

#[test]
fn help_and_columns_are_listed() {
    let mut settings = insta::Settings::new();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, arguments) in [
        ("help", "--help"),
        ("help-short", "-h"),
        ("help-capture", "capture --help"),
        ("help-exec-short", "exec -h"),
        ("list-columns", "--list-columns"),
        ("list-columns-without-headings", "-H --noheadings"),
        ("list-columns-raw", "-H --raw"),
        ("list-columns-json", "-H --json"),
    ] {
        let run = Nsls::words(arguments).run();
        settings.set_description(format!("nsls {arguments}"));
        settings.bind(|| insta::assert_snapshot!(name, run));
    }
    assert_eq!(Nsls::words("help").run(), Nsls::words("--help").run());
}
