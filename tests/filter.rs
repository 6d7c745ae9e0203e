use std::process::Command;

use crate::common::{Nsls, Outcome, Tree, binary, fixture};

/// Runs nsls with a filter and more arguments, separated by spaces.
fn filtered(expression: &str, more: &str) -> Outcome {
    let more = more.split_whitespace();
    Nsls::new(["-Q", expression].into_iter().chain(more))
        .sysroot(fixture("ubuntu-20.04"))
        .run()
}

#[test]
fn only_namespaces_that_satisfy_the_condition_are_listed() {
    let listing = "        NS TYPE NPROCS   PID USER            COMMAND
4026531862 mnt       1    25 root            kdevtmpfs
4026532205 mnt       1   206 root            /lib/systemd/systemd-udevd
4026532253 mnt       1   466 systemd-network /lib/systemd/systemd-networkd
4026532254 mnt       1   470 systemd-resolve /lib/systemd/systemd-resolved
4026532256 mnt       1  1053 root            /lib/systemd/systemd-logind
";
    let run = filtered("NPROCS == 1 and TYPE == \"mnt\"", "");
    assert_eq!(run, Outcome::success(listing));
}

#[test]
fn a_filter_may_use_hidden_columns() {
    let listing = "        NS PATH
4026532253 /proc/466/ns/mnt
4026532254 /proc/470/ns/mnt
4026532255 /proc/513/ns/mnt
";
    let run = filtered("user != 'root' and ppid == 1 and uid", "-o NS,PATH");
    assert_eq!(run, Outcome::success(listing));
}

#[test]
fn command_lines_are_searched_with_regular_expressions() {
    let listing = "4026532256 mnt
4026532318 uts
4026532319 uts
";
    let run = filtered(r"COMMAND =~ '/systemd-(logind|machined)$'", "-n -o NS,TYPE");
    assert_eq!(run, Outcome::success(listing));
}

#[test]
fn symbols_and_words_mean_the_same_in_raw_output() {
    let listing = "NS TYPE NPROCS PID USER COMMAND
4026532206 uts 1 206 root /lib/systemd/systemd-udevd
4026532254 mnt 1 470 systemd-resolve /lib/systemd/systemd-resolved
4026532318 uts 1 1053 root /lib/systemd/systemd-logind
4026532319 uts 1 594 root /lib/systemd/systemd-machined
";
    let signs = filtered("! NPROCS > 1 && (TYPE == \"uts\" || UID > 100)", "-r");
    assert_eq!(signs, Outcome::success(listing));
    let words = filtered("NOT nprocs GT 1 AND (type EQ 'uts' OR uid GT 100)", "--raw");
    assert_eq!(words, signs);
}

#[test]
fn json_holds_the_remaining_rows_and_is_complete() {
    let json = r#"{
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
    {
      "ns": 4026531841,
      "nprocs": 103
    },
    {
      "ns": 4026532255,
      "nprocs": 2
    }
  ]
}
"#;
    let run = filtered("NPROCS > 1", "-t mnt -J -o NS,NPROCS");
    assert_eq!(run, Outcome::success(json));
}

#[test]
fn the_namespaces_of_one_process_are_filtered() {
    let listing = "        NS TYPE NPROCS   PID USER LINKS COMMAND
4026532205 mnt       1   206 root mnt   /lib/systemd/systemd-udevd
4026532206 uts       1   206 root uts   /lib/systemd/systemd-udevd
";
    let run = filtered("NPROCS == 1", "--pid 206");
    assert_eq!(run, Outcome::success(listing));
}

#[test]
fn the_processes_of_one_namespace_are_filtered() {
    let listing = "  PID  PPID USER COMMAND
    3     2 root rcu_gp
    4     2 root rcu_par_gp
    5     2 root slub_flushwq
    6     2 root netns
    8     2 root kworker/0:0H-events_highpri
   10     2 root mm_percpu_wq
   11     2 root rcu_tasks_rude_
";
    let run = filtered("PPID == 2 and PID < 12", "mnt:[4026531841]");
    assert_eq!(run, Outcome::success(listing));
}

#[test]
fn filtering_processes_leaves_their_namespace_unchanged_in_json() {
    let json = r#"{
  "version": 1,
  "complete": true,
  "gaps": [],
  "sources": [
    "processes",
    "threads"
  ],
  "boot_id": null,
  "time": null,
  "namespace": {
    "ns": 4026532255,
    "type": "mnt",
    "path": "/proc/513/ns/mnt",
    "nprocs": 2,
    "pid": 513,
    "ppid": 1,
    "command": "/usr/sbin/chronyd -F -1",
    "uid": 112,
    "user": "_chrony",
    "netnsid": null,
    "nsfs": [],
    "pns": null,
    "ons": null,
    "start": 866,
    "netns": null,
    "inferred": null,
    "links": [
      "mnt"
    ]
  },
  "namespaces": [
    {
      "ns": 4026532255,
      "type": "mnt",
      "path": "/proc/513/ns/mnt",
      "nprocs": 2,
      "pid": 513,
      "ppid": 1,
      "command": "/usr/sbin/chronyd -F -1",
      "uid": 112,
      "user": "_chrony",
      "netnsid": null,
      "nsfs": [],
      "pns": null,
      "ons": null,
      "start": 866,
      "netns": null,
      "inferred": null,
      "links": [
        "mnt"
      ]
    }
  ],
  "processes": [
    {
      "pid": 514
    }
  ]
}
"#;
    let run = filtered("PPID == 513", "-J -o PID 4026532255");
    assert_eq!(run, Outcome::success(json));
}

