"""Sends millions of files through sockets that nobody reads, and has one of them
open many times."""

import os
import resource
import socket
import time

limit = min(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
file = os.open("/proc/self/ns/net", os.O_RDONLY)
sockets = []
sent = 0
for _ in range(30):
    one, other = socket.socketpair(type=socket.SOCK_SEQPACKET)
    one.setblocking(False)
    sockets += [one, other]
    try:
        while True:
            socket.send_fds(one, [b"x"], [file] * 253)
            sent += 253
    except OSError:
        pass
try:
    while True:
        os.dup(sockets[1].fileno())
except OSError:
    # nsls may not be the only one that has to open something.
    pass
print(sent, flush=True)
time.sleep(1000)
