# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""start: a UDP socket that is to receive nothing. A datagram gets through.

Needs the filter `drop`, pinned as bpffs/drop, with longer_than=0.
"""
import socket
import sys

from attach import SO_ATTACH_BPF, pinned, set_option

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.setblocking(False)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

receiver.bind(("127.0.0.1", 9000))
sender.sendto(b"early", ("127.0.0.1", 9000))  # somebody is always faster
set_option(receiver, SO_ATTACH_BPF, pinned("bpffs/drop"))
sender.sendto(b"late", ("127.0.0.1", 9000))

try:
    sys.exit(f"received {receiver.recv(100).decode()}")
except BlockingIOError:
    print("received nothing")
