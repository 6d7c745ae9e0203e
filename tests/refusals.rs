//! What is said of a command line that cannot be run: one line, which names what is
//! wrong and proposes the next step.

use std::os::unix::ffi::OsStringExt;

use crate::common::{Nsls, Outcome};

const TYPES: &str = "one of mnt, net, ipc, user, pid, uts, cgroup, time";
const LIST: &str = "(nsls --help lists them)";
const MORE: &str = "(nsls --help says more)";
const COLUMNS: &str = "(--list-columns shows them all)";
const FOUND: &str = "nsls find --help shows what may be given";

/// Checks that each command line, of words without blanks, is refused with its
/// message and exit code 2.
fn refuses<M: AsRef<str>>(lines: &[(&str, M)]) {
    for (line, message) in lines {
        let expected = Outcome::failure(2, message.as_ref());
        assert_eq!(Nsls::words(line).run(), expected, "nsls {line}");
    }
}

#[test]
fn an_unknown_option_is_answered_with_the_nearest_or_with_its_command() {
    refuses(&[
        ("--bogus", format!("unknown option '--bogus' {LIST}")),
        ("-x", format!("unknown option '-x' {LIST}")),
        ("-nx", format!("unknown option '-x' {LIST}")),
    ]);
    refuses(&[
        ("--jsno", "unknown option '--jsno', nearest is --json"),
        ("--tsak 1", "unknown option '--tsak', nearest is --task"),
        (
            "find --entre x",
            "unknown option '--entre', nearest is --enter",
        ),
        (
            "--chain",
            "unknown option '--chain': it belongs to nsls holders",
        ),
        (
            "holders --tree x",
            "unknown option '--tree': it belongs to nsls without a subcommand",
        ),
        (
            "limits -t net",
            "unknown option '-t' (nsls limits --help lists them)",
        ),
        (
            "capture --bogus d",
            "unknown option '--bogus' (nsls capture --help lists them)",
        ),
    ]);
}

#[test]
fn an_argument_too_many_is_named_with_what_it_follows() {
    refuses(&[(
        "4026531838 b",
        format!("unexpected argument 'b' after NAMESPACE {MORE}"),
    )]);
    refuses(&[
        (
            "holders a b",
            "unexpected argument 'b' after NAMESPACE (nsls holders --help says more)",
        ),
        (
            "containers a",
            "unexpected argument 'a' (nsls containers --help says more)",
        ),
        (
            "explain a b c",
            "unexpected argument 'c' after WORD (nsls explain --help says more)",
        ),
        (
            "exec net ip addr",
            "unexpected argument 'ip': put -- before a command",
        ),
        (
            "leaks make",
            "unexpected argument 'make': put -- before a command",
        ),
        ("--raw=5", "--raw takes no value: leave out '5'"),
    ]);
}

#[test]
fn a_subcommand_behind_options_or_misspelt_is_recognised() {
    let late = "the subcommand 'limits' must come before all options; ./limits is a file";
    for line in ["--json limits", "-t net -- limits", "-J limits extra"] {
        refuses(&[(line, late)]);
    }
    refuses(&[
        (
            "contaners",
            "unknown subcommand 'contaners', nearest is containers",
        ),
        (
            "holdrs b c",
            "unknown subcommand 'holdrs', nearest is holders",
        ),
        ("Limit -J", "unknown subcommand 'Limit', nearest is limits"),
        (
            "comapre --bogus",
            "unknown subcommand 'comapre', nearest is compare",
        ),
        ("help findd", "unknown subcommand 'findd', nearest is find"),
        (
            "help bogus",
            "unknown subcommand 'bogus' (nsls -h lists them)",
        ),
    ]);
    let message = "cannot read ./contaners: no such file or directory";
    assert_eq!(
        Nsls::words("./contaners").run(),
        Outcome::failure(1, message)
    );
}