#[test]
fn a_list_is_searched_by_its_elements() {
    let listing = "        NS LINKS
4026531836 pid,pid_for_children
";
    let run = filtered("LINKS == 'pid_for_children'", "-o NS,LINKS");
    assert_eq!(run, Outcome::success(listing));
}

#[test]
fn an_empty_result_is_a_success() {
    let run = filtered("false", "");
    assert_eq!(
        run,
        Outcome::success("        NS TYPE NPROCS   PID USER COMMAND\n")
    );
    let json = r#"{
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
  "namespaces": []
}
"#;
    assert_eq!(filtered("PID > 99999", "-J"), Outcome::success(json));
}

/// The command line of PID 8 is not UTF-8, and the UID of PID 9 has no name.
#[test]
fn invalid_utf8_and_users_without_a_name_are_found() {
    let tree = Tree::new()
        .process(8, b"caf\xe9\0--latin1\0")
        .process(9, "nobody")
        .file(
            "proc/9/status",
            "Name:\tcomm\nUid:\t1000\t1000\t1000\t1000\n",
        );
    let processes = |expression| {
        Nsls::new(["-Q", expression, "-o", "PID,USER", "net:[4026531833]"])
            .sysroot(tree.path())
            .run()
    };
    let eight = Outcome::success("  PID USER\n    8 root\n");
    assert_eq!(processes(r"COMMAND =~ '^caf. --latin1$'"), eight);
    let nine = Outcome::success("  PID USER\n    9 1000\n");
    assert_eq!(processes("USER == 1000"), nine);
    assert_eq!(processes("USER =~ '^1000$' and UID == '1000'"), nine);
}

#[test]
fn a_caret_marks_a_missing_value() {
    let message = "cannot parse filter: expected a column, a value or '('
  NPROCS > 1 and
                ^";
    assert_eq!(filtered("NPROCS > 1 and", ""), Outcome::failure(2, message));
}

#[test]
fn a_misspelt_column_is_answered_with_the_nearest() {
    let message = "cannot parse filter: unknown column 'NPROC', nearest is NPROCS
  TYPE == 'net' && NPROC > 1
                   ^";
    let run = filtered("TYPE == 'net' && NPROC > 1", "-J");
    assert_eq!(run, Outcome::failure(2, message));
    let run = Nsls::words("-o NS,COMAND").run();
    let message = "unknown column 'COMAND', nearest is COMMAND";
    assert_eq!(run, Outcome::failure(2, message));
}

#[test]
fn an_unquoted_string_is_answered_with_a_hint_to_quote_it() {
    let message = "cannot parse filter: \
         unknown column 'net' (--list-columns shows them all); a string needs quotes
  TYPE == net
          ^";
    assert_eq!(filtered("TYPE == net", ""), Outcome::failure(2, message));
}

#[test]
fn a_caret_marks_an_invalid_regular_expression() {
    let message = "cannot parse filter: \
         invalid regular expression: found open group without closing ')'
  COMMAND =~ '(bash'
             ^";
    let run = filtered("COMMAND =~ '(bash'", "--pid 1");
    assert_eq!(run, Outcome::failure(2, message));
}

#[test]
fn an_error_sends_no_control_characters_to_the_terminal() {
    let message = "cannot parse filter: expected a comparison, 'and', 'or' or the end
  '世界'\\x0a\\x1b]0;x\\x07 = USER
            ^";
    let run = filtered("'世界'\n\x1b]0;x\x07 = USER", "");
    assert_eq!(run, Outcome::failure(2, message));
}

#[test]
fn deeply_nested_parentheses_are_refused_with_a_short_message() {
    let message = format!(
        "cannot parse filter: more than 64 parentheses and negations in one another
  ...{}...
  {:63}^",
        "(".repeat(120),
        ""
    );
    let run = filtered(&"(".repeat(100_000), "");
    assert_eq!(run, Outcome::failure(2, &message));
}

#[test]
fn every_example_of_the_guide_prints_the_documented_output() {
    let guide = include_str!("../docs/filter.md");
    let mut count = 0;
    for example in guide.split("```console\n$ ").skip(1) {
        let (line, rest) = example.split_once('\n').unwrap();
        let (printed, _) = rest.split_once("```").unwrap();
        let output = Command::new("sh")
            .args([
                "-c",
                &format!("nsls() {{ \"$NSLS\" --sysroot \"$ROOT\" \"$@\"; }}; {line} 2>&1"),
            ])
            .env("NSLS", binary())
            .env("ROOT", fixture("ubuntu-20.04"))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), printed, "{line}");
        count += 1;
    }
    assert!(count > 4);
}
