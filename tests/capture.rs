use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::common::{INITIAL, Nsls, Outcome, Tree, fixture, fixtures, names_in};

/// Captures a tree; `arguments` follow the directory.
fn capture(from: impl AsRef<Path>, to: &Path, arguments: &[&str]) -> Outcome {
    let mut words = vec![OsString::from("capture"), to.into()];
    words.extend(arguments.iter().map(OsString::from));
    words.extend(["--sysroot".into(), from.as_ref().into()]);
    Nsls::new(words).run()
}

/// Returns the contents of a tree by path: the bytes of a file, the target of a
/// link, and nothing for an empty directory.
fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    collect(root, "", &mut found);
    found
}

fn collect(root: &Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    let dir = root.join(below);
    for name in names_in(&dir) {
        let path = dir.join(&name);
        let name = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_symlink() {
            let to = fs::read_link(path).unwrap();
            found.insert(name, to.into_os_string().into_encoded_bytes());
        } else if kind.is_dir() && !names_in(&path).is_empty() {
            collect(root, &name, found);
        } else if kind.is_dir() {
            found.insert(name, Vec::new());
        } else {
            found.insert(name, fs::read(path).unwrap());
        }
    }
}

const ID: &str = "5f8272929921c2d4f0a3b1e6d7c8594a0b1c2d3e4f5061728394a5b6c7d8e9f0";

/// Builds a tree with more files than a scan reads.
fn full_tree() -> Tree {
    Tree::new()
        .process(7, "sleep\x001000\0")
        .process(8, "other\0")
        .file("proc/8/status", "Name:\tother\nUid:\t1\t1\t1\t1\n")
        .file("proc/8/ns/net", "EACCES\n")
        .link("proc/7/task/7/ns/net", "net:[4026531833]")
        .link("proc/7/task/9/ns/net", "net:[4026532009]")
        .file("proc/7/environ", "SECRET=1\0")
        .file("proc/7/cgroup", format!("0::/docker/{ID}\n"))
        .file("proc/7/uid_map", "0 0 4294967295\n")
        .file("proc/7/timens_offsets", "monotonic 0 0\nboottime 0 0\n")
        .file("proc/sys/kernel/osrelease", "6.8.0\n")
        .file("proc/sys/kernel/hostname", "secret\n")
        .file("proc/sys/user/max_net_namespaces", "123\n")
        .file(
            &format!("var/lib/docker/containers/{ID}/config.v2.json"),
            r#"{"Name":"/web","Config":{"Env":["SECRET=3"]}}"#,
        )
        .file("proc/7/maps", "")
        .file("proc/8/mountinfo", MOUNTS)
        .link("proc/7/fd/3", "net:[4026532003]")
        .link("proc/7/task/9/fd/3", "net:[4026532003]")
        .link("proc/7/task/10/fd/3", "net:[4026532003]")
        .link("proc/7/task/10/fd/4", "uts:[4026532010]")
        .link("proc/7/task/11/fd/4", "uts:[4026532010]")
        .link("proc/7/fd/4", "/etc/shadow")
        .link("proc/7/fd/5", "socket:[77]")
        .link("proc/7/root", "/")
        .file("proc/version", "Linux\n")
        .file(
            "proc/self/status",
            "Name:\tnsls\nGroups:\t4 \nCapEff:\t0000000000000000\n",
        )
        .file(
            "proc/self/mountinfo",
            "21 1 0:20 / / rw - ext4 /dev/vda rw\n\
             22 21 0:21 / /proc rw shared:5 - proc proc rw,hidepid=invisible\n\
             23 21 0:4 net:[4026532003] /run/netns/a rw - nsfs nsfs rw\n",
        )
        .file("proc/self/environ", "SECRET=2\0")
        .file("etc/shadow", "root:secret:1\n")
        .file(
            "etc/passwd",
            "root:secret:0:0:Full Name:/root:/bin/sh\ndaemon:x:1:1::/:\nbin:x:2:2::/:\n",
        )
}

/// The mount table of a process.
const MOUNTS: &str =
    "30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 30 8:2 / /data rw - ext4 /dev/sda2 rw\n";

#[test]
fn a_captured_tree_reads_like_the_original() {
    for name in fixtures() {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("copy");
        let captured = capture(fixture(&name), &copy, &[]);
        if name == "empty" {
            let proc = fixture(&name).join("proc");
            let message = format!(
                "no processes in {}; --sysroot takes a directory written by nsls capture",
                proc.display()
            );
            assert_eq!(captured, Outcome::failure(1, &message));
            assert!(!copy.exists());
            continue;
        }
        let stderr = match &*name {
            "unreadable" => {
                "nsls: links of 2 of 4 processes could not be read, as the capture records\n"
            }
            _ => "",
        };
        let expected = Outcome {
            stderr: stderr.to_owned(),
            ..Outcome::success("")
        };
        assert_eq!(captured, expected, "{name}");
        for arguments in ["", "--raw --output-all", "--json"] {
            let run = |root| Nsls::words(arguments).sysroot(root).run();
            assert_eq!(run(copy.clone()), run(fixture(&name)), "{name} {arguments}");
        }
    }
}

