//! What `nsls find` finds on the running system. The same without a kernel is
//! among the snapshots.

use crate::common::live;

/// Two net namespaces, one wire to a bridge each, a port that is open in both, a
/// file system that is mounted in a mount namespace only, and questions about
/// them. Varying numbers are replaced by words.
const ASK: &str = r#"
    mount --make-rprivate /
    mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns
    mkdir -p tmp && mount -t tmpfs tmpfs tmp && cd tmp
    unshare -n bash -c '
        ip netns add blue; ip netns add red
        ip link set lo up; ip link add br0 type bridge; ip link set br0 up
        for name in blue red; do
            ip link add to-$name type veth peer name eth0 netns $name
            ip link set to-$name master br0 up
            ip -n $name link set lo up; ip -n $name link set eth0 up
        done
        ip -n blue link set eth0 address 02:00:00:00:00:07
        ip -n blue addr add 10.88.0.2/16 dev eth0
        ip -n red addr add fd88::2/64 dev eth0 nodad
        ip -n red link add mv0 link eth0 type macvlan
        cat > serve.py << "END"
import os, socket, sys, time
held = []
def bind(family, kind, address, listens=True):
    held.append(socket.socket(family, kind)); held[-1].bind(address)
    if listens: held[-1].listen()
if sys.argv[1] == "blue":
    bind(socket.AF_INET, socket.SOCK_STREAM, ("", 8080))
    bind(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 53), False)
    bind(socket.AF_UNIX, socket.SOCK_STREAM, "\0name")
    bind(socket.AF_UNIX, socket.SOCK_STREAM, os.getcwd() + "/sock")
    if os.fork() == 0: time.sleep(1000)
else:
    bind(socket.AF_INET6, socket.SOCK_STREAM, ("fd88::2", 8080))
open(sys.argv[1] + ".ready", "w")
# A number reserved for the connection is no file that is missing.
held[0].accept()
END
        nsenter --net=/run/netns/blue python3 serve.py blue &
        nsenter --net=/run/netns/red python3 serve.py red &
        exec sleep 1000' &
    host=$!
    until [ -e blue.ready ] && [ -e red.ready ]; do sleep 0.02; done
    # loop devices need not be there: a tmpfs has a device, too.
    mkdir data
    unshare -m bash -c 'mount -t tmpfs volume data; touch mounted; exec sleep 1000' &
    until [ -e mounted ]; do sleep 0.02; done
    device=$(stat -c %Hd:%Ld /proc/$!/root$PWD/data)
    number() { stat -Lc %i "$1"; }
    ids="s/$(number /run/netns/blue)/BLUE/g; s/$(number /run/netns/red)/RED/g"
    ids="$ids; s/$(number /proc/$host/ns/net)/HOST/g; s/$(number /proc/$!/ns/mnt)/MNT/g"
    ids="$ids; s/$(number /proc/self/ns/pid)/PID_NS/g; s/$(number /proc/self/ns/mnt)/OWN_MNT/g"
    ids="$ids; s|$PWD|DIR|g; s/== $device/== DEVICE/"
    names=([$host]=HOST_PID [$!]=MOUNTER)
    roles=(SERVER OTHER CHILD); place=0
    for pid in $(pgrep -f 'python3 serve.py'); do names[$pid]=${roles[place++]}; done
    # Names PIDs where they stand alone: the fifth cell, and after --target.
    name() {
        while read -r line; do
            for pid in "${!names[@]}"; do
                line=${line/--target\\x20$pid\\x20/--target\\x20${names[$pid]}\\x20}
                line=${line/ $pid root/ ${names[$pid]} root}
                line=${line/process\\x20$pid /process\\x20${names[$pid]} }
            done
            echo "$line"
        done
    }
    ask() {
        echo "== $*" | sed -E "$ids; s/pid:[0-9]+/pid:PID/"
        "$NSLS" find -r -n "$@" 2> said | cut -d ' ' -f 1-6,8- | sed -E "$ids; s|/[^ ]*/python3|python3|" | name
        status=${PIPESTATUS[0]}
        grep -v "outside the caller's user or pid namespace$" said | sed -E "$ids"
        [ "$status" = 0 ] || echo "status $status"
    }
    # Rows are in the order of numbers, which vary.
    ask :8080 | sort
    for thing in tcp:10.88.0.2:8080 udp:53 @name "$PWD/sock" 10.88.0.0/16 fd88::2 \
        02:00:00:00:00:07 to-blue br0 mv0 "$PWD/data" "$device"; do
        ask "$thing"
    done
    ask --enter pid:$!
    ask --enter to-red blue
    ip netns add green; ids="$ids; s/$(number /run/netns/green)/GREEN/g"
    ask --enter green
    ask :8081 nobody
    ask /run/netns/red | sort
