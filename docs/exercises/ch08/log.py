# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""log: loads a good program of 102 slots, and asks the verifier for a log. Arguments: LEVEL SIZE [null]."""
import sys
from pathlib import Path
from struct import pack, pack_into, unpack_from

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ch07"))
from bpf import PROG_LOAD, SOCKET_FILTER, address, errno_of, memory  # noqa: E402

level, size, no_buffer = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["null"]

slots = bytes.fromhex("b700000000000000" + 100 * "0700000001000000" + "9500000000000000")  # r0 = 0, r0 += 1 …, exit
insns, license, log = memory(slots), memory(b"GPL\0"), memory(bytes(max(size, 1)))
where = 0 if no_buffer else address(log)
attr = memory(pack("=IIQQIIQ", SOCKET_FILTER, len(slots) // 8, address(insns), address(license), level, size, where).ljust(144, b"\0"))
pack_into("=I", attr, 140, 0xFFFFFFFF)  # to see whether the kernel writes it

answer = errno_of(PROG_LOAD, attr)
(true_size,) = unpack_from("=I", attr, 140)
written = "not written" if true_size == 0xFFFFFFFF else true_size
lines = log.value.decode().splitlines() or ["nothing"]
print(f"level {level}, size {size}: {answer}, log_true_size {written}\n  first: {lines[0]}\n  last:  {lines[-1]}")
