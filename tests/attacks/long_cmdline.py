"""A process in a uts namespace of its own whose command line is three gigabytes
long. Prints its PID, and waits for the end of its standard input."""

import ctypes
import os
import struct

LENGTH = 3 << 30
NEWUTS = 0x4000000
PROT_READ, MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE = 1, 2, 0x20, 0x4000
SET_MM, SET_MM_MAP = 35, 14

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.sbrk.restype = ctypes.c_size_t
libc.mmap.argtypes = [ctypes.c_size_t] * 2 + [ctypes.c_int] * 3 + [ctypes.c_long]
# Pages that are only ever read take no memory.
start = libc.mmap(0, LENGTH, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
assert libc.unshare(NEWUTS) == 0
with open("/proc/self/stat") as stat:
    fields = [0, 0] + stat.read().rpartition(")")[2].split()
start_code, end_code, start_stack = map(int, fields[25:28])
start_data, end_data, start_brk = map(int, fields[44:47])
code, data, heap = [start_code, end_code], [start_data, end_data], [start_brk, libc.sbrk(0)]
env = map(int, fields[49:51])
new = struct.pack("11QQII", *code, *data, *heap, start_stack, start, start + LENGTH, *env, 0, 0, 0xFFFFFFFF)
assert libc.prctl(SET_MM, SET_MM_MAP, new, len(new), 0) == 0, os.strerror(ctypes.get_errno())
os.write(1, b"%d\n" % os.getpid())
os.read(0, 1)
