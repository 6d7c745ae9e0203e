//! `nsls exec` on the running system.

use crate::common::{Nsls, Outcome, live};

/// Runs a script after the helpers.
fn run(tools: &[&str], script: &str) -> Option<Outcome> {
    live::run_with(tools, &format!("{HELPERS}{script}"))
}

/// `settle COUNT` waits until COUNT processes sleep; `pid N` prints the PID of
/// the one that sleeps N seconds; `names` replaces numbers of namespaces.
const HELPERS: &str = r#"
    settle() { until [ "$(pgrep -c '^sleep$')" = "$1" ]; do sleep 0.02; done; }
    pid() { pgrep -f "^sleep $1"; }
    ino() { local link=$(readlink /proc/$1/ns/$2); echo "${link//[!0-9]/}"; }
    names() { sed 's/[0-9]\{10\}/N/g'; }
"#;

#[test]
fn a_command_runs_in_each_network_by_its_name() {
    let Some(run) = run(
        &["ip"],
        r#"
        mount -t tmpfs tmpfs /run
        ip netns add blue; ip netns add red; ip netns exec red ip link set lo up
        "$NSLS" exec -t net --host no -- sh -c 'ip -o link | grep -c LOWER_UP; echo {} >&2' 2> why
        echo $?
        "$NSLS" exec /run/netns/red -- sh -c 'echo "[{}]"; readlink /proc/self/ns/net' 2>> why | names
        [ "$("$NSLS" exec /run/netns/red -- echo {ns} 2>> why)" = "red: $(stat -L -c %i /run/netns/red)" ]
        echo $?
        "$NSLS" exec -P -t net -- echo {pid} 2>> why; echo $?
        names < why >&2
        umount -l /run/netns/* /run
        "#,
    ) else {
        return;
    };
    // Of two names the one with the lower number comes first.
    let mut lines: Vec<_> = run.stdout.lines().collect();
    lines.get_mut(..2).unwrap_or_default().sort_unstable();
    let expected = [
        "blue: 0",
        "red: 1",
        "0",
        "red: [red]",
        "red: net:[N]",
        "0",
        "1",
    ];
    assert_eq!(lines, expected);
    let mut lines: Vec<_> = run.stderr.lines().collect();
    lines.sort_unstable();
    let expected = [
        "blue: blue",
        "nsls: blue: entering net:[N]",
        "nsls: blue: no process for {pid}",
        "nsls: red: entering net:[N]",
        "nsls: red: entering net:[N]",
        "nsls: red: entering net:[N]",
        "nsls: red: no process for {pid}",
        "red: red",
    ];
    assert_eq!((lines, run.status), (expected.to_vec(), 0));
}

#[test]
fn exit_codes_are_those_of_xargs() {
    let Some(run) = run(
        &["hostname"],
        r#"
        unshare -u sh -c 'hostname blue; exec sleep 1000' & settle 1
        blue="--pid $(pid 1000) -t uts"
        for command in true 'exit 7' 'exit 254' 'exit 255' 'kill -9 $$' 'exit 126' 'exit 127'; do
            "$NSLS" exec $blue -- sh -c "$command" 2> why; echo "$command: $?"
            grep -v entering why | sed "s/^nsls: $(pid 1000)/nsls: PID/"
        done
        "$NSLS" exec $blue -- /dev/null 2> /dev/null; echo $?
        "$NSLS" exec $blue -- /nothing/here 2> /dev/null; echo $?
        # The worst of two counts.
        "$NSLS" exec -t uts -- sh -c '[ $(hostname) = blue ]' 2> /dev/null; echo $?
        "$NSLS" exec -t uts -Q 'NS == 1' -- true 2>&1; echo $?
        "#,
    ) else {
        return;
    };
    let expected = r"true: 0
exit 7: 123
exit 254: 123
exit 255: 124
nsls: PID: sh exited with 255
kill -9 $$: 125
nsls: PID: sh was killed by signal 9
exit 126: 126
exit 127: 127
126
127
123
nsls: no namespace matches; nsls without conditions lists all
1
";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn several_commands_run_at_once_if_asked() {
    let Some(run) = run(
        &["mkfifo"],
        r#"
        unshare -u sleep 1000 & unshare -u sleep 1001 & settle 2
        mkfifo fifo
        # One writes what the other reads: neither ends alone.
        meet='case {pid} in '$(pid 1000)') echo met > fifo ;; '$(pid 1001)') cat fifo ;; esac'
        timeout 20 "$NSLS" exec -j 2 -t uts -Q 'COMMAND =~ "^sleep"' -- sh -c "$meet" 2> why
        echo $?; grep -c entering why
        "#,
    ) else {
        return;
    };
    let stdout = run.stdout.split_once(": ").map(|(_, rest)| rest);
    assert_eq!((stdout, &*run.stderr), (Some("met\n0\n2\n"), ""));
}

#[test]
fn all_types_are_entered_only_on_request() {
    let Some(run) = run(
        &["hostname"],
        r#"
        unshare -fpmu --mount-proc sh -c 'hostname blue; sleep 1000; true' & settle 1
        blue="--pid $(pid 1000)"
        "$NSLS" exec $blue -- hostname 2> why | sed 's/^[0-9]*: //'
        sed 's/^nsls: [0-9]*/nsls: PID/' why | names
        "$NSLS" exec $blue --all -- sh -c 'hostname; echo $(($$ < 10)); exit 9' > out 2> why; echo $?
        sed 's/^[0-9]*: //' out
        sed 's/^nsls: [0-9]*/nsls: PID/' why | names
        "$NSLS" exec $blue --all -- sh -c 'kill -15 $$' > out 2> why; echo $?
        "$NSLS" exec $blue --all -- /nothing/here > out 2> why; echo $?
        "#,
    ) else {
        return;
    };
    let expected = "blue
nsls: PID: entering uts:[N]
123
blue
1
nsls: PID: entering mnt:[N], pid:[N], uts:[N]
125
127
";
    assert_eq!(
        (run.stdout, run.stderr),
        (expected.to_owned(), String::new())
    );
}

