"""Runs a command, and fails instead of it if it takes more than ten seconds (124)
or 64 MiB of memory (125)."""

import os
import signal
import subprocess
import sys

process = subprocess.Popen(sys.argv[1:])
signal.signal(signal.SIGALRM, lambda *_: process.kill())
signal.alarm(10)
_, status, usage = os.wait4(process.pid, 0)
if os.WIFSIGNALED(status):
    sys.exit(124 if os.WTERMSIG(status) == signal.SIGKILL else 128 + os.WTERMSIG(status))
if usage.ru_maxrss > 64 << 10:
    sys.stderr.write(f"{usage.ru_maxrss} KiB\n")
    sys.exit(125)
sys.exit(os.WEXITSTATUS(status))
