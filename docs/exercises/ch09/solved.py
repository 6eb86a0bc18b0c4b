# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""solved: computes the tag of an object's section `socket` without a loader, maps included.

Arguments: the object, and the tag that the kernel shows.
"""
import pathlib
import subprocess
import sys
import tempfile

from tag import tags


def run(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout


def section(name, path):
    """The bytes of a section, by way of files: llvm-objcopy, run by root, would put one in the place of a device."""
    with tempfile.TemporaryDirectory() as folder:
        run("llvm-objcopy-14", "--dump-section", f"{name}={folder}/bytes", path, f"{folder}/copy.o")
        return pathlib.Path(folder, "bytes").read_bytes()


path, kernels = sys.argv[1:]
code = section("socket", path)
slots = [code[at : at + 8] for at in range(0, len(code), 8)]

# Symbols: number -> (section, in numbers). Lines: `9: value size OBJECT GLOBAL DEFAULT 7 ports`.
symbols = [line.split() for line in run("llvm-readelf-14", "-sW", path).decode().splitlines()]
section_of = {int(words[0][:-1]): words[6] for words in symbols if len(words) > 6 and words[0][:-1].isdigit()}
# Sections: `[ 7] .maps PROGBITS …`.
sections = [line.replace("[", " ").replace("]", " ").split() for line in run("llvm-readelf-14", "-SW", path).decode().splitlines()]
maps = next((words[0] for words in sections if words[1:2] == [".maps"]), None)

# Records of `.relsocket`: r_offset, then symbol << 32 | type.
records = section(".relsocket", path)
for at in range(0, len(records), 16):
    slot = int.from_bytes(records[at : at + 8], "little") // 8
    symbol = int.from_bytes(records[at + 12 : at + 16], "little")
    src = 1 if section_of[symbol] == maps else 2  # map fd, or map value
    code, regs = slots[slot][:2]
    slots[slot] = bytes([code, src << 4 | regs & 0xF]) + slots[slot][2:]

computed = tags(slots)[0]
print(f"computed {computed}, the kernel's {kernels}")
sys.exit(computed != kernels)
