use crate::common::{Nsls, Outcome, Tree};

/// The name of a process, and how it is shown.
struct Attack {
    cmdline: Vec<u8>,
    comm: Vec<u8>,
    table: String,
    raw: String,
    json: String,
}

/// Attacks through the command line.
fn line(cmdline: impl Into<Vec<u8>>, table: &str, raw: &str, json: &str) -> Attack {
    Attack {
        cmdline: cmdline.into(),
        comm: b"comm".to_vec(),
        table: table.into(),
        raw: raw.into(),
        json: json.into(),
    }
}

/// Attacks through the kernel's name for the process.
fn comm(comm: impl Into<Vec<u8>>, table: &str, raw: &str, json: &str) -> Attack {
    Attack {
        cmdline: Vec::new(),
        comm: comm.into(),
        ..line("", table, raw, json)
    }
}

/// Builds two processes, each in its own namespace.
fn tree(attack: &Attack) -> Tree {
    let stat = [b"7 (", &attack.comm[..], b") S 1 7 7 0 -1\n"].concat();
    Tree::new()
        .process(7, &attack.cmdline)
        .file("proc/7/stat", stat)
        .link("proc/7/ns/uts", "uts:[4026532007]")
        .process(8, "victim\0")
        .link("proc/8/ns/uts", "uts:[4026532008]")
}

fn check(attack: Attack) {
    let tree = tree(&attack);
    let run = |arguments| Nsls::words(arguments).sysroot(tree.path()).run();
    let Attack {
        table, raw, json, ..
    } = attack;

    let row = format!("4026532007 uts       1     7 root {table}");
    let table = format!(
        "        NS TYPE NPROCS   PID USER COMMAND\n{}\n\
         4026532008 uts       1     8 root victim\n",
        row.trim_end()
    );
    assert_eq!(run("-t uts"), Outcome::success(table));

    let raw = format!(
        "NS TYPE NPROCS PID USER COMMAND\n\
         4026532007 uts 1 7 root {raw}\n\
         4026532008 uts 1 8 root victim\n"
    );
    assert_eq!(run("-t uts --raw"), Outcome::success(raw));

    let json = format!(
        r#"{{
  "version": 1,
  "complete": true,
  "gaps": [],
  "sources": [
    "processes",
    "threads",
    "fds",
    "mounts"
  ],
  "boot_id": null,
  "time": null,
  "namespaces": [
    {{
      "ns": 4026532007,
      "type": "uts",
      "nprocs": 1,
      "pid": 7,
      "user": "root",
      "command": "{json}"
    }},
    {{
      "ns": 4026532008,
      "type": "uts",
      "nprocs": 1,
      "pid": 8,
      "user": "root",
      "command": "victim"
    }}
  ]
}}
"#
    );
    let columns = "-t uts --json -o ns,type,nprocs,pid,user,command";
    assert_eq!(run(columns), Outcome::success(json));
}

#[test]
fn escape_sequences_do_not_reach_the_terminal() {
    for attack in [
        line(
            "\x1b[31mred\0",
            r"\x1b[31mred",
            r"\x1b[31mred",
            r"\u001b[31mred",
        ),
        line(
            "\x1b]0;title\x07\x08\x7f\0",
            r"\x1b]0;title\x07\x08\x7f",
            r"\x1b]0;title\x07\x08\x7f",
            r"\u001b]0;title\u0007\b\u007f",
        ),
        // The one-character form of ESC [.
        line("\u{9b}31m\0", r"\xc2\x9b31m", r"\xc2\x9b31m", r"\u009b31m"),
        comm("\x1b[2J", r"\x1b[2J", r"\x1b[2J", r"\u001b[2J"),
    ] {
        check(attack);
    }
}

#[test]
fn a_process_takes_one_line() {
    for attack in [
        line(
            "a\n4026532009 uts 1 9 root forged\0",
            r"a\x0a4026532009 uts 1 9 root forged",
            r"a\x0a4026532009\x20uts\x201\x209\x20root\x20forged",
            r"a\n4026532009 uts 1 9 root forged",
        ),
        line(
            "a\rb\tc\x0bd\x0ce\0",
            r"a\x0db\x09c\x0bd\x0ce",
            r"a\x0db\x09c\x0bd\x0ce",
            r"a\rb\tc\u000bd\fe",
        ),
        line(
            "a\u{85}b\u{2028}c\u{2029}d\0",
            r"a\xc2\x85b\xe2\x80\xa8c\xe2\x80\xa9d",
            r"a\xc2\x85b\xe2\x80\xa8c\xe2\x80\xa9d",
            r"a\u0085b\u2028c\u2029d",
        ),
        comm("a\nb", r"a\x0ab", r"a\x0ab", r"a\nb"),
    ] {
        check(attack);
    }
}

