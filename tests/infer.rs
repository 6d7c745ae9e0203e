//! What `--infer` shows of processes with unreadable links.

use std::os::unix::fs::MetadataExt;

use crate::common::{INITIAL, Nsls, Outcome, Tree, live};

/// Adds a process with unreadable links, and an `NSpid` that gives its depth.
fn refusing(tree: Tree, pid: u32, nspid: &str) -> Tree {
    let dir = format!("proc/{pid}");
    let tree = tree.process(pid, format!("process-{pid}\0"));
    let tree = INITIAL.iter().fold(tree, |tree, (name, _)| {
        tree.without(&format!("{dir}/ns/{name}"))
            .file(&format!("{dir}/ns/{name}"), "EACCES\n")
    });
    let status = format!("Name:\tcomm\nUid:\t0\t0\t0\t0\nNSpid:\t{nspid}\n");
    tree.file(&format!("{dir}/status"), status)
}

const GAP: &str = "4 of 5 processes could not be read (permission denied)";

/// Builds a readable process, one that shares its net namespace, two that share
/// another, and one with broken files.
pub fn tree() -> Tree {
    let tree = Tree::new().process(1, "init\0").file(
        "proc/1/status",
        "Name:\tcomm\nUid:\t0\t0\t0\t0\nNSpid:\t1\n",
    );
    let tree = refusing(tree, 20, "20");
    let tree = refusing(tree, 21, "21\t1");
    let tree = refusing(tree, 22, "22\t7\t1");
    let tree = refusing(tree, 23, "x");
    let mounts = |first| format!("{first} 1 0:4 / / rw - tmpfs tmpfs rw\n99 1 0:4 / /x\n");
    let tree = tree
        .file("proc/1/net/dev", "")
        .file("proc/21/net/dev", "")
        .file("proc/1/mountinfo", mounts(22))
        .file("proc/20/mountinfo", mounts(22))
        .file("proc/21/mountinfo", mounts(43))
        .file("proc/23/mountinfo", "nonsense\n")
        .file("proc/20/uid_map", "0 0 4294967295\n")
        .file("proc/21/uid_map", "0 1000 1\n1 100000 65536\n")
        .file("proc/22/uid_map", "0 1000 1\n1 100000 65536\n")
        .file("proc/23/uid_map", "0 1000\n")
        .file(
            "proc/21/timens_offsets",
            "monotonic 86400 0\nboottime -1 500000000\n",
        )
        .file("proc/23/timens_offsets", "monotonic\n");
    for (other, first) in [(20, 1), (22, 21)] {
        let path = |pid| tree.path().join(format!("proc/{pid}/net"));
        std::fs::create_dir_all(path(other)).unwrap();
        std::fs::hard_link(path(first).join("dev"), path(other).join("dev")).unwrap();
    }
    tree
}

/// Replaces the inode numbers of net/dev files by names.
fn named(tree: &Tree, text: &str) -> String {
    [1, 21].into_iter().fold(text.to_owned(), |text, pid| {
        let dev = tree.path().join(format!("proc/{pid}/net/dev"));
        let number = dev.metadata().unwrap().ino().to_string();
        text.replace(&format!("net/dev {number}"), &format!("net/dev of {pid}"))
    })
}

#[test]
fn unreadable_processes_are_grouped_without_a_number() {
    let tree = tree();
    let run = Nsls::words("--infer -r -t mnt,net,user,pid,time -Q INFERRED").sysroot(tree.path());
    let run = run.run();
    let expected = [
        "NS TYPE NPROCS PID USER NETNSID NSFS INFERRED COMMAND",
        r" mnt 1 20 root   by\x20first\x20mount\x2022,\x20as\x20mnt:[4026531832] process-20",
        r" mnt 1 21 root   by\x20first\x20mount\x2043 process-21",
        r" net 1 20 root   by\x20net/dev\x20of\x201,\x20as\x20net:[4026531833] process-20",
        r" net 2 21 root   by\x20net/dev\x20of\x2021 process-21",
        r" user 2 21 root   by\x20uid_map\x200:1000:1,1:100000:65536,\x20perhaps\x20several process-21",
        r" user 1 20 root   by\x20uid_map\x200:0:4294967295,\x20perhaps\x20several process-20",
        r" pid 1 20 root   by\x20depth\x201,\x20as\x20pid:[4026531836] process-20",
        r" pid 1 21 root   by\x20depth\x202,\x20perhaps\x20several process-21",
        r" pid 1 22 root   by\x20depth\x203,\x20perhaps\x20several process-22",
        r" time 1 21 root   by\x20offsets\x20of\x20children\x20monotonic=86400,boottime=-0.5,\x20perhaps\x20several process-21",
        "",
    ];
    let stdout = named(&tree, &run.stdout.replace(r"\x20", " ")).replace("by ", r"by\x20");
    let expected = expected
        .join("\n")
        .replace(r"\x20", " ")
        .replace("by ", r"by\x20");
    // The order of the inode numbers varies.
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&stdout), sorted(&expected));
    assert_eq!((run.status, run.stderr), (0, format!("nsls: {GAP}\n")));
}

