"""A process that never ends its execve(2): the program is already replaced, and
the kernel closes a file whose server does not answer. Until then kcmp(2) and
pidfd_getfd(2) of the process, and reading its environ and io, block.

Run as root. Prints the PID of the victim when it is blocked, and stays until
its standard input ends."""
import ctypes, os, select, struct, sys, tempfile

libc = ctypes.CDLL(None, use_errno=True)


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
    libc.unshare(0x4000000)  # CLONE_NEWUTS
    os.open(path, os.O_RDONLY)  # close-on-exec
    os.execv("/bin/sleep", ["sleep", "60"])

LOOKUP, GETATTR, OPEN, FLUSH, INIT = 1, 3, 14, 25, 26
flushes, told = 0, False
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
        elif opcode == FLUSH:
            flushes += 1
            continue
        else:
            errno = -38
        os.write(device, struct.pack("IiQ", 16 + len(answer), errno, unique) + answer)
    elif flushes and not told:
        print(victim, flush=True)
        told = True
# The end of the server is an error to those who wait for it.
os.close(device)
os.kill(victim, 9)
os.waitpid(victim, 0)
libc.umount2(path.encode(), 2)
os.unlink(path)
os.rmdir(directory)
