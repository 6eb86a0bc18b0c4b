# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""tag: computes a program's tag from its slots, read as lines of hex; lines that are empty count for nothing."""
import hashlib
import sys

slots = [bytearray.fromhex(line) for line in sys.stdin.read().split()]
second_of_map = False
for slot in slots:
    if second_of_map:
        slot[4:8] = bytes(4)
    of_map = not second_of_map and slot[0] == 0x18 and slot[1] >> 4 in (1, 2)  # lddw; src: map fd, map value
    if of_map:
        slot[4:8] = bytes(4)
    second_of_map = of_map
code = b"".join(slots)
print("sha256", hashlib.sha256(code).hexdigest()[:16])
print("sha1  ", hashlib.sha1(code).hexdigest()[:16])
