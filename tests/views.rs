//! Trees, lists and multi-line cells, on captured trees.

use crate::common::{Nsls, Outcome, Tree, fixture};

/// Processes below processes, some in uts namespaces of their own:
///
/// ```text
/// 1 ── 10 (own) ── 11 ── 12 (own) ── 13
///  ├── 20 (own)
///  └── 30
/// ```
fn tree() -> Tree {
    let tree = Tree::new().process(1, "init\0");
    let processes = [(10, 1), (11, 10), (12, 11), (13, 12), (20, 1), (30, 1)];
    let tree = processes.into_iter().fold(tree, |tree, (pid, ppid)| {
        let tree = tree.process(pid, format!("p{pid}\0"));
        child(tree, pid, ppid)
    });
    [(10, 4026532001u64), (12, 4026532002), (20, 4026532020)]
        .into_iter()
        .fold(tree, |tree, (pid, ino)| {
            tree.link(&format!("proc/{pid}/ns/uts"), &format!("uts:[{ino}]"))
        })
}

fn child(tree: Tree, pid: u32, ppid: u32) -> Tree {
    tree.file(
        &format!("proc/{pid}/stat"),
        format!("{pid} (comm) S {ppid} {pid} {pid} 0 -1\n"),
    )
}

/// Runs nsls in a locale.
fn run(arguments: &str, tree: &Tree, locale: &[(&str, &str)]) -> Outcome {
    let mut command = Nsls::words(arguments).sysroot(tree.path()).command();
    Outcome::of(command.envs(locale.iter().copied()))
}

const UTF8: &[(&str, &str)] = &[("LC_ALL", "C.UTF-8")];

#[test]
fn the_processes_of_a_namespace_are_a_tree_by_default() {
    let tree = tree();
    assert_eq!(
        run("net:[4026531833]", &tree, UTF8),
        Outcome::success(
            "  PID  PPID USER COMMAND
    1     1 root init
   10     1 root ├─p10
   11    10 root │ └─p11
   12    11 root │   └─p12
   13    12 root │     └─p13
   20     1 root ├─p20
   30     1 root └─p30
"
        )
    );
    let list = "  PID  PPID USER COMMAND
    1     1 root init
   10     1 root p10
   11    10 root p11
   12    11 root p12
   13    12 root p13
   20     1 root p20
   30     1 root p30
";
    // A tree of namespaces does not apply to processes.
    for list_of in ["-l", "-T=owner", "--tree=parent"] {
        let run = run(&format!("{list_of} net:[4026531833]"), &tree, UTF8);
        assert_eq!(run, Outcome::success(list), "{list_of}");
    }
}

#[test]
fn a_process_hangs_below_its_nearest_ancestor_in_the_namespace() {
    assert_eq!(
        run("uts:[4026531838] -o COMMAND,PID", &tree(), UTF8),
        Outcome::success(
            "COMMAND   PID
init        1
├─p11      11
│ └─p13    13
└─p30      30
"
        )
    );
}

#[test]
fn without_command_processes_are_a_list_ordered_by_pid() {
    let processes = "  PID  PPID\n    1     1\n   20     1\n   30    20\n";
    let tree = Tree::new().process(1, "init\0");
    let tree = child(tree.process(20, "x\0").process(30, "y\0"), 30, 20);
    let list = run("-o PID,PPID 4026531833", &tree, UTF8);
    assert_eq!(list, Outcome::success(processes));
    // 1 ── 30 ── 20
    let tree = child(child(tree, 20, 30), 30, 1);
    let drawn = run("-n -o PID,COMMAND 4026531833", &tree, UTF8);
    assert_eq!(
        drawn,
        Outcome::success("    1 init\n   30 └─y\n   20   └─x\n")
    );
    let list = run("-n -o PID 4026531833", &tree, UTF8);
    assert_eq!(list, Outcome::success("    1\n   20\n   30\n"));
}

