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
    for form in ["", "--raw", "--json", "-H"] {
        let full_device = File::options().write(true).open("/dev/full").unwrap();
        let run = Nsls::words(form)
            .sysroot(large_tree().path())
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
