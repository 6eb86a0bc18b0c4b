# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""tag: computes a program's tag. Input: its patched slots in hex, separated by spaces or lines."""
import hashlib
import sys


def hashed(slots):
    """The bytes that the kernel hashes: without the immediates of each lddw of a map."""
    second_of_map = False
    for slot in slots:
        first_of_map = not second_of_map and slot[0] == 0x18 and slot[1] >> 4 in (1, 2)  # src: map fd, map value
        if first_of_map or second_of_map:
            slot = slot[:4] + bytes(4)
        second_of_map = first_of_map
        yield slot


def tags(slots):
    """The tag since Linux 6.18, and the one before."""
    code = b"".join(hashed(slots))
    return hashlib.sha256(code).hexdigest()[:16], hashlib.sha1(code).hexdigest()[:16]


if __name__ == "__main__":
    print("sha256 {}\nsha1   {}".format(*tags([bytes.fromhex(slot) for slot in sys.stdin.read().split()])))
