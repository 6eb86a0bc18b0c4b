"""The floor of a load: a program that makes the same successful bpf() calls and does nothing else.

libbpf's calls are recorded (tests/bench/record.c). Its questions to the kernel, whose answers it closes again, are left out; the rest becomes
tests/bench/floor.h, with which tests/bench/floor.c is built.
"""

import os
import subprocess

from .peers import gcc

MAP_CREATE, MAP_UPDATE, PROG_LOAD, BTF_LOAD, MAP_FREEZE = 0, 2, 5, 18, 22
# By command, the words of an attr that are descriptors: map_fd; prog_btf_fd; inner_map_fd and btf_fd. Source: include/uapi/linux/bpf.h.
DESCRIPTORS = {MAP_UPDATE: [0], MAP_FREEZE: [0], PROG_LOAD: [72], MAP_CREATE: [20, 48], BTF_LOAD: []}
LDDW, PSEUDO_MAP_FD, PSEUDO_MAP_VALUE = 0x18, 1, 2
ATTR = 160


def record(work, obj):
    """The calls that stay: (command, descriptor, attr, {offset: what it points to})."""
    recorder = gcc("record", work / "record.so", "-shared", "-fPIC", "-ldl")
    peer = gcc("libbpf", work / "libbpf-dynamic", "-lbpf")
    log = work / "calls"
    subprocess.run([peer, obj], check=True, env={**os.environ, "LD_PRELOAD": str(recorder), "RECORD": str(log)})
    calls = []
    for line in log.read_text().splitlines():
        word, *rest = line.split()
        if word == "close":
            # A probe: nothing that a load needs is closed before the end.
            fd = int(rest[0])
            calls = [c for c in calls if not (c[1] == fd and c[0] in (MAP_CREATE, PROG_LOAD, BTF_LOAD)) and not touches(c, fd)]
            continue
        command, result, attr, *pointed = rest
        pointers = {int(offset): bytes.fromhex(text) for offset, text in (item.split(":") for item in pointed)}
        calls.append((int(command), int(result), bytes.fromhex(attr), pointers))
    return calls


def word(data, at):
    return int.from_bytes(data[at : at + 4], "little")


def touches(call, fd):
    """Whether a call is about a descriptor, and makes none itself."""
    return call[0] in (MAP_UPDATE, MAP_FREEZE) and word(call[2], 0) == fd


def generate(calls):
    """The header and the blob."""
    blob, steps, pointers, descriptors, patches, made = bytearray(), [], [], [], [], {}
    for number, (command, result, attr, pointed) in enumerate(calls):
        first = len(pointers), len(descriptors), len(patches)
        for at, data in pointed.items():
            blob.extend(bytes(-len(blob) % 8))
            pointers.append((at, len(blob)))
            if command == PROG_LOAD and at == 8:
                patches += patched(data, len(blob), made)
            blob.extend(data)
        descriptors += [(at, made[word(attr, at)]) for at in DESCRIPTORS[command] if word(attr, at) in made]
        last = len(pointers), len(descriptors), len(patches)
        ranges = ", ".join(f"{b - a}, {a}" for a, b in zip(first, last))
        words = ", ".join(hex(int.from_bytes(attr[i : i + 8], "little")) for i in range(0, min(len(attr), ATTR), 8))
        steps.append(f"{{ {command}, {len(attr)}, {ranges}, {{ {words} }} }}")
        if command in (MAP_CREATE, PROG_LOAD, BTF_LOAD):
            made[result] = number
    program = next(number for number, call in enumerate(calls) if call[0] == PROG_LOAD)
    array = lambda kind, name, items: f"static struct {kind} {name}[] = {{ {', '.join(items)} }};\n"
    pairs = lambda items: [f"{{ {at}, {to} }}" for at, to in items] or ["{ 0, 0 }"]
    header = f"#define STEPS {len(steps)}\n#define FIRST_PROGRAM {program}\nextern char blob[];\n"
    header += '__asm__(".data\\n.balign 8\\nblob: .incbin BLOB\\n.previous");\n'
    header += array("step", "steps", steps) + array("pointer", "pointers", pairs(pointers))
    return header + array("descriptor", "descriptors", pairs(descriptors)) + array("descriptor", "patches", pairs(patches)), bytes(blob)


def patched(insns, base, made):
    """The immediates that hold a map's descriptor: where in the blob, and which call made it."""
    slots = range(0, len(insns), 8)
    wanted = (at for at in slots if insns[at] == LDDW and insns[at + 1] >> 4 in (PSEUDO_MAP_FD, PSEUDO_MAP_VALUE))
    return [(base + at + 4, made[word(insns, at + 4)]) for at in wanted]


def build(work, obj):
    """The floor of an object's load, and how many bpf() calls it makes."""
    calls = record(work, obj)
    header, blob = generate(calls)
    (work / "floor.h").write_text(header.replace(".incbin BLOB", f'.incbin \\"{work}/blob\\"'))
    (work / "blob").write_bytes(blob)
    name = work / f"floor-{obj.stem}"
    return gcc("floor", name, f"-I{work}", "-nostdlib", "-static", "-fno-stack-protector", "-fno-builtin"), len(calls)
