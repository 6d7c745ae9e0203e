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

/// Returns the refusal as clap words it.
fn refused(message: &str) -> Outcome {
    Outcome {
        status: 2,
        stdout: String::new(),
        stderr: format!("error: {message}\n\nFor more information, try '--help'.\n"),
    }
}

const USAGE: &str = "Usage: nsls [OPTIONS] [NAMESPACE]\n       nsls <COMMAND>";
const TYPES: &str = "[possible values: mnt, net, ipc, user, pid, uts, cgroup, time]";

#[test]
fn unknown_options_and_values_are_refused_by_name() {
    let unknown = |option| {
        format!(
            "unexpected argument '{option}' found\n\n  \
             tip: to pass '{option}' as a value, use '-- {option}'\n\n{USAGE}"
        )
    };
    assert_eq!(typed("--bogus"), refused(&unknown("--bogus")));
    assert_eq!(typed("-x"), refused(&unknown("-x")));
    let message = "unexpected argument 'b' found after NAMESPACE";
    let after = refused(&format!("{message}\n\n{USAGE}"));
    assert_eq!(typed("4026531838 b"), after);
    for arguments in ["--json limits", "-t net -- limits"] {
        let message = "the subcommand 'limits' must come before all options";
        assert_eq!(typed(arguments), refused(&format!("{message}\n\n{USAGE}")));
    }
    let kind = |kind| format!("invalid value '{kind}' for '--type <TYPE>'\n  {TYPES}");
    assert_eq!(typed("-t foo"), refused(&kind("foo")));
    assert_eq!(typed("-t net,foo"), refused(&kind("foo")));
    for list in ["FOO", "NS,FOO", "+FOO"] {
        let message = "unknown column 'FOO' (--list-columns shows them all)";
        assert_eq!(run(&format!("-o {list}")), Outcome::failure(2, message));
    }
    for list in ["", "+"] {
        let run = Nsls::new(["-o", list]).sysroot(tree().path()).run();
        let message = "no columns given (--list-columns shows them all)";
        assert_eq!(run, Outcome::failure(2, message));
    }
}

/// What is said of a name that a captured tree does not have.
fn nothing_for(name: &str) -> String {
    format!("found nothing for {name}, looked for a container or net namespace in /run/netns")
}

#[test]
fn a_misspelt_subcommand_gets_the_nearest_one() {
    for (arguments, word, nearest) in [
        ("contaners", "contaners", "containers"),
        ("holdrs b c", "holdrs", "holders"),
        ("Limit -J", "Limit", "limits"),
        ("comapre --bogus", "comapre", "compare"),
    ] {
        let message = format!("unknown subcommand '{word}', nearest is {nearest}");
        assert_eq!(typed(arguments), Outcome::failure(2, &message));
    }
    let message = "cannot read ./contaners: no such file or directory";
    assert_eq!(typed("./contaners"), Outcome::failure(1, message));
    for word in ["blue", "containersandmore"] {
        assert_eq!(run(word), Outcome::failure(1, &nothing_for(word)));
    }
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
    let message = "holder is not a namespace";
    assert_eq!(run("holder"), Outcome::failure(1, message));
}

#[test]
fn what_was_typed_is_escaped() {
    let unknown = |option| {
        format!(
            "unexpected argument '{option}' found\n\n  \
             tip: to pass '{option}' as a value, use '-- {option}'\n\n{USAGE}"
        )
    };
    let value = |value, option, more: &str| format!("invalid value '{value}' for '{option}'{more}");
    let types = format!("\n  {TYPES}");
    let after = |word| format!("unexpected argument '{word}' found after NAMESPACE\n\n{USAGE}");
    for (words, message) in [
        (&["--\x1b[31mred\n"] as &[_], unknown(r"--\x1b[31mred\x0a")),
        (&["--a\u{202e}b"], unknown(r"--a\xe2\x80\xaeb")),
        (&["--\x1b]0;title\x07=x"], unknown(r"--\x1b]0;title\x07")),
        (&[r"--\x1b"], unknown(r"--\x5cx1b")),
        (&["-\x1b"], unknown(r"-\x1b")),
        (&["-t", "\x1bc"], value(r"\x1bc", "--type <TYPE>", &types)),
        (&["1", "\x1bc"], after(r"\x1bc")),
    ] {
        let run = Nsls::new(words.iter().copied()).run();
        assert_eq!(run, refused(&message), "{words:?}");
    }
    let run = Nsls::new(["-p", "1\r2"]).sysroot("fixtures/empty").run();
    assert_eq!(run.stderr, "nsls: no processes in fixtures/empty/proc\n");
    let run = Nsls::new(["-p", "1\r2"])
        .sysroot("fixtures/ubuntu-20.04")
        .run();
    assert_eq!(run, Outcome::failure(1, &nothing_for(r"1\x0d2")));
}

