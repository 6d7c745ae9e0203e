//! The contents of namespaces on the running system, compared with what
//! processes inside them see.

use crate::common::{Outcome, live, skip};

/// Runs a script after the helpers.
fn run(tools: &[&str], script: &str) -> Option<Outcome> {
    live::run_with(tools, &format!("{HELPERS}{script}"))
}

/// `settle COUNT` waits until COUNT processes sleep; `pid N` prints the PID of
/// the one that sleeps N seconds.
const HELPERS: &str = r#"
    settle() { until [ "$(pgrep -c '^sleep$')" = "$1" ]; do sleep 0.02; done; }
    pid() { pgrep -f "^sleep $1"; }
    ino() { local link=$(readlink /proc/$1/ns/$2); echo "${link//[!0-9]/}"; }
"#;

#[test]
fn host_and_domain_names_are_those_set_inside() {
    let Some(run) = run(
        &["hostname", "domainname"],
        r#"
        unshare -u sh -c 'hostname blue; domainname example.org; exec sleep 1000' &
        unshare -u sh -c 'hostname red; exec sleep 1001' & settle 2
        "$NSLS" -t uts -r -n -o HOSTNAME,DOMAIN,COMMAND -Q 'PID > 1'
        "$NSLS" -t uts -r -n -o COMMAND -Q 'HOSTNAME == "red"'
        [ "$("$NSLS" -t uts -n -o HOSTNAME -Q 'PID == 1')" = "$(hostname)" ] && echo own
        "#,
    ) else {
        return;
    };
    let (names, rest) = run
        .stdout
        .split_once("red (none)")
        .unwrap_or((&run.stdout, ""));
    let all = format!("{names}red (none){rest}");
    let lines: Vec<_> = all.lines().collect();
    let mut named = lines.get(..2).unwrap_or_default().to_vec();
    named.sort();
    let blue = r"blue example.org sleep\x201000";
    let red = lines.iter().find(|line| line.starts_with("red ")).unwrap();
    assert!(red.ends_with(r" sleep\x201001"), "{all}");
    assert!(named.contains(&blue), "{all}");
    assert_eq!(&lines[2..], [r"sleep\x201001", "own"], "{all}");
    assert_eq!((run.status, &*run.stderr), (0, ""));
}

