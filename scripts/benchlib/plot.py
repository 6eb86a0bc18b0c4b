"""The times of a load as a picture: how long each loader takes, with the floor as 1."""

from xml.sax.saxutils import escape

LEFT, WIDTH, BAR, GAP, GROUP = 130, 560, 13, 2, 26
COLOURS = {"minibpf": "#0b6e4f", "libbpf 1.7": "#5b8db8", "libbpf 1.1": "#a9c4dc", "aya 0.14": "#c98b5e"}
# Wider than this a bar is cut, and says so.
LARGEST = 6.0


def bars(measured):
    """By object and loader, the time as a multiple of the floor's."""
    for name, runs in measured.items():
        floor = runs["floor"].time()
        yield name, {loader: run.time() / floor for loader, run in runs.items() if loader != "floor"}


def svg(measured):
    """The picture."""
    parts, y = [], 46
    scale = WIDTH / LARGEST
    for name, ratios in bars(measured):
        parts.append(f'<text x="{LEFT - 8}" y="{y + 2 * (BAR + GAP) + 4}" text-anchor="end">{escape(name)}</text>')
        for loader, ratio in ratios.items():
            width = min(ratio, LARGEST) * scale
            label = f"{ratio:.2f}" if ratio <= LARGEST else f"{ratio:.0f} →"
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{COLOURS[loader]}"/>')
            parts.append(f'<text x="{LEFT + width + 4:.1f}" y="{y + BAR - 2}" class="s">{label}</text>')
            y += BAR + GAP
        y += GROUP - GAP
    legend, x = [], LEFT
    for loader, colour in COLOURS.items():
        legend.append(f'<rect x="{x}" y="12" width="{BAR}" height="{BAR}" fill="{colour}"/><text x="{x + 18}" y="23">{loader}</text>')
        x += 110
    line = f'<path d="M{LEFT + scale:.1f} 36V{y - 14}" class="floor"/>'
    title = "How long a load takes with each loader"
    about = "One group of bars for each object; a bar is a loader's time as a multiple of the floor, which is the same bpf() calls without a loader."
    style = "text{font:12px sans-serif;fill:#222}.s{font-size:10px}.floor{stroke:#222;stroke-dasharray:4 3}"
    dark = "@media(prefers-color-scheme:dark){text{fill:#ddd}.floor{stroke:#ddd}}"
    size = f"0 0 {LEFT + WIDTH + 60} {y + 10}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img"><title>{title}</title><desc>{about}</desc><style>{style}{dark}</style>\n'
    foot = f'<text x="{LEFT + scale}" y="{y + 2}" text-anchor="middle" class="s">1 = the floor</text>\n</svg>\n'
    return head + "\n".join([*legend, line, *parts]) + "\n" + foot
