# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""A pinned program on a socket, with setsockopt(2) and no loader."""
import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from struct import pack

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ch07"))
from bpf import address, bpf, memory  # noqa: E402

OBJ_GET = 7
SO_DETACH_FILTER, SO_LOCK_FILTER, SO_ATTACH_BPF = 27, 44, 50


def pinned(path):
    """A descriptor of a pinned program or map."""
    name = memory(os.fsencode(path) + b"\0")
    return bpf(OBJ_GET, pack("=QII", address(name), 0, 0))


def set_option(sock, option, value):
    """setsockopt(2) at SOL_SOCKET, with an int of 4 bytes or with bytes; returns `ok` or the errno's name."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, option, value)
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]


def packets():
    """How many packets the filter `count`, pinned under bpffs, has seen."""
    return int(subprocess.check_output(["minibpf", "dump", "bpffs/maps/_bss", "total_packets"]).split()[-1])
