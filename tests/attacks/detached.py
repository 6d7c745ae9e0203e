"""Holds a net namespace by a file that was opened below a detached copy of a
mount tree, made in a mount namespace that is gone. Prints the number of the
namespace and that of the file, and waits for the end of its standard input."""

import ctypes
import os
import sys

NEWNS, NEWNET = 0x20000, 0x40000000
OPEN_TREE, CLONE, RECURSIVE, CLOEXEC = 428, 1, 0x8000, 0o2000000
REC_PRIVATE, BIND, DETACH = 0x44000, 0x1000, 2
libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    result = function(*arguments)
    if result < 0:
        sys.exit(f"{arguments}: {os.strerror(ctypes.get_errno())}")
    return result


own = os.open("/proc/self/ns/net", os.O_RDONLY)
outside = os.open("/proc/self/ns/mnt", os.O_RDONLY)
call(libc.unshare, NEWNS)
call(libc.mount, None, b"/", None, REC_PRIVATE, None)
os.mkdir("tree")
call(libc.mount, b"tmpfs", b"tree", b"tmpfs", 0, None)
os.makedirs("tree/below")
open("tree/below/net", "w").close()
call(libc.unshare, NEWNET)
call(libc.mount, b"/proc/self/ns/net", b"tree/below/net", None, BIND, None)
ino = os.stat("/proc/self/ns/net").st_ino
call(libc.setns, own, NEWNET)
tree = call(libc.syscall, OPEN_TREE, -100, b"tree", CLONE | RECURSIVE | CLOEXEC)
call(libc.umount2, b"tree", DETACH)
file = os.open("below/net", os.O_PATH if "path" in sys.argv else os.O_RDONLY, dir_fd=tree)
if "closed" in sys.argv:
    os.close(tree)
call(libc.setns, outside, NEWNS)
os.write(1, b"%d %d\n" % (ino, file))
os.read(0, 1)
