//! Attacks by what is too long to be read.

use super::run;
use crate::common::{Outcome, live};

#[test]
fn a_command_line_of_gigabytes_is_cut_and_named() {
    if !live::has_time() {
        return;
    }
    let script = r#"
        attack long_cmdline.py
        head -c 3221225473 /proc/$told/cmdline | wc -c
        for arguments in "" "-J" "--output-all" "--pid $told" "-J --strict" "-T"; do
            look $arguments -t uts > out 2> err; echo "$? $(grep -o 'details .*' err)"
        done
        look -J -t uts -o pid,command 2> err | python3 -c '
import json, sys
listing = json.load(sys.stdin)
print(listing["complete"], [(gap["source"], gap["cause"], gap["count"]) for gap in listing["gaps"]])
print([len(row["command"]) for row in listing["namespaces"] if row["pid"] == int(sys.argv[1])])
        ' $told
        look capture --pid $told tree > out 2>&1; echo $?
        [ $(du -s tree | cut -f 1) -lt 4096 ] && echo small
    "#;
    let Some(run) = run(&[], script) else {
        return;
    };
    let cut = "details of 1 process could not be read (too long)";
    let expected = format!(
        "3221225472\n0 {cut}\n0 \n0 {cut}\n0 {cut}\n3 \n0 {cut}\n\
         False [('details', 'truncated', 1)]\n[262143]\n0\nsmall\n"
    );
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn a_mount_table_of_gigabytes_is_cut_and_named() {
    if !live::has_time() {
        return;
    }
    let script = r#"
        mount -t tmpfs tmpfs . && cd "$PWD" && ulimit -n 1024
        python3 "$ATTACKS/long_mounts.py" 300 || exit
        [ $(wc -l < /proc/self/mountinfo) -gt 1500 ] && echo many
        [ $(tail -n 1 /proc/self/mountinfo | wc -c) -gt 500000 ] && echo long
        look -t uts > out 2> err; echo $?; cat err
        look -t uts -J --strict > out 2> err; echo $?
        grep -c '"complete": false' out
    "#;
    let Some(run) = run(&[], script) else {
        return;
    };
    if run.stdout.contains("lowerdir") {
        return crate::common::skip("overlayfs takes no directories by descriptor here");
    }
    let cut = "nsls: mounts of 1 mount namespace could not be read (too long)";
    let expected = format!("many\nlong\n0\n{cut}\n3\n1\n");
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn messages_without_end_are_cut_and_named() {
    if !live::has_time() {
        return;
    }
    let script = r#"
        attack in_flight.py
        [ $told -gt 1000000 ] && echo many
        for arguments in "" "--strict" "--output-all"; do
            look --bpf -t net $arguments > out 2> err
            echo "$? $(grep -o 'open files of 1 process could not be read (too long)' err)"
        done
    "#;
    if !crate::bpf::is_possible() {
        return;
    }
    let Some(run) = run(&[], script) else {
        return;
    };
    let cut = "open files of 1 process could not be read (too long)";
    let expected = format!("many\n0 {cut}\n3 {cut}\n0 {cut}\n");
    assert_eq!(run, Outcome::success(expected));
}
