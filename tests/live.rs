//! The running system, compared with lsns where lsns is right.

use crate::common::{Outcome, live};

/// Runs a script, or returns `None` if its requirements are missing.
fn run(script: &str) -> Option<Outcome> {
    (live::can_unshare() && live::has(&["lsns", "setpriv", "perl"])).then(|| live::run(script))
}

/// Starts processes in namespaces of each type, some nested, one after the
/// other.
const TOPOLOGY: &str = r#"
    settle() { until [ "$(pgrep -c '^sleep$')" = "$1" ]; do sleep 0.02; done; }
    unshare --uts sleep 1000 & settle 1
    unshare --ipc --net sleep 1001 & settle 2
    unshare --mount --cgroup sleep 1002 & settle 3
    unshare --time --fork sleep 1003 & settle 4
    unshare --user --map-root-user sleep 1004 & settle 5
    unshare --user --map-root-user --pid --fork --mount-proc sleep 1005 & settle 6
    unshare --pid --fork unshare --pid --fork sleep 1006 & settle 7
    setpriv --reuid 65534 --clear-groups sleep 1007 & settle 8
"#;

#[test]
fn every_namespace_with_a_process_is_listed_like_lsns() {
    let script = format!(
        r#"{TOPOLOGY}
        columns=NS,TYPE,NPROCS,PID,PPID,UID,USER,PNS,ONS,NSFS,PATH,COMMAND
        "$NSLS" -Q 'NPROCS > 0' -r -o $columns > nsls 2> /dev/null
        lsns -l -r -o $columns > lsns
        sort nsls > nsls.sorted; sort lsns > lsns.sorted
        diff lsns.sorted nsls.sorted && wc -l < nsls
        for type in mnt net ipc user pid uts cgroup time; do
            "$NSLS" -Q 'NPROCS > 0' -t $type -r -n -o $columns > nsls 2> /dev/null
            lsns -l -t $type -r -n -o $columns > lsns
            sort nsls > nsls.sorted; sort lsns > lsns.sorted
            diff lsns.sorted nsls.sorted && echo "$type $(wc -l < nsls)"
        done
        for pid in $(pgrep '^sleep$'); do
            "$NSLS" -p $pid -Q 'NPROCS > 0' -l -r -n -o $columns > nsls 2> /dev/null
            lsns -p $pid -l -r -n -o $columns > lsns
            sort nsls > nsls.sorted; sort lsns > lsns.sorted
            diff lsns.sorted nsls.sorted && wc -l < nsls
        done
        for ns in $(lsns -l -n -r -o NS); do
            "$NSLS" $ns -l -r -o PID,PPID,USER,COMMAND > nsls 2> /dev/null
            lsns -l -r $ns -o PID,PPID,USER,COMMAND > lsns
            grep -v nsls nsls > nsls.others; grep -v lsns lsns > lsns.others
            diff lsns.others nsls.others || echo "$ns differs"
        done
        "#
    );
    let Some(run) = run(&script) else { return };
    // Two further pid namespaces are nested in one, and one time namespace is
    // only for children.
    let expected = "21\nmnt 3\nnet 2\nipc 2\nuser 3\npid 4\nuts 2\ncgroup 2\ntime 2\n\
                    8\n8\n8\n8\n8\n8\n8\n8\n";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn namespaces_for_children_of_a_process_are_shown() {
    let script = r#"
        python3 -c 'import ctypes, time; ctypes.CDLL(None).unshare(0x80); time.sleep(1000)' &
        until [ "$(readlink /proc/$!/ns/time)" != "$(readlink /proc/$!/ns/time_for_children)" ]; do
            sleep 0.02; done
        "$NSLS" -t time -p $! -n -r -o TYPE,NPROCS,LINKS
        "$NSLS" -t time -p $! -J -o pid,links
    "#;
    let Some(run) = run(script) else { return };
    let expected = "time 3 time
time 0 time_for_children
{
  \"version\": 1,
  \"complete\": true,
  \"gaps\": [],
  \"sources\": [
    \"processes\"
  ],
  \"boot_id\": ID,
  \"time\": NOW,
  \"namespaces\": [
    {
      \"pid\": 1,
      \"links\": [
        \"time\"
      ]
    },
    {
      \"pid\": null,
      \"links\": [
        \"time_for_children\"
      ]
    }
  ]
}
";
    let lines = run.stdout.lines().map(|line| match line.split_once(": ") {
        Some(("  \"boot_id\"", _)) => "  \"boot_id\": ID,\n".to_owned(),
        Some(("  \"time\"", _)) => "  \"time\": NOW,\n".to_owned(),
        _ => format!("{line}\n"),
    });
    let stdout: String = lines.collect();
    let run = Outcome { stdout, ..run };
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn a_pid_namespace_before_its_first_process_is_a_gap() {
    let script = r#"
        python3 -c 'import ctypes, time; ctypes.CDLL(None).unshare(0x20000000); time.sleep(1000)' &
        while [ -e /proc/$!/ns/pid_for_children ]; do sleep 0.02; done
        "$NSLS" -t pid --sources processes -n -o TYPE,NPROCS
        "$NSLS" -t pid --sources processes --strict -n -o TYPE,NPROCS > /dev/null 2>&1 || echo $?
    "#;
    let Some(run) = run(script) else { return };
    let gap = "nsls: 1 process holds a pid namespace that is invisible before its first child\n";
    let expected = Outcome {
        stderr: gap.to_owned(),
        ..Outcome::success("pid 3\n3\n")
    };
    assert_eq!(run, expected);
}

