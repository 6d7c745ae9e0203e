//! Interfaces, addresses and sockets of net namespaces on the running system.

use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

use nsls::{Kind, Need, OpenFile, Scanner, SocketState, Sysroot};

use crate::common::{Outcome, live, skip};

/// Runs a script after the helpers.
fn run(tools: &[&str], script: &str) -> Option<Outcome> {
    live::run_with(tools, &format!("{HELPERS}{script}"))
}

/// `serve NS N SOCKET…` sleeps N seconds in the net namespace of a process, with
/// these sockets open. `named` writes A and B for the two namespaces.
const HELPERS: &str = r#"
    settle() { until [ "$(pgrep -c '^sleep$')" = "$1" ]; do sleep 0.02; done; }
    pid() { pgrep -f "^sleep $1"; }
    ino() { local link=$(readlink /proc/$1/ns/net); echo "${link//[!0-9]/}"; }
    # ip(8) complains about net namespaces that end elsewhere meanwhile; its
    # result is checked by what is shown.
    inside() { nsenter --net=/proc/$1/ns/net "${@:2}" 2> /dev/null; }
    named() { sed "s/$(ino $a)/A/g; s/$(ino $b)/B/g" "$@"; }
    cat > serve.py <<'END'
import os, socket, sys
kinds = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
sockets = []
for word in sys.argv[2:]:
    protocol, place = word.split("=")
    if protocol in kinds:
        address, port = place.rsplit(":", 1)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        one = socket.socket(family, kinds[protocol])
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((address, int(port)))
    else:
        kind = socket.SOCK_DGRAM if protocol == "datagram" else socket.SOCK_STREAM
        one = socket.socket(socket.AF_UNIX, kind)
        one.bind("\0" + place[1:] if place[0] == "@" else place)
    if protocol in ("tcp", "unix"):
        one.listen()
    os.set_inheritable(one.fileno(), True)
    sockets.append(one)
# A connection shares the address of the socket that accepted it, and is none.
client = socket.socket(socket.AF_UNIX)
for one in sockets:
    if one.family == socket.AF_UNIX and one.type == socket.SOCK_STREAM:
        client.connect(one.getsockname())
        accepted = one.accept()[0]
        for end in client, accepted:
            os.set_inheritable(end.fileno(), True)
        break
os.execvp("sleep", ["sleep", sys.argv[1]])
END
    serve() { inside $1 python3 serve.py "${@:2}"; }
"#;

/// Two net namespaces, tied by a veth pair of which one end is in a bridge, and
/// a port that is taken in both.
const TWO: &str = r#"
    unshare -n sleep 1000 & unshare -n sleep 1001 & settle 2
    a=$(pid 1000) b=$(pid 1001)
    inside $a ip link add br0 address 02:00:00:00:00:01 type bridge
    inside $a ip link add left address 02:00:00:00:00:02 type veth \
        peer name right address 02:00:00:00:00:03 netns $b
    inside $a ip link set left addrgenmode none
    inside $b ip link set right addrgenmode none
    inside $a ip link set left master br0
    inside $a ip link set left up
    inside $a ip addr add 10.9.0.1/24 dev br0
    inside $a ip addr add 10.9.0.2/32 peer 10.9.0.9 dev br0
    inside $b ip addr add 10.9.0.3/24 dev right
    inside $b ip addr add fd09::3/64 dev right nodad
    inside $b ip addr add 127.0.0.1/8 dev lo
    inside $b ip link set right up
    inside $b ip link set lo up
    serve $a 1002 tcp=0.0.0.0:8080 unix=@x datagram="$PWD/own" unix="$PWD/a b" unix=relative &
    serve $b 1003 tcp=:::8080 tcp=127.0.0.1:8080 udp=127.0.0.1:53 udp=:::53 &
    settle 4
"#;

