use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, OutputModes, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use crate::common::{Nsls, Outcome, Tree, fixture, fixtures};
use crate::infer;

/// Returns what a run writes to a terminal of this width, without styles.
fn on_terminal(columns: u16, nsls: Nsls) -> String {
    on_terminal_named(None, columns, nsls)
}

/// Does the same with the styles that a terminal of this name supports.
fn on_terminal_named(name: Option<&str>, columns: u16, nsls: Nsls) -> String {
    let name = name.map(|name| ("TERM", name));
    on_terminal_with(name.as_slice(), columns, nsls)
}

/// Does the same in this environment.
pub fn on_terminal_with(environment: &[(&str, &str)], columns: u16, nsls: Nsls) -> String {
    written_to(environment, columns, false, nsls)
}

/// Does the same with standard error on that terminal, too.
fn on_both(columns: u16, nsls: Nsls) -> String {
    written_to(&[("TERM", "dumb")], columns, true, nsls)
}

fn written_to(environment: &[(&str, &str)], columns: u16, has_stderr: bool, nsls: Nsls) -> String {
    let run = run_on_terminal(environment, columns, has_stderr, nsls);
    assert_eq!(run.status, 0);
    run.stdout
}

/// Does the same, and returns all that can be seen of the run.
fn run_on_terminal(
    environment: &[(&str, &str)],
    columns: u16,
    has_stderr: bool,
    nsls: Nsls,
) -> Outcome {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let path = ptsname(&terminal, Vec::new()).unwrap();
    let side = || {
        let options = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        rustix::fs::open(&path, options, rustix::fs::Mode::empty()).unwrap()
    };
    let inside = side();
    tcsetwinsize(
        &inside,
        Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        },
    )
    .unwrap();
    // Keeps the bytes as written, without a CR before each LF.
    let mut attributes = tcgetattr(&inside).unwrap();
    attributes.output_modes -= OutputModes::OPOST;
    tcsetattr(&inside, OptionalActions::Now, &attributes).unwrap();
    let mut nsls = nsls.stdout(Stdio::from(side()));
    if has_stderr {
        nsls = nsls.stderr(Stdio::from(side()));
    }
    let mut command = nsls.command();
    command.envs(environment.iter().copied());
    let child = command.spawn().unwrap();
    // Reading ends with EIO once this process and the command close their side.
    drop((inside, command));
    let mut written = Vec::new();
    // Reading fails with EIO once the other side is closed.
    let _ = File::from(terminal).read_to_end(&mut written);
    let output = child.wait_with_output().unwrap();
    Outcome {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(written).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn tree() -> Tree {
    Tree::new()
        .process(1, "init\0--with\0many\0arguments\0and-more")
        .process(20, b"evil\x1b[31m\nrow\r\t\xe2\x80\xae\0")
        .link("proc/20/ns/uts", "uts:[4026532001]")
}

#[test]
fn only_the_command_is_cut_at_the_width_of_the_terminal() {
    let tree = tree();
    let uts = |columns| on_terminal(columns, Nsls::words("-t uts").sysroot(tree.path()));
    assert_eq!(
        uts(80),
        "        NS TYPE NPROCS   PID USER COMMAND
4026531838 uts       1     1 root init --with many arguments and-more
4026532001 uts       1    20 root evil\\x1b[31m\\x0arow\\x0d\\x09\\xe2\\x80\\xae
"
    );
    assert_eq!(
        uts(50),
        "        NS TYPE NPROCS   PID USER COMMAND
4026531838 uts       1     1 root init --with many
4026532001 uts       1    20 root evil\\x1b[31m\\x0a
"
    );
}

#[test]
fn numbers_stay_whole_on_a_very_narrow_terminal() {
    let tree = tree();
    for columns in [1, 5, 20] {
        let shown = on_terminal(columns, Nsls::words("-t uts").sysroot(tree.path()));
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(
            lines[0].len(),
            "        NS TYPE NPROCS   PID USER COMMAND".len()
        );
        let fixed: Vec<_> = lines.iter().map(|line| &line[..33]).collect();
        assert_eq!(
            fixed,
            [
                "        NS TYPE NPROCS   PID USER",
                "4026531838 uts       1     1 root",
                "4026532001 uts       1    20 root",
            ]
        );
    }
}

#[test]
fn columns_around_a_command_in_the_middle_stay_whole() {
    let tree = tree();
    let nsls = Nsls::words("-t uts -o NS,COMMAND,PID").sysroot(tree.path());
    assert_eq!(
        on_terminal(24, nsls),
        "        NS COMMAND   PID
4026531838 init --     1
4026532001 evil\\x1    20
"
    );
}

/// Builds a host before Linux 6.17, and a process that shares some namespaces.
fn host() -> Tree {
    let id = "5f8272929921c2d4f0a3b1e6d7c8594a0b1c2d3e4f5061728394a5b6c7d8e9f0";
    Tree::new()
        .process(1, "init\0")
        .process(2, "kthreadd\0")
        .process(20, "web\0")
        .link("proc/20/ns/uts", "uts:[4026532001]")
        .link("proc/20/ns/mnt", "mnt:[4026532002]")
        .file("proc/20/cgroup", format!("0::/docker/{id}\n"))
}

/// The last lines about the second process of [`host`] on a terminal.
const LAST: &str = "process 20 is in the container docker:5f8272929921
process 20 shares net with the host
";

/// Removes the escapes of styles.
fn plain(shown: &str) -> String {
    let mut parts = shown.split("\x1b[");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (look, rest) = part.split_once('m').unwrap();
        assert!(
            look.bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b';')
        );
        text += rest;
    }
    text
}

#[test]
fn the_hosts_namespaces_of_a_process_are_faint_and_named_in_the_last_line() {
    let tree = host();
    let nsls = || Nsls::words("--pid 20 -t uts,net,mnt -o NS,TYPE").sysroot(tree.path());
    let shown = on_terminal_named(Some("xterm"), 80, nsls());
    let expected = format!(
        "\x1b[1m        NS TYPE\x1b[0m
\x1b[2m4026531833 \x1b[0m\x1b[94;38;5;32mnet\x1b[0m
4026532001 \x1b[36;38;5;30muts\x1b[0m
4026532002 \x1b[33;38;5;136mmnt\x1b[0m
{LAST}"
    );
    assert_eq!(shown, expected);
    let plain = plain(&expected);
    assert_eq!(on_terminal_named(Some("dumb"), 80, nsls()), plain);
    // A script gets the table alone.
    assert_eq!(nsls().run().stdout, plain.replace(LAST, ""));
    let all = Nsls::words("-t net -o NS,TYPE -n").sysroot(tree.path());
    let all = on_terminal_named(Some("xterm"), 80, all);
    assert_eq!(all, "4026531833 \x1b[94;38;5;32mnet\x1b[0m\n");
}

#[test]
fn last_lines_say_where_a_process_is_and_what_it_shares_as_far_as_it_does() {
    let tree = host();
    let nsls = Nsls::words("--pid 20 -t uts -o NS").sysroot(tree.path());
    assert_eq!(
        on_terminal(80, nsls),
        "        NS
4026532001
process 20 is in the container docker:5f8272929921
"
    );
    let nsls = Nsls::words("--pid 1 -t uts,net -o NS").sysroot(tree.path());
    assert_eq!(
        on_terminal(80, nsls),
        "        NS
4026531833
4026531838
process 1 shares net,uts with the host
"
    );
}

#[test]
fn unknown_host_namespaces_are_reported_only_if_host_is_requested() {
    let tree = host().without("proc/1").without("proc/2");
    let nsls = |words: &str| Nsls::words(words).sysroot(tree.path());
    let shown = on_terminal_named(Some("xterm"), 80, nsls("--pid 20 -t net -o NS,TYPE"));
    assert_eq!(
        plain(&shown),
        format!("        NS TYPE\n4026531833 net\n{LAST}")
    );
    let coloured = nsls("--pid 20 -t mnt -o NS -n --color=always").run();
    assert_eq!(coloured, Outcome::success("4026532002\n"));
    let told = nsls("--pid 20 -t mnt -o NS,HOST").run();
    let expected = "nsls: cannot tell whether 1 namespace belongs to the host\n";
    assert_eq!(
        (&*told.stdout, &*told.stderr),
        ("        NS HOST\n4026532002\n", expected)
    );
}

#[test]
fn host_namespaces_that_engines_isolate_are_marked_and_red() {
    let tree = host();
    let root = tree.path().display();
    let nsls = || Nsls::words(&format!("containers --sysroot {root}"));
    let red = |word: &str| format!("\x1b[1;31;38;5;196m{word}!\x1b[0m");
    let expected = format!(
        "\x1b[1mENGINE CONTAINER    NPROCS   PID SHARED\x1b[0m
docker \x1b[1;32;38;5;29m5f8272929921\x1b[0m      1    20 {},{},user,{},cgroup,time
",
        red("net"),
        red("ipc"),
        red("pid")
    );
    assert_eq!(on_terminal_named(Some("xterm"), 120, nsls()), expected);
    assert_eq!(on_terminal(120, nsls()), plain(&expected));
    // Scripts have columns that are empty, too.
    let bare = "ENGINE CONTAINER    POD HOSTNAME NPROCS   PID CLAIMS SHARED
docker 5f8272929921                   1    20        net,ipc,user,pid,cgroup,time
";
    assert_eq!(nsls().run().stdout, bare);
    for form in [" -r", " -J"] {
        let nsls = || Nsls::words(&format!("containers --sysroot {root}{form}"));
        assert_eq!(on_terminal(120, nsls()), nsls().run().stdout);
    }
}

#[test]
fn a_limit_is_red_from_ninety_percent_on() {
    let tree = |max: u32| {
        Tree::new()
            .process(1, "init\0")
            .link("proc/1/ns/uts", "uts:[4026532001]")
            .file("proc/sys/user/max_uts_namespaces", format!("{max}\n"))
    };
    let used = |max| {
        let tree = tree(max);
        let nsls = Nsls::words("limits --color=always -n").sysroot(tree.path());
        let shown = nsls.run().stdout;
        let line = shown.lines().find(|line| line.contains("max_uts"));
        line.unwrap().to_owned()
    };
    assert!(used(1).ends_with(" \x1b[1;31;38;5;196m100\x1b[0m"));
    assert!(used(2).ends_with("    50"));
}

#[test]
fn options_beat_no_color_which_beats_clicolor_force_which_beats_the_terminal() {
    let tree = host();
    let nsls = |more: &str| Nsls::words(&format!("-t net -o TYPE -n{more}")).sysroot(tree.path());
    let term = ("TERM", "xterm");
    for (environment, more, on_terminal, elsewhere) in [
        (&[][..], "", false, false),
        (&[term], "", true, false),
        (&[("TERM", "dumb")], "", false, false),
        (&[term], " --color=auto", true, false),
        (&[term], " --color=never", false, false),
        (&[term], " --color=always", true, true),
        (&[("TERM", "dumb")], " --color always", true, true),
        (&[term], " --color", true, true),
        (&[term], " --colour=always", true, true),
        (&[term, ("NO_COLOR", "1")], "", false, false),
        (&[term, ("NO_COLOR", "")], "", true, false),
        (&[term, ("NO_COLOR", "1")], " --color=auto", false, false),
        (&[term, ("NO_COLOR", "1")], " --color=always", true, true),
        (&[("CLICOLOR_FORCE", "1")], "", true, true),
        (&[("CLICOLOR_FORCE", "0"), term], "", true, false),
        (&[("CLICOLOR_FORCE", ""), term], "", true, false),
        (&[("CLICOLOR_FORCE", "1")], " --color=never", false, false),
        (
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
            "",
            false,
            false,
        ),
    ] {
        let expected = |is_coloured| match is_coloured {
            true => "\x1b[94;38;5;32mnet\x1b[0m\n",
            false => "net\n",
        };
        let shown = on_terminal_with(environment, 80, nsls(more));
        assert_eq!(shown, expected(on_terminal), "{environment:?}{more}");
        let mut command = nsls(more).command();
        command.envs(environment.iter().copied());
        let run = Outcome::of(&mut command);
        let expected = Outcome::success(expected(elsewhere));
        assert_eq!(run, expected, "{environment:?}{more}");
    }
}

#[test]
fn a_look_of_the_environment_counts_and_a_malformed_one_is_told_in_one_line() {
    let tree = host();
    let nsls = |more: &str| Nsls::words(&format!("-t net -o TYPE -n{more}")).sysroot(tree.path());
    let run =
        |colors: &str, more: &str| Outcome::of(nsls(more).command().env("NSLS_COLORS", colors));
    let always = " --color=always";
    let green = Outcome::success("\x1b[1;32mnet\x1b[0m\n");
    assert_eq!(run("net=1;32", always), green);
    assert_eq!(
        run("nte=4:net=1;32:x", always),
        Outcome {
            stderr: "nsls: ignored 'nte=4' in NSLS_COLORS: unknown key, nearest is net\n".into(),
            ..green
        }
    );
    let title = run("net=\x1b]0;x\x07", always).stderr;
    assert_eq!(
        title,
        r"nsls: ignored 'net=\x1b]0;x\x07' in NSLS_COLORS: a look is numbers separated by semicolons, such as 1;36
"
    );
    // Where no colour is shown, none is read.
    assert_eq!(run("nte=4", ""), Outcome::success("net\n"));
}

#[test]
fn colours_change_nothing_but_escapes() {
    for name in fixtures() {
        for words in [
            "",
            "-T",
            "-T=process -Q NPROCS>1 -r",
            "--output-all",
            "-J",
            "-H",
            "limits",
        ] {
            let nsls = |more: &str| Nsls::words(&format!("{words}{more}")).sysroot(fixture(&name));
            let bare = nsls("").run();
            let mut coloured = nsls(" --color=always").run();
            let has_escapes = coloured.stdout.contains("\x1b[");
            let is_table = !words.contains("-r") && words != "-J";
            assert_eq!(has_escapes, is_table && bare.status == 0, "{name} {words}");
            coloured.stdout = plain(&coloured.stdout);
            assert_eq!(coloured, bare, "{name} {words}");
            assert_eq!(nsls(" --color=never").run(), bare, "{name} {words}");
        }
    }
}

#[test]
fn lines_fit_the_columns_of_a_program_that_shows_colours_itself() {
    let tree = tree();
    let run = |words: &str, columns: &str| {
        let nsls = Nsls::words(&format!("-t uts -o COMMAND -n {words}")).sysroot(tree.path());
        let run = Outcome::of(nsls.command().env("COLUMNS", columns));
        run.stdout.lines().next().unwrap().to_owned()
    };
    assert_eq!(run("--color=always", "11"), "init --with");
    let whole = "init --with many arguments and-more";
    for (words, columns) in [
        ("--color=always -u", "11"),
        ("--color=always", "0"),
        ("--color=always", "-11"),
        ("--color=always", "wide"),
        ("--color=always", ""),
        ("--color=auto", "11"),
        ("", "11"),
    ] {
        assert_eq!(run(words, columns), whole, "{words} {columns}");
    }
}

#[test]
fn a_path_is_a_link_if_an_option_asks_for_it_and_never_one_of_a_captured_tree() {
    let pid = std::process::id();
    let nsls = |more: &str| Nsls::words(&format!("--pid {pid} -t uts -o PATH -n{more}"));
    let bare = nsls("").run();
    // A process with a lower PID may be in the same namespace.
    let path = bare.stdout.trim_end();
    let host = rustix::system::uname();
    let host = host.nodename().to_str().unwrap();
    let linked = format!("\x1b]8;;file://{host}{path}\x1b\\{path}\x1b]8;;\x1b\\\n");
    assert_eq!(nsls(" --hyperlink=always").run().stdout, linked);
    for more in [" --hyperlink", " --hyperlink=auto", " --hyperlink=never"] {
        assert_eq!(nsls(more).run().stdout, bare.stdout, "{more}");
    }
    for (more, expected) in [
        (" --hyperlink", &linked),
        (" --hyperlink=never", &bare.stdout),
        ("", &bare.stdout),
    ] {
        let xterm = [("TERM", "xterm"), ("NO_COLOR", "1")];
        let shown = on_terminal_with(&xterm, 80, nsls(more));
        let first = shown.split_inclusive('\n').next().unwrap();
        assert_eq!(first, expected, "{more}");
        let dumb = on_terminal_with(&[("TERM", "dumb")], 80, nsls(more));
        assert!(dumb.starts_with(&bare.stdout), "{more}");
    }
    let tree = tree();
    let nsls = Nsls::words("-t uts -o PATH --hyperlink=always").sysroot(tree.path());
    assert!(!nsls.run().stdout.contains('\x1b'));
}

#[test]
fn containers_fit_into_80_columns_with_names_cut_where_a_plus_says_so() {
    let pod = "425c89ed5bb7d4f0a3b1e6d7c8594a0b1c2d3e4f5061728394a5b6c7d8e9f0";
    let kubepods = format!("/kubepods/besteffort/pod0a1b2c3d-1111-2222-3333-444455556666/{pod}00");
    let tree = [("mnt", 1), ("net", 2), ("ipc", 3), ("pid", 4)]
        .into_iter()
        .fold(host().process(30, "app\0"), |tree, (kind, ino)| {
            let to = format!("{kind}:[402653210{ino}]");
            tree.link(&format!("proc/30/ns/{kind}"), &to)
        })
        .file("proc/30/cgroup", format!("0::{kubepods}\n"))
        .process(40, "x\0")
        .file(
            "proc/40/cgroup",
            "0::/lxc.payload.a-container-with-a-long-name\n",
        );
    let root = tree.path().display();
    let nsls = |more: &str| Nsls::words(&format!("containers --sysroot {root}{more}"));
    let cut = "ENGINE     CONTAINER POD  NPROCS   PID SHARED
docker     5f827292+           1    20 net!,ipc!,user,pid!,cgroup,time
kubernetes 425c89ed+ 0a1+      1    30 user,uts!,cgroup,time
lxc        a-contai+           1    40 mnt!,net!,ipc!,user,pid!,uts!,cgroup,time
";
    assert_eq!(on_terminal(80, nsls("")), cut);
    assert_eq!(cut.lines().map(str::len).max(), Some(80));
    let whole = on_terminal(80, nsls(" -u"));
    assert!(whole.contains("a-container-with-a-long-name"));
    assert!(whole.contains("0a1b2c3d-1111-2222-3333-444455556666"));
}

#[test]
fn a_last_line_says_what_was_seen_as_far_as_that_was_collected() {
    let tree = host().link("proc/2/fd/3", "uts:[4026532009]");
    let last = |words: &str| {
        let shown = on_both(80, Nsls::words(words).sysroot(tree.path()));
        let last = shown.lines().next_back().map(str::to_owned);
        last.unwrap_or_default()
    };
    for (words, expected) in [
        ("", "11 namespaces (1 without processes), 3 processes"),
        (
            "-o +CONTAINER",
            "11 namespaces (1 without processes), 1 container, 3 processes",
        ),
        (
            "-t uts --group container",
            "3 namespaces (1 without processes), 1 container, 3 processes",
        ),
        ("-Q PID==20 -t uts", "1 namespace, 1 process"),
        ("-o NS -t uts", "3 namespaces"),
        ("-t uts -P", "1 namespace without processes"),
        ("-Q NPROCS==9", "0 namespaces"),
        ("net:[4026531833]", "3 processes"),
        ("net:[4026531833] -o +CONTAINER", "3 processes, 1 container"),
        (
            "--pid 20 -t uts",
            "process 20 is in the container docker:5f8272929921",
        ),
        ("-t uts -n -o PID -q -Q PID==20", "   20"),
        ("-t uts -n -r -o PID -Q PID==20", "20"),
        ("containers", "1 container, 1 process"),
        (
            "-H -n -o NS",
            "LINKS      array            links in /proc/PID/ns that lead to it; with --pid, those of that process",
        ),
    ] {
        assert_eq!(last(words), expected, "{words}");
    }
    // Elsewhere nobody reads it.
    let nsls = || Nsls::words("-t uts -o NS").sysroot(tree.path());
    let listed = "        NS\n4026531838\n4026532001\n4026532009\n";
    assert_eq!(nsls().run(), Outcome::success(listed));
    assert_eq!(on_terminal(80, nsls()), listed);
    assert_eq!(on_both(80, nsls()), format!("{listed}3 namespaces\n"));
}

#[test]
fn what_is_only_inferred_counts_by_itself() {
    let tree = infer::tree();
    let nsls = Nsls::words("-t user --infer -o NS,NPROCS").sysroot(tree.path());
    let expected = "        NS NPROCS INFERRED
4026531837      1
                1 by uid_map 0:0:4294967295, perhaps several
                2 by uid_map 0:1000:1,1:100000:65536, perhaps several
nsls: 4 of 5 processes could not be read (permission denied)
1 namespace, 2 inferred, 1 process
";
    assert_eq!(on_both(80, nsls), expected);
}

#[test]
fn all_columns_are_blocks_on_a_terminal_and_a_table_where_that_was_asked_for() {
    let tree = host();
    let nsls = |more: &str| {
        let words = format!("--output-all -t uts -Q PID==20 {more}");
        Nsls::words(&words).sysroot(tree.path())
    };
    let table = nsls("").run().stdout;
    assert_eq!(table.lines().count(), 2);
    for more in ["-l", "-T=process"] {
        assert_eq!(
            on_terminal(80, nsls(&format!("-u {more}"))),
            table,
            "{more}"
        );
    }
    assert_eq!(on_terminal(80, nsls("-u -n")), nsls("-n").run().stdout);
    let blocks = on_terminal(80, nsls(""));
    assert_eq!(blocks, nsls("--vertical").run().stdout);
    let names: Vec<_> = blocks
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let heading: Vec<_> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(names, heading);
    for form in ["-r", "-J"] {
        assert_eq!(on_terminal(80, nsls(form)), nsls(form).run().stdout);
    }
}

#[test]
fn holders_end_with_advice_on_a_terminal() {
    let tree = Tree::new()
        .process(1, "init\0")
        .link("proc/1/ns/uts", "uts:[4026532001]")
        .process(20, "sleep\0")
        .link("proc/20/fd/3", "uts:[4026532001]");
    let root = tree.path().display();
    let nsls = |more: &str| Nsls::words(&format!("holders 4026532001 --sysroot {root}{more}"));
    let table = "KIND      PID USER COMMAND WHERE
process     1 root init    uts
fd         20 root sleep   fd 3
";
    let advice = "to release it: end the processes; close the files or end the processes that have them open\n";
    assert_eq!(on_terminal(80, nsls("")), format!("{table}{advice}"));
    assert_eq!(nsls("").run().stdout, table);
    assert_eq!(on_terminal(80, nsls(" -r")), nsls(" -r").run().stdout);
}

#[test]
fn nothing_is_cut_with_notruncate_or_without_a_terminal() {
    let tree = tree();
    let whole = Nsls::words("-t uts").sysroot(tree.path()).run().stdout;
    let uncut = Nsls::words("-t uts -u").sysroot(tree.path());
    assert_eq!(on_terminal(20, uncut), whole);
    assert!(whole.contains(" init --with many arguments and-more\n"));
}

#[test]
fn json_and_raw_output_do_not_depend_on_the_terminal() {
    for form in ["--json", "--raw"] {
        let nsls = || Nsls::words(form).sysroot(fixture("hostile-names"));
        assert_eq!(on_terminal(20, nsls()), nsls().run().stdout);
    }
}

#[test]
fn a_page_is_not_written_to_a_terminal() {
    let run = |words| run_on_terminal(&[], 80, false, Nsls::words(words).sysroot("/nonexistent"));
    let message = "html is for browsers, not for terminals: use --output FILE or a redirection";
    assert_eq!(run("graph"), Outcome::failure(2, message));
    let line = "cannot read /nonexistent/proc: no such file or directory; --sysroot takes a directory written by nsls capture";
    assert_eq!(run("graph --format mermaid"), Outcome::failure(1, line));
}
