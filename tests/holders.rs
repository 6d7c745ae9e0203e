//! Every way to keep a namespace alive, in isolation: the namespace is found,
//! its holder is named, and it is gone once the holder is.

use crate::bpf;
use crate::common::{Nsls, Outcome, Tree, live};

/// Keeps a namespace alive in each way and prints `WAY TYPE NUMBER PID` for it;
/// the namespace is released when PID ends. Then waits.
pub const WAYS: &str = r#"
import ctypes, fcntl, os, signal, socket, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
FLAGS = dict(mnt=0x20000, net=0x40000000, uts=0x4000000, user=0x10000000, pid=0x20000000,
             ipc=0x8000000, time=0x80, files=0x400)
PARENT = os.getpid()

def check(returned):
    if returned:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

def unshare(*kinds):
    check(libc.unshare(sum(FLAGS[kind] for kind in kinds)))

def back(*kinds):
    for kind in kinds:
        fd = os.open(f"/proc/{PARENT}/ns/{kind}", os.O_RDONLY)
        check(libc.setns(fd, 0))
        os.close(fd)

def link(name):
    return os.readlink(f"/proc/thread-self/ns/{name}")

def mount(source, place, flags):
    check(libc.mount(source and source.encode(), place.encode(), None, flags, None))

def bind(kind, place):
    open(place, "w").close()
    mount(f"/proc/thread-self/ns/{kind}", place, 0x1000)

def private_mounts():
    unshare("mnt")
    mount(None, "/", 0x44000)

held = []

def hold(path):
    held.append(os.open(path, os.O_RDWR if path.endswith("/net/tun") else os.O_RDONLY))

def way(name, make):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            said = make()
        except OSError as error:
            said = f"{error}:[0]"
        os.write(writer, said.encode())
        os.close(writer)
        if name.startswith("leaderless"):
            # exit(2) of this thread alone.
            libc.syscall(60 if os.uname().machine == "x86_64" else 93, 0)
        while True:
            signal.pause()
    os.close(writer)
    kind, number = os.read(reader, 99).decode()[:-1].split(":[")
    os.close(reader)
    print(name, kind, number, pid)

def in_thread(make):
    said = []
    def run():
        said.append(make())
        time.sleep(10000)
    threading.Thread(target=run, daemon=True).start()
    while not said:
        time.sleep(0.01)
    return said[0]

def thread():
    def away():
        unshare("uts")
        return link("uts")
    return in_thread(away)

def own_files(make):
    def run():
        unshare("files")
        return make()
    return lambda: in_thread(run)

def leaderless(make):
    def run():
        said = make()
        in_thread(lambda: True)
        return said
    return run

def time_for_children():
    unshare("time")
    return link("time_for_children")

def pid_for_children():
    unshare("pid")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return link("pid_for_children")

def fd():
    unshare("uts")
    hold("/proc/thread-self/ns/uts")
    said = link("uts")
    back("uts")
    return said

def fd_through_gone_mount():
    private_mounts()
    unshare("uts")
    bind("uts", "gone")
    hold("gone")
    check(libc.umount2(b"gone", 2))
    said = link("uts")
    back("uts", "mnt")
    return said

def mount_here():
    unshare("ipc")
    bind("ipc", "here")
    said = link("ipc")
    back("ipc")
    return said

def mount_elsewhere(place="elsewhere"):
    private_mounts()
    unshare("ipc")
    bind("ipc", place)
    said = link("ipc")
    back("ipc")
    return said

def mount_without_process():
    private_mounts()
    unshare("ipc")
    bind("ipc", "lonely")
    said = link("ipc")
    hold("/proc/self/ns/mnt")
    back("ipc", "mnt")
    return said

def middle_user():
    unshare("user")
    said = link("user")
    for file, text in ("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1"):
        with open(f"/proc/self/{file}", "w") as map:
            map.write(text)
    unshare("user")
    return said

def middle_pid():
    """Two generations, both of which have lost their init."""
    reader, writer = os.pipe()
    unshare("pid")
    child = os.fork()
    if child == 0:
        # /proc is not of this pid namespace: only thread-self there knows us.
        unshare("pid")
        if os.fork() == 0:
            os.write(writer, b"x")
            signal.pause()
        signal.pause()
    os.read(reader, 1)
    said = link("pid_for_children")
    with open(f"/proc/self/task/{os.getpid()}/children") as children:
        init = int(children.read())
    with open(f"/proc/{init}/task/{init}/children") as children:
        below = int(children.read())
    hold(f"/proc/{below}/ns/pid")
    os.kill(init, 9)
    os.waitpid(init, 0)
    # Otherwise this process would keep holding it for its children.
    back("pid")
    return said

def owner():
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        unshare("user", "uts")
        os.write(writer, link("user").encode())
        signal.pause()
    said = os.read(reader, 99).decode()
    hold(f"/proc/{child}/ns/uts")
    os.kill(child, 9)
    os.waitpid(child, 0)
    return said

def in_net(keep):
    def make():
        unshare("net")
        said = link("net")
        keep()
        back("net")
        return said
    return make

def keep_tun():
    hold("/dev/net/tun")
    fcntl.ioctl(held[-1], 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))

def ip_netns():
    import subprocess
    subprocess.run(["ip", "netns", "add", "nsls-test"], check=True)
    ino = os.stat("/run/netns/nsls-test").st_ino
    return f"net:[{ino}]"

def keep_socket():
    held.append(socket.socket())

for make in (thread, time_for_children, pid_for_children, fd, fd_through_gone_mount,
             mount_elsewhere, mount_without_process, middle_user, middle_pid, owner):
    way(make.__name__, make)
way("fd_of_thread", own_files(fd))
way("socket_of_thread", own_files(in_net(keep_socket)))
way("mount_of_thread", lambda: in_thread(lambda: mount_elsewhere("thread")))
way("leaderless_fd", leaderless(fd))
way("leaderless_socket", leaderless(in_net(keep_socket)))
way("leaderless_mount", leaderless(lambda: mount_elsewhere("leaderless")))
# Mounts here come last, because later mount namespaces would copy them.
for make in (mount_here, ip_netns):
    way(make.__name__, make)
way("socket", in_net(keep_socket))
if os.path.exists("/dev/net/tun"):
    way("tun", in_net(keep_tun))
    way("tun_not_set_up", in_net(lambda: hold("/dev/net/tun")))
    os.mkdir("net")
    os.mknod("net/tun", 0o20600, os.makedev(10, 200))
    way("tun_elsewhere", in_net(lambda: hold(os.getcwd() + "/net/tun")))
# A zombie would keep holding its user namespace.
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("all", flush=True)
time.sleep(10000)
"#;

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
    assert_eq!(run, Outcome::success(format!("{expected}{tun}")));
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
