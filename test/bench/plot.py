"""The ratios as a picture: ours, peer, empty and control, to the floor."""

import math
from xml.sax.saxutils import escape

LEFT, WIDTH, STEP, TOP = 360, 560, 22, 70
PANELS = (
    ("CPU and WAL, as a multiple of what it is without a trigger"
     " (left is better)", lambda row: "ratios" in row and row["unit"] != "/s"),
    ("Orders per second, as a multiple of those without a trigger"
     " (right is better)",
     lambda row: "ratios" in row and row["unit"] == "/s"))
MARKS = {"control": ("#9a9a9a", "floor against itself"),
         "empty": ("#6a8f3c", "trigger that does nothing"),
         "peer": ("#d1632a", "plpgsql upsert and notify"),
         "ours": ("#1f5fa8", "replenish")}


class Axis:
    """A logarithmic axis over the ratios of a panel."""

    def __init__(self, rows):
        found = [v for row in rows for r in row["ratios"].values() for v in r]
        self.low = math.log10(max(.0001, min(found + [.9])) / 1.1)
        self.high = math.log10(max(found + [1.2]) * 1.1)

    def x(self, ratio):
        share = (math.log10(max(ratio, 10 ** self.low)) - self.low) \
            / (self.high - self.low)
        return LEFT + WIDTH * share

    def ticks(self):
        fine = self.high - self.low < 1.5
        for power in range(-4, 5):
            for digit in (1, 1.5, 2, 3, 5, 7) if fine else (1, 3):
                value = digit * 10 ** power
                if self.low <= math.log10(value) <= self.high:
                    yield value


def mark(side, x, y):
    colour = MARKS[side][0]
    if side == "ours":
        return '<circle cx="%.1f" cy="%.1f" r="5" fill="%s"/>' % (x, y, colour)
    return '<rect x="%.1f" y="%.1f" width="8" height="8" fill="none"' \
        ' stroke="%s" stroke-width="2"/>' % (x - 4, y - 4, colour)


def text(x, y, what, anchor="start", extra=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
        x, y, anchor, extra, escape(what))


def panel(title, rows, top):
    axis = Axis(rows)
    bottom = top + STEP * len(rows) + 8
    out = [text(LEFT, top - 12, title, extra=' font-weight="bold"')]
    for value in axis.ticks():
        x = axis.x(value)
        out.append('<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s"/>' % (
            x, top, x, bottom, "#444" if value == 1 else "#ddd"))
        out.append(text(x, bottom + 15, "%g" % value, "middle"))
    for i, row in enumerate(rows):
        y = top + STEP * (i + .5) + 4
        out.append(text(LEFT - 10, y + 4, row["what"].strip(), "end"))
        if "goal" in row and "figure" not in row:
            x = axis.x(row["goal"])
            out.append('<path d="M%.1f %.1f v16" stroke="#c00000"'
                       ' stroke-width="2"/>' % (x, y - 8))
        for side in MARKS:
            if side in row["ratios"]:
                middle, low, high = row["ratios"][side]
                out.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"'
                           ' stroke="%s" stroke-width="2"/>' % (
                               axis.x(low), y, axis.x(high), y,
                               MARKS[side][0]))
                out.append(mark(side, axis.x(middle), y))
    return out, bottom + 60


def svg(results):
    about = results["about"]
    out, top = [], TOP
    x = LEFT
    for side, (_, name) in MARKS.items():
        out += [mark(side, x, 30), text(x + 10, 34, name)]
        x += 7 * len(name) + 30
    out += ['<path d="M%d 22 v16" stroke="#c00000" stroke-width="2"/>' % x,
            text(x + 8, 34, "goal")]
    for title, wanted in PANELS:
        rows = [row for row in results["rows"] if wanted(row)]
        if rows:
            lines, top = panel(title, rows, top)
            out += lines
    out.append(text(LEFT, top - 20, "PostgreSQL %s, %s, %d cores; whiskers:"
                    " the middle half of the repetitions%s" % (
                        about["postgresql"], about["date"], about["cores"],
                        "; QUICK" if about["quick"] else "")))
    return '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d"' \
        ' font-family="sans-serif" font-size="12">\n<rect width="100%%"' \
        ' height="100%%" fill="white"/>\n%s\n</svg>\n' % (
            LEFT + WIDTH + 60, top, "\n".join(out))
