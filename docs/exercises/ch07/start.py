# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""start: a map and a program by hand. The kernel takes the map, and refuses the program.

Run it as root, with `python3 -B`.
"""
import os
import sys
from struct import pack

from bpf import HASH, MAP_CREATE, PROG_LOAD, SOCKET_FILTER, address, bpf, memory

# map_type, key_size, value_size, max_entries; the fields after these are left out, and count as 0
hits = bpf(MAP_CREATE, pack("=IIII", HASH, 4, 8, 16))

slots = bytearray.fromhex(
    "bf16000000000000"  # r6 = r1: the context is kept over the call
    "620afcff00000000"  # *(u32 *)(r10 - 4) = 0: the key, on the stack
    "bfa2000000000000"  # r2 = r10
    "07020000fcffffff"  # r2 += -4
    "1801000000000000"  # r1 = the map
    "0000000000000000"
    "8500000001000000"  # call bpf_map_lookup_elem
    "6160000000000000"  # r0 = skb->len
    "9500000000000000"  # exit
)

insns, license, log = memory(slots), memory(b"GPL\0"), memory(bytes(65536))
attr = pack(
    "=IIQQIIQII16s",
    SOCKET_FILTER,  # prog_type
    len(slots) // 8,  # insn_cnt: slots, not instructions
    address(insns),
    address(license),
    1,  # log_level
    len(log),  # log_size
    address(log),  # log_buf
    0,  # kern_version
    0,  # prog_flags
    b"by_hand",  # prog_name
)
try:
    prog = bpf(PROG_LOAD, attr)
except OSError as error:
    sys.exit(f"{error.strerror}: {log.value.decode().splitlines()[-2]}")

with open(f"/proc/self/fdinfo/{prog}") as fdinfo:
    print([line.split()[1] for line in fdinfo if line.startswith("prog_tag")][0])
os.close(prog)