#[test]
fn in_a_user_namespace_a_command_is_root_of_that_and_not_of_the_host() {
    let Some(run) = run(
        &["setpriv"],
        r#"
        setpriv --reuid 4321 --regid 4321 --clear-groups unshare -Ur sleep 1000 & settle 1
        "$NSLS" exec -p $(pid 1000) -t user -- sh -c 'id -u; stat -c %u /proc/self/' 2> /dev/null |
            sed 's/^[0-9]*: //'
        "$NSLS" exec -p $(pid 1000) -t user -- cat /proc/self/uid_map 2> /dev/null | grep -c 4321
        # Nobody is root in this one.
        unshare -U sleep 1001 & settle 2
        "$NSLS" exec -p $(pid 1001) -t user -- true 2> why; echo $?
        sed 's/^nsls: [0-9]*/nsls: PID/' why | names
        "#,
    ) else {
        return;
    };
    let expected = "0
0
1
1
nsls: PID: entering user:[N]
nsls: PID: cannot become root of the user namespace: invalid argument
";
    assert_eq!(run.stdout, expected);
}

#[test]
fn a_namespace_that_cannot_be_entered_does_not_stop_the_others() {
    let Some(run) = run(
        &["setpriv"],
        r#"
        setpriv --reuid 4321 --regid 4321 --clear-groups unshare -Ur sh -c 'unshare -u sleep 1000 & exec sleep 1001' &
        setpriv --reuid 4321 --regid 4321 --clear-groups unshare -Uru sleep 1002 & settle 3
        cp "$NSLS" nsls; chmod 755 . nsls
        setpriv --reuid 4321 --regid 4321 --clear-groups ./nsls exec -t uts -Q 'COMMAND =~ "^sleep"' -- true 2> why
        echo $?; grep -c 'cannot enter the uts namespace: operation not permitted' why
        "#,
    ) else {
        return;
    };
    assert_eq!((run.stdout.as_str(), &*run.stderr), ("1\n2\n", ""));
}

#[test]
fn a_namespace_is_entered_through_whatever_holds_it() {
    let Some(run) = run(
        &["hostname"],
        r#"
        mkfifo ready
        unshare -u sh -c 'hostname held; echo > ready; exec sleep 1000' & read -r < ready; settle 1
        exec 8< /proc/$!/ns/uts; kill $!; wait $! 2> /dev/null
        "$NSLS" exec -P -t uts -- hostname 2> why | names; names < why
        "$NSLS" exec -P -t uts --all -- hostname 2> why; echo $?; names < why
        "#,
    ) else {
        return;
    };
    let expected = "uts:[N]: held
nsls: uts:[N]: entering uts:[N]
1
nsls: uts:[N]: no process is in uts:[N]
";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn what_a_command_writes_is_passed_on_but_escaped_on_a_terminal() {
    let Some(run) = run(
        &["script"],
        r#"
        unshare -u sleep 1000 & settle 1
        command="$NSLS exec -p $(pid 1000) -t uts --"
        $command printf 'a\033[31mb\n\377' 2> /dev/null | sed 's/^[0-9]*: //' | od -An -c | tr -s ' '
        echo "$command printf 'a\\033[31mb\\n' 2> /dev/null" > shown
        script -qec 'sh shown' /dev/null < /dev/null | tr -d '\r' | sed 's/^[0-9]*: //'
        "#,
    ) else {
        return;
    };
    let expected = " a 033 [ 3 1 m b \\n 377 \\n\na\\x1b[31mb\n";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn a_reader_that_has_read_enough_ends_it() {
    let Some(run) = run(
        &["yes"],
        r#"
        unshare -u sleep 1000 & settle 1
        timeout 20 "$NSLS" exec -p $(pid 1000) -t uts -- yes 2> /dev/null | head -n 1 | sed 's/^[0-9]*: //'
        echo "${PIPESTATUS[0]}"
        "#,
    ) else {
        return;
    };
    assert_eq!(run, Outcome::success("y\n0\n"));
}

#[test]
fn without_a_choice_of_namespaces_nothing_runs() {
    let message = "no namespaces chosen: give NAMESPACE, --type, --filter or --container";
    let run = Nsls::words("exec -- true").run();
    assert_eq!(run, Outcome::failure(2, message));
}
