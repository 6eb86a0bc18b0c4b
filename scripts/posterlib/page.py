"""The whole sheet: title, the file as a strip, the file as hex to the left, what is made of it to the right, arrows."""

from . import tape
from .calls import Calls
from .column import GREY, Column
from .draw import Sheet, counted, width
from .stage import Stage, map_high
from .tape import INK, colours

# A2, landscape, in millimetres and in points.
PAPER = (594, 420)
WIDE, HIGH = 1684, 1190
MARGIN = 34
TOP, BOTTOM = 140, HIGH - 44
HEX, GUTTER = 350, 16
PROGRAM, RECORDS, CALLS = 274, 290, 226
# Between the program and the records; the rest is between the records and the calls.
CHANNEL = 36


def poster(facts):
    """`(svg, faults)`"""
    sheet = Sheet(WIDE, HIGH)
    stage = Stage(facts, sheet)
    blocks = tape.blocks(facts, stage.elsewhere())
    title(sheet, facts)
    strip(sheet, facts, blocks)
    tape.draw(sheet, blocks, MARGIN, TOP, HEX, BOTTOM - TOP, GUTTER)
    x = MARGIN + 2 * HEX + GUTTER + 24
    program = Column(sheet, x, TOP, PROGRAM, BOTTOM - 12)
    middle = Column(sheet, x + PROGRAM + CHANNEL, TOP, RECORDS, BOTTOM - 12)
    right = Column(sheet, WIDE - MARGIN - CALLS, TOP, CALLS, BOTTOM - 12)
    stage.program(program)
    maps_high = 44 + sum(map_high(one, RECORDS) for one in facts.maps[:5])
    symbols_least = 44 + 19 * 5
    middle.bottom -= maps_high + symbols_least
    stage.records(middle)
    middle.bottom = BOTTOM - 12
    middle.y += 6
    stage.symbols(middle, middle.bottom - middle.y - maps_high - 12)
    middle.y += 6
    stage.maps(middle)
    calls = Calls(facts, sheet, stage.map_at)
    calls.all(right)
    calls.attach(right)
    calls.tag(right)
    arrows(sheet, stage, calls, (program, middle, right))
    foot(sheet, facts)
    names = ", ".join(s["name"] for s in facts.sections if s["name"])
    maps = ", ".join(m["name"] for m in facts.maps) or "none"
    programs = ", ".join(p["name"] for p in facts.programs) or "none"
    desc = (
        f"The object file {facts.name}, {counted(len(facts.bytes), 'byte')}, as hex in the file's order, each region with what a loader does with "
        f"it. Sections: {names}. Programs: {programs}; the instructions with their holes. Maps: {maps}. Arrows lead from each relocation record to "
        "the instruction and to its symbol, from there to the map, and to the bpf() call that creates it. At the right the "
        f"{counted(len(facts.steps), 'call')} in order, the attach, and the tag."
    )
    return sheet.svg(f"{facts.name}: an object file and its load", desc, PAPER), sheet.faults()


def title(sheet, facts):
    used = sheet.text(MARGIN, 62, facts.name, 34, "b", room=700)
    sheet.text(MARGIN + used + 16, 62, "from the bytes of the file to the filter on a socket", 19, "", GREY, room=700)
    counts = ((facts.bytes, "byte"), (facts.sections, "section"), (facts.maps, "map"), (facts.patches, "hole"), (facts.steps, "bpf() call"))
    note = ", ".join(counted(len(all_), what) for all_, what in counts)
    sheet.text(WIDE - MARGIN, 50, note, 10, "b", INK, "end")
    sheet.text(WIDE - MARGIN, 63, "eBPF object of clang, ELF64, " + ("big-endian" if facts.big_endian else "little-endian"), 9, "", GREY, "end")


def strip(sheet, facts, blocks):
    """The file to scale."""
    y, high, wide = 76, 22, WIDE - 2 * MARGIN
    total = max(len(facts.bytes), 1)
    sheet.rect(MARGIN, y, wide, high, "#f4f4f5")
    free = MARGIN
    for block in blocks:
        dark, tint = colours(block.role)
        x, w = MARGIN + block.start / total * wide, block.size / total * wide
        sheet.rect(x, y, max(w, 0.8), high, dark)
        room = width(block.name, 8, "b")
        if room + 8 < w:
            sheet.text(x + w / 2, y + 14.2, block.name, 8, "b", "#fff", "middle")
        elif x >= free:
            # The narrow ones have their name under them, where there is room for it.
            sheet.arrow([(x + w / 2, y + high), (x + w / 2, y + high + 4)], dark, 0.8, False)
            free = x + sheet.text(x, y + high + 11, block.name, 6.8, "", dark, room=WIDE - MARGIN - x) + 6
    step = 128
    while step * 12 < total:
        step *= 2
    for at in range(0, total, step):
        sheet.text(MARGIN + at / total * wide, y + high + 22, f"{at:#x}", 6, "m", GREY)


