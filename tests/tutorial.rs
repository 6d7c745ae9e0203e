//! Runs the commands of the tutorial in one shell and compares their output.

use crate::common::live;

const PAGE: &str = include_str!("../docs/tutorial.md");

/// A command, and the output that the page shows for it.
struct Step {
    command: &'static str,
    shown: String,
}

/// Returns the commands with a root prompt. The others do not depend on the
/// machine and are tested in `readme.rs`.
fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in PAGE.split("```console\n# ").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        for part in block.split("\n# ") {
            let (command, shown) = part.split_once('\n').unwrap_or((part, ""));
            let mut shown = shown.to_owned();
            if !shown.is_empty() && !shown.ends_with('\n') {
                shown.push('\n');
            }
            steps.push(Step { command, shown });
        }
    }
    steps
}

/// Removes what differs between machines: numbers of more than one digit that
/// no command contains, the padding that depends on their width, and the order
/// of namespaces, which is by number.
fn normal(text: &str, own_name: &str) -> Vec<String> {
    let known = ["1000", "1001"];
    let word = |word: &str| {
        let is_number = word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_digit());
        let is_own = is_number && !known.contains(&word);
        match word {
            _ if is_own => "N".to_owned(),
            _ if word == own_name => "myhost".to_owned(),
            _ => word.trim_end_matches('=').to_owned(),
        }
    };
    let line = |line: &str| {
        let words: Vec<_> = line.split_whitespace().map(word).collect();
        words.join(" ")
    };
    let mut lines: Vec<_> = text.lines().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn every_command_of_the_tutorial_prints_the_documented_output() {
    let tools = ["unshare", "hostname", "domainname", "pgrep", "stat"];
    if !live::can_unshare() || !live::has(&tools) {
        return;
    }
    let steps = steps();
    let mut script = String::from(
        r#"
        export LC_ALL=C.UTF-8
        nsls() { "$NSLS" "$@"; }
        # Uses up the PIDs of one digit, which are not normalized.
        for i in {1..120}; do /bin/true; done
        "#,
    );
    let mut sleeping = 0;
    for step in &steps {
        script.push_str(&format!("\necho '@@'\n{}\n", step.command));
        if step.command.ends_with('&') {
            sleeping += 1;
            script.push_str(&format!(
                "until [ \"$(pgrep -c '^sleep$')\" = {sleeping} ]; do sleep 0.02; done\n"
            ));
        }
    }
    let run = live::run(&script);
    let shown: Vec<_> = run.stdout.split("@@\n").skip(1).collect();
    assert_eq!(shown.len(), steps.len(), "{}\n{}", run.stdout, run.stderr);
    assert!(steps.len() > 12, "the page has lost its commands");
    let uname = rustix::system::uname();
    let own_name = uname.nodename().to_str().unwrap();
    let mut wrong = String::new();
    for (step, shown) in steps.iter().zip(shown) {
        // The shell of the test runs a script.
        let shown = shown.replace("bash script", "bash");
        if normal(&shown, own_name) != normal(&step.shown, own_name) {
            wrong.push_str(&format!("# {}\n{shown}", step.command));
        }
    }
    assert!(wrong.is_empty(), "it shows now:\n{wrong}\n{}", run.stderr);
}
