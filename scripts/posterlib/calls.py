"""What the kernel is asked, call by call, to the filter on a socket."""

from .column import GREY
from .draw import wrap
from .tape import INK, colours


class Calls:
    """`maps`: where each map is drawn, by its name."""

    def __init__(self, facts, sheet, maps):
        self.facts, self.sheet, self.maps = facts, sheet, maps
        self.call_at, self.insns_at = {}, None

    def all(self, column):
        steps = self.facts.steps
        column.head("header", "what the kernel is asked", f"{len(steps)} + 1 calls", "In this order. Fields that are not here are zero.")
        for shown, step in enumerate(steps):
            # A map's name is one of its fields.
            why = [] if step["call"] == "BPF_MAP_CREATE" else wrap(step["why"], column.wide - 30, 6.8, most=2)
            fields = [(k, v) for k, v in step["attr"].items() if v not in (0, "0", None, "") and not is_default(k, v)]
            says_why = step["call"] in ("BPF_PROG_LOAD", "BPF_BTF_LOAD", "BPF_MAP_UPDATE_ELEM")
            each = 17.8 if says_why and len(steps) < 9 else 9.3
            high = 16 + 8.2 * len(why) + each * len(fields) + 7
            if column.y + high > column.bottom - 190 and shown + 1 < len(steps) or column.y + high > column.bottom - 150:
                column.rest(len(steps) - shown, "call")
                break
            self.call(column, step, why, fields, each, high)

    def call(self, column, step, why, fields, each, high):
        sheet, x, y = self.sheet, column.x, column.y
        named = step["attr"].get("map_name") if step["call"] == "BPF_MAP_CREATE" else None
        role = {"BPF_MAP_CREATE": "maps", "BPF_PROG_LOAD": "program", "BPF_BTF_LOAD": "types"}.get(step["call"], "data")
        of_map = self.maps.get(named) if named else None
        dark = of_map[3] if of_map else colours(role)[0]
        sheet.rect(x, y, column.wide, high - 5, "#fff", dark, 2.5, 1)
        sheet.rect(x, y, 16, high - 5, dark, round_=2.5)
        sheet.text(x + 8, y + 10, str(step["n"]), 8.4, "b", "#fff", "middle")
        sheet.text(x + 21, y + 9.5, f"bpf({step['call']}, attr, {step['size']})", 7.2, "m b", dark, room=column.wide - 26)
        if named:
            self.call_at[named] = (x, y + 6.5)
        y += 18.5
        for line in why:
            sheet.text(x + 21, y, line, 6.8, "", INK)
            y += 8.2
        for key, value in fields:
            if key == "insns":
                self.insns_at = (x, y - 2.2)
            shown = shorten(value)
            used = sheet.text(column.right - 5, y, shown, 6.7, "m b", INK, "end", room=120)
            sheet.text(x + 21, y, key, 6.7, "m", dark, room=column.wide - used - 30)
            if each > 10:
                sheet.text(x + 27, y + 7.9, step["sources"].get(key, ""), 6.3, "i", GREY, room=column.wide - 32)
            y += each
        column.y += high

    def attach(self, column):
        """The last call, and where byte 0 is after it."""
        sheet, x, y = self.sheet, column.x, column.y
        dark = colours("header")[0]
        places = [h for h in self.facts.hooks if h["hook"] in ("tcp", "udp", "raw", "packet", "unixgram")]
        high = 62 + 8.4 * len(places)
        sheet.rect(x, y, column.wide, high - 5, "#fff", dark, 2.5, 1)
        sheet.rect(x, y, 16, high - 5, dark, round_=2.5)
        sheet.text(x + 8, y + 10, str(len(self.facts.steps) + 1), 8.4, "b", "#fff", "middle")
        sheet.text(x + 21, y + 9.5, "setsockopt(socket, SOL_SOCKET,", 7.2, "m b", dark)
        sheet.text(x + 21, y + 18.5, "  SO_ATTACH_BPF, &prog_fd, 4)", 7.2, "m b", dark)
        says = (
            "From here on each packet that the socket receives goes through the program. Its return value is how many bytes to keep; 0 drops. "
            "Byte 0 is:"
        )
        for i, line in enumerate(wrap(says, column.wide - 28, 6.8, most=3)):
            sheet.text(x + 21, y + 28 + 8.2 * i, line, 6.8, "", INK)
        y += 54
        for place in places:
            sheet.text(x + 27, y, place["hook"], 6.4, "m", dark)
            sheet.text(x + 78, y, place["byte0"], 6.6, "", INK, room=column.wide - 84)
            y += 8.4
        column.y += high

    def tag(self, column):
        facts = self.facts
        told = next((p for p in facts.programs if facts.drawn and p["name"] == facts.drawn["name"]), None)
        if not told or not told.get("tag_sha256"):
            return
        sheet, x, y = self.sheet, column.x, column.y
        dark, tint = colours("license")
        sheet.rect(x, y, column.wide, 58, tint, dark, 2.5, 1)
        sheet.text(x + 7, y + 13, "tag", 8.4, "b", dark)
        sheet.text(x + column.wide - 7, y + 13.5, told["tag_sha256"], 11, "m b", dark, "end")
        says = (
            "The first 8 bytes of a SHA-256 of the instructions as loaded, both immediates of a map's lddw counted as 0. The kernel computes the same: "
            f"bpftool prog show prints it. Before Linux 6.18 it is SHA-1: {told['tag_sha1']}."
        )
        for i, line in enumerate(wrap(says, column.wide - 14, 6.8, most=4)):
            sheet.text(x + 7, y + 24 + 8.6 * i, line, 6.8, "", INK)
        column.y += 62


def is_default(key, value):
    return (key, value) in (("kern_version", "KERNEL_VERSION(0, 0, 0)"), ("expected_attach_type", "BPF_CGROUP_INET_INGRESS"), ("flags", "BPF_ANY"))


def shorten(value):
    """Descriptors in brackets, long bytes by their number."""
    if isinstance(value, str) and len(value) > 24 and len(value) % 2 == 0 and all(c in "0123456789abcdef" for c in value):
        return f"→ {len(value) // 2} bytes"
    if isinstance(value, str) and (value == "btf" or value.startswith("map ")):
        return f"<{value}>"
    return str(value)