#[test]
fn what_is_mounted_where_is_found_in_a_captured_tree() {
    let tree = full_tree();
    let copy = tempfile::tempdir().unwrap();
    capture(tree.path(), copy.path(), &[]);
    for thing in ["mount:/data", "8:2", "device:8:2", "/dev/sda2"] {
        let found = Nsls::words(&format!("find -rn {thing}"));
        let found = found.sysroot(copy.path()).run();
        let row = "/dev/sda2\\x20on\\x20/data\\x20(ext4) mnt 4026531832 docker:web 7 root sleep\\x201000\n";
        assert_eq!((&*found.stdout, found.status), (row, 0), "{found}");
    }
}

#[test]
fn a_captured_tree_holds_what_a_scan_reads_and_nothing_else() {
    let tree = full_tree();
    let copy = tempfile::tempdir().unwrap();
    let captured = capture(tree.path(), copy.path(), &[]);
    let refused = "nsls: links of 1 of 2 processes could not be read, as the capture records\n";
    let expected = Outcome {
        stderr: refused.to_owned(),
        ..Outcome::success("")
    };
    assert_eq!(captured, expected);
    let mut expected = BTreeMap::new();
    let mut expect = |path: &str, bytes: &str| {
        expected.insert(path.to_owned(), bytes.as_bytes().to_vec());
    };
    expect("etc/passwd", "root:x:0:0:::\ndaemon:x:1:0:::\n");
    expect(
        "proc/self/status",
        "Groups:\t4 \nCapEff:\t0000000000000000\n",
    );
    expect(
        "proc/self/mountinfo",
        "21 1 0:20 / / rw - ext4 /dev/vda rw\n\
         22 21 0:21 / /proc rw shared:5 - proc proc rw,hidepid=invisible\n\
         23 21 0:4 net:[4026532003] /run/netns/a rw - nsfs nsfs rw\n",
    );
    expect("proc/7/mountinfo", MOUNTS);
    for (pid, cmdline, status) in [
        (7, "sleep\x001000\0", "Name:\tcomm\nUid:\t0\t0\t0\t0\n"),
        (8, "other\0", "Name:\tother\nUid:\t1\t1\t1\t1\n"),
    ] {
        expect(
            &format!("proc/{pid}/stat"),
            &format!("{pid} (comm) S 1 {pid} {pid} 0 -1\n"),
        );
        expect(&format!("proc/{pid}/status"), status);
        expect(&format!("proc/{pid}/cmdline"), cmdline);
        for (link, to) in INITIAL {
            expect(&format!("proc/{pid}/ns/{link}"), to);
        }
    }
    expect("proc/8/ns/net", "EACCES\n");
    expect("proc/7/cgroup", &format!("0::/docker/{ID}\n"));
    expect("proc/7/uid_map", "0 0 4294967295\n");
    expect("proc/7/timens_offsets", "monotonic 0 0\nboottime 0 0\n");
    expect("proc/sys/kernel/osrelease", "6.8.0\n");
    expect("proc/sys/user/max_net_namespaces", "123\n");
    expect("containers.json", &format!("{{\n  \"{ID}\": \"web\"\n}}"));
    expect("proc/7/fd/3", "net:[4026532003]");
    expect("proc/7/task/9/ns/net", "net:[4026532009]");
    expect("proc/7/task/10/fd/3", "net:[4026532003]");
    expect("proc/7/task/10/fd/4", "uts:[4026532010]");
    expect("proc/7/task/11/fd/4", "uts:[4026532010]");
    assert_eq!(contents(copy.path()), expected);
}

#[test]
fn only_the_named_processes_are_captured() {
    let copy = tempfile::tempdir().unwrap();
    let captured = capture(
        fixture("ubuntu-20.04"),
        copy.path(),
        &["--pid", "1,513,1", "-p", "470"],
    );
    assert_eq!(captured, Outcome::success(""));
    let found: Vec<_> = contents(copy.path()).into_keys().collect();
    let mut expected = vec!["etc/passwd".to_owned()];
    for pid in [1, 470, 513] {
        let links = INITIAL.map(|(link, _)| format!("ns/{link}"));
        let files = ["stat", "status", "cmdline"].map(String::from);
        let paths = links.into_iter().chain(files);
        expected.extend(paths.map(|path| format!("proc/{pid}/{path}")));
    }
    expected.sort();
    assert_eq!(found, expected);
    let passwd = fs::read_to_string(copy.path().join("etc/passwd")).unwrap();
    assert_eq!(
        passwd,
        "root:x:0:0:::\nsystemd-resolve:x:101:0:::\n_chrony:x:112:0:::\n"
    );
}

