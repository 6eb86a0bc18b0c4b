"""A sheet of paper as SVG: what is drawn on it is kept as boxes too, so that it can be asked whether any text leaves the sheet or its box, or
lies on another. One unit is a point (1/72 inch)."""

from xml.sax.saxutils import escape

# Advances of DejaVu Sans in thousandths of the size, from space to tilde: the widest of the fonts asked for, so that what fits with it
# fits with the others.
SANS = (
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337,
    337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732,
    684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635,
    635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
)
BOLD = 1.13
MONO = 0.602

STYLE = """
text { font-family: "DejaVu Sans", Verdana, "Liberation Sans", Arial, sans-serif; }
.m { font-family: "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace; white-space: pre; }
.b { font-weight: bold; }
.i { font-style: italic; }
"""


def counted(count, what):
    return f"{count} {what}" + ("" if count == 1 else "s")


def clean(text):
    """Foreign text as it may be shown: control characters and what has no shape are written out."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(text))


def width(text, size, cls=""):
    """In points."""
    if "m" in cls.split():
        return len(text) * MONO * size
    wide = sum(SANS[ord(c) - 32] if 32 <= ord(c) < 127 else 1000 for c in text) * size / 1000
    return wide * BOLD if "b" in cls.split() else wide


def fit(text, room, size, cls=""):
    """The text, cut to the room with an ellipsis."""
    text = clean(text)
    if width(text, size, cls) <= room:
        return text
    while text and width(text + "…", size, cls) > room:
        text = text[:-1]
    return text + "…"


def wrap(text, room, size, cls="", most=99):
    """Lines of words; what does not fit into the last line is cut."""
    lines, line = [], ""
    for word in clean(text).split():
        longer = f"{line} {word}".strip()
        if line and width(longer, size, cls) > room:
            lines.append(line)
            longer = word
        line = longer
    lines.append(line)
    if len(lines) > most:
        lines = lines[: most - 1] + [" ".join(lines[most - 1 :])]
    return [fit(line, room, size, cls) for line in lines]


class Sheet:
    """Coordinates grow to the right and down; text stands on its baseline."""

    def __init__(self, wide, high):
        self.wide, self.high = wide, high
        self.out = []
        self.texts = []

    def text(self, x, y, text, size=7.0, cls="", fill="#1c1d20", anchor="start", room=None):
        """One line; `room` cuts it. Returns its width."""
        text = clean(text) if room is None else fit(text, room, size, cls)
        if not text.strip():
            return 0
        wide = width(text, size, cls)
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor]
        self._write(x, y, escape(text), size, cls, fill, anchor, wide)
        self.texts.append((left, y - 0.76 * size, left + wide, y + 0.2 * size, text))
        return wide

    def spans(self, x, y, parts, size=7.0, cls="m", fill="#1c1d20"):
        """One line in a fixed width, of parts `(text, colour or None, class)`."""
        text = "".join(clean(part[0]) for part in parts)
        wide = width(text, size, cls)
        body = ""
        for part in parts:
            attrs = (f' fill="{part[1]}"' if part[1] else "") + (f' class="{part[2]}"' if len(part) > 2 and part[2] else "")
            body += f"<tspan{attrs}>{escape(clean(part[0]))}</tspan>" if attrs else escape(clean(part[0]))
        self._write(x, y, body, size, cls, fill, "start", wide)
        self.texts.append((x, y - 0.76 * size, x + wide, y + 0.2 * size, text))
        return wide

    def _write(self, x, y, body, size, cls, fill, anchor, wide):
        attrs = f' class="{cls}"' if cls else ""
        attrs += f' text-anchor="{anchor}"' if anchor != "start" else ""
        # The width of a fixed one does not depend on the font that is found.
        attrs += f' textLength="{wide:.1f}" lengthAdjust="spacingAndGlyphs"' if "m" in cls.split() else ""
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{attrs}>{body}</text>')

    def rect(self, x, y, wide, high, fill="none", stroke=None, round_=0.0, line=0.6, dash=None):
        attrs = f' rx="{round_:g}"' if round_ else ""
        attrs += f' stroke="{stroke}" stroke-width="{line:g}"' if stroke else ""
        attrs += f' stroke-dasharray="{dash}"' if dash else ""
        self.out.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{fill}"{attrs}/>')

    def arrow(self, points, colour, line=1.1, tip=True):
        """A line with right angles, with a head at its end. Lines of white under it keep crossings apart."""
        path = "M" + " ".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.out.append(f'<path d="{path}" fill="none" stroke="#fff" stroke-width="{line + 1.6:g}"/>')
        self.out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{line:g}" stroke-linejoin="round"/>')
        if tip:
            (x0, y0), (x, y) = points[-2:]
            step = lambda now, before: (now > before) - (now < before)
            dx, dy = step(x, x0), step(y, y0)
            head = [(x + dx, y + dy), (x - 4.4 * dx - 2.4 * dy, y - 4.4 * dy + 2.4 * dx), (x - 4.4 * dx + 2.4 * dy, y - 4.4 * dy - 2.4 * dx)]
            self.out.append(f'<path d="M{" ".join(f"{a:.1f} {b:.1f}" for a, b in head)}z" fill="{colour}"/>')

    def faults(self):
        """Texts that leave the sheet or lie on one another."""
        found = [f"cut off: {t[4]!r}" for t in self.texts if t[0] < 0 or t[1] < 0 or t[2] > self.wide or t[3] > self.high]
        texts = sorted(self.texts, key=lambda t: t[1])
        for i, one in enumerate(texts):
            for other in texts[i + 1 :]:
                if other[1] >= one[3] - 0.3:
                    break
                if one[0] < other[2] - 0.3 and other[0] < one[2] - 0.3:
                    found.append(f"one on the other: {one[4]!r} and {other[4]!r}")
        return found

    def svg(self, title, desc, paper):
        wide, high = paper
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}mm" height="{high}mm" viewBox="0 0 {self.wide} {self.high}" role="img" '
            f'aria-labelledby="title desc">\n<title id="title">{escape(clean(title))}</title>\n<desc id="desc">{escape(clean(desc))}</desc>\n'
            f'<style>{STYLE}</style>\n<rect width="{self.wide}" height="{self.high}" fill="#fff"/>\n' + "\n".join(self.out) + "\n</svg>\n"
        )