#[test]
fn a_zombie_remains_in_two_namespaces_which_only_verbose_says() {
    let script = r#"
        perl -e 'fork or exit; sleep 1000' &
        until grep -q '^State:.Z' /proc/[0-9]*/status; do sleep 0.02; done
        "$NSLS" --sources processes -n -r -o TYPE,NPROCS
        "$NSLS" -v --sources processes -n -r -t time -o TYPE
        "$NSLS" -v --sources processes -J -t time -o TYPE | grep -o 'zombie"'
    "#;
    let Some(run) = run(script) else { return };
    let rows = "net 3\ntime 3\ncgroup 3\npid 4\nuser 4\nuts 3\nipc 3\nmnt 3\n";
    let expected = Outcome {
        stderr: "nsls: 1 zombie is left in its pid and user namespaces only\n".to_owned(),
        ..Outcome::success(format!("{rows}time\nzombie\"\n"))
    };
    let sorted = |run: Outcome| {
        let mut lines: Vec<_> = run.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        (run.status, lines, run.stderr)
    };
    assert_eq!(sorted(run), sorted(expected));
}

#[test]
fn an_ordinary_user_is_told_what_is_missing() {
    let script = r#"
        sleep 1000 & sleep 1001 &
        cp "$NSLS" nsls; chmod 755 . nsls
        nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        nobody ./nsls -t uts --sources processes -n -o TYPE,NPROCS
        nobody ./nsls -t uts --sources processes --strict -n -o TYPE,NPROCS
        echo $?
        nobody ./nsls -t uts -J > json; grep complete json
        nobody ./nsls -p 1
        echo $?
        nobody ./nsls -p 999999
        echo $?
        nobody lsns -p 1; echo "lsns: $?"
    "#;
    let Some(run) = run(script) else { return };
    let missing = "nsls: 3 of 4 processes could not be read (permission denied); \
                   run as root for the rest, or let --infer guess some of it\n";
    let expected = Outcome {
        status: 0,
        stdout: "uts 1\nuts 1\n3\n  \"complete\": false,\n1\n1\nlsns: 0\n".to_owned(),
        stderr: format!(
            "{missing}{missing}\
             nsls: cannot read the namespaces of process 1: permission denied; nsls explain denied says more\n\
             nsls: no process 999999\n"
        ),
    };
    assert_eq!(run, expected);
}

#[test]
fn a_procfs_that_hides_processes_is_distinguished_from_an_empty_one() {
    let script = r#"
        sleep 1000 &
        cp "$NSLS" nsls; chmod 755 . nsls
        nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        for hidepid in noaccess invisible; do
            mount -o remount,hidepid=$hidepid /proc
            nobody ./nsls -t uts --sources processes -n -o TYPE,NPROCS
            nobody ./nsls -p 1
        done
    "#;
    let Some(run) = run(script) else { return };
    let expected = Outcome {
        status: 1,
        stdout: "uts 1\nuts 1\n".to_owned(),
        stderr: "nsls: 2 of 3 processes are hidden (hidepid); run as root for the rest\n\
                 nsls: cannot read the namespaces of process 1: operation not permitted; nsls explain hidden says more\n\
                 nsls: other users' processes are hidden (hidepid); run as root for the rest\n\
                 nsls: cannot read the namespaces of process 1: operation not permitted; nsls explain hidden says more\n"
            .to_owned(),
    };
    assert_eq!(run, expected);
}

#[test]
fn a_namespace_is_found_under_each_of_its_names() {
    let script = r#"
        unshare --net sleep 1000 &
        until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/1/ns/net)" ]; do sleep 0.02; done
        link=$(readlink /proc/$!/ns/net); ino=${link//[!0-9]/}
        touch 'blue net'; mount --bind /proc/$!/ns/net 'blue net'; mkfifo fifo
        for name in $ino "$link" /proc/$!/ns/net 'blue net' "$PWD/blue net"; do
            "$NSLS" -n "$name" -o COMMAND
        done
        "$NSLS" fifo; "$NSLS" ./missing; "$NSLS" 4194305; "$NSLS" net:[1] -t uts; "$NSLS" /proc/1/ns/net -t uts
    "#;
    let Some(run) = run(script) else { return };
    let expected = Outcome {
        status: 1,
        stdout: "sleep 1000\n".repeat(5),
        stderr: "nsls: fifo is not a namespace; nsls --help shows what may be given\n\
                 nsls: cannot read ./missing: no such file or directory\n\
                 nsls: no namespace 4194305; nsls lists those there are\n\
                 nsls: net:[1] is a net namespace, which --type leaves out; name that type, or none\n\
                 nsls: /proc/1/ns/net is a net namespace, which --type leaves out; name that type, or none\n"
            .to_owned(),
    };
    assert_eq!(run, expected);
}

