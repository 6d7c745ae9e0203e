//! Every way to keep a namespace alive, in isolation: the namespace is found,
//! its holder is named, and it is gone once the holder is.

use crate::bpf;
use crate::common::{Nsls, Outcome, Tree, live};

/// Keeps a namespace alive in each way and prints `WAY TYPE NUMBER PID` for it;
/// the namespace is released when PID ends. Then waits.
pub const WAYS: &str = include_str!("holders/ways.py");

/// Prints the output of `nsls` and `nsls holders` for each way, then releases
/// the namespace and reports if it still exists. Varying numbers are replaced
/// by words.
const ASK: &str = r#"
    mount --make-rprivate /
    mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns
    mkdir -p tmp && mount -t tmpfs tmpfs tmp && cd tmp
    python3 -u ../ways.py > ways & started=$!; disown
    until grep -q '^all$' ways 2> /dev/null; do kill -0 $started || exit 9; sleep 0.05; done
    while read -r way kind number pid; do
        [ $way = all ] && break
        listed=$("$NSLS" -t $kind -P -n -r -o NS,NPROCS,NHOLDERS 2> /dev/null | grep "^$number ")
        echo "$way: $kind ${listed#* }"
        "$NSLS" holders --chain -n -r $kind:[$number] 2> /dev/null > all; cut -d ' ' -f 1,2,5- all > said
        sed -E "s/$number/N/g; s/\\b$pid\\b/PID/g; s/thread\\\\x20[0-9]+/thread/; s/\[[0-9]+\]/[X]/; s|$PWD|DIR|" said
        # Another namespace may have got the number by then; IDs are never
        # reused.
        is_there() { "$NSLS" -t $kind -n -r -o NS,ID 2> /dev/null > ids; grep "^$number " ids; }
        before=$(is_there)
        kill -9 $pid; wait $pid 2> /dev/null
        while [ -e /proc/$pid/ns/net ]; do sleep 0.01; done
        [ $way = mount_here ] && umount here
        [ $way = ip_netns ] && ip netns delete nsls-test
        for try in 1 2 3 4 5 6 7 8 9; do
            [ "$(is_there)" = "$before" ] || break; sleep 0.05
        done
        [ $try = 9 ] && echo "still there" && "$NSLS" holders $kind:[$number]
    done < ways
    kill -9 $started
"#;

#[test]
fn each_way_to_keep_a_namespace_is_found_and_named_until_it_ends() {
    each_way_is_found("0");
}

#[test]
fn each_way_is_found_by_bpf_iterators_too() {
    if !live::has_time() {
        return;
    }
    if bpf::is_possible() {
        each_way_is_found("1");
    }
}

/// `bpf` is the value of NSLS_BPF.
fn each_way_is_found(bpf: &str) {
    if !live::can_unshare() || !live::has(&["python3", "ip"]) {
        return;
    }
    // The kernel lists mount namespaces only in the initial namespaces.
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ways.py"), WAYS).unwrap();
    let run = Outcome::of(live::script_in_mounts(ASK, dir.path()).env("NSLS_BPF", bpf));
    let tun = if std::path::Path::new("/dev/net/tun").exists() {
        "tun: net 0 1\ntun PID fd\\x203\n\
         tun_not_set_up: net 0 1\ntun PID fd\\x203\n\
         tun_elsewhere: net 0 1\ntun PID fd\\x203\n"
    } else {
        ""
    };
    let expected = r"thread: uts 0 1
thread PID thread,\x20uts
time_for_children: time 0 1
for-children PID time_for_children
pid_for_children: pid 0 1
for-children PID pid_for_children
fd: uts 0 1
fd PID fd\x203
fd_through_gone_mount: uts 0 1
fd PID fd\x203
mount_elsewhere: ipc 0 1
mount  DIR/elsewhere\x20in\x20mnt:[X]
process PID mnt
mount_without_process: ipc 0 1
mount  DIR/lonely\x20in\x20mnt:[X]
fd PID fd\x203
middle_user: user 0 1
child  user:[X]
process PID user
middle_pid: pid 0 1
child  pid:[X]
fd PID fd\x206
owner: user 0 1
owned  uts:[X]
fd PID fd\x206
fd_of_thread: uts 0 1
fd PID fd\x203\x20of\x20thread
socket_of_thread: net 0 1
socket PID fd\x203\x20of\x20thread
mount_of_thread: ipc 0 1
mount  DIR/thread\x20in\x20mnt:[X]
thread PID thread,\x20mnt
leaderless_fd: uts 0 1
fd PID fd\x203\x20of\x20thread
leaderless_socket: net 0 1
socket PID fd\x203\x20of\x20thread
leaderless_mount: ipc 0 1
mount  DIR/leaderless\x20in\x20mnt:[X]
thread PID thread,\x20mnt
mount_here: ipc 0 1
mount  DIR/here
ip_netns: net 0 1
mount  /run/netns/nsls-test
socket: net 0 1
socket PID fd\x203
";
    let expected = format!("{expected}{tun}");
    let expected = match bpf {
        // The kernel gives no access to the sockets of threads.
        "0" if live::linux() < (6, 9) => expected
            .replace("socket PID fd\\x203\\x20of\\x20thread\n", "")
            .replace("socket_of_thread: net 0 1", "socket_of_thread: net ")
            .replace("leaderless_socket: net 0 1", "leaderless_socket: net "),
        _ => expected,
    };
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn a_file_of_a_thread_is_distinguished_from_one_of_its_process() {
    let tree = Tree::new()
        .process(7, "sleep\0")
        .link("proc/7/fd/4", "uts:[4026532010]")
        .link("proc/7/task/9/fd/5", "uts:[4026532010]");
    let run = |arguments| Nsls::words(arguments).sysroot(tree.path()).run();
    assert_eq!(
        run("holders 4026532010"),
        Outcome::success(
            "KIND   PID USER COMMAND WHERE\n\
             fd       7 root sleep   fd 4\n\
             fd       7 root sleep   fd 5 of thread 9\n"
        )
    );
    let columns = "-t uts -P --raw -o NS,PATH,HOLDERS";
    let row = r"4026532010 /proc/7/fd/4 fd\x204\x20of\x207\x20(sleep)\x20+1";
    assert_eq!(
        run(columns),
        Outcome::success(format!("NS PATH HOLDERS\n{row}\n"))
    );
    let json = run("holders --json 4026532010").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let holder = |tid: Option<u32>, fd| {
        serde_json::json!({
            "kind": "fd", "pid": 7, "tid": tid, "fd": fd, "user": "root", "command": "sleep",
            "holds": 4026532010u32,
        })
    };
    assert_eq!(
        json["holders"],
        serde_json::json!([holder(None, 4), holder(Some(9), 5)])
    );
}
