"""Runs in a guest of tests/kernels/run, and says what nsls shows there.

Prints lines of a row and a cell of the table in docs/kernels.md, and `done`.
"""

import base64
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import traceback

NSLS = "/bin/nsls"


def say(row, cell):
    print(f"{row}\t{cell}", flush=True)


def run(*arguments, **options):
    command = [NSLS, *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, **options)


def scan(*arguments):
    """Returns the JSON of a run."""
    done = run("--json", *arguments)
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stderr}")
    return json.loads(done.stdout)


# ---- Ways to hold a namespace --------------------------------------------------


def start_ways():
    """Starts tests/holders/ways.py, and returns type, number and PID of each."""
    for command in (["mount", "--make-rprivate", "/"], ["busybox", "mkdir", "-p", "/run/netns"],
                    ["mount", "-t", "tmpfs", "tmpfs", "/run/netns"],
                    ["mount", "-t", "tmpfs", "tmpfs", "/tmp"]):
        subprocess.run(command, check=True)
    process = subprocess.Popen(["/usr/bin/python3", "-I", "-S", "-u", "/ways.py"], cwd="/tmp",
                               stdout=subprocess.PIPE, text=True)
    ways = {}
    for line in process.stdout:
        if line == "all\n":
            return ways
        name, kind, number, pid = line.split()
        ways[name.replace("_", " ")] = (kind, int(number), int(pid))
    raise SystemExit("the ways to hold a namespace did not start")


def start(command, link):
    """Starts a program, and waits until a link of it differs from this process's."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    own = os.readlink(f"/proc/self/ns/{link}")
    while True:
        try:
            found = os.readlink(f"/proc/{process.pid}/ns/{link}")
        except FileNotFoundError:
            found = None
        if found != own:
            return process, found
        time.sleep(0.01)


def start_more(ways):
    """Adds ways that not every kernel shows."""
    # Nothing but an open file that belongs to a mount namespace, and is none.
    process, link = start(["unshare", "-m", "busybox", "sleep", "1000"], "mnt")
    held.append(open(f"/proc/{process.pid}/mountinfo"))
    process.kill()
    process.wait()
    ways["open mountinfo of a mount namespace"] = ("mnt", int(link[5:-1]), None)
    # pid_for_children before the first child.
    process, link = start(["unshare", "-p", "busybox", "sleep", "1000"], "pid_for_children")
    number = int(link[5:-1]) if link else None
    ways["pid_for_children before the first child"] = ("pid", number, process.pid)
    # A descriptor that nobody has received.
    held.append(socket.socketpair())
    number = carry(lambda fd: socket.send_fds(held[-1][0], [b"x"], [fd]))
    ways["descriptor in flight"] = ("net", number, os.getpid())
    # io_uring_setup(2), io_uring_register(2) with IORING_REGISTER_FILES.
    ring = libc.syscall(425, 4, ctypes.create_string_buffer(120))
    slots = lambda fd: (ctypes.c_int * 2)(-1, fd)
    number = carry(lambda fd: libc.syscall(427, ring, 2, slots(fd), 2))
    ways["io_uring slot"] = ("net", number, os.getpid())
    # A System V segment that is attached, shmget(2) and shmat(2).
    home = os.open("/proc/self/ns/ipc", os.O_RDONLY)
    libc.unshare(0x8000000)
    libc.shmat(libc.shmget(0, 4096, 0o1600), None, 0)
    ways["attached segment"] = ("ipc", int(os.readlink("/proc/self/ns/ipc")[5:-1]), os.getpid())
    libc.setns(home, 0)
    os.close(home)


def carry(act):
    """Makes a net namespace that only what is done with its file keeps."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    libc.unshare(0x40000000)
    fd = os.open("/proc/self/ns/net", os.O_RDONLY)
    number = int(os.readlink("/proc/self/ns/net")[5:-1])
    libc.setns(home, 0)
    os.close(home)
    act(fd)
    os.close(fd)
    return number


held = []
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p


def holders_of(found):
    """Returns the kinds of holders, and how many of each."""
    kinds = [holder["kind"] for holder in found["holders"] or []]
    return ", ".join(dict.fromkeys(kinds)) or "none known"


def say_ways(ways):
    full, plain, bpf = (
        scan("-o", "NS,TYPE,NPROCS,HOLDERS,ID"),
        scan("-o", "NS,TYPE,NPROCS,PID"),
        scan("--bpf", "-o", "NS,TYPE,NPROCS,HOLDERS,ID"),
    )

    def look(document, way):
        kind, number, pid = way
        for found in document["namespaces"]:
            held_by = [holder.get("pid") for holder in found.get("holders") or []
                       if holder["kind"] == "for-children"]
            if found["type"] == kind and (pid in held_by if number is None else found["ns"] == number):
                return found
        return None

    for name, way in ways.items():
        found, told = look(full, way), look(bpf, way)
        said = holders_of(found) if found else "not found"
        if found and not look(plain, (way[0], found["ns"], None)):
            said += "; not in the default listing"
        told = holders_of(told) if told else "not found"
        say(name, said if said == told else f"{said}; with `--bpf`: {told}")
    return full, plain


# ---- Sources -------------------------------------------------------------------

# All kernels have the others.
OPTIONAL = "threads", "mounts", "mount-namespaces", "listns"


def say_sources(when, document):
    used = [name for name in OPTIONAL if name in document["sources"]]
    say(f"`sources` {when}", ", ".join(used))


