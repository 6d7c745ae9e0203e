use super::run;
use crate::common::{Outcome, skip};

/// Every process that is born or placed into a pid namespace takes a PID there,
/// and the last one taken is shown in loadavg(5). `newcomers` counts those since
/// it was last called.
const WATCH: &str = r#"
    mkfifo ask tell
    unshare -pfm --mount-proc --kill-child bash -c '
        while read -r; do read -r _ _ _ _ last < /proc/loadavg; echo $last; done
    ' < ask > tell &
    exec 8> ask 9< tell
    ask() { echo >&8; read -r last <&9; }
    newcomers() { local before=$last; ask; echo "$1: $((last - before))"; }
    ask
"#;

#[test]
fn nobody_is_sent_into_a_pid_namespace() {
    let script = format!(
        r#"{WATCH}
        "$NSLS" limits > /dev/null 2>&1; newcomers "limits $?"
        "$NSLS" --output-all > /dev/null 2>&1; newcomers "all columns $?"
        "$NSLS" -o +PIDMAX > /dev/null 2>&1; newcomers "PIDMAX $?"
        "$NSLS" -J --output-all > /dev/null 2>&1; newcomers "JSON $?"
        inside=$(pgrep -P "$(pgrep -P $$ -x unshare)")
        nsenter -t "$inside" -p true; newcomers "nsenter $?"
        "#
    );
    let Some(run) = run(&["mkfifo", "nsenter", "pgrep"], &script) else {
        return;
    };
    let expected = "limits 0: 0\nall columns 0: 0\nPIDMAX 0: 0\nJSON 0: 0\nnsenter 0: 1\n";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn the_largest_pid_of_another_pid_namespace_is_not_guessed() {
    let script = format!(
        r#"{WATCH}
        inside=$(pgrep -P "$(pgrep -P $$ -x unshare)")
        nsenter -t "$inside" -p -m sh -c 'echo 5000 > /proc/sys/kernel/pid_max'
        own=$(cat /proc/sys/kernel/pid_max)
        [ "$("$NSLS" -t pid -n -o PIDMAX -Q "PID == $inside" 2> why)" = "" ] && echo unknown
        grep -o 'pid_max .*' why
        [ $("$NSLS" --pid $$ -t pid -n -o PIDMAX) = "$own" ] && echo own
        if [ "$own" = 5000 ]; then echo global; fi
        "#
    );
    let Some(run) = run(&["mkfifo", "nsenter", "pgrep"], &script) else {
        return;
    };
    if run.stdout.ends_with("global\n") {
        return skip("this kernel has one pid_max for all");
    }
    let expected = "unknown\npid_max of 1 pid namespace can be read only inside\nown\n";
    assert_eq!(run, Outcome::success(expected));
}
