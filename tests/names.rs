//! What people call a namespace, a process or a container.

use std::path::Path;

use crate::common::{Nsls, Outcome, live};

/// Runs nsls with the containers of a captured tree.
fn run(arguments: &str) -> Outcome {
    let root = Path::new("fixtures/containers");
    Nsls::words(arguments).sysroot(root).run()
}

#[test]
fn the_name_of_a_container_stands_for_its_namespaces_and_its_first_process() {
    let same = |one: &str, other: &str| {
        let run = run(one);
        assert_eq!(run.status, 0, "{one}: {run:?}");
        assert_eq!(run, self::run(other), "{one}");
    };
    same("db", "pid:[4026532234]");
    same("podman:db", "pid:[4026532234]");
    same("db -t net", "net:[4026532232]");
    same("--pid db", "--pid 1060");
    same("--container 1070 -o NS", "--container db -o NS");
    same("holders db", "holders pid:[4026532234]");
    same("translate 25 --from 1060", "translate 25 --from db");
    same("translate --json db", "translate --json 1060");
    let mut by_pid = run("1060");
    assert_eq!(
        by_pid.stderr,
        "nsls: 1060 is a process, so this is --pid 1060\n"
    );
    by_pid.stderr.clear();
    assert_eq!(by_pid, run("--pid 1060"));
}

#[test]
fn a_name_that_means_nothing_or_several_things_is_an_error() {
    for (arguments, status, message) in [
        (
            "dbb",
            1,
            "found nothing for dbb, looked for a container or net namespace in /run/netns, nearest is db",
        ),
        (
            "--pid wbe",
            1,
            "found nothing for wbe, looked for a container or net namespace in /run/netns, nearest is web",
        ),
        (
            "14a2326b6bb5",
            2,
            "docker:14a2326b6bb5 is in the pid namespace of the host: choose another type with --type, or use --container",
        ),
        (
            "holders 1060",
            2,
            "1060 is a process: name one of its namespaces, such as /proc/1060/ns/net",
        ),
        (
            "translate x --from db",
            2,
            "'x' is no PID; they are numbers from 1 to 4194304",
        ),
        (
            "--pid 0",
            2,
            "'0' is no PID; they are numbers from 1 to 4194304",
        ),
        (
            "--container 1",
            1,
            "1 matches several containers: docker:12b961af5feb, docker:14a2326b6bb5; name one of these",
        ),
    ] {
        let outcome = run(arguments);
        let stderr = format!("nsls: {message}\n");
        assert_eq!(
            (outcome.status, outcome.stdout.as_str(), outcome.stderr),
            (status, "", stderr),
            "{arguments}"
        );
    }
}

/// A net namespace and an interface of the same name, each with processes.
const ASK: &str = r#"
    mount --make-rprivate /
    mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns
    cd "$(mktemp -d)"
    unshare -n bash -c '
        ip netns add blue; ip netns add red
        ip link add wire type veth peer name blue netns red
        exec sleep 1000' &
    until ip netns exec red ip link show blue > /dev/null 2>&1; do sleep 0.02; done
    nsenter --net=/run/netns/blue sleep 1001 & blue=$!
    nsenter --net=/run/netns/red sleep 1002 & red=$!
    until grep -q 1001 /proc/$blue/cmdline && grep -q 1002 /proc/$red/cmdline; do sleep 0.02; done
    ids="s/$(stat -Lc %i /run/netns/blue)/BLUE/g; s/$(stat -Lc %i /run/netns/red)/RED/g"
    ids="$ids; s/process $blue /process BLUE /; s/process $red /process RED /"
    ask() {
        echo "== $*"
        "$NSLS" "$@" 2>&1 | grep -v "outside the caller's user or pid namespace$" | sed -E "$ids"
    }
    ask -n -o COMMAND red
    ask -n -o COMMAND wire
    ask -n -o NS,COMMAND --pid red -t net
    ask -n -o COMMAND blue
    ask --pid blue -t net
    ask -n -o COMMAND blu
    ask compare -n red blue
"#;

const ANSWERS: &str = "\
== -n -o COMMAND red
sleep 1002
== -n -o COMMAND wire
sleep 1000
== -n -o NS,COMMAND --pid red -t net
RED sleep 1002
== -n -o COMMAND blue
nsls: blue is ambiguous: net:[BLUE] (/run/netns/blue), net:[RED] (interface blue); name one of these
== --pid blue -t net
nsls: blue is ambiguous: process BLUE (/run/netns/blue), process RED (interface blue); name one of these
== -n -o COMMAND blu
nsls: found nothing for blu, looked for a container, interface or net namespace in /run/netns, nearest is blue
== compare -n red blue
nsls: blue is ambiguous: process BLUE (/run/netns/blue), process RED (interface blue); name one of these
";

#[test]
fn net_namespaces_and_interfaces_have_names_too() {
    if !live::can_unshare() || !live::has(&["ip", "nsenter"]) {
        return;
    }
    let outcome = live::run(ASK);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        (ANSWERS, "")
    );
}