#[test]
fn options_that_exclude_each_other_are_both_named() {
    let conflict = |one, other, usage| {
        refused(&format!(
            "the argument '{one}' cannot be used with '{other}'\n\nUsage: nsls {usage} [NAMESPACE]"
        ))
    };
    for (arguments, one, other, usage) in [
        ("-J -r", "--json[=<FORMAT>]", "--raw", "--json[=<FORMAT>]"),
        ("-r -J", "--raw", "--json[=<FORMAT>]", "--raw"),
        (
            "-p 1 4026531838",
            "--pid <PID>",
            "[NAMESPACE]",
            "--pid <PID>",
        ),
        (
            "--group type -T",
            "--group <BY>",
            "--tree[=<RELATION>]",
            "--group <BY>",
        ),
        (
            "--group user -J",
            "--group <BY>",
            "--json[=<FORMAT>]",
            "--group <BY>",
        ),
        ("-r --group user", "--raw", "--group <BY>", "--raw"),
        (
            "--vertical -J",
            "--vertical",
            "--json[=<FORMAT>]",
            "--vertical",
        ),
        ("--vertical -r", "--vertical", "--raw", "--vertical"),
        ("--vertical -n", "--vertical", "--noheadings", "--vertical"),
    ] {
        assert_eq!(typed(arguments), conflict(one, other, usage), "{arguments}");
    }
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
        let message = format!("error: unexpected argument '{word}' found\n");
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
    for arguments in ["-t net", "-t net -P -t net"] {
        let rows = if arguments.contains("-P") { "" } else { row };
        assert_eq!(run(arguments), Outcome::success(format!("{net}{rows}")));
    }
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
fn a_missing_or_impossible_value_is_refused() {
    let missing = |option| format!("a value is required for '{option}' but none was supplied");
    assert_eq!(typed("-p"), refused(&missing("--pid <PID>")));
    assert_eq!(typed("-o"), refused(&missing("--output <LIST>")));
    assert_eq!(
        typed("-t"),
        refused(&format!("{}\n  {TYPES}", missing("--type <TYPE>")))
    );
    let nowhere = typed("--sysroot");
    assert_eq!(nowhere, refused(&missing("--sysroot <DIR>")));
    for number in ["0", "4294967296"] {
        let message = format!("{number} is no PID");
        assert_eq!(
            typed(&format!("-p {number}")),
            Outcome::failure(2, &message)
        );
    }
    assert_eq!(run("--task x"), Outcome::failure(1, &nothing_for("x")));
    let required = "the following required arguments were not provided:\n  <DIR>";
    assert_eq!(
        typed("capture"),
        refused(&format!("{required}\n\nUsage: nsls capture <DIR>"))
    );
}

#[test]
fn missing_processes_and_namespaces_are_named() {
    for (arguments, message) in [
        ("-p 999999", "no process 999999"),
        ("-p 4294967295", "no process 4294967295"),
        ("4026531999", "no namespace 4026531999"),
        ("net:[4026531838]", "no namespace net:[4026531838]"),
        (
            "/run/netns/blue",
            "cannot read /run/netns/blue: no such file or directory",
        ),
        ("blue", &nothing_for("blue")),
        (
            "/proc/7/ns/foo",
            "cannot read /proc/7/ns/foo: no such file or directory",
        ),
        ("/etc/passwd", "/etc/passwd is not a namespace"),
        ("/proc/7/ns", "/proc/7/ns is not a namespace"),
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
            &format!("cannot read {root}/nowhere/proc: no such file or directory")
        )
    );
    assert_eq!(
        run(&tree.path().join("etc")),
        Outcome::failure(
            1,
            &format!("cannot read {root}/etc/proc: no such file or directory")
        )
    );
    assert_eq!(
        run(&tree.path().join("etc/passwd")),
        Outcome::failure(
            1,
            &format!("cannot read {root}/etc/passwd/proc: not a directory")
        )
    );
    let empty = Tree::new();
    assert_eq!(
        run(&empty.path()),
        Outcome::failure(
            1,
            &format!("no processes in {}/proc", empty.path().display())
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
         1 of 1 processes could not be read (permission denied)",
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
        ("help-capture", "capture --help"),
        ("list-columns", "--list-columns"),
        ("list-columns-without-headings", "-H --noheadings"),
        ("list-columns-raw", "-H --raw"),
        ("list-columns-json", "-H --json"),
    ] {
        let run = Nsls::words(arguments).run();
        settings.set_description(format!("nsls {arguments}"));
        settings.bind(|| insta::assert_snapshot!(name, run));
    }
    assert_eq!(Nsls::words("-h").run(), Nsls::words("--help").run());
}
