//! Attacks by what is never where it was.

use super::run;
use crate::common::{Outcome, live};

/// Looks for the namespace in `$told`, among three hundred other processes.
const LOOK: &str = r#"
    for number in $(seq 300); do sleep 1000 & done
    for number in $(seq 20); do
        look -t net -J -o ns > out 2> err || echo "exit code $?"
        python3 -c '
import json, sys
listing = json.load(open("out"))
listed = any(row["ns"] == int(sys.argv[1]) for row in listing["namespaces"])
print("listed or a gap" if listed or not listing["complete"] else "missed")
        ' $told
    done | sort | uniq -c
"#;

#[test]
fn a_process_that_hops_from_pid_to_pid_hides_nothing_unnoticed() {
    if !live::has_time() {
        return;
    }
    let script = format!("attack hop.pl; {LOOK}");
    let Some(run) = run(&["perl"], &script) else {
        return;
    };
    assert_eq!(run, Outcome::success("     20 listed or a gap\n"));
}

#[test]
fn a_file_that_changes_its_number_hides_nothing_unnoticed() {
    if !live::has_time() {
        return;
    }
    for bpf in [0, 1] {
        let script = format!("export NSLS_BPF={bpf}; attack renumber.py; {LOOK}");
        let Some(run) = run(&[], &script) else {
            return;
        };
        assert_eq!(run, Outcome::success("     20 listed or a gap\n"), "{bpf}");
    }
}
