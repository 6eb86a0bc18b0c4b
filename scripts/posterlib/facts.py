"""What the poster knows of an object: the lines of `minibpf explain --json --bytes`, the instructions' text and source lines from the data of
`minibpf report`, and the file itself."""

import base64
import json
import pathlib
import re
import struct
import subprocess
import tempfile


class Refused(Exception):
    """minibpf has nothing to say about the file."""


class Facts:
    def __init__(self, path, minibpf):
        self.path = pathlib.Path(path)
        self.name = self.path.name
        # No kernel's BTF: the poster of an object is the same on every machine.
        said = run([minibpf, "explain", path, "--json", "--bytes", "--btf", "none"])
        lines = [json.loads(line) for line in said.splitlines()]
        of = lambda kind: [line for line in lines if line["kind"] == kind]
        self.sections, self.maps, self.steps, self.patches = of("section"), of("mapdef"), of("step"), of("patch")
        self.programs = of("program")
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.html"
            run([minibpf, "report", path, "-o", page, "--btf", "none", "--quiet"])
            data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.S)
        report = json.loads(data[1])
        # Of a big-endian object this is the little-endian twin, as everywhere in minibpf.
        self.bytes = base64.b64decode(report["file"]["bytes"])
        self.big_endian = report["file"]["big_endian"]
        self.code, self.helpers, self.hooks = report["programs"], report["helpers"], report["hooks"]
        # There is room for one program: the one with the most holes.
        holes = [patch["program"] for patch in self.patches]
        self.drawn = max(self.code, key=lambda code: holes.count(code["name"]), default=None)
        self.shoff, self.shnum = self.number("<Q", 0x28), self.number("<H", 0x3C)

    def number(self, layout, at):
        """A number of the file, 0 where it ends before."""
        end = at + struct.calcsize(layout)
        return struct.unpack(layout, self.bytes[at:end])[0] if end <= len(self.bytes) else 0

    def section(self, name):
        return next((s for s in self.sections if s["name"] == name), None)

    def content(self, section):
        """The section's bytes in the file: none if it has none there."""
        if section["type"] == "NOBITS":
            return b""
        return self.bytes[section["file_offset"] : section["file_offset"] + section["size"]]

    def symbols(self):
        """`(number, name, value, size, type, binding, section, bytes)` of each symbol."""
        table = next((s for s in self.sections if s["type"] == "SYMTAB"), None)
        names = self.content(next((s for s in self.sections if s["name"] == ".strtab"), {"type": "NOBITS"}))
        raw = self.content(table) if table else b""
        found = []
        for number, at in enumerate(range(0, len(raw) - 23, 24)):
            name, info, _, section, value, size = struct.unpack("<IBBHQQ", raw[at : at + 24])
            type_ = {0: "NOTYPE", 1: "OBJECT", 2: "FUNC", 3: "SECTION", 4: "FILE"}.get(info & 15, str(info & 15))
            binding = {0: "LOCAL", 1: "GLOBAL", 2: "WEAK"}.get(info >> 4, str(info >> 4))
            found.append((number, string(names, name), value, size, type_, binding, section, raw[at : at + 24]))
        return found


def string(table, at):
    end = table.find(b"\0", at)
    return table[at : end if end >= 0 else len(table)].decode("utf-8", "replace")


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
    if done.returncode:
        raise Refused(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout.decode("utf-8")