#[test]
fn a_namespace_hangs_below_that_of_the_nearest_ancestor_that_has_a_row() {
    let tree = tree();
    assert_eq!(
        run("-T=process -t uts", &tree, UTF8),
        Outcome::success(
            "        NS TYPE NPROCS   PID USER COMMAND
4026531838 uts       4     1 root init
4026532001 uts       1    10 root ├─p10
4026532002 uts       1    12 root │ └─p12
4026532020 uts       1    20 root └─p20
"
        )
    );
    // If a process has several rows, children are below the last.
    assert_eq!(
        run("-T=process -t net,uts -n", &tree, UTF8),
        Outcome::success(
            "4026531833 net 7     1 root     init
4026531838 uts 4     1 root     init
4026532001 uts 1    10 root     ├─p10
4026532002 uts 1    12 root     │ └─p12
4026532020 uts 1    20 root     └─p20
"
        )
    );
    // A filtered row cannot have children.
    assert_eq!(
        run(
            "-T=process -t uts -n -o PID,COMMAND -Q PID!=10",
            &tree,
            UTF8
        ),
        Outcome::success("    1 init\n   12 ├─p12\n   20 └─p20\n")
    );
}

#[test]
fn tree_lines_are_ascii_outside_utf8_locales() {
    let tree = tree();
    let ascii = "init\n|-p10\n| `-p12\n`-p20\n";
    let unicode = "init\n├─p10\n│ └─p12\n└─p20\n";
    for (locale, drawn) in [
        (&[][..], ascii),
        (&[("LC_ALL", "C")], ascii),
        (&[("LANG", "en_US.utf8")], unicode),
        (&[("LC_CTYPE", "de_DE.Utf-8@euro"), ("LANG", "C")], unicode),
        (&[("LC_ALL", ""), ("LANG", "C.UTF-8")], unicode),
        (&[("LC_ALL", "POSIX"), ("LANG", "C.UTF-8")], ascii),
        (&[("LC_CTYPE", "de_DE.ISO-8859-1")], ascii),
        (&[("LC_MESSAGES", "C.UTF-8")], ascii),
    ] {
        let run = run("-T=process -t uts -n -o COMMAND", &tree, locale);
        assert_eq!(run, Outcome::success(drawn), "{locale:?}");
    }
}

#[test]
fn the_relation_may_be_written_in_every_form_of_lsns() {
    let tree = tree();
    let drawn = run("--tree=process -t uts -n", &tree, UTF8);
    assert!(drawn.stdout.contains('└'), "{drawn:?}");
    for form in [
        "-Tprocess -t uts -n",
        "-T=process -t uts -n",
        "-nTprocess -t uts",
    ] {
        assert_eq!(run(form, &tree, UTF8), drawn, "{form}");
    }
    let owner = run("--tree=owner -t uts -n", &tree, UTF8);
    for form in ["-T -t uts -n", "--tree -t uts -n", "-nT -t uts"] {
        assert_eq!(run(form, &tree, UTF8), owner, "{form}");
    }
    let message = "found nothing for -Towner, looked for a container or net namespace in \
                   /run/netns; nsls find --help shows what may be given";
    assert_eq!(run("-- -Towner", &tree, UTF8), Outcome::failure(1, message));
}

#[test]
fn owners_are_unknown_in_a_captured_tree_so_every_row_is_a_root() {
    let list = Nsls::words("-l").sysroot(fixture("ubuntu-20.04")).run();
    for relation in ["owner", "parent"] {
        let tree = Nsls::new([format!("--tree={relation}")]);
        let tree = tree.sysroot(fixture("ubuntu-20.04")).run();
        // Numbers in a column with a tree are aligned left.
        let shown: Vec<_> = tree.stdout.lines().map(str::trim_start).collect();
        let listed: Vec<_> = list.stdout.lines().map(str::trim_start).collect();
        assert_eq!(shown[1..], listed[1..], "{relation}");
        assert_eq!(tree.stdout.lines().next().unwrap().find("TYPE"), Some(11));
    }
}

#[test]
fn raw_and_json_output_contain_no_tree_lines() {
    let tree = tree();
    assert_eq!(
        run("-r -o PID,COMMAND 4026531833", &tree, UTF8),
        Outcome::success("PID COMMAND\n1 init\n10 p10\n11 p11\n12 p12\n13 p13\n20 p20\n30 p30\n")
    );
    for columns in ["ns,command", "ns"] {
        let flat = run(&format!("-J -o {columns}"), &tree, UTF8);
        for relation in ["owner", "parent", "process"] {
            let arguments = format!("-J -o {columns} --tree={relation}");
            assert_eq!(run(&arguments, &tree, UTF8), flat, "{arguments}");
        }
    }
    let tree = child(child(tree, 20, 30), 30, 1);
    let namespace = "-r -n -o PID,COMMAND net:[4026531833]";
    // In the order of the tree: 20 is below 30 now.
    assert_eq!(
        run(namespace, &tree, UTF8),
        Outcome::success("1 init\n10 p10\n11 p11\n12 p12\n13 p13\n30 p30\n20 p20\n")
    );
    assert_eq!(
        run(&format!("{namespace} -l"), &tree, UTF8),
        Outcome::success("1 init\n10 p10\n11 p11\n12 p12\n13 p13\n20 p20\n30 p30\n")
    );
}

