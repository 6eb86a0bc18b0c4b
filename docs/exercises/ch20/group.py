# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""group.py PORT: two UDP sockets share a port (SO_REUSEPORT); says which of them got what, until one gets "end"."""
import select
import socket
import sys

group = []
for _ in range(2):
    member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    member.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    member.bind(("127.0.0.1", int(sys.argv[1])))
    group.append(member)
print("ready", flush=True)
text = ""
while text != "end":
    ready, _, _ = select.select(group, [], [], 20)
    if not ready:
        sys.exit("nothing comes")
    for member in ready:
        text = member.recv(64).decode()
        print(f"socket {group.index(member)}: {text}", flush=True)
