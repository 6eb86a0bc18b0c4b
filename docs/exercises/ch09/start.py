# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""start: computes the tag of an object's section `socket` without a loader. It is wrong where the program has maps.

Arguments: the object, and the tag that the kernel shows.
"""
import subprocess
import sys

from tag import tags


def run(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout


path, kernels = sys.argv[1:]
code = run("llvm-objcopy-14", "--dump-section", "socket=/dev/stdout", path, "/dev/null")
slots = [code[at : at + 8] for at in range(0, len(code), 8)]

computed = tags(slots)[0]
print(f"computed {computed}, the kernel's {kernels}")
sys.exit(computed != kernels)
