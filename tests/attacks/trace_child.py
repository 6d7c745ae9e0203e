"""Root of a user namespace traces whoever enters it, and stops them while there is
a file `stop`. Writes what happened to `caught`: `traced` or `stopped`, and the
PID."""

import ctypes
import os
import signal

PTRACE_SEIZE, CLONE_NEWUSER = 0x4206, 0x10000000
libc = ctypes.CDLL(None, use_errno=True)
caught = open("caught", "a", buffering=1)
os.chmod("caught", 0o666)
os.setgroups([])
os.setresgid(4321, 4321, 4321)
os.setresuid(4321, 4321, 4321)
assert libc.prctl(4, 1, 0, 0, 0) == 0  # dumpable, to write its own maps
assert libc.unshare(CLONE_NEWUSER) == 0
for name, text in ("setgroups", "deny"), ("gid_map", "0 4321 1"), ("uid_map", "0 4321 1"):
    with open(f"/proc/self/{name}", "w") as file:
        file.write(text)
print(os.getpid(), flush=True)
own, done = os.getpid(), set()
while True:
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == own or name in done:
            continue
        pid = int(name)
        try:
            if libc.ptrace(PTRACE_SEIZE, pid, None, None) == 0:
                caught.write(f"traced {pid}\n")
                done.add(name)
            if os.path.exists("stop"):
                os.kill(pid, signal.SIGSTOP)
                caught.write(f"stopped {pid}\n")
        except OSError:
            pass