#[test]
fn a_missing_value_or_argument_is_named() {
    refuses(&[
        ("-p", "--pid needs a value: PID".to_owned()),
        ("-o", "--output needs a value: LIST".to_owned()),
        ("-t", format!("--type needs a value: {TYPES}")),
        ("--sysroot", "--sysroot needs a value: DIR".to_owned()),
        ("--host", "--host needs a value: one of yes, no".to_owned()),
    ]);
    refuses(&[
        (
            "capture",
            "nsls capture needs DIR (nsls capture --help says more)",
        ),
        ("find", "nsls find needs THING (nsls find --help says more)"),
        (
            "compare 1",
            "nsls compare needs at least 2 of PID|CONTAINER (nsls compare --help says more)",
        ),
        (
            "exec -t net",
            "nsls exec needs -- COMMAND (nsls exec --help says more)",
        ),
        (
            "exec -- true",
            "no namespaces chosen: give NAMESPACE, --type, --filter or --container",
        ),
    ]);
    let empty = |option| Nsls::new([option, ""]).run();
    let message = format!("--type needs a value: {TYPES}");
    assert_eq!(empty("-t"), Outcome::failure(2, &message));
}

#[test]
fn an_invalid_value_is_answered_with_the_nearest_or_with_all() {
    for line in ["-t foo", "-t net,foo", "leaks -t foo", "watch -t foo"] {
        let message = format!("invalid value 'foo' for --type: choose {TYPES}");
        refuses(&[(line, message)]);
    }
    refuses(&[
        ("-t nett", "invalid value 'nett' for --type, nearest is net"),
        (
            "--json=foo",
            "invalid value 'foo' for --json: choose one of pretty, compact, lines",
        ),
        (
            "-J=lnes",
            "invalid value 'lnes' for --json, nearest is lines",
        ),
        (
            "--host maybe",
            "invalid value 'maybe' for --host: choose one of yes, no",
        ),
        (
            "--sources fd",
            "invalid value 'fd' for --sources, nearest is fds",
        ),
        (
            "--generate manual",
            "invalid value 'manual' for --generate: choose one of man, complete-bash, \
             complete-zsh, complete-fish",
        ),
        (
            "watch --json=pretty",
            "invalid value 'pretty' for --json: choose one of lines",
        ),
        (
            "watch --interval 5",
            "invalid interval '5': give a number and ms, s, m or h",
        ),
    ]);
    for (line, word) in [
        ("--tree=bogus", "bogus"),
        ("-T=x", "x"),
        ("-Tx", "x"),
        ("-Tn", "n"),
    ] {
        let message =
            format!("invalid value '{word}' for --tree: choose one of owner, parent, process");
        refuses(&[(line, message)]);
    }
    for (line, word) in [
        ("FOO", "FOO"),
        ("NS,FOO", "FOO"),
        ("+FOO", "FOO"),
        (",", ""),
    ] {
        let message = format!("unknown column '{word}' {COLUMNS}");
        refuses(&[(&*format!("-o {line}"), message)]);
    }
    refuses(&[("-o nproc", "unknown column 'nproc', nearest is NPROCS")]);
    for list in ["", "+"] {
        let message = format!("no columns given {COLUMNS}");
        let run = Nsls::new(["-o", list]).run();
        assert_eq!(run, Outcome::failure(2, &message));
    }
}

