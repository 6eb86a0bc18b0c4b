# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Exercise 2 of chapter 19: a UDP server that has a classic filter of its own, which keeps 12 bytes of each datagram."""
import ctypes
import socket
import struct
import sys

SO_ATTACH_FILTER = 26

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 12))  # return 12
server.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(program)))
server.bind(("127.0.0.1", int(sys.argv[1])))
server.settimeout(30)
while True:
    print("received:", server.recv(64).decode(), flush=True)
