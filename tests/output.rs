use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use crate::common::{Nsls, Outcome, Tree, binary, live};

/// Builds a tree whose listing exceeds a pipe's capacity: each process is in
/// its own namespace and has a long command line.
fn large_tree() -> Tree {
    (1..300).fold(Tree::new(), |tree, pid| {
        let uts = format!("uts:[{}]", 4026532000u64 + u64::from(pid));
        tree.process(pid, "x".repeat(2000))
            .link(&format!("proc/{pid}/ns/uts"), &uts)
    })
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let tree = large_tree();
    for form in ["-u", "--raw", "--json"] {
        let mut child = Nsls::words(form)
            .sysroot(tree.path())
            .command()
            .spawn()
            .unwrap();
        let mut some = [0; 100];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut some).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{form}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = "cannot write to standard output: no space left on device";
    let tree = large_tree();
    for form in ["", "--raw", "--json", "-H"] {
        let full_device = File::options().write(true).open("/dev/full").unwrap();
        let run = Nsls::words(form)
            .sysroot(tree.path())
            .stdout(full_device)
            .run();
        assert_eq!(run, Outcome::failure(1, full), "{form}");
    }
}

#[test]
fn unwritable_help_is_an_error() {
    let full = "cannot write to standard output: no space left on device";
    for form in ["--help", "-h", "--version", "holders --help"] {
        let full_device = File::options().write(true).open("/dev/full").unwrap();
        let run = Nsls::words(form).stdout(full_device).run();
        assert_eq!(run, Outcome::failure(1, full), "{form}");
    }
}

/// Every view, which writes something to standard output.
const VIEWS: [&str; 12] = [
    "",
    "--raw",
    "--json",
    "-n 4026531838",
    "--list-columns",
    "holders 4026531838",
    "compare 1 2",
    "containers",
    "translate 1",
    "limits",
    "--help",
    "--version",
];

/// Runs a view with standard output redirected by the shell.
fn redirected(view: &str, redirection: &str) -> Outcome {
    let tree = Tree::new().process(1, "init\0").process(2, "other\0");
    let tree = tree.file("proc/1/status", "Uid:\t0\t0\t0\t0\nNSpid:\t1\n");
    let command = Nsls::words(view).sysroot(tree.path()).command();
    let script = format!("exec \"$0\" \"$@\" {redirection}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(command.get_program());
    Outcome::of(shell.args(command.get_args()))
}

#[test]
fn an_output_that_is_closed_or_only_readable_is_an_error() {
    let bad = "cannot write to standard output: bad file descriptor";
    for view in VIEWS {
        for redirection in [">&-", "1</dev/null", "1</dev/zero", ">&- <&-"] {
            let run = redirected(view, redirection);
            assert_eq!(run, Outcome::failure(1, bad), "{view} {redirection}");
        }
    }
}

#[test]
fn an_output_that_discards_everything_is_none() {
    for view in VIEWS {
        let shown = redirected(view, "");
        assert_eq!(shown.status, 0, "{view}");
        assert!(!shown.stdout.is_empty(), "{view}");
        let written = Outcome {
            stdout: String::new(),
            ..shown
        };
        // daemon(3) and Python's subprocess.DEVNULL open it for both.
        for redirection in [">/dev/null", "1<>/dev/null", ">>/dev/null"] {
            let run = redirected(view, redirection);
            assert_eq!(run, written, "{view} {redirection}");
        }
    }
}

#[test]
fn what_writes_nothing_needs_no_output() {
    let dir = tempfile::tempdir().unwrap();
    let view = format!("capture {}", dir.path().display());
    assert_eq!(redirected(&view, ">&-"), Outcome::success(""));
    let usage = redirected("--bogus", ">&-");
    assert_eq!((usage.status, &*usage.stdout), (2, ""));
}

#[test]
fn too_few_file_descriptors_are_an_error_rather_than_a_shorter_list() {
    let tree = (1..40).fold(Tree::new(), |tree, pid| tree.process(pid, "x\0"));
    let with_limit = |limit: u32| {
        let script = format!(r#"ulimit -n {limit} && exec "$0" --json --sysroot "$1""#);
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(binary()).arg(tree.path());
        command.stdin(Stdio::null()).output().unwrap()
    };
    let whole = with_limit(100);
    assert!(whole.status.success());
    let mut refused = 0;
    for limit in 0..20 {
        let output = with_limit(limit);
        if output.status.success() {
            assert_eq!(output, whole, "with {limit} files");
            continue;
        }
        // With fewer files, not even the shell or the loader works.
        if output.stderr.starts_with(b"nsls: ") {
            let message = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "with {limit} files");
            assert!(output.stdout.is_empty(), "with {limit} files");
            assert!(message.ends_with(": too many open files\n"), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
            refused += 1;
        }
    }
    assert!(refused > 0, "no limit was too low");
}

#[test]
fn too_few_file_descriptors_are_an_error_on_the_live_system() {
    if !live::can_unshare() {
        return;
    }
    let run = live::run(
        r#"
        for limit in $(seq 4 12); do
            said=$(ulimit -n $limit; "$NSLS" --raw --noheadings --output NS,TYPE 2>&1 >out)
            status=$?
            case "$status $said" in
                0*) wc -l < out ;;
                "1 nsls: "*": too many open files") test -s out && echo "$limit: a part" ;;
                127*|126*) ;;
                *) echo "$limit: $status $said" ;;
            esac
        done | sort -u
        "#,
    );
    // Only the complete list, of eight types, may succeed.
    assert_eq!(run, Outcome::success("8\n"));
}