#[test]
fn a_picture_has_the_interfaces_of_two_namespaces_and_the_cable_between_them() {
    let Some(run) = run(
        &["ip", "python3"],
        &format!(
            "{TWO}{}",
            r#"
        "$NSLS" graph --format svg --view wires > picture
        grep -oE '<title>(left|right) of [^<]*<|>[^<]*(10\.9|fd09)[^<]*</text>' picture |
            sed "s/($a)/(A)/; s/($b)/(B)/"
        "#
        ),
    ) else {
        return;
    };
    let expected = "\
>10.9.0.1/24 10.9.0.2/32</text>
>10.9.0.3/24 fd09::3/64</text>
<title>left of sleep (A) connected to right of sleep (B)<
";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn addresses_listeners_and_bridges_of_two_namespaces_are_those_made_inside() {
    let Some(run) = run(
        &["ip", "python3", "jq"],
        &format!(
            "{TWO}{}",
            r#"
        for process in $a $b; do
            "$NSLS" -t net -o NS,INTERFACES,ADDRESSES,LISTEN -Q "PID == $process" > said
            named said | sed "s|$PWD|.|; 1d"
        done
        for expression in 'INTERFACES == "left"' 'INTERFACES =~ "^left$"' \
            'INTERFACES != "left"' 'ADDRESSES == "10.9.0.3"' 'ADDRESSES == "10.9.0.3/24"' \
            'ADDRESSES =~ "^fd09::"' 'ADDRESSES == "10.9.0.9"' 'LISTEN =~ ":8080$"' \
            'LISTEN == "udp [::]:53"' 'LISTEN == "unix @x"' 'not LISTEN'; do
            "$NSLS" -t net -n -o NS -Q "(PID == $a or PID == $b) and $expression" > said
            echo "$expression:" $(named said | sort)
        done
        "#
        ),
    ) else {
        return;
    };
    let expected = r#"A lo,br0,left@right(B) master br0 10.9.0.1/24,10.9.0.2/32 tcp 0.0.0.0:8080
unix ./a b
unix ./own
unix relative
unix @x
B lo,right@left(A) 127.0.0.1/8,::1/128,10.9.0.3/24,fd09::3/64 tcp 127.0.0.1:8080
tcp [::]:8080
udp 127.0.0.1:53
udp [::]:53
INTERFACES == "left": A
INTERFACES =~ "^left$": A
INTERFACES != "left": B
ADDRESSES == "10.9.0.3": B
ADDRESSES == "10.9.0.3/24": B
ADDRESSES =~ "^fd09::": B
ADDRESSES == "10.9.0.9":
LISTEN =~ ":8080$": A B
LISTEN == "udp [::]:53": B
LISTEN == "unix @x": A
not LISTEN:
"#;
    let stdout = run
        .stdout
        .lines()
        .map(|line| {
            format!(
                "{}\n",
                line.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        })
        .collect();
    assert_eq!(Outcome { stdout, ..run }, Outcome::success(expected));
}

#[test]
fn json_has_the_same_with_kind_and_hardware_address() {
    let Some(run) = run(
        &["ip", "python3", "jq"],
        &format!(
            "{TWO}{}",
            r#"
        for process in $a $b; do
            "$NSLS" -t net -J -o interfaces,addresses,listen -Q "PID == $process" > said
            named said | sed "s|$PWD|.|; s/\(\"peer_ns\": \)\([AB]\)/\1\"\2\"/" > renamed
            jq -c '.complete, (.namespaces[] | (.interfaces[] | del(.index, .link)), .addresses, .listen)' renamed
        done
        # The indexes are those that ip(8) shows.
        jq '.namespaces[].interfaces[] | select(.name == "right") | "\(.index) \(.link)"' -r said
        inside $b ip -o link show right | sed -n 's/^\([0-9]*\): right@if\([0-9]*\):.*/\1 \2/p'
        "#
        ),
    ) else {
        return;
    };
    let (shown, indexes) = run.stdout.split_once("]\n2 ").unwrap_or((&run.stdout, ""));
    let expected = r#"true
{"name":"lo","kind":null,"mac":"00:00:00:00:00:00","up":false,"master":null,"peer":null,"peer_ns":null}
{"name":"br0","kind":"bridge","mac":"02:00:00:00:00:01","up":false,"master":null,"peer":null,"peer_ns":null}
{"name":"left","kind":"veth","mac":"02:00:00:00:00:02","up":true,"master":"br0","peer":"right","peer_ns":"B"}
["10.9.0.1/24","10.9.0.2/32"]
["tcp 0.0.0.0:8080","unix ./a b","unix ./own","unix relative","unix @x"]
true
{"name":"lo","kind":null,"mac":"00:00:00:00:00:00","up":true,"master":null,"peer":null,"peer_ns":null}
{"name":"right","kind":"veth","mac":"02:00:00:00:00:03","up":true,"master":null,"peer":"left","peer_ns":"A"}
["127.0.0.1/8","::1/128","10.9.0.3/24","fd09::3/64"]
["tcp 127.0.0.1:8080","tcp [::]:8080","udp 127.0.0.1:53","udp [::]:53""#;
    assert_eq!(shown, expected);
    let lines: Vec<_> = indexes.lines().collect();
    assert!(
        matches!(lines[..], [one, other] if format!("2 {one}") == other),
        "{indexes}"
    );
    assert_eq!((run.status, &*run.stderr), (0, ""));
}

#[test]
fn a_macvlan_names_what_is_below_it_in_another_namespace() {
    let Some(run) = run(
        &["ip"],
        r#"
        unshare -n sleep 1000 & unshare -n sleep 1001 & settle 2
        a=$(pid 1000) b=$(pid 1001)
        inside $a ip link add below type veth peer name other
        inside $a ip link add above link below type macvlan || { echo none; exit; }
        inside $a ip link set above netns $b
        "$NSLS" -t net -n -r -o INTERFACES -Q "PID == $b" > said
        named said
        "#,
    ) else {
        return;
    };
    if run.stdout == "none\n" {
        return skip("this kernel has no macvlan");
    }
    assert_eq!(run, Outcome::success("lo,above@below(A)\n"));
}

#[test]
fn the_name_of_a_net_namespace_is_a_column() {
    let Some(run) = run(
        &["ip", "jq"],
        r#"
        mount -t tmpfs tmpfs /run
        ip netns add blue; ip netns add green; mkdir /run/netns/deep /run/other
        touch /run/netns/again /run/netns/deep/one /run/other/two
        for place in netns/again netns/deep/one other/two; do
            mount --bind /run/netns/blue /run/$place
        done
        "$NSLS" -t net -n -r -o NETNS,NPROCS,TYPE -Q NETNS | sort
        "$NSLS" -t net -n -r -o NETNS -Q 'NETNS == "again"'
        "$NSLS" -t net,uts -J -o netns -Q 'PID == 1 or NETNS == "blue"' > said
        jq -c '.namespaces[].netns' said | sort
        "#,
    ) else {
        return;
    };
    let expected = "blue,again 0 net\ngreen 0 net\nblue,again\n[\"blue\",\"again\"]\n[]\nnull\n";
    assert_eq!(run, Outcome::success(expected));
}

#[test]
fn a_net_namespace_that_may_not_be_entered_is_a_gap_and_its_contents_unknown() {
    let Some(run) = run(
        &["setpriv", "jq"],
        r#"
        as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
        mkdir seen; mount -t tmpfs tmpfs seen; cp "$NSLS" seen/nsls; chmod 755 seen seen/nsls; cd seen
        as_nobody unshare -Urn sleep 1000 & settle 1
        own=$(pid 1000)
        ask() { as_nobody ./nsls --sources processes -t net "$@"; }
        ask -n -o INTERFACES,ADDRESSES,LISTEN -Q "PID == $own" | sed 's/ *$//'
        ask --pid $own -J -o addresses,listen > said
        jq -c '.complete, (.gaps[] | [.source, .cause, .count, .message]), .namespaces[]' said
        # The names of interfaces need no permission.
        ask --pid $own -J -o interfaces > said
        jq -c '.complete, .namespaces[].interfaces[]' said
        # No filter takes what is unknown for something.
        ask --pid $own -n -o NS -Q 'LISTEN or ADDRESSES or LISTEN == "" or ADDRESSES == ""' 2> /dev/null
        "#,
    ) else {
        return;
    };
    let expected = r#"lo
false
["contents","denied",1,"contents of 1 namespace could not be read (permission denied)"]
{"addresses":null,"listen":null}
true
{"name":"lo","index":null,"kind":null,"mac":null,"up":null,"master":null,"link":null,"peer":null,"peer_ns":null}
"#;
    assert_eq!((run.status, &*run.stdout), (0, expected), "{}", run.stderr);
    let gap = "could not be read (permission denied)";
    assert!(run.stderr.contains(gap), "{}", run.stderr);
}

#[test]
fn a_namespace_is_entered_once_for_all_questions_and_for_none_not_at_all() {
    let Some(run) = run(
        &["strace"],
        r#"
        unshare -n sleep 1000 & settle 1
        for columns in NS,NETNS INTERFACES ADDRESSES LISTEN INTERFACES,ADDRESSES,LISTEN; do
            strace -f -o trace "$NSLS" --pid $(pid 1000) -t net -o $columns > /dev/null 2>&1
            count() { grep -c "$1" trace; }
            echo $(count ' setns(') $(count 'socket(.*NETLINK_ROUTE') $(count 'socket(.*NETLINK_SOCK_DIAG')
        done
        "#,
    ) else {
        return;
    };
    let stdout = "0 0 0\n1 1 0\n1 1 0\n1 0 1\n1 1 1\n";
    assert_eq!((&*run.stdout, &*run.stderr), (stdout, ""));
}

/// Returns the open files of a socket of this process, as a scan finds them.
fn files_of(ino: u64, uses_bpf: bool) -> (Option<SocketState>, Vec<OpenFile>) {
    let scanner = Scanner::new(Sysroot::live())
        .kinds(Kind::Net)
        .needs(Need::SocketFiles)
        .bpf(uses_bpf);
    let snapshot = scanner.scan().unwrap();
    let facts = snapshot
        .namespaces
        .iter()
        .filter_map(|one| one.facts.as_ref());
    let mut sockets = facts.flat_map(|facts| facts.sockets.iter().flatten());
    let found = sockets.find(|socket| socket.ino == ino);
    let files = snapshot.socket_files(ino).to_vec();
    (found.map(|socket| socket.state), files)
}

#[test]
fn a_socket_is_traced_to_each_descriptor_of_the_process() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let again = listener.try_clone().unwrap();
    let datagram = UdpSocket::bind("127.0.0.1:0").unwrap();
    datagram.connect("127.0.0.1:9").unwrap();
    let ino = |fd: i32| {
        std::fs::metadata(format!("/proc/self/fd/{fd}"))
            .unwrap()
            .ino()
    };
    let own = |files: Vec<OpenFile>| {
        let own = files
            .into_iter()
            .filter(|file| file.pid == std::process::id());
        own.map(|file| file.fd.cast_signed()).collect::<Vec<_>>()
    };
    let mut fds = vec![listener.as_raw_fd(), again.as_raw_fd()];
    fds.sort_unstable();
    for uses_bpf in [false, true] {
        let (state, files) = files_of(ino(listener.as_raw_fd()), uses_bpf);
        assert_eq!(
            (state, own(files)),
            (Some(SocketState::Listening), fds.clone())
        );
        let (state, files) = files_of(ino(datagram.as_raw_fd()), uses_bpf);
        assert_eq!(
            (state, own(files)),
            (Some(SocketState::Bound), vec![datagram.as_raw_fd()])
        );
    }
}
