# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""capture.py FRAME PCAP: writes one frame (Ethernet, IPv4, UDP to port 53) as raw bytes and as a capture of one record."""
import struct
import sys

ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 29, 0, 0, 64, 17, 0, bytes([127, 0, 0, 1]), bytes([127, 0, 0, 1]))
frame = bytes(12) + b"\x08\x00" + ip + struct.pack(">4H", 49152, 53, 9, 0) + b"x"
with open(sys.argv[1], "wb") as file:
    file.write(frame)
with open(sys.argv[2], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))  # 1: Ethernet
    file.write(struct.pack("<4I", 0, 0, len(frame), len(frame)) + frame)