#[test]
fn a_namespace_of_a_thread_alone_is_found() {
    let script = r#"
        python3 -c '
import ctypes, threading, time
def away():
    ctypes.CDLL(None).unshare(0x4000000)
    print(threading.get_native_id(), flush=True)
    time.sleep(1000)
threading.Thread(target=away).start()' > tid &
        until [ -s tid ]; do sleep 0.02; done
        tid=$(cat tid); path=/proc/$!/task/$tid/ns/uts
        "$NSLS" -t uts -p $tid -n -r -o TYPE,NPROCS,LINKS
        [ "$("$NSLS" -t uts -P -n -r -o PATH)" = $path ] && echo found
        "$NSLS" $path
    "#;
    let Some(run) = run(script) else { return };
    let expected = Outcome::success("uts 0 uts\nfound\n  PID  PPID USER COMMAND\n");
    assert_eq!(run, expected);
}

#[test]
fn the_kernel_is_not_asked_by_pids_of_another_pid_namespace() {
    let script = r#"
        python3 -c '
import os, socket, time
if os.fork() == 0:
    kept = socket.socket()
    print(os.getpid(), flush=True)
time.sleep(1000)' > pid &
        until [ -s pid ]; do sleep 0.02; done
        unshare --pid --fork --mount-proc sleep 1000 &
        until beside=$(pgrep -n -x sleep) && [ -e /proc/$beside/ns/net ]; do sleep 0.02; done
        # The contents of the kernel's list depend on its version.
        sources=processes,fds,sockets,mounts
        unshare --pid --fork "$NSLS" -n -r -t net -o NPROCS --sources $sources > list 2> gaps
        cat list gaps
        nsenter --target $beside --mount "$NSLS" -n -r -t net -o NPROCS,COMMAND --sources $sources
        nsenter --target $beside --mount "$NSLS" -p 99
    "#;
    if !live::has(&["python3", "nsenter"]) {
        return;
    }
    let Some(run) = run(script) else { return };
    let foreign = "(/proc belongs to another pid namespace)";
    let expected = Outcome {
        status: 1,
        stdout: format!(
            "7\nnsls: sockets of 1 process could not be read {foreign}\n1 sleep\\x201000\n"
        ),
        stderr: format!(
            "nsls: mounts of 1 mount namespace could not be read {foreign}\nnsls: no process 99\n"
        ),
    };
    assert_eq!(run, expected);
}

#[test]
fn trees_are_drawn_like_lsns() {
    let script = format!(
        r#"{TOPOLOGY}
        export LC_ALL=C.UTF-8
        unshare --user --map-root-user unshare --user --map-root-user sleep 1008 & settle 9
        columns=NS,TYPE,NPROCS,USER,COMMAND
        lsns --tree=owner -o $columns; echo ==
        "$NSLS" --tree -o $columns 2> /dev/null; echo ==
        # lsns does not select by several types.
        lsns --tree=parent -o $columns > lsns; sed '/ user\| pid\|^NS/!d' lsns; echo ==
        "$NSLS" --tree=parent -t pid,user -o $columns 2> /dev/null
        "#
    );
    let Some(run) = run(&script) else { return };
    let trees: Vec<&str> = run.stdout.split("==\n").collect();
    let [owner, own_owner, parent, own_parent] = trees[..] else {
        panic!("{run:?}")
    };
    for (theirs, ours, rows) in [(owner, own_owner, 23), (parent, own_parent, 10)] {
        assert_eq!(live::edges(ours), live::edges(theirs), "{}", run.stdout);
        assert_eq!(live::edges(ours).len(), rows, "{}", run.stdout);
    }
}

#[test]
fn namespaces_without_processes_are_listed_alone_and_below_their_owner() {
    let script = r#"
        touch net; unshare --net=net true
        "$NSLS" -P -n -r -o TYPE,NPROCS,USER,NSFS > list; sed "s|$PWD|DIR|" list
        "$NSLS" -P -T -t net -n -o TYPE,NPROCS,USER 2> /dev/null
        "$NSLS" -P -p 1
    "#;
    let Some(run) = run(script) else { return };
    assert_eq!(run.status, 2);
    assert_eq!(
        run.stdout,
        "net 0 root DIR/net\nuser  2 root\n`-net 0 root\n"
    );
    let usage = "nsls: --persistent cannot be used with --pid: choose one\n";
    assert_eq!(run.stderr, usage);
}

#[test]
fn the_parent_of_the_callers_pid_namespace_lies_outside() {
    let Some(run) = run(r#""$NSLS" -t pid -n -o TYPE,NPROCS,PNS"#) else {
        return;
    };
    assert_eq!(run, Outcome::success("pid 2          0\n"));
}