def say_sources_elsewhere():
    def without_admin():
        # CAP_SYS_ADMIN of the bounding set, prctl(2).
        ctypes.CDLL(None).prctl(24, 21, 0, 0, 0)
    for when, command, options in (
            ("in a container", ["unshare", "-pf", "--mount-proc"], {}),
            ("without CAP_SYS_ADMIN", [], {"preexec_fn": without_admin})):
        command = [*command, NSLS, "--json", "-o", "NS,TYPE,NPROCS"]
        done = subprocess.run(command, stdout=subprocess.PIPE, **options, check=True, text=True,
                              stderr=subprocess.DEVNULL)
        say_sources(when, json.loads(done.stdout))


# ---- Views ---------------------------------------------------------------------

VIEWS = """
--strict
--strict --json
--strict --raw
--strict --output-all
--strict --json --output-all
--strict -T
--strict -Tparent
--strict -Tprocess
--strict -P
--strict -t mnt -o +NMOUNTS,NSFS
--strict -t net -o +INTERFACES
--strict --filter=NPROCS>1
--strict --infer
--strict --bpf
--strict --bpf --output-all
--pid 1
NET
MNT
containers
limits
holders MNT
translate 1
compare 1 MNTPID
capture /run/captured
--sysroot /run/captured
"""


def say_views(ways):
    process, link = start(["unshare", "-m", "busybox", "sleep", "1000"], "mnt")
    words = {"NET": os.readlink("/proc/self/ns/net"), "MNT": link, "MNTPID": str(process.pid)}
    words["HOST"] = os.readlink("/proc/self/ns/mnt")
    for view in VIEWS.strip().splitlines():
        verbose = [] if view.startswith("capture") else ["--verbose"]
        done = run(*(words.get(word, word) for word in view.split()), *verbose)
        said = done.stderr.replace("nsls: ", "").strip()
        if "--json" in view:
            said = "; ".join(gap["message"] for gap in json.loads(done.stdout)["gaps"])
        for word, value in words.items():
            said = said.replace(value, word)
        said = said.replace("\n", "; ")
        said = re.sub(r", (?=[0-9]+ |pid_max |sockets |contents |parent |mounts |this |cannot )", "; ", said)
        # compare, like diff(1), exits with 1 if there are differences.
        codes = {0: "complete", 3: "incomplete", int(view.startswith("compare")): "complete"}
        result = codes.get(done.returncode, f"exit code {done.returncode}")
        if not done.stdout and not view.startswith("capture"):
            result = f"{result}, empty"
        shown = view.replace("--strict", "").strip() or "nsls"
        say(f"`{shown}`", f"{result}: {said}" if said else result)
    process.kill()
    process.wait()


# ---- Columns -------------------------------------------------------------------


def say_columns(ways, full):
    """Says of which types a column has values."""
    document = scan("--output-all")
    for column in ("id", "ons", "pns", "path", "netnsid", "pidmax"):
        kinds = {}
        for found in document["namespaces"]:
            kinds.setdefault(found["type"], []).append(found.get(column) is not None)
        every = [kind for kind, known in kinds.items() if all(known)]
        some = [kind for kind, known in kinds.items() if any(known) and not all(known)]
        said = "all" if len(every) == len(kinds) else ", ".join(sorted(every)) or "none"
        said += f"; some of {', '.join(sorted(some))}" if some else ""
        say(f"{column.upper()} of", said)
    # Those that no process is in.
    empty = [found for found in document["namespaces"]
             if found["type"] == "mnt" and not found["nprocs"]]
    known = [found["nmounts"] for found in empty if found["nmounts"]]
    say("NMOUNTS of mount namespaces without processes", f"{len(known)} of {len(empty)}")


# ---- BPF -----------------------------------------------------------------------


def say_bpf(ways):
    """Says what differs between `--bpf` and `/proc`, of the processes that hold
    a namespace."""
    pids = {pid for _, _, pid in ways.values()}

    def facts(document):
        return {(found["type"], found["ns"], json.dumps(holder, sort_keys=True))
                for found in document["namespaces"] for holder in found["holders"]
                if holder.get("pid") in pids}
    before = facts(scan("-o", "NS,TYPE,HOLDERS"))
    told = facts(scan("--bpf", "-o", "NS,TYPE,HOLDERS"))
    after = facts(scan("-o", "NS,TYPE,HOLDERS"))
    lost, more = (before & after) - told, told - (before | after)
    def kinds(some):
        return ", ".join(sorted({f"{kind} by {json.loads(holder)['kind']}" for kind, _, holder in some}))
    say("`--bpf` lacks", kinds(lost) or "nothing")
    say("`--bpf` adds", kinds(more) or "nothing")


# The ways to show in a fixture.
CAPTURED = ("thread", "time for children", "pid for children", "fd", "mount elsewhere",
            "leaderless fd", "mount here", "pid_for_children before the first child")


def say_capture(ways):
    """Prints a capture of some processes, as tests/kernels/run --capture keeps it."""
    pids = ",".join(str(pid) for pid in [1, 2, *(ways[name][2] for name in CAPTURED)])
    done = run("capture", "/run/fixture", "--pid", pids)
    if done.returncode:
        raise SystemExit(done.stderr)
    packed = subprocess.run(["busybox", "tar", "-c", "-C", "/run/fixture", "."], check=True,
                            stdout=subprocess.PIPE).stdout
    sys.stdout.write(f"\ncapture {base64.b64encode(packed).decode()}\n\n")


def main():
    os.environ.update(PATH="/bin:/usr/bin", LC_ALL="C.UTF-8")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = scan("-o", "NS,TYPE,NPROCS")
    ways = start_ways()
    start_more(ways)
    full, plain = say_ways(ways)
    say_sources("if processes explain all", before)
    say_sources("if one is held otherwise", plain)
    say_sources("if holders are shown", full)
    say_sources_elsewhere()
    say_bpf(ways)
    say_columns(ways, full)
    say_views(ways)
    say_capture(ways)
    print("\ndone", flush=True)


try:
    main()
except BaseException as error:
    print(traceback.format_exc(), flush=True)
