"""A process whose memory map stays locked, so that reading its command line
blocks: one thread faults on a file whose server never answers, the other waits
to write to the map, and every later reader queues behind the writer.

Run as root. Prints the PID of the victim when it is blocked, and stays until
its standard input ends."""
import ctypes, os, struct, threading, time
from silent_file import ATTR, GETATTR, READ, SilentFile, libc

libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]


def attack(path):
    file = os.open(path, os.O_RDONLY)
    os.fstat(file)  # fetches its size
    page = libc.mmap(None, 4096, 1, 2, file, 0)  # PROT_READ, MAP_PRIVATE
    libc.madvise(page, 4096, 1)  # MADV_RANDOM: no read ahead
    byte = ctypes.create_string_buffer(1)
    threading.Thread(target=lambda: libc.memcmp(page, byte, 1), daemon=True).start()
    time.sleep(0.3)
    libc.mmap(None, 4096, 1, 0x22, -1, 0)
    os._exit(1)  # not reached while the file's server is silent


reads = 0
file = SilentFile()
file.fork(attack)


def answers(opcode):
    global reads
    if opcode == GETATTR:
        return 0, struct.pack("QII", 3600, 0, 0) + ATTR
    if opcode != READ:
        return -38, b""
    # The kernel drops the map's lock for the first attempt at a fault, and holds
    # it for the second.
    reads += 1
    return (-5, b"") if reads == 1 else None


def states():
    for task in os.listdir(f"/proc/{file.victim}/task"):
        with open(f"/proc/{file.victim}/task/{task}/stat") as stat:
            yield stat.read().rpartition(")")[2].split()[0]


file.serve(answers, lambda: reads > 1 and "D" in states())
