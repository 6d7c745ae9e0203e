"""A process whose memory map stays locked, so that reading its command line
blocks: one thread faults on a file whose server never answers, the other waits
to write to the map, and every later reader queues behind the writer.

Run as root. Prints the PID of the victim when it is blocked, and stays until
its standard input ends."""
import ctypes, mmap, os, select, struct, sys, tempfile, threading, time

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]


def check(result):
    if result:
        sys.exit(os.strerror(ctypes.get_errno()))


# Nothing of this is left behind once the process ends.
check(libc.unshare(0x20000))  # CLONE_NEWNS
check(libc.mount(None, b"/", None, 0x44000, None))  # MS_REC | MS_PRIVATE
directory = tempfile.mkdtemp()
path = directory + "/file"
open(path, "w").close()
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=100644,user_id=0,group_id=0".encode()
check(libc.mount(b"fuse", path.encode(), b"fuse", 0, options))

victim = os.fork()
if victim == 0:
    os.close(device)
    libc.prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    libc.unshare(0x4000000)  # CLONE_NEWUTS, so that nobody else represents it
    file = os.open(path, os.O_RDONLY)
    os.fstat(file)  # fetches its size
    page = libc.mmap(None, 4096, 1, 2, file, 0)  # PROT_READ, MAP_PRIVATE
    libc.madvise(page, 4096, 1)  # MADV_RANDOM: no read ahead
    byte = ctypes.create_string_buffer(1)
    threading.Thread(target=lambda: libc.memcmp(page, byte, 1), daemon=True).start()
    time.sleep(0.3)
    libc.mmap(None, 4096, 1, 0x22, -1, 0)
    os._exit(1)  # not reached while the file's server is silent


def states():
    for task in os.listdir(f"/proc/{victim}/task"):
        with open(f"/proc/{victim}/task/{task}/stat") as stat:
            yield stat.read().rpartition(")")[2].split()[0]


ATTR = struct.pack("QQQQQQIIIIIIIIII", 1, 4096, 8, 0, 0, 0, 0, 0, 0, 0o100644, 1, 0, 0, 0, 4096, 0)
LOOKUP, GETATTR, OPEN, READ, INIT = 1, 3, 14, 15, 26
reads, told = 0, False
while True:
    ready, _, _ = select.select([device, 0], [], [], 0.05)
    if 0 in ready and not os.read(0, 4096):
        break
    if device in ready:
        request = os.read(device, 1 << 20)
        _, opcode, unique = struct.unpack_from("IIQ", request)
        errno, answer = 0, b""
        if opcode == INIT:
            answer = struct.pack("IIIIHHIIHHI28x", 7, 31, 0, 0, 1, 1, 4096, 1, 1, 0, 0)
        elif opcode == OPEN:
            answer = struct.pack("QII", 1, 0, 0)
        elif opcode == GETATTR:
            answer = struct.pack("QII", 3600, 0, 0) + ATTR
        elif opcode == READ:
            # The kernel drops the map's lock for the first attempt at a fault,
            # and holds it for the second.
            reads += 1
            if reads > 1:
                continue
            errno = -5
        else:
            errno = -38
        os.write(device, struct.pack("IiQ", 16 + len(answer), errno, unique) + answer)
    elif reads > 1 and not told and "D" in states():
        print(victim, flush=True)
        told = True
# The end of the server is an error to those who wait for it.
os.close(device)
os.kill(victim, 9)
os.waitpid(victim, 0)
libc.umount2(path.encode(), 2)
os.unlink(path)
os.rmdir(directory)
