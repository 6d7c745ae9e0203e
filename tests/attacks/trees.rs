//! Attacks by the authors of captured trees, and by users whose files are read.

use std::os::unix::fs::symlink;

use crate::common::{Nsls, Outcome, Tree};

fn look(tree: &Tree, arguments: &str) -> Outcome {
    let python = std::process::Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/attacks/look.py"
        ))
        .arg(crate::common::binary())
        .arg("--sysroot")
        .arg(tree.path())
        .args(arguments.split(' '))
        .output();
    // Without Python, its limits are not checked.
    match python {
        Ok(output) => Outcome {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        },
        Err(_) => Nsls::words(arguments).sysroot(tree.path()).run(),
    }
}

#[test]
fn a_link_to_the_live_system_shows_nothing_of_it() {
    for link in ["/proc/self/ns", "../../../../../../../../proc/self/ns"] {
        let tree = Tree::new().process(7, "sleep\0").process(8, "victim\0");
        std::fs::remove_dir_all(tree.path().join("proc/7/ns")).unwrap();
        let tree = tree.link("proc/7/ns", link);
        let run = look(&tree, "-t uts -r");
        let expected = Outcome {
            stderr: "nsls: 1 of 2 processes could not be parsed (broken links)\n".into(),
            ..Outcome::success("NS TYPE NPROCS PID USER COMMAND\n4026531838 uts 1 8 root victim\n")
        };
        assert_eq!(run, expected, "{link}");
    }
}

#[test]
fn an_endless_file_in_a_tree_is_not_read() {
    for device in ["/dev/zero", "/proc/kmsg", "/dev/tty"] {
        let tree = Tree::new().process(7, "sleep\0");
        for file in ["proc/7/cmdline", "proc/7/status", "etc/passwd"] {
            let path = tree.path().join(file);
            std::fs::remove_file(&path).unwrap();
            symlink(device, path).unwrap();
        }
        let run = look(&tree, "-t uts -r");
        assert_eq!(run.status, 0, "{run}");
        let expected = "NS TYPE NPROCS PID USER COMMAND\n4026531838 uts 1 7  \n";
        assert_eq!(run.stdout, expected, "{device}");
    }
}

#[test]
fn what_a_user_puts_in_place_of_container_names_is_not_read() {
    let id = "a1".repeat(32);
    let storage = "home/me/.local/share/containers/storage/overlay-containers";
    let file = format!("{storage}/containers.json");
    let names = format!(r#"[{{"id":"{id}","names":["web"]}}]"#);
    let tree = || {
        let cgroup = format!(
            "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{id}.scope\n"
        );
        Tree::new()
            .process(7, "sleep\0")
            .file("etc/passwd", "me:x:1000:1000::/home/me:/bin/sh\n")
            .file("secret", &names)
            .file("proc/7/cgroup", cgroup)
    };
    let name = |tree: Tree| {
        let run = look(&tree, "-t uts -r -n -o CONTAINER");
        assert_eq!((run.status, &*run.stderr), (0, ""));
        run.stdout.trim_end().to_owned()
    };
    // The file is read if it is one.
    assert_eq!(name(tree().file(&file, &names)), "podman:web");
    let short = &*format!("podman:{}", &id[..12]);
    assert_eq!(name(tree().fifo(&file)), short);
    for link in [
        "/dev/zero",
        "/secret",
        "../../../../../../../secret",
        "/etc/shadow",
    ] {
        assert_eq!(name(tree().link(&file, link)), short, "{link}");
        let dir = tree().link("home/me/.local", link);
        assert_eq!(name(dir), short, "{link}");
    }
}
