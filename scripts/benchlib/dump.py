"""The dump of a map with a million entries, beside bpftool's."""

import os
import statistics
import subprocess
import sys
import time

from . import figures, objects

def timed(command):
    """Seconds, and peak memory in KiB. The output goes to a pipe that is read as fast as it comes, as a script would."""
    start = time.monotonic()
    child = subprocess.Popen(["/usr/bin/time", "-f", "%M", *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    sink = bytearray(1 << 16)
    while os.readv(child.stdout.fileno(), [sink]):
        pass
    seconds, told = time.monotonic() - start, child.stderr.read().decode()
    if child.wait():
        sys.exit(f"bench: {command}: {told}")
    return seconds, int(told.split()[-1])


def million(work, minibpf):
    """Loads and runs the program that fills a map with a million entries; returns where that is pinned."""
    obj, packet = objects.compiled(work, "million", (objects.ROOT / "tests/bench/million.c").read_text()), work / "packet"
    subprocess.run([minibpf, "check", obj, "--pin", work / "fs/x"], check=True, capture_output=True)
    packet.write_bytes(bytes(12) + b"\x08\x00\x45" + bytes(60))
    test = ["bpftool", "prog", "run", "pinned", work / "fs/x/fill", "data_in", packet, "repeat", "1000"]
    subprocess.run(test, check=True, capture_output=True)
    return work / "fs/x/maps/million"


def rows(work, count):
    """A row for each form of output."""
    subprocess.run(["cargo", "build", "--quiet", "--release"], check=True, cwd=objects.ROOT)
    minibpf, fs = objects.ROOT / "target/release/minibpf", work / "fs"
    fs.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", fs], check=True)
    try:
        path = million(work, minibpf)
        for name, options in [("JSON", ["-j"]), ("text", [])]:
            commands = [[minibpf, "dump", *options, path], ["bpftool", *options, "map", "dump", "pinned", path]]
            runs = [[timed(command) for command in commands] for _ in range(min(count, 11))]
            ours, theirs = ([seconds for seconds, _ in told] for told in zip(*runs))
            peaks = [f"{max(kib for _, kib in told) / 1024:.1f}" for told in zip(*runs)]
            medians = [f"{statistics.median(seconds):.2f}" for seconds in (ours, theirs)]
            yield [name, medians[0], peaks[0], medians[1], peaks[1], figures.ratio(ours, theirs)]
    finally:
        subprocess.run(["umount", fs], check=True)


HEAD = ["as", "minibpf s", "MiB", "bpftool s", "MiB", "ratio of the times (95 %)"]
