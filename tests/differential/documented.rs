//! Runs the commands of docs/lsns.md with both tools.

use super::tools;
use crate::common::page::{Step, normal, steps};
use crate::common::{Lsns, live};

const PAGE: &str = include_str!("../../docs/lsns.md");

/// A block of commands that begin with a prompt.
struct Block {
    prompt: &'static str,
    /// The versions of lsns that it is about; all if empty.
    versions: Vec<&'static str>,
    steps: Vec<Step<'static>>,
}

/// Returns the blocks that need a running system. `readme.rs` runs the others.
fn blocks() -> Vec<Block> {
    let parts: Vec<_> = PAGE.split("```").collect();
    let mut blocks = Vec::new();
    for pair in parts.chunks(2) {
        let [before, block] = pair else { continue };
        let Some(block) = block.strip_prefix("console\n") else {
            continue;
        };
        let prompt = if block.starts_with("# ") { "# " } else { "$ " };
        let steps = steps(block, prompt);
        if steps.iter().any(|step| step.command.contains("--sysroot")) {
            continue;
        }
        let mark = before.trim_end().strip_suffix(" -->");
        let mark = mark.and_then(|before| before.rsplit_once("<!-- lsns "));
        blocks.push(Block {
            prompt,
            versions: mark.map_or(Vec::new(), |(_, mark)| mark.split(' ').collect()),
            steps,
        });
    }
    blocks
}

/// Begins a script: `settled` waits until the last process in the background sleeps.
const BEGIN: &str = r#"
    export LC_ALL=C.UTF-8
    mount -t tmpfs tmpfs /root; cd /root
    cp "$NSLS" /root/nsls; chmod 755 /root /root/nsls
    nsls() { /root/nsls "$@"; }
    settled() {
        until grep -q '^State:.S' /proc/$!/status && ! grep -Eqx 'Name:.(bash|unshare)' /proc/$!/status; do
            sleep 0.02
        done
        sleep 0.1
    }
    # Uses up the PIDs of one digit, which are not normalized.
    for i in {1..120}; do /bin/true; done
"#;

fn script(block: &Block, lsns: &Lsns) -> String {
    let mut script = format!("{BEGIN}\nlsns() {{ command {} \"$@\"; }}\n", lsns.path);
    script.push_str("mkdir net; cd net\n");
    if block.prompt == "$ " {
        script.push_str("export -f nsls lsns\n");
    }
    for (place, step) in block.steps.iter().enumerate() {
        script.push_str("echo '@@'\n");
        match block.prompt {
            "# " => script.push_str(&format!("{{ {}\n}} 2>&1\n", step.command)),
            _ => script.push_str(&format!(
                "cat > {place} <<'END'\n{}\nEND\n\
                 setpriv --reuid 65534 --regid 65534 --clear-groups bash {place} 2>&1\n",
                step.command
            )),
        }
        if step.command.contains(" &") {
            script.push_str("settled\n");
        }
    }
    script
}

#[test]
fn every_command_of_the_page_prints_with_both_tools_what_it_shows() {
    let blocks = blocks();
    assert!(blocks.len() > 10, "the page has lost its commands");
    // Sizes, that nothing else has.
    let known = ["8197", "13909"];
    let mut wrong = String::new();
    for lsns in tools(&["jq", "perl", "awk"]) {
        for block in &blocks {
            let run = live::run(&script(block, &lsns));
            let shown: Vec<_> = run.stdout.split("@@\n").skip(1).collect();
            assert_eq!(shown.len(), block.steps.len(), "{run}");
            let is_about = block.versions.is_empty() || block.versions.contains(&&*lsns.version);
            for (step, shown) in block.steps.iter().zip(shown) {
                let shown = shown.replace("bash script", "bash");
                let is_of_lsns = step.command.starts_with("lsns");
                if (is_of_lsns && !is_about)
                    || normal(&shown, &known) == normal(&step.shown, &known)
                {
                    continue;
                }
                let version = &lsns.version;
                wrong.push_str(&format!(
                    "{version}: {}{}\n{shown}",
                    block.prompt, step.command
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "it shows now:\n{wrong}");
}
