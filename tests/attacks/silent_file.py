"""A file whose server, which is this process, does not answer every request."""
import ctypes, os, select, struct, sys, tempfile

libc = ctypes.CDLL(None, use_errno=True)
GETATTR, OPEN, READ, FLUSH, INIT = 3, 14, 15, 25, 26
ATTR = struct.pack("QQQQQQIIIIIIIIII", 1, 4096, 8, 0, 0, 0, 0, 0, 0, 0o100644, 1, 0, 0, 0, 4096, 0)


def check(result):
    if result:
        sys.exit(os.strerror(ctypes.get_errno()))


class SilentFile:
    """Mounts the file. Nothing of it is left behind once the process ends."""

    def __init__(self):
        check(libc.unshare(0x20000))  # CLONE_NEWNS
        check(libc.mount(None, b"/", None, 0x44000, None))  # MS_REC | MS_PRIVATE
        self.directory = tempfile.mkdtemp()
        self.path = self.directory + "/file"
        open(self.path, "w").close()
        self.device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.device},rootmode=100644,user_id=0,group_id=0".encode()
        check(libc.mount(b"fuse", self.path.encode(), b"fuse", 0, options))

    def fork(self, attack):
        """Starts the process that opens the file."""
        self.victim = os.fork()
        if self.victim == 0:
            os.close(self.device)
            libc.prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
            libc.unshare(0x4000000)  # CLONE_NEWUTS, so that nobody else represents it
            attack(self.path)

    def serve(self, answers, is_blocked):
        """Answers requests until the standard input ends, and prints the PID of
        the victim once it is blocked. `answers` returns an error number and an
        answer for an operation, or None to be silent."""
        told = False
        while True:
            ready, _, _ = select.select([self.device, 0], [], [], 0.05)
            if 0 in ready and not os.read(0, 4096):
                break
            if self.device in ready:
                request = os.read(self.device, 1 << 20)
                _, opcode, unique = struct.unpack_from("IIQ", request)
                if opcode == INIT:
                    said = 0, struct.pack("IIIIHHIIHHI28x", 7, 31, 0, 0, 1, 1, 4096, 1, 1, 0, 0)
                elif opcode == OPEN:
                    said = 0, struct.pack("QII", 1, 0, 0)
                else:
                    said = answers(opcode)
                if said is not None:
                    errno, answer = said
                    head = struct.pack("IiQ", 16 + len(answer), errno, unique)
                    os.write(self.device, head + answer)
            elif not told and is_blocked():
                print(self.victim, flush=True)
                told = True
        # The end of the server is an error to those who wait for it.
        os.close(self.device)
        os.kill(self.victim, 9)
        os.waitpid(self.victim, 0)
        libc.umount2(self.path.encode(), 2)
        os.unlink(self.path)
        os.rmdir(self.directory)