#[test]
fn bidirectional_and_invisible_characters_are_escaped() {
    for attack in [
        line(
            "a\u{202e}gnp.exe\0",
            r"a\xe2\x80\xaegnp.exe",
            r"a\xe2\x80\xaegnp.exe",
            r"a\u202egnp.exe",
        ),
        line(
            "\u{2066}a\u{2069}\u{200f}\0",
            r"\xe2\x81\xa6a\xe2\x81\xa9\xe2\x80\x8f",
            r"\xe2\x81\xa6a\xe2\x81\xa9\xe2\x80\x8f",
            r"\u2066a\u2069\u200f",
        ),
        line(
            "ro\u{200b}ot\u{feff}\u{ad}\0",
            r"ro\xe2\x80\x8bot\xef\xbb\xbf\xc2\xad",
            r"ro\xe2\x80\x8bot\xef\xbb\xbf\xc2\xad",
            r"ro\u200bot\ufeff\u00ad",
        ),
        comm(
            "\u{202e}ab",
            r"\xe2\x80\xaeab",
            r"\xe2\x80\xaeab",
            r"\u202eab",
        ),
    ] {
        check(attack);
    }
}

#[test]
fn invalid_utf8_is_shown_as_bytes() {
    for attack in [
        line(
            b"a\xff\xfeb\xe2\x82\0",
            r"a\xff\xfeb\xe2\x82",
            r"a\xff\xfeb\xe2\x82",
            "a\u{fffd}\u{fffd}b\u{fffd}",
        ),
        comm(b"\xc0\xaf", r"\xc0\xaf", r"\xc0\xaf", "\u{fffd}\u{fffd}"),
        line(
            "café 世界\0",
            "café 世界",
            r"caf\xc3\xa9\x20\xe4\xb8\x96\xe7\x95\x8c",
            "café 世界",
        ),
    ] {
        check(attack);
    }
}

#[test]
fn a_literal_escape_is_distinguished_from_a_real_one() {
    for attack in [
        line(
            r"\x41\n \".to_owned() + "\0",
            r"\x5cx41\n \",
            r"\x5cx41\x5cn\x20\x5c",
            r"\\x41\\n \\",
        ),
        comm(r"\x0a", r"\x5cx0a", r"\x5cx0a", r"\\x0a"),
        line("\"}],\0", "\"}],", "\"}],", "\\\"}],"),
    ] {
        check(attack);
    }
}

#[test]
fn empty_arguments_keep_their_places() {
    for attack in [
        line("\0", "", "", ""),
        line("\0\0\0", "  ", r"\x20\x20", "  "),
        line(
            "sh\0-c\0\0x\0\0",
            "sh -c  x ",
            r"sh\x20-c\x20\x20x\x20",
            "sh -c  x ",
        ),
        line("-n\0--\0", "-n --", r"-n\x20--", "-n --"),
    ] {
        check(attack);
    }
}

#[test]
fn a_long_command_line_is_shown_to_its_end() {
    const LENGTH: usize = 128 * 1024;
    let word = "a".repeat(LENGTH);
    check(line(word.clone() + "\0", &word, &word, &word));
    let words = |between: &str| vec!["a"; LENGTH / 2].join(between);
    check(line(
        words("\0") + "\0",
        &words(" "),
        &words(r"\x20"),
        &words(" "),
    ));
    let breaks = |one: &str| one.repeat(LENGTH);
    check(line(
        breaks("\n"),
        &breaks(r"\x0a"),
        &breaks(r"\x0a"),
        &breaks(r"\n"),
    ));
}

#[test]
fn a_name_cannot_forge_other_fields() {
    for attack in [
        comm("x) Z 0 (y", "x) Z 0 (y", r"x)\x20Z\x200\x20(y", "x) Z 0 (y"),
        comm(")", ")", ")", ")"),
        comm("((", "((", "((", "(("),
        comm("a:b", "a:b", "a:b", "a:b"),
        comm("", "", "", ""),
        comm("net:[1]", "net:[1]", "net:[1]", "net:[1]"),
    ] {
        check(attack);
    }
}