#[test]
fn in_json_ns_is_null_and_inferred_is_always_present() {
    let tree = tree();
    let run = Nsls::words("--infer -J -t pid -o ns,nprocs").sysroot(tree.path());
    let run = run.run();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        json["namespaces"],
        serde_json::json!([
            { "ns": 4026531836u64, "nprocs": 1, "inferred": null },
            { "ns": null, "nprocs": 1, "inferred": "by depth 1, as pid:[4026531836]" },
            { "ns": null, "nprocs": 1, "inferred": "by depth 2, perhaps several" },
            { "ns": null, "nprocs": 1, "inferred": "by depth 3, perhaps several" },
        ])
    );
    assert_eq!(json["complete"], false);
}

#[test]
fn inference_works_if_no_process_is_readable() {
    let tree = refusing(Tree::new(), 5, "5");
    let expected = Outcome {
        status: 0,
        stdout: "NS TYPE NPROCS PID USER INFERRED COMMAND\n \
                 pid 1 5 root by\\x20depth\\x201 process-5\n"
            .to_owned(),
        stderr: "nsls: 1 of 1 processes could not be read (permission denied)\n".to_owned(),
    };
    let run = Nsls::words("--infer -r").sysroot(tree.path()).run();
    assert_eq!(run, expected);
}

#[test]
fn one_process_and_one_namespace_are_never_inferred() {
    for (words, other) in [
        ("--infer --pid 1", "--pid"),
        ("--infer 4026531836", "NAMESPACE"),
    ] {
        let run = Nsls::words(words).run();
        let message = format!("--infer cannot be used with {other}: choose one");
        assert_eq!(run, Outcome::failure(2, &message));
    }
}

#[test]
fn an_ordinary_user_is_referred_to_infer_and_finds_foreign_namespaces_with_it() {
    if !live::can_unshare() || !live::has(&["setpriv"]) {
        return;
    }
    let run = live::run(
        r#"
        as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        mkdir seen; mount -t tmpfs tmpfs seen; cp "$NSLS" seen/nsls; chmod 755 seen seen/nsls; cd seen
        unshare -n sleep 1000 & unshare -n sleep 1001 &
        until [ "$(pgrep -c '^sleep$')" = 2 ]; do sleep 0.02; done
        as_nobody ./nsls --sources processes -t net -o NPROCS,COMMAND
        as_nobody ./nsls --sources processes -t net -o NPROCS,COMMAND --infer -u > all
        sed 's/dev [0-9]*/dev N/; s/\[[0-9]*/[N/' all | sort
        "#,
    );
    let own = "./nsls --sources processes -t net -o NPROCS,COMMAND";
    let denied = "3 of 4 processes could not be read (permission denied); run as root for the rest";
    let expected = Outcome {
        status: 0,
        stdout: format!(
            "NPROCS COMMAND
     1 {own}
     1                                            {own} --infer -u
     1 by net/dev N                      sleep 1000
     1 by net/dev N                      sleep 1001
     1 by net/dev N, as net:[N] bash script
NPROCS INFERRED                                   COMMAND
"
        ),
        stderr: format!("nsls: {denied}, or let --infer guess some of it\nnsls: {denied}\n"),
    };
    assert_eq!(run, expected);
}
