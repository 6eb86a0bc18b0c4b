"""The rows of .BTF and .BTF.ext: a type, a member, a record in each, with its meaning beside it. What does not decode is left as bytes."""

import struct

from .draw import counted
from .facts import string

KINDS = (
    "void INT PTR ARRAY STRUCT UNION ENUM FWD TYPEDEF VOLATILE CONST RESTRICT FUNC FUNC_PROTO VAR DATASEC FLOAT DECL_TAG TYPE_TAG ENUM64"
).split()
# Bytes behind the 12 of a type: once, and for each of its members.
ONCE = {1: 4, 3: 12, 14: 4, 17: 4}
EACH = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
HEADER = 24


def types(raw):
    """Rows `(offset, bytes, meaning)` of .BTF, and its strings' `(offset, bytes)`."""
    if len(raw) < HEADER or raw[:2] != b"\x9f\xeb":
        return [], (0, raw)
    length, type_off, type_len, str_off, str_len = struct.unpack("<5I", raw[4:HEADER])
    start, end, text = length + type_off, length + type_off + type_len, length + str_off
    strings = raw[text : text + str_len]
    rows = [(0, raw[:8], "magic eb9f, header of 24 bytes"), (8, raw[8:HEADER], f"{type_len} bytes of types, {str_len} of strings")]
    at, number = start, 1
    while at + 12 <= end <= len(raw):
        name, info, size = struct.unpack("<3I", raw[at : at + 12])
        kind, count = info >> 24 & 31, info & 0xFFFF
        once, each = ONCE.get(kind, 0), EACH.get(kind, 0)
        if at + 12 + once + each * count > end:
            break
        called = string(strings, name) or "(no name)"
        word = KINDS[kind] if kind < len(KINDS) else f"kind {kind}"
        extra = raw[at + 12 : at + 12 + once]
        told = f"[{number}] {word} " + meaning(kind, called, size, count)
        if kind == 3:
            element, _, length = struct.unpack("<3I", extra)
            rows += [(at, raw[at : at + 12], told), (at + 12, extra, f"      of [{element}], nr_elems {length}")]
        else:
            rows.append((at, raw[at : at + 12 + once], told))
        at += 12 + once
        for _ in range(count if each else 0):
            rows.append((at, raw[at : at + each], "      " + member(kind, raw[at : at + each], strings)))
            at += each
        number += 1
    if at < min(end, len(raw)):
        rows.append((at, raw[at:end], ""))
    return rows, (text, strings)


def meaning(kind, name, size, count):
    if kind in (2, 9, 10, 11):
        return f"to [{size}]" if kind == 2 else f"of [{size}]"
    if kind == 3:
        return ""
    if kind in (8, 12, 14, 18):
        return f"{name}, type [{size}]"
    if kind == 13:
        return f"returns [{size}], {counted(count, 'parameter')}"
    if kind == 7:
        return name
    return f"{name}, {size} bytes" + (f", {counted(count, 'member')}" if kind in (4, 5, 15) else "")


def member(kind, raw, strings):
    words = struct.unpack(f"<{len(raw) // 4}I", raw)
    if kind in (4, 5):
        return f"{string(strings, words[0]) or '(no name)'}: [{words[1]}] at bit {words[2] & 0xFFFFFF}"
    if kind == 15:
        return f"[{words[0]}] at {words[1]}, {words[2]} bytes"
    if kind == 13:
        return f"{string(strings, words[0]) or '...'}: [{words[1]}]"
    return f"{string(strings, words[0])} = {words[1]}"


def records(raw, strings):
    """Rows of .BTF.ext."""
    if len(raw) < HEADER or raw[:2] != b"\x9f\xeb":
        return []
    words = struct.unpack(f"<{min(8, len(raw) // 4)}I", raw[: min(32, len(raw) // 4 * 4)])
    length, parts = words[1], [("func_info", words[2], words[3]), ("line_info", words[4], words[5])]
    if length >= 32 and len(words) == 8:
        parts.append(("core_relo", words[6], words[7]))
    says = ((0, f"magic eb9f, header of {counted(length, 'byte')}"), (16, "where lines and CO-RE records are"))
    rows = [(at, raw[at : min(at + 16, length)], say) for at, say in says if at < length <= 32]
    for name, off, size in parts:
        at, end = length + off, length + off + size
        if size < 4 or end > len(raw) or size == 0:
            continue
        (record,) = struct.unpack("<I", raw[at : at + 4])
        rows.append((at, raw[at : at + 4], f"{name}: records of {record} bytes"))
        at += 4
        while record >= 8 and at + 8 <= end:
            section, count = struct.unpack("<2I", raw[at : at + 8])
            rows.append((at, raw[at : at + 8], f"section {string(strings, section)}, {counted(count, 'record')}"))
            at += 8
            while count and at + record <= end:
                rows.append((at, raw[at : at + record], told(name, raw[at : at + record], strings)))
                at, count = at + record, count - 1
            if count:
                break
    return rows


def told(name, raw, strings):
    words = struct.unpack(f"<{len(raw) // 4}I", raw[: len(raw) // 4 * 4])
    slot = f"slot {words[0] // 8}"
    if name == "func_info":
        return f"{slot}: FUNC [{words[1]}]"
    if name == "line_info" and len(words) >= 4:
        return f"{slot}: line {words[3] >> 10}  {string(strings, words[2]).strip()}"
    return f"{slot}: type [{words[1]}], access {string(strings, words[2])}" if len(words) >= 4 else slot
