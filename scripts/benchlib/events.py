"""Events: from a full ring to an empty one."""

import re
import statistics
import subprocess
import sys

from . import figures, objects, peers

def filler(size, is_perf):
    """A program that writes 64 records of so many bytes for each packet."""
    ring = "__uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 24);"
    array = "__uint(type, 4); __uint(key_size, 4); __uint(value_size, 4);"
    output = "bpf_ringbuf_output(&events, &record, sizeof(record), 0)"
    if is_perf:
        output = "bpf_perf_event_output(skb, &events, 0xffffffffULL, &record, sizeof(record))"
    text = objects.HEAD + "static long (*const bpf_perf_event_output)(void *ctx, void *map, __u64 flags, void *data, __u64 size) = (void *)25;\n"
    text += f'struct {{ {array if is_perf else ring} }} events SEC(".maps");\nstruct record {{ __u64 words[{size // 8}]; }};\n'
    text += 'SEC("socket") int fill(struct __sk_buff *skb) { struct record record = {{ skb->len }};\n'
    return text + f"for (int i = 0; i < 64; i++) {output};\nreturn 0; }}\n" + objects.LICENSE


# Events: what is read, the source, and packets that nearly fill 16 MiB. Writing a sample is slow (each wakes the reader), so of those
# there are fewer.
EVENTS = {
    "ring buffer, 16 bytes": (filler(16, False), 10900),
    "ring buffer, 128 bytes": (filler(128, False), 1920),
    "perf event array, 16 bytes": (filler(16, True), 700),
    "perf event array, 128 bytes": (filler(128, True), 300),
}
# The first round touches every page for the first time, and does not count.
EVENT_ROUNDS = 6


def drain(reader, obj, packets):
    """Nanoseconds an event, the median of some rounds; on one processor, which fills the ring and empties it."""
    command = ["taskset", "-c", "1", reader, obj, str(packets), str(EVENT_ROUNDS)]
    told = subprocess.run(command, capture_output=True, text=True)
    rounds = re.findall(r"T events (\d+) ns (\d+)", told.stderr)
    if told.returncode or len(rounds) != EVENT_ROUNDS or any(int(events) != packets * 64 for events, _ in rounds):
        sys.exit(f"bench: {command}: {told.stderr}")
    return statistics.median(int(ns) / int(events) for events, ns in rounds[1:])


def rows(work, count):
    """A row for each kind of event."""
    readers = {"minibpf": peers.example("bench_events"), "libbpf": peers.libbpf_1_1(work, "libbpf-events")}
    for name, (text, packets) in EVENTS.items():
        obj = objects.compiled(work, name, text)
        times = {reader: [] for reader in readers}
        for _ in range(count):
            for reader, path in readers.items():
                times[reader].append(drain(path, obj, packets))
        medians = [f"{statistics.median(times[reader]):.1f}" for reader in readers]
        yield [name, f"{packets * 64:,}", *medians, figures.ratio(times["minibpf"], times["libbpf"])]


HEAD = ["what is read", "events", "minibpf ns an event", "libbpf ns an event", "ratio of the times (95 %)"]