#[test]
fn a_non_empty_directory_is_refused_and_left_unchanged() {
    let full = full_tree();
    let before = contents(full.path());
    fs::set_permissions(full.path(), Permissions::from_mode(0o755)).unwrap();
    let mode = full.path().metadata().unwrap().mode();
    let message = format!(
        "cannot capture into {}: directory not empty; name one that does not exist yet",
        full.path().display()
    );
    assert_eq!(
        capture(fixture("zombies"), full.path(), &[]),
        Outcome::failure(1, &message)
    );
    assert_eq!(contents(full.path()), before);
    assert_eq!(full.path().metadata().unwrap().mode(), mode);
}

#[test]
fn a_link_as_the_directory_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().join("there");
    fs::create_dir(&there).unwrap();
    let link = dir.path().join("link");
    for to in [there.as_path(), &dir.path().join("missing")] {
        symlink(to, &link).unwrap();
        let message = format!(
            "cannot capture into {}: symbolic link; name one that does not exist yet",
            link.display()
        );
        for place in [link.clone(), link.join("")] {
            assert_eq!(
                capture(fixture("zombies"), &place, &[]),
                Outcome::failure(1, &message)
            );
        }
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(names_in(dir.path()), ["there"]);
    assert!(names_in(&there).is_empty());
}

#[test]
fn a_directory_of_another_user_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let place = if rustix::process::geteuid().is_root() {
        let nobody = Some(65534);
        std::os::unix::fs::chown(dir.path(), nobody, nobody).unwrap();
        dir.path()
    } else {
        Path::new("/")
    };
    let message = format!(
        "cannot capture into {}: directory of another user; name one that does not exist yet",
        place.display()
    );
    assert_eq!(
        capture(fixture("zombies"), place, &[]),
        Outcome::failure(1, &message)
    );
    assert!(names_in(dir.path()).is_empty());
}

/// Returns the modes of what a capture wrote, apart from links.
fn modes(root: &Path) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        found.insert(dir.metadata().unwrap().mode());
        for name in names_in(&dir) {
            let seen = dir.join(&name).symlink_metadata().unwrap();
            if seen.is_dir() {
                dirs.push(dir.join(name));
            } else if !seen.is_symlink() {
                found.insert(seen.mode());
            }
        }
    }
    found
}

#[test]
fn a_capture_is_private_whatever_the_umask() {
    const DIRECTORY: u32 = 0o040_700;
    const FILE: u32 = 0o100_600;
    for umask in ["0", "022", "0777"] {
        let dir = tempfile::tempdir().unwrap();
        let there = dir.path().join("there");
        fs::create_dir(&there).unwrap();
        fs::set_permissions(&there, Permissions::from_mode(0o777)).unwrap();
        for place in [there, dir.path().join("new/capture")] {
            let command = Nsls::new(["capture".as_ref(), place.as_os_str()])
                .sysroot(fixture("zombies"))
                .command();
            let captured = Outcome::of(
                Command::new("sh")
                    .args(["-c", "umask $0; exec \"$@\"", umask])
                    .arg(command.get_program())
                    .args(command.get_args()),
            );
            assert_eq!(captured, Outcome::success(""), "{umask}");
            assert_eq!(modes(&place), [DIRECTORY, FILE].into(), "{umask}");
        }
        let above = dir.path().join("new").metadata().unwrap();
        assert_eq!(above.mode(), DIRECTORY, "{umask}");
    }
}

#[test]
fn an_unwritable_directory_is_named() {
    let tree = full_tree();
    let place = tree.path().join("etc/passwd");
    for (place, why) in [
        (place.clone(), "not a directory"),
        (place.join("below"), "not a directory"),
    ] {
        let message = format!("cannot write {}: {why}", place.display());
        assert_eq!(
            capture(fixture("zombies"), &place, &[]),
            Outcome::failure(1, &message)
        );
    }
}

#[test]
fn nothing_is_written_for_a_missing_process() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    assert_eq!(
        capture(fixture("zombies"), &copy, &["--pid", "1,999999"]),
        Outcome::failure(1, "no process 999999")
    );
    assert!(!copy.exists());
}

#[test]
fn a_missing_directory_is_created_with_its_parents() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("a/b/c");
    assert_eq!(
        capture(fixture("hidepid"), &copy, &[]),
        Outcome::success("")
    );
    assert_eq!(contents(&copy), contents(&fixture("hidepid")));
}
