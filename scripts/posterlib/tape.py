"""The file from its first byte to its last, as two columns of hex: each region in its colour, with what the loader does with it."""

from . import btf
from .draw import wrap

# Colour of letters and lines, and of the ground behind bytes.
COLOURS = {
    "header": ("#3d4655", "#e6e9ee"), "program": ("#1d5fb4", "#e1ecfa"), "relocs": ("#b6322c", "#fbe6e3"), "data": ("#0d7377", "#dcf1f0"),
    "maps": ("#2b7a3b", "#e0f2e1"), "license": ("#8a6d00", "#f7f0d0"), "types": ("#6a3fb0", "#ece5f8"), "lines": ("#a23a84", "#f8e5f2"),
    "symbols": ("#a35a00", "#fcecd8"), "names": ("#6b5a46", "#f0ebe3"), "ignored": ("#6f747d", "#efeff1"),
}
SIZE = 5.6
# Height of a row of bytes: as much as there is room for.
ROWS = (7.1, 8.2)
CHAR = SIZE * 0.602
HEAD, LINE, GAP = 12.0, 8.2, 8.0
INK = "#1c1d20"


def colours(role):
    return COLOURS.get(role, COLOURS["ignored"])


class Block:
    """A region: a heading, what is said of it, rows `(offset in the region, bytes, meaning)`."""

    def __init__(self, name, role, start, size, says, rows):
        self.name, self.role, self.start, self.size, self.says = name, role, start, size, says
        self.rows, self.left_out = rows, 0

    def lines(self):
        return len(self.rows) + bool(self.left_out)

    def high(self, room):
        return HEAD + LINE * len(wrap(self.says, room, 7)) + ROWS[0] * self.lines() + GAP

    def shorten(self):
        """To half its rows; the last says how many bytes are not shown."""
        keep = max(1, len(self.rows) // 2)
        self.left_out += sum(len(row[1]) for row in self.rows[keep:])
        self.rows = self.rows[:keep]


class Letters(str):
    """Bytes as letters: they stand in a column of their own, what bytes mean stands right behind them."""


def plain(raw, each=32):
    return [(at, raw[at : at + each], None) for at in range(0, len(raw), each)]


def letters(raw, base=0, each=24):
    """Rows with the bytes as letters beside them."""
    return [
        (base + at, raw[at : at + each], Letters("".join(chr(b) if 32 <= b < 127 else "." for b in raw[at : at + each])))
        for at in range(0, len(raw), each)
    ]


def elf_header(facts):
    raw = facts.bytes[:64]
    machine, kind = facts.number("<H", 18), facts.number("<H", 16)
    says = (
        "7f E L F, 02 = 64 bits, 01 = little-endian",
        f"type {kind}{' = REL' if kind == 1 else ''}, machine {machine:x} = {machine}{' = BPF' if machine == 247 else ''}",
        f"section headers at {facts.shoff:#x}",
        f"{facts.shnum} headers of 64 bytes, names: section {facts.number('<H', 62)}",
    )
    return [(at, raw[at : at + 16], say) for at, say in zip(range(0, len(raw), 16), says)]


def section_rows(facts, section):
    raw, role = facts.content(section), section["role"]
    if role == "types":
        rows, (text, strings) = btf.types(raw)
        return rows + letters(strings, text) if rows else plain(raw)
    if role == "lines":
        types = facts.section(".BTF")
        strings = btf.types(facts.content(types))[1][1] if types else b""
        return btf.records(raw, strings) or plain(raw)
    if role in ("names", "license", "data", "maps"):
        return letters(raw)
    return plain(raw)


MORE = {
    "types": "Each type is 12 bytes and what its kind adds. The kernel gets all of it: call BPF_BTF_LOAD, field btf.",
    "lines": "What belongs to a program goes along as func_info and line_info of BPF_PROG_LOAD, offsets counted anew in slots.",
    "license": "Field license of BPF_PROG_LOAD.",
    "data": "Field value_size is its size, and what it holds is the map's first value.",
}


def blocks(facts, elsewhere):
    """In the file's order. What is drawn elsewhere has a heading alone."""
    found = [
        Block("ELF header", "header", 0, 64, "What kind of file this is, and where the section headers are.", elf_header(facts)),
        Block(
            "section headers", "header", facts.shoff, 64 * facts.shnum,
            "64 bytes a section: its name, type, flags, place in the file, size, and of records, which section they belong to.",
            plain(facts.bytes[facts.shoff : facts.shoff + 64 * facts.shnum]),
        ),
    ]
    for section in facts.sections:
        if section["type"] in ("NULL", "NOBITS") or not section["size"]:
            continue
        does = section["does"][:1].upper() + section["does"][1:] + "."
        if section["index"] in elsewhere:
            says, rows = does + " Drawn to the right.", []
        else:
            says, rows = " ".join([does, MORE.get(section["role"], "")]), section_rows(facts, section)
        found.append(Block(section["name"], section["role"], section["file_offset"], section["size"], says, rows))
    return sorted(found, key=lambda block: block.start)


def draw(sheet, all_blocks, x, y, wide, high, gutter):
    """Two columns."""
    room = wide - 10
    while sum(block.high(room) for block in all_blocks) > 2 * high - 40:
        max(all_blocks, key=lambda block: len(block.rows)).shorten()
    spare = 2 * high - 40 - sum(block.high(room) for block in all_blocks)
    row = min(ROWS[1], ROWS[0] + spare / max(1, sum(block.lines() for block in all_blocks)))
    pen = Pen(sheet, x, y, wide, high, gutter, row)
    for block in all_blocks:
        pen.block(block)


class Pen:
    def __init__(self, sheet, x, y, wide, high, gutter, row):
        self.sheet, self.x, self.top, self.wide, self.gutter, self.step = sheet, x, y, wide, gutter, row
        self.y, self.bottom = y, y + high

    def turn(self):
        self.x, self.y = self.x + self.wide + self.gutter, self.top

    def block(self, block):
        says = wrap(block.says, self.wide - 10, 7)
        if self.y + HEAD + LINE * len(says) + 3 * self.step > self.bottom:
            self.turn()
        self.head(block, "")
        for line in says:
            self.sheet.text(self.x + 5, self.y + 6.6, line, 7, fill=INK)
            self.y += LINE
        self.y += 1.5
        self.rows(block)
        self.y += GAP - 1.5

    def head(self, block, more):
        dark = colours(block.role)[0]
        self.sheet.rect(self.x, self.y, self.wide, HEAD - 1, dark, round_=1.5)
        end = f"{block.start:#06x} to {block.start + block.size:#06x}   {block.size} bytes"
        wide = self.sheet.text(self.x + self.wide - 5, self.y + 8.2, end, 6.8, "m", "#fff", "end")
        self.sheet.text(self.x + 5, self.y + 8.4, block.name + more, 8, "m b", "#fff", room=self.wide - wide - 20)
        self.y += HEAD

    def rows(self, block):
        dark, tint = colours(block.role)
        for offset, raw, meaning in block.rows:
            if self.y + self.step > self.bottom:
                self.turn()
                self.head(block, ", continued")
            self.row(block.start + offset, raw, meaning, dark, tint)
        if block.left_out:
            if self.y + self.step > self.bottom:
                self.turn()
            self.sheet.text(self.x + 5, self.y + 5.4, f"… {block.left_out} more bytes", 6.4, "i", dark)
            self.y += self.step

    def row(self, at, raw, meaning, dark, tint):
        base, left = self.y + self.step - 1.9, self.x + 6 * CHAR
        self.sheet.text(self.x + 2, base, f"{at:04x}", SIZE, "m", "#777c86")
        self.sheet.rect(left - 1.5, self.y, len(raw) * 3 * CHAR, self.step, tint)
        self.sheet.text(left, base, raw.hex(" "), SIZE, "m", dark)
        end = self.x + self.wide
        if isinstance(meaning, Letters):
            self.sheet.text(left + 73 * CHAR, base, meaning, SIZE, "m", INK)
        elif meaning:
            shift = 10 if meaning.startswith(" ") else 0
            beside = left + (73 if len(raw) > 16 else 50) * CHAR + shift
            self.sheet.text(beside, base, meaning.strip(), 6.2, "", INK, room=end - beside)
        self.y += self.step