"#;

const FOUND: &str = r"== :8080
tcp\x200.0.0.0:8080\x20listening net BLUE  CHILD root
tcp\x200.0.0.0:8080\x20listening net BLUE  SERVER root
tcp\x20[fd88::2]:8080\x20listening net RED  OTHER root
== tcp:10.88.0.2:8080
tcp\x200.0.0.0:8080\x20listening net BLUE  SERVER root
tcp\x200.0.0.0:8080\x20listening net BLUE  CHILD root
== udp:53
udp\x20127.0.0.1:53\x20bound net BLUE  SERVER root
udp\x20127.0.0.1:53\x20bound net BLUE  CHILD root
== @name
unix\x20@name\x20listening net BLUE  SERVER root
unix\x20@name\x20listening net BLUE  CHILD root
== DIR/sock
unix\x20DIR/sock\x20listening net BLUE  SERVER root
unix\x20DIR/sock\x20listening net BLUE  CHILD root
== 10.88.0.0/16
10.88.0.2/16\x20on\x20eth0 net BLUE  SERVER root
== fd88::2
fd88::2/64\x20on\x20eth0 net RED  OTHER root
== 02:00:00:00:00:07
interface\x20eth0\x20(veth,\x20up) net BLUE  SERVER root
peer\x20to-blue\x20(veth,\x20up) net HOST  HOST_PID root
master\x20br0\x20(bridge,\x20up) net HOST  HOST_PID root
== to-blue
interface\x20to-blue\x20(veth,\x20up) net HOST  HOST_PID root
peer\x20eth0\x20(veth,\x20up) net BLUE  SERVER root
master\x20br0\x20(bridge,\x20up) net HOST  HOST_PID root
== br0
interface\x20br0\x20(bridge,\x20up) net HOST  HOST_PID root
port\x20to-blue\x20(veth,\x20up) net HOST  HOST_PID root
port\x20to-red\x20(veth,\x20up) net HOST  HOST_PID root
peer\x20eth0\x20(veth,\x20up) net BLUE  SERVER root
peer\x20eth0\x20(veth,\x20up) net RED  OTHER root
== mv0
interface\x20mv0\x20(macvlan,\x20down) net RED  OTHER root
parent\x20eth0\x20(veth,\x20up) net RED  OTHER root
peer\x20to-red\x20(veth,\x20up) net HOST  HOST_PID root
master\x20br0\x20(bridge,\x20up) net HOST  HOST_PID root
== DIR/data
volume\x20on\x20DIR/data\x20(tmpfs) mnt MNT  MOUNTER root
== DEVICE
volume\x20on\x20DIR/data\x20(tmpfs) mnt MNT  MOUNTER root
== --enter pid:PID
process\x20MOUNTER pid PID_NS  MOUNTER root nsenter\x20--target\x20MOUNTER\x20--all
== --enter to-red blue
interface\x20to-red\x20(veth,\x20up) net HOST  HOST_PID root nsenter\x20--target\x20HOST_PID\x20--net
peer\x20eth0\x20(veth,\x20up) net RED  OTHER root nsenter\x20--target\x20OTHER\x20--net
master\x20br0\x20(bridge,\x20up) net HOST  HOST_PID root nsenter\x20--target\x20HOST_PID\x20--net
namespace\x20blue net BLUE  SERVER root nsenter\x20--target\x20SERVER\x20--net
== --enter green
namespace\x20green net GREEN    ip\x20netns\x20exec\x20green\x20sh
== :8081 nobody
nsls: found nothing for :8081, looked for a port
nsls: found nothing for nobody, looked for a container, pod, unit, interface, net namespace in /run/netns or command; nsls find --help shows what may be given
status 1
== /run/netns/red
namespace\x20/run/netns/red net RED  OTHER root
nsfs[net:[RED]]\x20on\x20/run/netns/red\x20(nsfs) mnt MNT  MOUNTER root
nsfs[net:[RED]]\x20on\x20/run/netns/red\x20(nsfs) mnt OWN_MNT  1 root
";

#[test]
fn what_lies_behind_a_port_an_interface_or_a_mount_is_found_in_every_namespace() {
    if !live::can_unshare() || !live::has(&["python3", "ip", "pgrep", "nsenter"]) {
        return;
    }
    let outcome = live::run(ASK);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        (FOUND, "")
    );
}
