# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""send.py PORT TEXT...: sends each text in a datagram of its own, all from one port."""
import socket
import sys

sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind(("127.0.0.1", 7000))
for text in sys.argv[2:]:
    sender.sendto(text.encode(), ("127.0.0.1", int(sys.argv[1])))
