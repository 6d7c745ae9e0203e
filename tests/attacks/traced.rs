//! An attack by root of a user namespace, who shares the pid namespace of nsls,
//! on the child that reads the limits there.

use super::run;
use crate::common::Outcome;

#[test]
fn a_child_that_reads_limits_can_be_stopped_but_not_traced() {
    let Some(run) = run(
        &["nsenter", "cut"],
        r#"
        chmod 777 .
        attack trace_child.py
        # Others who enter are.
        nsenter --user --preserve-credentials -t $told sleep 1000 &
        until grep -q traced caught; do sleep 0.02; done
        cut -d ' ' -f 1 caught
        : > caught
        for i in 1 2 3 4 5 6; do
            [ $i -lt 5 ] || : > stop
            look limits -J > out 2> err; echo $?
        done
        grep -c traced caught || true
        "#,
    ) else {
        return;
    };
    assert_eq!(run, Outcome::success("traced\n0\n0\n0\n0\n0\n0\n0\n"));
}