#[test]
fn a_number_out_of_range_or_none_at_all_is_told_the_range() {
    for word in ["0", "257", "x", "-1", "+1", "1.5", "99999999999999999999"] {
        let message = format!("invalid value '{word}' for --jobs: give a number from 1 to 256");
        refuses(&[(&*format!("exec -t net --jobs={word} -- true"), message)]);
    }
    for word in ["0", "x", "4294967296"] {
        let message =
            format!("invalid value '{word}' for --pid: give a number from 1 to 4294967295");
        refuses(&[(&*format!("capture -p {word} d"), message)]);
    }
    let pages = "invalid value '0' for --ring-pages: give a number from 1 to 65536";
    refuses(&[("watch --ring-pages 0", pages)]);
    for word in ["0", "4294967296"] {
        let message = format!("'{word}' is no PID; they are numbers from 1 to 4194304");
        refuses(&[(&*format!("-p {word}"), &message)]);
        refuses(&[(&*format!("translate {word} --from x"), &message)]);
    }
    let empty = "'' is no PID; they are numbers from 1 to 4194304";
    assert_eq!(Nsls::new(["-p", ""]).run(), Outcome::failure(2, empty));
    refuses(&[
        ("find pid:x", format!("'pid:x' is no PID; {FOUND}")),
        (
            "find tcp:99999",
            format!("'tcp:99999' is no TCP port; {FOUND}"),
        ),
    ]);
}

#[test]
fn options_that_exclude_each_other_are_both_named() {
    for (line, one, other) in [
        ("-J -r", "--json", "--raw"),
        ("-r -J", "--raw", "--json"),
        ("-p 1 4026531838", "--pid", "NAMESPACE"),
        ("-P -p 1", "--persistent", "--pid"),
        ("-p 1 -P", "--pid", "--persistent"),
        ("-l -T", "--list", "--tree"),
        ("-Towner -l", "--tree", "--list"),
        ("--bpf --sysroot x", "--bpf", "--sysroot"),
        ("diff a b --sysroot x", "NEW", "--sysroot"),
    ] {
        let message = format!("{one} cannot be used with {other}: choose one");
        refuses(&[(line, message)]);
    }
    refuses(&[(
        "--generate man -J",
        "--generate cannot be used with other arguments",
    )]);
}

#[test]
fn a_value_that_was_not_attached_is_recognised() {
    let run = |line: &str| Nsls::words(line).sysroot("fixtures/ubuntu-20.04").run();
    let message =
        |option, word| format!("no namespace '{word}'; a value is attached: --{option}={word}");
    for line in ["--tree parent", "-T parent", "-nT parent"] {
        let tree = Outcome::failure(2, &message("tree", "parent"));
        assert_eq!(run(line), tree, "{line}");
    }
    let json = Outcome::failure(2, &message("json", "lines"));
    assert_eq!(run("-J lines"), json);
}

#[test]
fn what_was_typed_is_escaped() {
    let unknown = |option| format!("unknown option '{option}' {LIST}");
    let types = |word| format!("invalid value '{word}' for --type: choose {TYPES}");
    let after = |word| format!("unexpected argument '{word}' after NAMESPACE {MORE}");
    for (words, message) in [
        (&["--\x1b[31mred\n"] as &[_], unknown(r"--\x1b[31mred\x0a")),
        (&["--a\u{202e}b"], unknown(r"--a\xe2\x80\xaeb")),
        (&["--\x1b]0;title\x07=x"], unknown(r"--\x1b]0;title\x07")),
        (&[r"--\x1b"], unknown(r"--\x5cx1b")),
        (&["-\x1b"], unknown(r"-\x1b")),
        (&["-t", "\x1bcccccc"], types(r"\x1bcccccc")),
        (&["1", "\x1bc"], after(r"\x1bc")),
    ] {
        let run = Nsls::new(words.iter().copied()).run();
        assert_eq!(run, Outcome::failure(2, &message), "{words:?}");
    }
    let bytes = std::ffi::OsString::from_vec(b"a\xff\x1b".to_vec());
    let run = Nsls::new(["-p".into(), bytes]).run();
    let message = format!("'a\u{fffd}\\x1b' is not valid UTF-8 {MORE}");
    assert_eq!(run, Outcome::failure(2, &message));
    let run = Nsls::new(["-p", "1\r2"])
        .sysroot("fixtures/ubuntu-20.04")
        .run();
    let message = format!(
        "found nothing for 1\\x0d2, looked for a container or net namespace in /run/netns; {FOUND}"
    );
    assert_eq!(run, Outcome::failure(1, &message));
}
