"""What the loader makes of the file: the program with its holes, the records that fill them, symbols and maps."""

from .column import GREY
from .draw import counted, width, wrap
from .tape import INK, colours

# One for each thing that holes name.
THREADS = ("#c2331f", "#0d7377", "#7a4fc9", "#b06a00", "#2b7a3b", "#b0357f", "#2f6fd0", "#6b6f00")


class Stage:
    def __init__(self, facts, sheet):
        self.facts, self.sheet = facts, sheet
        self.code = facts.drawn
        name = self.code["name"] if self.code else None
        self.patches = [p for p in facts.patches if p["program"] == name]
        # Where things are drawn, for the arrows; the colour of each thing that holes name.
        self.thread, self.insn_at, self.record_out, self.symbol_at, self.map_at = {}, {}, {}, {}, {}
        self.program_end = None
        for patch in self.patches:
            self.thread.setdefault(patch["symbol"], THREADS[len(self.thread) % len(THREADS)])

    def elsewhere(self):
        """Numbers of the sections that are drawn here."""
        found = {s["index"] for s in self.facts.sections if s["type"] == "SYMTAB"}
        for s in self.facts.sections:
            starts = [at for _, _, at in self.code["pieces"]] if self.code else []
            if s["type"] == "PROGBITS" and any(s["file_offset"] <= at < s["file_offset"] + s["size"] for at in starts):
                found.add(s["index"])
                found |= {r["index"] for r in self.facts.sections if r["type"] == "REL" and r["name"] == ".rel" + s["name"]}
        return found

    # The program.

    def program(self, column):
        facts, code = self.facts, self.code
        if not code:
            column.head("program", "no program", "", "minibpf would load nothing of this file.")
            return
        told = next((p for p in facts.programs if p["name"] == code["name"]), {})
        slots = len(code["text"])
        column.head(
            "program", f"program {code['name']}", counted(slots, "slot"),
            f"Section {told.get('section', '')}. A slot is 8 bytes: operation, registers (source in the high half, destination in the low one), "
            "offset, immediate. Only lddw takes two. Framed: a hole, which the loader fills. In between: the line of C that the slots come from."
            + (f" One of {len(facts.code)} programs, with the most holes." if len(facts.code) > 1 else ""),
        )
        lines = {line[0]: line for line in code["lines"]}
        holes = {p["insn"]: p for p in self.patches}
        pieces = {}
        for first, count, at in code["pieces"]:
            pieces.update({first + i: at + 8 * i for i in range(count)})
        numbers = [line[2] for line in code["lines"] if line[2]]
        changes = sum(1 for one, before in zip(numbers, [None, *numbers]) if one != before)
        self.row = min(13.4, max(9, (column.bottom - column.y - 12) / max(1, slots + changes)))
        last = None
        for slot in range(slots):
            line = lines.get(slot)
            new = line and line[2] and line[2] != last
            # The line that says how many are left out needs room as well, unless none is.
            after = 11 if slot + 1 < slots else 0
            if column.y + (self.row if new else 0) + self.row + after > column.bottom:
                column.rest(slots - slot, "slot")
                break
            if new:
                last = line[2]
                base = column.y + self.row - 2.6
                column.sheet.text(column.x + 6, base, f"{line[2]}", 6.4, "m", colours("lines")[0])
                column.sheet.text(column.x + 26, base, code["strings"][line[4]].strip(), 6.8, "m", colours("lines")[0], room=column.wide - 30)
                column.y += self.row
            self.slot(column, slot, pieces.get(slot), code["text"][slot], holes.get(slot), holes.get(slot - 1))
        column.sheet.rect(column.x, column.y + 1, column.wide, 1.2, colours("program")[0])
        self.program_end = (column.x, column.y + 2)

    def slot(self, column, slot, at, text, hole, before):
        sheet, x, y = self.sheet, column.x, column.y
        raw = self.facts.bytes[at : at + 8] if at is not None else b""
        dark, tint = colours("program")
        size = min(7.8, self.row * 0.75)
        char, base = size * 0.602, y + self.row - 2.8
        frame = (y + 0.6, self.row - 1.2)
        left = x + 24
        sheet.rect(left - 2, y, 23.5 * char + 3, self.row, tint)
        # The second slot of an lddw has no instruction of its own.
        of_hole = hole or (before if text is None and before else None)
        if of_hole:
            colour = self.thread[of_hole["symbol"]]
            sheet.rect(left + 12 * char - 2.2, frame[0], 11 * char + 4, frame[1], "#fff", colour, 1, 0.9)
            if hole:
                sheet.rect(left + 3 * char - 2, frame[0], 2 * char + 4, frame[1], "#fff", colour, 1, 0.9)
                end = min(left + 25 * char + len(text or "") * size * 0.602 + 6, column.right)
                self.insn_at.setdefault(slot, (end, y + self.row / 2))
        sheet.text(x + 18, base, str(slot), 6.4, "m", GREY, "end")
        sheet.text(left, base, raw.hex(" "), size, "m b" if of_hole else "m", dark)
        told = left + 25 * char
        if text is None and before:
            sheet.text(told, base, "→ " + before["text_after"], size - 0.2, "m b", self.thread[before["symbol"]], room=column.right - told - 2)
        else:
            helper = self.facts.helpers.get(text[5:]) if text and text.startswith("call ") and raw[1:2] and raw[1] >> 4 == 0 else None
            sheet.text(told, base, f"call {helper}" if helper else text or "", size - 0.2, "m", INK, room=column.right - told - 2)
        column.y += self.row

    # Relocation records.

    def records(self, column):
        count = len(self.patches)
        column.head(
            "relocs", "what fills the holes", counted(count, "hole"),
            "A record of 16 bytes: where (r_offset), how (r_type), and which symbol. The second and third line are the slots in the file and as "
            "loaded; fd is the descriptor that the kernel gives when it has created the map." if count else
            "This program has no holes: what clang wrote is what the kernel gets.",
        )
        for shown, patch in enumerate(self.patches):
            fills = wrap(patch["fills"], column.wide - 16, 7.2, most=2)
            high = 56 + 9.2 * len(fills) - (11 if patch["record"]["from"] != "elf" else 0)
            if column.y + high > column.bottom:
                column.rest(count - shown, "hole")
                break
            self.record(column, patch, fills, high)

    def record(self, column, patch, fills, high):
        sheet, x, y = self.sheet, column.x, column.y
        colour, record = self.thread[patch["symbol"]], patch["record"]
        dark, tint = colours("relocs")
        sheet.rect(x, y, column.wide, high - 5, tint, colour, 2.5, 0.8)
        kind = record.get("r_type_name") or {"core": "CO-RE record"}.get(record["from"], "no record")
        wide = sheet.text(x + column.wide - 6, y + 9.5, kind, 6.8, "m", dark, "end")
        sheet.text(x + 7, y + 9.5, f"slot {patch['insn']}: {patch['symbol']}", 7.6, "b", colour, room=column.wide - wide - 20)
        if patch["insn"] in self.insn_at:
            self.insn_at[patch["insn"]] += ((x, y + 7),)
        y += 21
        size = 6.9
        if record["from"] == "elf":
            raw = record["bytes"]
            hexed = lambda a, b: " ".join(raw[i : i + 2] for i in range(a * 2, b * 2, 2))
            at = x + 7 + sheet.spans(x + 7, y, [(hexed(0, 8), dark), (" ", None)], size)
            at += sheet.spans(at, y, [(hexed(8, 12), GREY), (" ", None)], size)
            at += sheet.spans(at, y, [(hexed(12, 16), colour, "b")], size) + 5
            sheet.text(at, y, f"{record['r_offset']:#x}, type {record['r_type']}, sym {record['symbol']}", 6.4, "", INK, room=column.right - at - 3)
            self.record_out.setdefault(record["symbol"], []).append((column.right, y - 2, colour))
            y += 11
        for key, text in (("before", patch["text"]), ("after", patch["text_after"])):
            parts = self.changed(patch, key, colour)
            at = x + 7 + sheet.spans(x + 7, y, parts, size) + 5
            sheet.text(at, y, text, 6.4, "m", INK, room=column.right - at - 3)
            y += 9.6
        for line in fills:
            sheet.text(x + 7, y + 0.6, line, 7.2, "", INK)
            y += 9.2
        column.y += high

    def changed(self, patch, key, colour):
        """The bytes, those that differ in colour."""
        pairs = lambda text: [text[i : i + 2] for i in range(0, len(text), 2)]
        now, old, new = pairs(patch[key]), pairs(patch["before"]), pairs(patch["after"])
        parts = []
        for i, byte in enumerate(now):
            is_fd = patch["takes_fd"] and 4 <= i < 8
            changed = is_fd or (i < len(old) and i < len(new) and old[i] != new[i])
            shown = ("fd" if i == 4 else "··") if is_fd and key == "after" else byte
            parts.append((shown + (" " if i + 1 < len(now) else ""), colour if changed else GREY, "b" if changed else ""))
        return parts

    # Symbols.

    def symbols(self, column, room):
        """As many as there is room for, those that records name first."""
        symbols = self.facts.symbols()
        column.head(
            "symbols", ".symtab", counted(len(symbols), "symbol"),
            "24 bytes each: name, kind, section, value (its offset there), size. A record names one by its number.",
        )
        named = {p["record"]["symbol"] for p in self.patches if p["record"]["from"] == "elf"}
        most = max(1, int((room - 40) / 19))
        chosen = sorted(sorted(symbols, key=lambda s: (s[0] not in named, s[0]))[:most])
        sections = {s["index"]: s["name"] for s in self.facts.sections}
        for number, name, value, size, type_, binding, section, raw in chosen:
            x, y = column.x, column.y
            colour = next((self.thread[p["symbol"]] for p in self.patches if p["record"].get("symbol") == number), None)
            dark, tint = colours("symbols")
            column.sheet.rect(x, y, column.wide, 18, tint, colour, 1, 0.8)
            column.sheet.text(x + 4, y + 7.4, f"[{number}]", 7, "m", dark)
            place = f"{sections.get(section, 'undefined') if section else 'undefined'} + {value:#x}" + (f", {size} bytes" if size else "")
            wide = column.sheet.text(column.right - 4, y + 7.4, f"{type_} {binding.lower()}", 6.6, "", GREY, "end")
            used = column.sheet.text(x + 26, y + 7.4, name or "(no name)", 7.2, "m b" if colour else "m", colour or INK, room=110)
            column.sheet.text(x + 32 + used, y + 7.4, "→ " + place, 6.8, "", INK, room=column.wide - wide - used - 40)
            column.sheet.text(x + 4, y + 15.4, raw.hex(" "), 6.2, "m", dark)
            self.symbol_at[number] = (y + 9, sections.get(section), value)
            column.y += 19
        column.rest(len(symbols) - len(chosen), "symbol")

    # Maps.

    def maps(self, column):
        column.head(
            "maps", "maps", str(len(self.facts.maps)),
            "In .maps the definition is a type: a number is the length of an array that a member points to. A data section becomes an array of "
            "one entry.",
        )
        for shown, one in enumerate(self.facts.maps):
            lines = one["definition"]
            high = map_high(one, column.wide)
            if column.y + high > column.bottom:
                column.rest(len(self.facts.maps) - shown, "map")
                break
            x, y = column.x, column.y
            role = "maps" if one["origin"] == "btf" else "data"
            dark, tint = colours(role)
            column.sheet.rect(x, y, column.wide, high - 4, tint, dark, 2.5, 0.8)
            created = "" if one["created"] else ", not created"
            wide = column.sheet.text(column.right - 6, y + 9.5, f"{one['section']} + {one['offset']:#x}{created}", 6.6, "m", dark, "end")
            column.sheet.text(x + 7, y + 9.5, f"map {one['name']}", 7.6, "b", dark, room=column.wide - wide - 20)
            self.map_at[(one["section"], one["offset"])] = self.map_at[one["name"]] = (x, column.right, y + 6.5, dark)
            y += 18.5
            for line in lines:
                column.sheet.text(x + 7, y, line["name"], 6.6, "m", dark, room=54)
                column.sheet.text(x + 62, y, line["from"], 6.5, "", INK, room=column.wide - 68)
                y += 9.4 * is_long(line, column.wide)
                column.sheet.text(column.right - 6, y, line["sets"] or "", 6.5, "m", INK, "end", room=column.wide - 14)
                y += 9.4
            if one["variables"]:
                told = ", ".join(f"{v['name']} at {v['offset']}" for v in one["variables"])
                column.sheet.text(x + 7, y, told, 6.4, "i", INK, room=column.wide - 14)
            column.y += high


def is_long(line, wide):
    """Whether a line of a map's definition needs two."""
    return width(line["from"], 6.5) + width(line["sets"] or "", 6.5, "m") > wide - 80


def map_high(one, wide):
    return 19 + 9.4 * (sum(1 + is_long(line, wide) for line in one["definition"]) + bool(one["variables"]))
