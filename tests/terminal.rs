use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, OutputModes, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use crate::common::{Nsls, Outcome, Tree, fixture};

/// Returns what a run writes to a terminal of this width, without styles.
fn on_terminal(columns: u16, nsls: Nsls) -> String {
    on_terminal_named(None, columns, nsls)
}

/// Does the same with the styles that a terminal of this name supports.
fn on_terminal_named(name: Option<&str>, columns: u16, nsls: Nsls) -> String {
    let run = run_on_terminal(name, columns, nsls);
    assert_eq!(run.status, 0);
    run.stdout
}

/// Does the same, and returns all that can be seen of the run.
fn run_on_terminal(name: Option<&str>, columns: u16, nsls: Nsls) -> Outcome {
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
    let mut command = nsls.stdout(Stdio::from(side())).command();
    command.envs(name.map(|name| ("TERM", name)));
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

/// The last line about the second process of [`host`] on a terminal.
const CONTAINER: &str = "process 20 is in the container docker:5f8272929921\n";

#[test]
fn the_hosts_namespaces_of_a_process_are_faint() {
    let tree = host();
    let nsls = || Nsls::words("--pid 20 -t uts,net,mnt -o NS,TYPE").sysroot(tree.path());
    let shown = on_terminal_named(Some("xterm"), 80, nsls());
    let expected = format!(
        "        NS TYPE
\x1b[2m4026531833 net\x1b[0m
4026532001 uts
4026532002 mnt
{CONTAINER}"
    );
    assert_eq!(shown, expected);
    let plain = expected.replace("\x1b[2m", "").replace("\x1b[0m", "");
    assert_eq!(on_terminal_named(Some("dumb"), 80, nsls()), plain);
    // A script gets the table alone.
    assert_eq!(nsls().run().stdout, plain.replace(CONTAINER, ""));
    let all = Nsls::words("-t net -o NS,TYPE").sysroot(tree.path());
    let all = on_terminal_named(Some("xterm"), 80, all);
    assert_eq!(all, "        NS TYPE\n4026531833 net\n");
}

#[test]
fn unknown_host_namespaces_are_reported_only_if_host_is_requested() {
    let tree = host().without("proc/1").without("proc/2");
    let nsls = |words: &str| Nsls::words(words).sysroot(tree.path());
    let shown = on_terminal_named(Some("xterm"), 80, nsls("--pid 20 -t net -o NS,TYPE"));
    assert_eq!(
        shown,
        format!("        NS TYPE\n\x1b[2m4026531833 net\x1b[0m\n{CONTAINER}")
    );
    let told = nsls("--pid 20 -t mnt -o NS,HOST").run();
    let expected = "nsls: cannot tell whether 1 namespace belongs to the host\n";
    assert_eq!(
        (&*told.stdout, &*told.stderr),
        ("        NS HOST\n4026532002\n", expected)
    );
}

#[test]
fn host_namespaces_that_engines_isolate_are_red() {
    let tree = host();
    let root = tree.path().display();
    let nsls = || Nsls::words(&format!("containers --sysroot {root}"));
    let expected = "ENGINE CONTAINER    POD HOSTNAME NPROCS   PID CLAIMS SHARED
docker 5f8272929921                   1    20        \x1b[31mnet\x1b[0m,\x1b[31mipc\x1b[0m,user,\x1b[31mpid\x1b[0m,cgroup,time
";
    assert_eq!(on_terminal_named(Some("xterm"), 120, nsls()), expected);
    let plain = expected.replace("\x1b[31m", "").replace("\x1b[0m", "");
    assert_eq!(nsls().run().stdout, plain);
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
    let run = |words| run_on_terminal(None, 80, Nsls::words(words).sysroot("/nonexistent"));
    let message = "html is for browsers, not for terminals: use --output FILE or a redirection";
    assert_eq!(run("graph"), Outcome::failure(2, message));
    let line = "cannot read /nonexistent/proc: no such file or directory";
    assert_eq!(run("graph --format mermaid"), Outcome::failure(1, line));
}
