//! Runs the commands of the tutorial in one shell and compares their output.

use crate::common::live;
use crate::common::page::{self, Step};

const PAGE: &str = include_str!("../docs/tutorial.md");

/// Returns the commands with a root prompt. The others do not depend on the
/// machine and are tested in `readme.rs`.
fn steps() -> Vec<Step<'static>> {
    let blocks = PAGE.split("```console\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split_once("```"));
    let blocks = blocks.filter(|(block, _)| block.starts_with("# "));
    blocks
        .flat_map(|(block, _)| page::steps(block, "# "))
        .collect()
}

/// Removes what differs between machines.
fn normal(text: &str, own_name: &str) -> Vec<String> {
    page::normal(&text.replace(own_name, "myhost"), &["1000", "1001"])
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
