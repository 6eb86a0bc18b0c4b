"""How the cost of planning grows: objects with 1,000 to 1,000,000 of one thing, planned without a kernel."""

import re
import subprocess
import sys

from . import peers

THINGS = {"insns": "instructions", "relocs": "relocation records", "programs": "programs", "maps": "maps", "types": "BTF types"}
COUNTS = [1_000, 10_000, 100_000, 1_000_000]
# Of these each has a symbol, and an object may have 262,144.
NAMED = ("programs", "maps")
HEAD = ["ns for each of", *(f"{count:,}" for count in COUNTS)]


def rows(_work, _rounds):
    """A row for each thing."""
    planner = peers.example("bench_plan")
    for thing, name in THINGS.items():
        counts = COUNTS[:-1] if thing in NAMED else COUNTS
        told = subprocess.run([planner, thing, *map(str, counts)], capture_output=True, text=True)
        times = {int(count): int(ns) for count, ns in re.findall(r"T \w+ (\d+) ns (\d+)", told.stderr)}
        if told.returncode or list(times) != counts:
            sys.exit(f"bench: {planner} {thing}: {told.stderr}")
        yield [name, *(f"{times[count] / count:,.0f}" if count in times else "–" for count in COUNTS)]
