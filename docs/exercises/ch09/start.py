# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""start: computes the tag of an object's section `socket` without a loader. It is wrong where the program has maps.

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

computed = tags(slots)[0]
print(f"computed {computed}, the kernel's {kernels}")
sys.exit(computed != kernels)
