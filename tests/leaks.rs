//! `nsls leaks` on the running system: every leak comes with a command, which
//! ends it.

use crate::common::{Nsls, Outcome, live};
use crate::holders::WAYS;

/// Keeps namespaces in every way, and runs for each what `nsls leaks` says. Varying
/// numbers are replaced by words.
const RELEASE: &str = r#"
    mount --make-rprivate /
    mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns
    mkdir -p tmp && mount -t tmpfs tmpfs tmp && cd tmp
    python3 -u ../ways.py > ways & started=$!; disown
    until grep -q '^all$' ways 2> /dev/null; do kill -0 $started || exit 9; sleep 0.05; done
    "$NSLS" leaks -r -n > leaks 2> /dev/null; echo "exit code $?"
    while read -r way kind number pid; do
        [ $way = all ] && break
        line=$(grep "^$kind $number " leaks) || { echo "$way: $kind is no leak"; continue; }
        release=$(printf %b "${line##* }")
        if [ -z "$release" ]; then
            grep -q "kill.x20$pid\$" leaks && release="kill $pid" && way="$way (with another)"
        fi
        echo "$way: $kind $release" |
            sed -E "s/\\b$pid\\b/PID/g; s/proc\/[0-9]+/proc\/PID/; s/fd\/[0-9]+/fd\/N/; s|$PWD|DIR|g"
        way=${way%% *}
        echo "$way $kind $number $release" >> todo
    done < ways
    while read -r way kind number release; do sh -c "$release" 2> /dev/null; done < todo
    for try in 1 2 3 4 5 6 7 8 9; do
        "$NSLS" leaks -r -n > leaks 2> /dev/null
        left=$(while read -r way kind number release; do
            grep -q "^$kind $number " leaks && echo "$way: still there"
        done < todo)
        [ -z "$left" ] && break; sleep 0.1
    done
    echo "$left"
    # The shell waits for none of them, but whoever reads its output would.
    kill -9 $started $(cut -s -d ' ' -f 4 ways) 2> /dev/null
    :
"#;

#[test]
fn each_kind_of_leak_ends_with_the_command_that_is_shown() {
    if !live::can_unshare() || !live::has(&["python3", "ip", "nsenter"]) {
        return;
    }
    // The kernel lists mount namespaces only in the initial namespaces.
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ways.py"), WAYS).unwrap();
    let run = Outcome::of(&mut live::script_in_mounts(RELEASE, dir.path()));
    let tun = if std::path::Path::new("/dev/net/tun").exists() {
        "tun: net kill PID\ntun_not_set_up: net kill PID\ntun_elsewhere: net kill PID\n"
    } else {
        ""
    };
    let expected = r"exit code 1
thread: uts kill PID
time_for_children: time is no leak
pid_for_children: pid is no leak
fd: uts kill PID
fd_through_gone_mount: uts kill PID
mount_elsewhere: ipc nsenter --mount=/proc/PID/ns/mnt umount DIR/elsewhere
mount_without_process: ipc nsenter --mount=/proc/PID/fd/N umount DIR/lonely
middle_user: user is no leak
middle_pid (with another): pid kill PID
owner (with another): user kill PID
fd_of_thread: uts kill PID
socket_of_thread: net kill PID
mount_of_thread: ipc nsenter --mount=/proc/PID/ns/mnt umount DIR/thread
leaderless_fd: uts kill PID
leaderless_socket: net kill PID
leaderless_mount: ipc nsenter --mount=/proc/PID/ns/mnt umount DIR/leaderless
mount_here: ipc umount DIR/here
ip_netns: net is no leak
socket: net kill PID
";
    assert_eq!(run.stdout, format!("{expected}{tun}\n"), "{run}");
}

/// Runs a script with `/run` of its own.
fn run(script: &str) -> Option<Outcome> {
    let script =
        format!("mount -t tmpfs tmpfs /run\n{script}\numount -l /run/netns/* /run 2> /dev/null\n:");
    live::run_with(&["ip"], &script)
}

#[test]
fn what_a_command_leaves_behind_is_reported_and_its_own_failure_passed_on() {
    let Some(run) = run(r#"
        say() { echo "exit code $?"; sed -E 's/[0-9]{10}/N/g; s/(kill|process\\x20)[0-9]*/\1/g' out; }
        leaks() { "$NSLS" leaks -r -n "$@" > out; say; }
        leaks -- sh -c 'ip netns add x; echo hello'
        leaks -- ip netns delete x
        leaks -- sh -c 'ip netns add y; exit 7'
        leaks -t uts -- sh -c 'ip netns add z'
        leaks -- sh -c 'kill -9 $$'
        leaks -t net -- sh -c 'ip netns add v; exit 127'
        leaks -- ./missing
        leaks -- /run
        leaks
        "$NSLS" leaks -- sh -c 'echo to standard output' | head -n 1
    "#) else {
        return;
    };
    let expected = r"exit code 1
net N 0  root mount\x20/run/netns/x ip\x20netns\x20delete\x20x
exit code 0
exit code 7
net N 0  root mount\x20/run/netns/y ip\x20netns\x20delete\x20y
exit code 0
exit code 137
exit code 127
net N 0  root mount\x20/run/netns/v ip\x20netns\x20delete\x20v
exit code 127
exit code 126
exit code 0
to standard output
";
    let stderr = "hello\nnsls: cannot run ./missing: no such file or directory\n\
                  nsls: cannot run /run: permission denied\n";
    let expected = Outcome {
        status: 0,
        stdout: expected.to_owned(),
        stderr: stderr.to_owned(),
    };
    assert_eq!(run, expected);
}

#[test]
fn a_command_runs_on_the_live_system_only() {
    let message = "commands run on the live system only, not with --sysroot";
    let run = Nsls::words("leaks -- true").sysroot("fixtures/ubuntu-20.04");
    assert_eq!(run.run(), Outcome::failure(2, message));
}
