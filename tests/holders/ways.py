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
