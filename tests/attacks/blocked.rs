//! Attacks by processes of which reading anything may take forever.

use super::run;
use crate::common::{Outcome, live, skip};

/// Looks in several ways while a process blocks those who read it, and shows
/// what was not read.
const LOOK: &str = r#"
    for arguments in "" "--strict" "--output-all" "-T" "-t uts"; do
        look $arguments > out 2> err; echo "$? $(grep -o 'it did not answer in time' err)"
    done
    look capture tree > out 2> err; echo "$? $(cat tree/proc/$told/ns/net)"
    look -J -t uts > out 2> err
    python3 -c '
import json
listing = json.load(open("out"))
print(listing["complete"], sorted({gap["cause"] for gap in listing["gaps"] if gap["hides"]}))
    '
"#;

/// Attacks with a program, shows that reading a file of the process blocks, and
/// expects that everything else does not.
fn is_a_gap(program: &str, file: &str) {
    let script = format!(
        r#"attack {program}; timeout 1 cat /proc/$told/{file}; echo $?
        {LOOK}"#
    );
    if !std::path::Path::new("/dev/fuse").exists() {
        return skip("there is no /dev/fuse");
    }
    let Some(run) = run(&["timeout"], &script) else {
        return;
    };
    let late = "it did not answer in time";
    let expected = format!(
        "124\n0 {late}\n3 {late}\n0 {late}\n0 {late}\n0 {late}\n0 ETIMEDOUT\nFalse ['blocked']\n"
    );
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn a_process_whose_command_line_blocks_is_a_gap() {
    if !live::has_time() {
        return;
    }
    is_a_gap("blocked_cmdline.py", "cmdline");
}

#[test]
fn a_process_that_never_ends_its_execve_is_a_gap() {
    if !live::has_time() {
        return;
    }
    is_a_gap("blocked_exec.py", "environ");
}
