# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""bpf(2) without a library: the number of a command, the bytes of its attr, and how many bytes these are."""
import ctypes
import errno
import os

MAP_CREATE, MAP_UPDATE_ELEM, PROG_LOAD, MAP_FREEZE = 0, 2, 5, 22
HASH, ARRAY = 1, 2  # enum bpf_map_type
SOCKET_FILTER = 1  # enum bpf_prog_type
SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280}[os.uname().machine]
libc = ctypes.CDLL(None, use_errno=True)


def memory(data):
    """Bytes at an address of their own; keep them for as long as the kernel may look."""
    return ctypes.create_string_buffer(bytes(data), len(data))


def address(buffer):
    """The number that goes into a pointer field of the attr."""
    return ctypes.addressof(buffer)


def bpf(command, attr, size=None):
    """Calls bpf(2) with bytes, or with a buffer that the kernel may write to; returns what it returned."""
    attr = memory(attr) if isinstance(attr, bytes) else attr
    result = libc.syscall(SYS_BPF, command, attr, len(attr) if size is None else size)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, errno.errorcode[number])
    return result


def errno_of(command, attr, size=None):
    """Calls it, and returns `ok` or the errno's name. A descriptor that comes back is closed."""
    try:
        result = bpf(command, attr, size)
        if command in (MAP_CREATE, PROG_LOAD):  # others return 0, which is the standard input here
            os.close(result)
        return "ok"
    except OSError as error:
        return error.strerror
