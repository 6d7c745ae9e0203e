"""Mounts 1,500 times an overlay whose line in mountinfo has about 700 kilobytes,
and a uts namespace between them."""

import ctypes
import os
import sys

LAYERS = int(sys.argv[1])
FSOPEN, FSCONFIG, FSMOUNT, MOVE_MOUNT = 430, 431, 432, 429
SET_FD, CREATE = 5, 6
CWD, EMPTY_PATH, BIND, NEWUTS = -100, 4, 0x1000, 0x4000000

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    result = function(*arguments)
    if result < 0:
        sys.exit(f"{arguments}: {os.strerror(ctypes.get_errno())}"[:200])
    return result


# Each backslash is written as four characters.
name = "\\" * 255
directory = os.getcwd()
layers = [f"{directory}/{name}/{name[: 200 + number % 50]}{number}" for number in range(LAYERS)]
os.mkdir(name)
overlay = call(libc.syscall, FSOPEN, b"overlay", 0)
for layer in layers:
    os.mkdir(layer)
    call(libc.syscall, FSCONFIG, overlay, SET_FD, b"lowerdir+", None, os.open(layer, os.O_PATH))
call(libc.syscall, FSCONFIG, overlay, CREATE, None, None, 0)
mount = call(libc.syscall, FSMOUNT, overlay, 0, 0)
os.mkdir("overlay")
call(libc.syscall, MOVE_MOUNT, mount, b"", CWD, b"overlay", EMPTY_PATH)
for number in range(1500):
    os.mkdir(f"at{number}")
    call(libc.mount, b"overlay", b"at%d" % number, None, BIND, None)
    if number == 750:
        open("uts", "w").close()
        child = os.fork()
        if child == 0:
            call(libc.unshare, NEWUTS)
            call(libc.mount, b"/proc/self/ns/uts", b"uts", None, BIND, None)
            os._exit(0)
        os.waitpid(child, 0)