#[test]
fn processes_that_are_their_own_ancestors_are_all_shown() {
    // 10 ─ 12 ─ 11 ─ 10, and 20 is its own parent.
    let tree = child(child(child(tree(), 10, 11), 11, 12), 12, 10);
    let tree = child(tree, 20, 20);
    assert_eq!(
        run("-n -o PID,COMMAND 4026531833", &tree, UTF8),
        Outcome::success(
            "    1 init
   30 └─p30
   10 p10
   12 └─p12
   11   ├─p11
   13   └─p13
   20 p20
"
        )
    );
    assert_eq!(
        run("-T=process -t uts -n -o COMMAND", &tree, UTF8),
        Outcome::success("init\np10\n└─p12\np20\n")
    );
}

/// Builds two bind-mounted net namespaces, one of them mounted twice.
fn mounted() -> Tree {
    let mountinfo = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
        41 20 0:4 net:[4026532010] /run/netns/a\\040blank rw - nsfs nsfs rw\n\
        42 20 0:4 net:[4026532010] /run/netns/b rw - nsfs nsfs rw\n\
        43 20 0:4 net:[4026532011] /run/netns/c\\134d rw - nsfs nsfs rw\n";
    tree()
        .link("proc/10/ns/net", "net:[4026532010]")
        .link("proc/self", "1")
        .file("proc/1/mountinfo", mountinfo)
}

#[test]
fn several_paths_are_shown_one_per_line_or_joined_by_commas() {
    let tree = mounted();
    assert_eq!(
        run("-t net", &tree, UTF8),
        Outcome::success(
            "        NS TYPE NPROCS   PID USER NETNSID NSFS               COMMAND
4026531833 net       6     1 root                            init
4026532010 net       1    10 root         /run/netns/a blank p10
                                          /run/netns/b
4026532011 net       0                    /run/netns/c\\d
"
        )
    );
    assert_eq!(
        run("-t net -W", &tree, UTF8),
        Outcome::success(
            "        NS TYPE NPROCS   PID USER NETNSID NSFS                            COMMAND
4026531833 net       6     1 root                                         init
4026532010 net       1    10 root         /run/netns/a blank,/run/netns/b p10
4026532011 net       0                    /run/netns/c\\d
"
        )
    );
    let raw = "4026532010 /run/netns/a\\x20blank,/run/netns/b\n4026532011 /run/netns/c\\x5cd\n";
    for form in ["-r", "-r -W"] {
        let arguments = format!("{form} -n -t net -o NS,NSFS -Q NSFS");
        assert_eq!(run(&arguments, &tree, UTF8), Outcome::success(raw));
    }
}

#[test]
fn tree_lines_continue_beside_further_lines_of_a_row() {
    assert_eq!(
        run("-T=process -t net,uts -n -o NSFS,COMMAND", &mounted(), UTF8),
        Outcome::success(
            "                   init
                   init
                   ├─p10
/run/netns/a blank ├─p10
/run/netns/b       │ │
                   │ └─p12
                   └─p20
/run/netns/c\\d
"
        )
    );
    assert_eq!(
        run("-T=process -t net -n -o COMMAND,NSFS", &mounted(), &[]),
        Outcome::success(
            "init
`-p10 /run/netns/a blank
      /run/netns/b
      /run/netns/c\\d
"
        )
    );
}

#[test]
fn persistent_lists_only_namespaces_without_processes() {
    let tree = mounted();
    assert_eq!(
        run("-P", &tree, UTF8),
        Outcome::success(
            "        NS TYPE NPROCS   PID USER HOLDERS\n4026532011 net       0            mount /run/netns/c\\d\n"
        )
    );
    assert_eq!(
        run("-P -t uts", &tree, UTF8),
        Outcome::success("        NS TYPE NPROCS   PID USER HOLDERS\n")
    );
    assert_eq!(run("-P -t uts -n", &tree, UTF8), Outcome::success(""));
}
