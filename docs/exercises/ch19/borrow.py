# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""borrow.py PID FD: makes a descriptor of its own for another process's socket, and says what it has got."""
import ctypes
import os
import socket
import sys

PIDFD_GETFD = 438  # the same number on every architecture

pid, number = int(sys.argv[1]), int(sys.argv[2])
process = os.pidfd_open(pid)
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.syscall(PIDFD_GETFD, process, number, 0)
if fd < 0:
    sys.exit(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
theirs = os.readlink(f"/proc/{pid}/fd/{number}")
ours = os.readlink(f"/proc/self/fd/{fd}")
borrowed = socket.socket(fileno=fd)
print("the same open socket" if ours == theirs else "another one", "at", "%s:%d" % borrowed.getsockname())
print("close-on-exec" if not os.get_inheritable(fd) else "inheritable")
