//! Roots other than `/`: captured trees with links that lead out of them, and
//! the running system under another path.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::common::{Nsls, Outcome, Tree};

/// Builds an ordinary process, and one for a test to break.
fn tree() -> Tree {
    Tree::new().process(7, "sleep\0").process(8, "true\0")
}

fn run(tree: &Tree, arguments: &str) -> Outcome {
    Nsls::words(arguments).sysroot(tree.path()).run()
}

/// Success with a message about a gap.
fn gap(stdout: &str, message: &str) -> Outcome {
    Outcome {
        stderr: format!("nsls: {message}\n"),
        ..Outcome::success(stdout)
    }
}

#[test]
fn links_to_the_running_system_reveal_nothing_of_it() {
    let spoiled = tree()
        .without("proc/8/ns")
        .link("proc/8/ns", "/proc/self/ns");
    assert_eq!(
        run(&spoiled, "-t uts -o NS,NPROCS,PID"),
        gap(
            "        NS NPROCS   PID\n4026531838      1     7\n",
            "1 of 2 processes could not be parsed (broken links)"
        )
    );
    let spoiled = tree().without("proc/8").link("proc/8", "/proc/1");
    assert_eq!(
        run(&spoiled, "-t uts -o NS,NPROCS,PID"),
        gap(
            "        NS NPROCS   PID\n4026531838      1     7\n",
            "1 of 2 processes could not be parsed (broken links)"
        )
    );
    for (link, to, message) in [
        (
            "proc/8/fd",
            "/proc/self/fd",
            "open files of 1 process could not be parsed",
        ),
        (
            "proc/8/task/9",
            "/proc/self/task/9",
            "threads of 1 process could not be parsed, \
             open files of 1 process could not be parsed",
        ),
    ] {
        assert_eq!(
            run(&tree().link(link, to), "-t uts -o NS,NPROCS,PID"),
            gap(
                "        NS NPROCS   PID\n4026531838      2     7\n",
                message
            )
        );
    }
}

#[test]
fn a_proc_tree_that_is_a_link_to_the_running_one_is_not_read() {
    let tree = tempfile::tempdir().unwrap();
    symlink("/proc", tree.path().join("proc")).unwrap();
    let path = tree.path().join("proc");
    let message = format!(
        "cannot read {}: too many levels of symbolic links",
        path.display()
    );
    let run = Nsls::words("-t uts").sysroot(tree.path()).run();
    assert_eq!(run, Outcome::failure(1, &message));
}

#[test]
fn files_that_lead_out_of_a_tree_or_never_end_are_not_read() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(&secret, "Name:\tx\nUid:\t4\t4\t4\t4\n").unwrap();
    let secret = secret.path().to_str().unwrap();
    for (file, spoiled, row) in [
        ("status", tree().link("proc/7/status", secret), "    sleep"),
        (
            "status",
            tree().link("proc/7/status", "/dev/zero"),
            "    sleep",
        ),
        ("status", tree().fifo("proc/7/status"), "    sleep"),
        ("cmdline", tree().link("proc/7/cmdline", secret), "  0"),
        ("cmdline", tree().link("proc/7/cmdline", "/dev/zero"), "  0"),
        ("cmdline", tree().fifo("proc/7/cmdline"), "  0"),
    ] {
        assert_eq!(
            run(&spoiled, "-t uts -o NS,UID,COMMAND"),
            gap(
                &format!("        NS   UID COMMAND\n4026531838   {row}\n"),
                "details of 1 process could not be parsed"
            ),
            "{file}"
        );
    }
}

#[test]
fn names_of_containers_and_users_are_not_read_from_outside_a_tree() {
    let id = "5".repeat(64);
    let names = tempfile::NamedTempFile::new().unwrap();
    fs::write(&names, format!("{{\"{id}\": \"stolen\"}}")).unwrap();
    let names = names.path().to_str().unwrap();
    let cgroup = format!("0::/docker/{id}\n");
    let row = "CONTAINER           USER\ndocker:555555555555 root\n";
    for spoiled in [
        tree().link("containers.json", names),
        tree().link("containers.json", "/dev/zero"),
        tree().fifo("containers.json"),
        tree().file("containers.json", format!("[{}", " ".repeat(17 << 20))),
    ] {
        let spoiled = spoiled.without("proc/8").file("proc/7/cgroup", &cgroup);
        assert_eq!(
            run(&spoiled, "-t uts -o CONTAINER,USER"),
            Outcome::success(row)
        );
    }
    let spoiled = tree().link("etc/passwd", "/etc/passwd");
    assert_eq!(
        run(&spoiled, "-t uts -o USER"),
        Outcome::success("USER\n0\n")
    );
}

#[test]
fn a_link_within_a_tree_is_followed() {
    let linked = tree()
        .without("proc/8")
        .file("usr/etc/passwd", "someone:x:0:0::/:\n")
        .link("etc/passwd", "/usr/etc/passwd")
        .file("proc/7/long", "long\0command\0")
        .link("proc/7/cmdline", "long");
    assert_eq!(
        run(&linked, "-t uts -o USER,COMMAND"),
        Outcome::success("USER    COMMAND\nsomeone long command\n")
    );
}

#[test]
fn an_overlong_command_line_is_truncated_and_reported() {
    let limit = 256 << 10;
    let cut = gap(
        &format!("COMMAND\n{}\n", "x".repeat(limit)),
        "details of 1 process could not be read (too long)",
    );
    let long = |length| tree().file("proc/7/cmdline", "x".repeat(length));
    assert_eq!(
        run(&long(limit), "-t uts -o COMMAND"),
        Outcome::success(cut.stdout.clone())
    );
    let long = long(limit + 1);
    assert_eq!(run(&long, "-t uts -o COMMAND"), cut);
    // A copy is cut, too.
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["capture", dir.path().to_str().unwrap()];
    let captured = Nsls::new(arguments).sysroot(long.path()).run();
    assert_eq!(captured, Outcome::success(""));
    let copy = Nsls::words("-t uts -o COMMAND").sysroot(dir.path()).run();
    assert_eq!(copy, cut);
}

#[test]
fn the_running_system_is_live_wherever_its_proc_is_mounted() {
    let own = std::process::id();
    let listed = |root: &str| {
        let arguments = format!("--pid {own} -t uts --json -o NS,NPROCS,PATH,HOSTNAME");
        let run = Nsls::words(&arguments).sysroot(root).run();
        assert_eq!(run.status, 0, "{run}");
        let mut document: Value = serde_json::from_str(&run.stdout).unwrap();
        document["namespaces"][0].take()
    };
    let here = listed("/");
    let there = listed("/proc/self/root");
    let path = here["path"].as_str().unwrap();
    assert!(path.starts_with("/proc/") && path.ends_with("/ns/uts"));
    assert_eq!(there["path"], format!("/proc/self/root{path}"));
    assert_eq!(here["ns"], there["ns"]);
    assert_eq!(here["hostname"], there["hostname"]);
    // The path shown leads back to the namespace.
    let arguments = format!("{} -o PID --json", there["path"].as_str().unwrap());
    let by_path = Nsls::words(&arguments).sysroot("/proc/self/root").run();
    let document: Value = serde_json::from_str(&by_path.stdout).unwrap();
    let mut pids = document["processes"].as_array().unwrap().iter();
    assert!(pids.any(|process| process["pid"] == own), "{by_path}");
}