def lanes(pairs, left, right):
    """An x for each `(y at the left, y at the right)`, in such an order that lines which go the same way do not cross."""
    order = sorted(range(len(pairs)), key=lambda i: (pairs[i][1], i))
    up = [i for i in order if pairs[i][0] < pairs[i][1]]
    down = [i for i in order if pairs[i][0] >= pairs[i][1]]
    row = down + up[::-1]
    step = (right - left) / (len(row) + 1)
    return {i: left + step * (n + 1) for n, i in enumerate(row)}


def arrows(sheet, stage, calls, columns):
    program, middle, right = columns
    # A record to its instruction.
    found = [(slot, at) for slot, at in sorted(stage.insn_at.items()) if len(at) == 3]
    xs = lanes([(at[1], at[2][1]) for _, at in found], program.right + 1, middle.x - 3)
    colour = {p["insn"]: stage.thread[p["symbol"]] for p in stage.patches}
    for i, (slot, (x, y, (from_x, from_y))) in enumerate(found):
        sheet.arrow([(from_x, from_y), (xs[i], from_y), (xs[i], y), (x - 1, y)], colour[slot])
    # A record to its symbol.
    outs = [(n, out) for n, out in stage.record_out.items() if n in stage.symbol_at]
    for i, (number, records) in enumerate(outs):
        y, lane = stage.symbol_at[number][0], middle.right + 5 + 3.6 * (len(outs) - i)
        for n, (x, from_y, tint) in enumerate(records):
            sheet.arrow([(x, from_y), (lane, from_y), (lane, y), (x + 1, y)], tint, tip=n == len(records) - 1)
    # A symbol to the map that it lies in; a symbol of a data section lies behind the map's start.
    for i, (number, records) in enumerate(outs):
        y, section, value = stage.symbol_at[number]
        one = stage.map_at.get((section, value)) or (stage.map_at.get(section) if section != ".maps" else None)
        if one:
            lane = middle.x - 4 - 3.6 * (len(outs) - i)
            sheet.arrow([(middle.x, y), (lane, y), (lane, one[2] + 2.4 * i), (middle.x - 1, one[2] + 2.4 * i)], records[0][2])
    # A map to the call that creates it.
    made = [(stage.map_at[name], at) for name, at in calls.call_at.items() if name in stage.map_at]
    start = middle.right + 9 + 3.6 * (len(outs) + 1)
    xs = lanes([(one[2], at[1]) for one, at in made], start, right.x - 8)
    for i, (one, (x, y)) in enumerate(made):
        sheet.arrow([(one[1], one[2]), (xs[i], one[2]), (xs[i], y), (x - 1, y)], one[3], 1.5)
    # The program, all holes filled, to field insns.
    if calls.insns_at and stage.program_end:
        x, y = calls.insns_at
        low, lane, blue = BOTTOM - 2, right.x - 4, colours("program")[0]
        from_x = program.x + program.wide / 2
        sheet.arrow([(from_x, stage.program_end[1]), (from_x, low), (lane, low), (lane, y), (x - 1, y)], blue, 1.5)
        sheet.text(from_x + 8, low - 3, "all holes filled: field insns of BPF_PROG_LOAD", 7.4, "b", blue)


def foot(sheet, facts):
    y = HIGH - 22
    sheet.rect(MARGIN, y - 12, WIDE - 2 * MARGIN, 0.6, "#c9ccd2")
    x = MARGIN
    for role, told in (
        ("header", "headers"), ("program", "program"), ("relocs", "relocation records"), ("data", "global data"), ("maps", "map definitions"),
        ("license", "licence, tag"), ("types", "types"), ("lines", "source lines"), ("symbols", "symbols"), ("names", "names"), ("ignored", "what a loader ignores"),
    ):
        sheet.rect(x, y - 7, 9, 9, colours(role)[0], round_=1)
        x += 13 + sheet.text(x + 13, y, told, 7.6, "", INK) + 14
    sheet.text(WIDE - MARGIN, y, f"made by scripts/poster of minibpf, from minibpf explain {facts.name} --json --bytes", 7.6, "", GREY, "end")
