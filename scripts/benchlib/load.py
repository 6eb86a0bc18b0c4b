"""A load, from opening the file to the filter on a UDP socket: minibpf, its peers and the floor, in turn."""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

from . import figures, floor, objects, peers

# By object: at most so much of libbpf 1.7's time, and of the floor's.
GOALS = {
    "tiny": (0.5, 1.8),
    "typical": (0.6, 1.4),
    "CO-RE, 20 types": (0.15, None),
    "100 maps": (0.80, 1.15),
    "10,000 insns": (1.0, 1.05),
    "100,000 insns": (1.0, 1.05),
    "200 programs": (0.93, 1.10),
}
# The kernel takes seconds for it, whoever asks.
SLOW, SLOW_ROUNDS = "100,000 insns", 7
REFERENCE = "libbpf 1.7"


class Runs:
    """What one loader took for one object, run by run."""

    def __init__(self, path):
        self.path, self.times, self.walls, self.peaks, self.stages = path, [], [], [], []

    def run(self, obj):
        """One more: µs from opening to attached, µs of the whole process, and peak memory in KiB."""
        # A child's peak begins with what its parent had when it was forked; time(1) is small.
        command = ["/usr/bin/time", "-f", "peak %M", self.path, obj]
        begin = time.monotonic()
        told = subprocess.run(command, env={**os.environ, "PERF_T": "1"}, capture_output=True, text=True)
        self.walls.append((time.monotonic() - begin) * 1e6)
        total, peak = re.search(r"total (\d+)", told.stderr), re.search(r"peak (\d+)", told.stderr)
        if told.returncode or not total or not peak:
            sys.exit(f"bench: {command}: {told.returncode}: {told.stderr}")
        self.times.append(int(total[1]) / 1000)
        self.peaks.append(int(peak[1]))
        if stages := re.search(r"^S (.*)$", told.stderr, re.M):
            words = stages[1].split()
            self.stages.append(dict(zip(words[::2], map(int, words[1::2]))))

    def time(self):
        return statistics.median(self.times)

    def peak(self):
        return statistics.median(self.peaks) / 1024


def syscalls(path, obj):
    """How many system calls it makes, and how many of them are bpf()."""
    with tempfile.NamedTemporaryFile("r") as log:
        subprocess.run(["strace", "-f", "-qq", "-o", log.name, path, obj], check=True, capture_output=True)
        names = [re.search(r"(\w+)\(", line) for line in log]
        names = [name[1] for name in names if name]
        return len(names), names.count("bpf")


def measure(work, rounds, only):
    """By object, the runs of each loader; the floor is one of them."""
    loaders = peers.build(work)
    measured = {}
    for name, obj in objects.build(work).items():
        if only and name not in only:
            continue
        paths = {**loaders, "floor": floor.build(work, obj)[0]}
        runs = measured[name] = {loader: Runs(path) for loader, path in paths.items()}
        for _ in range(min(rounds, SLOW_ROUNDS) if name == SLOW else rounds):
            for run in runs.values():
                run.run(obj)
        for run in runs.values():
            run.calls = syscalls(run.path, obj)
        print(f"{name}: " + ", ".join(f"{loader} {run.time():,.0f} µs" for loader, run in runs.items()), flush=True)
    return measured


def verdict(ours, theirs, goal):
    """A ratio beside its goal: met if the interval includes it."""
    ratio = figures.ratio(ours.times, theirs.times)
    if goal is None:
        return ratio
    low, _ = figures.interval(ours.times, theirs.times)
    return f"{ratio}: {'met' if low <= goal else 'not met'}, ≤ {goal}"


def times(measured):
    """The table of times."""
    loaders = list(next(iter(measured.values())))
    rows = [["object", *(f"{loader} µs" for loader in loaders), f"minibpf / {REFERENCE} (95 %)", "minibpf / floor (95 %)"]]
    for name, runs in measured.items():
        goals = zip((REFERENCE, "floor"), GOALS[name])
        ratios = [verdict(runs["minibpf"], runs[other], goal) for other, goal in goals]
        rows.append([name, *(f"{run.time():,.0f}" for run in runs.values()), *ratios])
    return figures.table(rows)


def costs(measured):
    """The table of system calls and memory."""
    loaders = list(next(iter(measured.values())))
    rows = [["object", *(f"{loader}: bpf() / all / MiB" for loader in loaders)]]
    for name, runs in measured.items():
        rows.append([name, *(f"{run.calls[1]} / {run.calls[0]} / {run.peak():.1f}" for run in runs.values())])
    return figures.table(rows)


def stages(measured):
    """The table of what minibpf's part is made of."""
    names = ["read", "parse", "spec", "plan", "load", "attach"]
    rows = [["object", *(f"{name} µs" for name in names), "more than the floor, µs", "page faults"]]
    for name, runs in measured.items():
        mine = runs["minibpf"].stages
        median = lambda stage: statistics.median(run[stage] for run in mine)
        ours = runs["minibpf"].time() - runs["floor"].time()
        rows.append([name, *(f"{median(stage) / 1000:,.0f}" for stage in names), f"{ours:,.0f}", f"{median('faults'):,.0f}"])
    return figures.table(rows)


def programs(measured):
    """The table of the programs themselves."""
    runs = measured["tiny"]
    rows = [["program", "KiB on disk", "process start and end, µs"]]
    for loader, run in runs.items():
        around = statistics.median(wall - inside for wall, inside in zip(run.walls, run.times))
        rows.append([loader, f"{os.path.getsize(run.path) / 1024:,.0f}", f"{around:,.0f}"])
    return figures.table(rows)


def keep(measured, path):
    """Every single time, for whoever wants to reckon again."""
    every = {name: {loader: run.times for loader, run in runs.items()} for name, runs in measured.items()}
    path.write_text(json.dumps(every, indent=1))
