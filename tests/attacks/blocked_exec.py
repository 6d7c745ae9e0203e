"""A process that never ends its execve(2): the program is already replaced, and
the kernel closes a file whose server does not answer. Until then kcmp(2) and
pidfd_getfd(2) of the process, and reading its environ and io, block.

Run as root. Prints the PID of the victim when it is blocked, and stays until
its standard input ends."""
import os
from silent_file import FLUSH, SilentFile


def attack(path):
    os.open(path, os.O_RDONLY)  # close-on-exec
    os.execv("/bin/sleep", ["sleep", "60"])


flushes = 0
file = SilentFile()
file.fork(attack)


def answers(opcode):
    global flushes
    if opcode != FLUSH:
        return -38, b""
    flushes += 1
    return None


file.serve(answers, lambda: flushes > 0)