#[test]
fn clocks_maps_and_objects_are_those_seen_inside() {
    let Some(run) = run(
        &["ipcmk"],
        r#"
        unshare -T --monotonic 86400 --boottime -5 -f sleep 1000 &
        unshare -U --map-root-user sleep 1001 &
        unshare -i sh -c 'ipcmk -Q; ipcmk -M 4096; ipcmk -M 4096; ipcmk -S 3; exec sleep 1002' > /dev/null &
        settle 3
        "$NSLS" -t time -r -n -o TIMEOFFSET,COMMAND -Q 'COMMAND =~ "^sleep"'
        "$NSLS" -t user -r -n -o UIDMAP,GIDMAP,COMMAND -Q 'COMMAND =~ "^sleep"'
        "$NSLS" -t ipc -r -n -o SYSVIPC,COMMAND -Q 'COMMAND =~ "^sleep"'
        "#,
    ) else {
        return;
    };
    let expected = r"monotonic=86400,boottime=-5 sleep\x201000
0:0:1 0:0:1 sleep\x201001
queues=1,segments=2,semaphores=1 sleep\x201002
";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn a_veth_names_the_net_namespace_of_its_peer() {
    let Some(run) = run(
        &["ip"],
        r#"
        unshare -n sleep 1000 & unshare -n sleep 1001 & settle 2
        a=$(pid 1000) b=$(pid 1001)
        # ip(8) complains about net namespaces that end elsewhere meanwhile; its
        # result is checked below.
        inside() { nsenter --net=/proc/$1/ns/net "${@:2}" 2> /dev/null; }
        inside $a ip link add left type veth peer name right netns $b
        inside $a ip link add one type veth peer name two
        "$NSLS" -t net -r -n -o COMMAND,INTERFACES -Q 'COMMAND =~ "^sleep"' > said
        sed "s/$(ino $a net)/A/g; s/$(ino $b net)/B/g" said | sort
        "$NSLS" -t net -J -o interfaces -Q "PID == $b" > said
        jq -c '.namespaces[].interfaces[] | [.name, .index, .link, .peer, .peer_ns]' said | sed "s/$(ino $a net)/A/"
        [ "$(inside $a ip -o link | wc -l)" = 4 ] || inside $a ip -o link
        "#,
    ) else {
        return;
    };
    let expected = r#"sleep\x201000 lo,left@right(B),two@one(A),one@two(A)
sleep\x201001 lo,right@left(A)
["lo",1,null,null,null]
["right",2,2,"left",A]
"#;
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn mounts_pids_and_cgroups_match_the_view_from_inside() {
    let Some(run) = run(
        &["findmnt"],
        r#"
        unshare -pf --mount-proc sleep 1000 & unshare -C sleep 1001 & settle 2
        a=$(pid 1000) b=$(pid 1001)
        value() { "$NSLS" --pid $3 -t $1 -r -n -o $2; }
        [ "$(value mnt NMOUNTS $a)" = $(wc -l < /proc/$a/mountinfo) ] && echo mounts
        [ "$(value mnt MNTROOT $a)" = "$(findmnt -N $a -n -o SOURCE /)" ] && echo root
        [ "$(value pid NSPID $a)" = 1 ] && echo pid
        "$NSLS" -t pid -J -o nspid -Q "PID == $a" > said; jq -c '.namespaces[].nspid == ['$a', 1]' said
        [ "$(value pid PIDMAX 1)" = $(cat /proc/sys/kernel/pid_max) ] && echo most
        # The path in its own cgroup file is relative to the root.
        root=$(value cgroup CGROUPROOT $b) inside=$(nsenter -t $b -C sed -n 's/^[^:]*:[^:]*://p' /proc/$b/cgroup | head -n 1)
        [ "$inside" = / ] && grep -q ":$root$" /proc/$b/cgroup && echo cgroup
        "#,
    ) else {
        return;
    };
    assert_eq!(
        run,
        Outcome::success("mounts\nroot\npid\ntrue\nmost\ncgroup\n")
    );
}

#[test]
fn unreadable_contents_of_a_namespace_without_processes_are_counted() {
    let Some(run) = run(
        &["ip"],
        r#"
        unshare -U sleep 1000 & settle 1
        exec 7< /proc/$(pid 1000)/ns/user; kill $(pid 1000); settle 0
        "$NSLS" -t user -P -n -o TYPE,UIDMAP
        "$NSLS" -t user -P -J -o uidmap > said; jq -c '.complete, .namespaces[]' said
        "#,
    ) else {
        return;
    };
    let gap = "nsls: contents of 1 namespace could not be read (no process is in it)\n";
    let expected = Outcome {
        status: 0,
        stdout: "user\nfalse\n{\"uidmap\":null}\n".to_owned(),
        stderr: gap.to_owned(),
    };
    assert_eq!(run, expected);
}

#[test]
fn an_ordinary_user_sees_the_contents_of_their_own_namespaces() {
    let Some(run) = run(
        &["setpriv", "hostname"],
        r#"
        as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        mkdir seen; mount -t tmpfs tmpfs seen; cp "$NSLS" seen/nsls; chmod 755 seen seen/nsls; cd seen
        unshare -u sh -c 'hostname foreign; exec sleep 1000' &
        as_nobody unshare -Urn -u sh -c 'hostname own; exec sleep 1001' & settle 2
        as_nobody ./nsls --sources processes -t uts -n -o HOSTNAME,COMMAND -Q 'COMMAND =~ "^sleep|nsls"' | tr -s ' ' | sed "s/^$(hostname) /HOST /" | cut -c 1-20 | sort
        as_nobody ./nsls --sources processes -t net -n -o INTERFACES -Q 'COMMAND =~ "^sleep"'
        "#,
    ) else {
        return;
    };
    assert_eq!(
        (run.status, &*run.stdout),
        (0, "HOST ./nsls --source\nown sleep 1001\nlo\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn contents_cost_no_system_call_unless_requested() {
    let Some(run) = run(
        &["strace"],
        r#"
        unshare -uniC sleep 1000 & settle 1
        for columns in NS,TYPE HOSTNAME,INTERFACES,SYSVIPC,CGROUPROOT,UIDMAP,TIMEOFFSET,NMOUNTS,NSPID,CONTAINER,HOST,PIDMAX; do
            strace -f -o trace "$NSLS" -o $columns > /dev/null 2>&1
            for file in cgroup uid_map timens_offsets mountinfo status; do
                grep -Eq "open(at)?\\([0-9]+, \"$file\"" trace && echo "$file" || echo "no $file"
            done
            grep -q ' setns(' trace && echo setns || echo "no setns"
        done
        "#,
    ) else {
        return;
    };
    let calls = [
        "cgroup",
        "uid_map",
        "timens_offsets",
        "mountinfo",
        "status",
        "setns",
    ];
    let without: String = calls.map(|call| format!("no {call}\n")).concat();
    let with: String = calls.map(|call| format!("{call}\n")).concat();
    assert_eq!(run, Outcome::success(without + &with));
}

#[test]
fn a_nested_user_namespace_that_is_full_comes_first() {
    let Some(run) = run(
        &["setpriv", "jq"],
        r#"
        cat > inner <<'EOF'
            echo 3 > /proc/sys/user/max_net_namespaces
            unshare -n sleep 1001 & unshare -n sleep 1002 &
            unshare -n sh -c 'echo > ready; sleep 1003' &
            until [ -e ready ] && [ "$(pgrep -c '^sleep$')" = 3 ]; do sleep 0.02; done
            exec 8< /proc/$!/ns/net
            unshare -n true 2> /dev/null; echo unshare $?
            exec sleep 1000
EOF
        chmod 777 .; umask 0
        setpriv --reuid 4321 --regid 4321 --clear-groups unshare -Ur sh inner > said 2> /dev/null &
        # Those that wait are no different from the others.
        until [ -s said ]; do sleep 0.02; done; settle 4
        own=$(ino 1 user); full=$(ino $(pid 1000) user)
        names() { sed "s/$own/OWN/g; s/$full/FULL/g"; }
        cat said
        "$NSLS" limits -n -r 2> why | head -n 1 | names
        cat why >&2
        "$NSLS" limits -r 2> /dev/null | grep -e 4321 -e levels | names |
            sed "s/ $(cat /proc/sys/user/max_net_namespaces) / MAX /" | sort
        kill $(pgrep -P $(pgrep -f 'echo > ready')) $(pgrep -f 'echo > ready'); settle 3
        "$NSLS" limits --why 4321 -r 2> /dev/null | names |
            sed 's/of\\x20[0-9]*/of PID/; s/[0-9]\{4,\}/N/g' | cut -d ' ' -f 1-5,7- | sort
        "$NSLS" limits --why 4321 -J 2> /dev/null |
            jq -c '.uid, (.counted[] | select(.pid == null) | [.type, .nprocs, .command])'
        "#,
    ) else {
        return;
    };
    let expected = r#"unshare 1
max_net_namespaces FULL 4321 3 3 100
max_net_namespaces FULL 4321 3 3 100
max_net_namespaces OWN 4321 3 MAX <1
max_user_namespaces OWN 4321 1 MAX <1
user_namespace_levels FULL  1 33 3
 net N FULL,OWN 0 fd\x208\x20of PID\x20(sleep) 
 net N FULL,OWN 1  sleep\xN
 net N FULL,OWN 1  sleep\xN
 user FULL OWN 4  sleep\xN
CONTAINER TYPE NS USERNS NPROCS HOLDER COMMAND
4321
["net",0,null]
"#;
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn limits_are_a_gap_where_proc_shows_no_sysctls() {
    let Some(run) = run(
        &["mount"],
        r#"
        mount -t proc -o subset=pid proc /proc || exit 0
        "$NSLS" limits -J > said 2> why; echo $?
        jq -c '[.limits[].max | values]' said
        jq -c '.gaps[] | select(.cause == "no-sysctls") | [.source, .hides, .count > 1]' said
        "$NSLS" limits -r 2>&1 > /dev/null | grep -o '(/proc shows no sysctls)'
        "$NSLS" --pid 1 -t pid -r -n -o PIDMAX 2>&1
        umount /proc
        "$NSLS" limits -J | jq -c '.gaps[] | select(.cause == "no-sysctls")'
        "#,
    ) else {
        return;
    };
    if run == Outcome::success("") {
        return skip("this kernel knows no subset=pid");
    }
    let expected = r#"0
[]
["contents",true,true]
(/proc shows no sysctls)

nsls: contents of 1 namespace could not be read (/proc shows no sysctls)
"#;
    assert_eq!(run, Outcome::success(expected));
}