#[test]
fn a_broken_user_database_loses_only_names() {
    type Break = fn(Tree) -> Tree;
    let cases: [(Break, &str, &str, &str); 9] = [
        (|tree| tree.without("etc/passwd"), "0", "0", "null"),
        (|tree| tree.without("etc"), "0", "0", "null"),
        (
            |tree| tree.without("etc/passwd").file("etc/passwd/x", ""),
            "0",
            "0",
            "null",
        ),
        (|tree| tree.fifo("etc/passwd"), "0", "0", "null"),
        (|tree| tree.link("etc/passwd", "passwd"), "0", "0", "null"),
        (
            |tree| tree.file("etc/passwd", [0, 255, b':', 10, 0, b':', b':', 27]),
            "0",
            "0",
            "null",
        ),
        (
            |tree| tree.file("etc/passwd", "root:x:0x0:0\n\x00root:x\n::0\n"),
            "0",
            "0",
            "null",
        ),
        (
            |tree| tree.file("etc/passwd", "\x1b[31mroot\r:x:0:0\n"),
            r"\x1b[31mroot\x0d",
            r"\x1b[31mroot\x0d",
            r#""\u001b[31mroot\r""#,
        ),
        (
            |tree| tree.file("etc/passwd", "\u{202e}a b:x:0:0\n"),
            r"\xe2\x80\xaea b",
            r"\xe2\x80\xaea\x20b",
            r#""\u202ea b""#,
        ),
    ];
    for (spoil, table, raw, json) in cases {
        let tree = spoil(Tree::new().process(7, "sleep\0"));
        let run = |arguments| Nsls::words(arguments).sysroot(tree.path()).run();
        let width = table.len().max(4);
        let table = format!("  PID {:width$}\n    7 {table}\n", "USER");
        let table = table.replace(&format!("{:width$}\n", "USER"), "USER\n");
        assert_eq!(run("-t uts -o pid,user"), Outcome::success(table));
        let raw = format!("PID USER\n7 {raw}\n");
        assert_eq!(run("-t uts --raw -o pid,user"), Outcome::success(raw));
        let json = format!(
            "{{\n  \"version\": 1,\n  \"complete\": true,\n  \"gaps\": [],\n  \"sources\": [\n    \"processes\",\n    \"threads\",\n    \"fds\",\n    \"mounts\"\n  ],\n  \"boot_id\": null,\n  \"time\": null,\n  \"namespaces\": [\n    \
             {{\n      \"pid\": 7,\n      \"user\": {json}\n    }}\n  ]\n}}\n"
        );
        assert_eq!(run("-t uts --json -o pid,user"), Outcome::success(json));
    }
}

#[test]
fn a_fifo_in_a_tree_does_not_block() {
    let tree = Tree::new()
        .process(7, "sleep\0")
        .fifo("proc/7/cmdline")
        .fifo("proc/7/status")
        .fifo("proc/7/ns/net")
        .fifo("proc/self/status")
        .fifo("proc/self/mountinfo");
    let run = Nsls::words("-t uts,net").sysroot(tree.path()).run();
    let expected = Outcome {
        stderr: "nsls: 1 of 1 processes could not be parsed (broken links), \
                 mounts of 1 mount namespace could not be parsed, \
                 details of 1 process could not be parsed\n"
            .to_owned(),
        ..Outcome::success(
            "        NS TYPE NPROCS   PID USER NETNSID NSFS COMMAND\n\
             4026531838 uts       1     7\n",
        )
    };
    assert_eq!(run, expected);
}

#[test]
fn arguments_do_not_reach_the_terminal_unescaped() {
    let tree = Tree::new().process(7, "sleep\0");
    let run = Nsls::new(["/\x1b[31m\n\u{202e}"])
        .sysroot(tree.path())
        .run();
    let message = r"cannot read /\x1b[31m\x0a\xe2\x80\xae: no such file or directory";
    assert_eq!(run, Outcome::failure(1, message));
    let run = Nsls::new(["-o", "NS,\x1b[31m"]).sysroot(tree.path()).run();
    let message = r"unknown column '\x1b[31m' (--list-columns shows them all)";
    assert_eq!(run, Outcome::failure(2, message));
}

#[test]
fn a_directory_in_place_of_a_file_loses_only_that_file() {
    let tree = Tree::new()
        .process(7, "sleep\0")
        .without("proc/7/cmdline")
        .file("proc/7/cmdline/x", "");
    let run = Nsls::words("-t uts").sysroot(tree.path()).run();
    let expected = Outcome {
        stderr: "nsls: details of 1 process could not be read (is a directory)\n".to_owned(),
        ..Outcome::success(
            "        NS TYPE NPROCS   PID USER COMMAND\n\
             4026531838 uts       1     7 root\n",
        )
    };
    assert_eq!(run, expected);
}
