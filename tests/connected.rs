//! What is asked about containers of real engines that have networks, ports and
//! a mounted device.

use std::path::Path;
use std::sync::PoisonError;

use crate::common::{live, skip};
use crate::engines::ALONE;

const ASK: &str = include_str!("engines/connected");

/// What podman and Docker run, and what the script uses.
const TOOLS: &[&str] = &[
    "podman",
    "runc",
    "conmon",
    "iptables",
    "docker",
    "dockerd",
    "containerd",
    "busybox",
    "mkfs.ext4",
    "findmnt",
    "flock",
    "ip",
    "script",
    "setpriv",
];

/// Where distributions install what makes podman's networks.
const NETAVARK: [&str; 2] = ["/usr/lib/podman/netavark", "/usr/libexec/podman/netavark"];

const ANSWERS: &str = r"== nsls find :8080
WHAT TYPE NS CONTAINER PID USER COMMAND
tcp [::]:8080 listening net DB_NET podman:db DB root /bin/busybox httpd -f -p 8080
tcp [::]:8080 listening net WEB_NET podman:web WEB root /bin/busybox httpd -f -p 8080
== nsls find veth0
WHAT TYPE NS CONTAINER PID USER COMMAND
interface veth0 (veth, up) net HOST_NET HOST root bash script
master podman0 (bridge, up) net HOST_NET HOST root bash script
peer eth0 (veth, up) net WEB_NET podman:web WEB root /bin/busybox httpd -f -p 8080
== nsls find veth0@if2
WHAT TYPE NS CONTAINER PID USER COMMAND
interface veth0 (veth, up) net HOST_NET HOST root bash script
master podman0 (bridge, up) net HOST_NET HOST root bash script
peer eth0 (veth, up) net WEB_NET podman:web WEB root /bin/busybox httpd -f -p 8080
== nsls find podman0
WHAT TYPE NS CONTAINER PID USER COMMAND
interface podman0 (bridge, up) net HOST_NET HOST root bash script
peer eth0 (veth, up) net DB_NET podman:db DB root /bin/busybox httpd -f -p 8080
peer eth0 (veth, up) net SHOPINFRA_NET podman:shop-infra SHOPINFRA root /bin/busybox sleep 1000
peer eth0 (veth, up) net WEB_NET podman:web WEB root /bin/busybox httpd -f -p 8080
port veth0 (veth, up) net HOST_NET HOST root bash script
port veth1 (veth, up) net HOST_NET HOST root bash script
port veth2 (veth, up) net HOST_NET HOST root bash script
== nsls find 10.88.0.0/16
WHAT TYPE NS CONTAINER PID USER COMMAND
10.88.0.1/16 on podman0 net HOST_NET HOST root bash script
10.88.0.2/16 on eth0 net WEB_NET podman:web WEB root /bin/busybox httpd -f -p 8080
10.88.0.3/16 on eth0 net DB_NET podman:db DB root /bin/busybox httpd -f -p 8080
10.88.0.4/16 on eth0 net SHOPINFRA_NET podman:shop-infra SHOPINFRA root /bin/busybox sleep 1000
== nsls find web
WHAT TYPE NS CONTAINER PID USER COMMAND
container web pid WEB_PID podman:web WEB root /bin/busybox httpd -f -p 8080
== nsls find proxy
WHAT TYPE NS CONTAINER PID USER COMMAND
container proxy pid PROXY_PID docker:proxy PROXY root /bin/busybox httpd -f -p 8081
== nsls find :8081
WHAT TYPE NS CONTAINER PID USER COMMAND
tcp [::]:8081 listening net HOST_NET docker:proxy PROXY root /bin/busybox httpd -f -p 8081
== nsls find pod:POD
WHAT TYPE NS CONTAINER PID USER COMMAND
pod POD pid SHOPA_PID podman:shop-a SHOPA root /bin/busybox sleep 1000
pod POD pid SHOPB_PID podman:shop-b SHOPB root /bin/busybox sleep 1000
pod POD pid SHOPINFRA_PID podman:shop-infra SHOPINFRA root /bin/busybox sleep 1000
== nsls find pod:SHORT
WHAT TYPE NS CONTAINER PID USER COMMAND
pod SHORT pid SHOPA_PID podman:shop-a SHOPA root /bin/busybox sleep 1000
pod SHORT pid SHOPB_PID podman:shop-b SHOPB root /bin/busybox sleep 1000
pod SHORT pid SHOPINFRA_PID podman:shop-infra SHOPINFRA root /bin/busybox sleep 1000
== nsls find LOOP
WHAT TYPE NS CONTAINER PID USER COMMAND
LOOP on /data (ext4) mnt WEB_MNT podman:web WEB root /bin/busybox httpd -f -p 8080
== nsls find /data
WHAT TYPE NS CONTAINER PID USER COMMAND
LOOP on /data (ext4) mnt WEB_MNT podman:web WEB root /bin/busybox httpd -f -p 8080
== nsls find --enter 10.88.0.3
WHAT TYPE NS CONTAINER PID USER COMMAND ENTER
10.88.0.3/16 on eth0 net DB_NET podman:db DB root /bin/busybox httpd -f -p 8080 nsenter --target DB --net
== nsls web
PID PPID USER COMMAND
WEB PARENT root /bin/busybox httpd -f -p 8080
== nsls -t uts proxy
PID PPID USER COMMAND
PROXY PARENT root /bin/busybox httpd -f -p 8081
== nsls --pid db -t ipc,mnt,net,pid,uts -o NS,TYPE,NPROCS,PID,USER,LINKS,COMMAND
NS TYPE NPROCS PID USER LINKS COMMAND
DB_IPC ipc 1 DB root ipc /bin/busybox httpd -f -p 8080
DB_MNT mnt 1 DB root mnt /bin/busybox httpd -f -p 8080
DB_NET net 1 DB root net /bin/busybox httpd -f -p 8080
DB_PID pid 1 DB root pid,pid_for_children /bin/busybox httpd -f -p 8080
DB_UTS uts 1 DB root uts /bin/busybox httpd -f -p 8080
== nsls compare web db
TYPE web db SHARED
cgroup HOST_CGROUP= HOST_CGROUP= yes
ipc WEB_IPC DB_IPC no
mnt WEB_MNT DB_MNT no
net WEB_NET DB_NET no
pid WEB_PID DB_PID no
time HOST_TIME= HOST_TIME= yes
user HOST_USER= HOST_USER= yes
uts WEB_UTS DB_UTS no
status 1
== nsls compare shop-a shop-b
TYPE shop-a shop-b SHARED
cgroup HOST_CGROUP= HOST_CGROUP= yes
ipc SHOPINFRA_IPC= SHOPINFRA_IPC= yes
mnt SHOPA_MNT SHOPB_MNT no
net SHOPINFRA_NET= SHOPINFRA_NET= yes
pid SHOPA_PID SHOPB_PID no
time HOST_TIME= HOST_TIME= yes
user HOST_USER= HOST_USER= yes
uts SHOPINFRA_UTS= SHOPINFRA_UTS= yes
status 1
== nsls compare web proxy
TYPE web proxy SHARED
cgroup HOST_CGROUP= HOST_CGROUP= yes
ipc WEB_IPC PROXY_IPC no
mnt WEB_MNT PROXY_MNT no
net WEB_NET HOST_NET no
pid WEB_PID PROXY_PID no
time HOST_TIME= HOST_TIME= yes
user HOST_USER= HOST_USER= yes
uts WEB_UTS PROXY_UTS no
status 1
== nsls holders web
KIND PID USER COMMAND WHERE
for-children WEB root /bin/busybox httpd -f -p 8080 pid_for_children
process WEB root /bin/busybox httpd -f -p 8080 pid
== nsls holders WEB_NET
KIND PID USER COMMAND WHERE
mount /run/netns/netns-UUID
process WEB root /bin/busybox httpd -f -p 8080 net
socket WEB root /bin/busybox httpd -f -p 8080 fd 3
== nsls exec --container web -t net -- ip -4 -br addr
web: eth0@if3 UP 10.88.0.2/16
web: lo UNKNOWN 127.0.0.1/8
nsls: web: entering net:[WEB_NET]
== nsls exec --container web --all -- /bin/busybox uname -n
web: web
nsls: web: entering mnt:[WEB_MNT], net:[WEB_NET], ipc:[WEB_IPC], pid:[WEB_PID], uts:[WEB_UTS]
== nsls exec --container shop-b -t net,uts -- uname -n
shop-b: shop
nsls: shop-b: entering net:[SHOPINFRA_NET], uts:[SHOPINFRA_UTS]
== nsls exec -t net -Q CONTAINER and PID != 1 -- ip -4 -br addr show eth0
db: eth0@if4 UP 10.88.0.3/16
netns-UUID: eth0@if5 UP 10.88.0.4/16
web: eth0@if3 UP 10.88.0.2/16
nsls: db: entering net:[DB_NET]
nsls: netns-UUID: entering net:[SHOPINFRA_NET]
nsls: web: entering net:[WEB_NET]
== nsls find db
nsls: found nothing for db, looked for a container, pod, unit, interface, net namespace in /run/netns or command; nsls find --help shows what may be given
status 1
== nsls find :8080
WHAT TYPE NS CONTAINER PID USER COMMAND
tcp [::]:8080 listening net WEB_NET podman:web WEB root /bin/busybox httpd -f -p 8080
== on a terminal
NS TYPE NPROCS PID USER LINKS COMMAND
WEB_NET net 1 WEB root net /bin/busybox httpd -f -p 8080
process WEB is in the container podman:web
== as nobody
== nsls find :8080
nsls: found nothing for :8080 among the visible ones, looked for a port: M of N processes could not be read (permission denied), contents of 2 namespaces could not be read (permission denied); nsls explain denied says more
status 1
== nsls find :8081
WHAT TYPE NS CONTAINER PID USER COMMAND
tcp [::]:8081 listening net HOST_NET
nsls: M of N processes could not be read (permission denied), contents of 2 namespaces could not be read (permission denied); run as root for the rest
";

#[test]
fn what_is_asked_about_connected_containers_is_answered_by_their_names() {
    if !live::has_time() || !live::can_unshare() || !live::has(TOOLS) {
        return;
    }
    if !NETAVARK.iter().any(|path| Path::new(path).exists()) {
        return skip("there is no netavark");
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engines/start");
    let outcome = live::run(&format!("LOCK='{lock}'\n{ASK}"));
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        (ANSWERS, "")
    );
}
