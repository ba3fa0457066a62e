"""The figures as a picture: ours, peer, empty and control, to the floor.

One panel for what costs, one for orders per second, and one for what has a
goal but no floor, as a share of its goal.
"""

import math
from xml.sax.saxutils import escape

LEFT, WIDTH, STEP, TOP = 360, 560, 24, 70
LEAST = .02                             # what is less is at the edge
# side: colour, name, and how far off its line it is
MARKS = {"control": ("#9a9a9a", "floor against itself", -5),
         "empty": ("#6a8f3c", "trigger that does nothing", -2),
         "peer": ("#d1632a", "plpgsql upsert and notify", 2),
         "ours": ("#1f5fa8", "replenish", 5)}
GOAL = '<path d="M%.1f %.1f v20" stroke="#c00000" stroke-width="2"/>'


def costs(rows):
    return [row for row in rows if "ratios" in row and row["unit"] != "/s"]


def rates(rows):
    return [row for row in rows if "ratios" in row and row["unit"] == "/s"]


def shares(rows):
    """Figures without a floor as shares of their goals; below 1 is met."""
    for row in rows:
        if "figure" in row and row.get("goal"):
            f = row["figure"]
            found = [f["value"], f.get("low", f["value"]),
                     f.get("high", f["value"])]
            yield dict(row, goal=1, ratios={"ours": [
                v / row["goal"] if row["sense"] == "<=" else
                row["goal"] / v if v else 1 / LEAST for v in found]})


PANELS = (
    ("CPU and WAL, as a multiple of what it is without a trigger"
     " (left is better)", costs),
    ("Orders per second, as a multiple of those without a trigger"
     " (right is better)", rates),
    ("Other goals: the figure as a share of its goal (left of 1 is met)",
     lambda rows: list(shares(rows))))


class Axis:
    """A logarithmic axis over the ratios of a panel."""

    def __init__(self, rows):
        found = [v for row in rows for r in row["ratios"].values() for v in r]
        self.low = math.log10(max(LEAST, min(found + [.9]) / 1.1))
        self.high = math.log10(max(found + [1.2]) * 1.1)

    def x(self, ratio):
        share = (math.log10(max(ratio, 10 ** self.low)) - self.low) \
            / (self.high - self.low)
        return LEFT + WIDTH * share

    def ticks(self):
        fine = self.high - self.low < 1.5
        for power in range(-3, 5):
            for digit in (1, 1.5, 2, 3, 5, 7) if fine else (1, 3):
                value = digit * 10 ** power
                if self.low <= math.log10(value) <= self.high:
                    yield value


def text(x, y, what, anchor="start", extra=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
        x, y, anchor, extra, escape(what))


def mark(side, x, y):
    colour = MARKS[side][0]
    if side == "ours":
        return '<circle cx="%.1f" cy="%.1f" r="5" fill="%s"/>' % (x, y, colour)
    return '<rect x="%.1f" y="%.1f" width="7" height="7" fill="none"' \
        ' stroke="%s" stroke-width="2"/>' % (x - 3.5, y - 3.5, colour)


def series(axis, side, found, y):
    """A side's mark and the whisker of its spread."""
    middle, low, high = found
    y += MARKS[side][2]
    out = ['<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"'
           ' stroke-width="2"/>' % (axis.x(low), y, axis.x(high), y,
                                    MARKS[side][0]),
           mark(side, axis.x(middle), y)]
    if middle < 10 ** axis.low:
        out.append(text(axis.x(middle) + 10, y + 4, "1/%d" % (1 / middle)
                        if middle > 0 else "0"))
    return out


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
            out.append(GOAL % (axis.x(row["goal"]), y - 10))
        for side in MARKS:
            if side in row["ratios"]:
                out += series(axis, side, row["ratios"][side], y)
    return out, bottom + 60


def svg(results):
    about = results["about"]
    out, top = [], TOP
    x = 30
    for side, (_, name, _) in MARKS.items():
        out += [mark(side, x, 30), text(x + 10, 34, name)]
        x += 7 * len(name) + 40
    out += [GOAL % (x, 20), text(x + 8, 34, "goal")]
    for title, rows_of in PANELS:
        rows = rows_of(results["rows"])
        if rows:
            lines, top = panel(title, rows, top)
            out += lines
    out.append(text(30, top - 20, "PostgreSQL %s, replenish %s, %s, %d cores;"
                    " lines are the middle half of the repetitions%s" % (
                        about["postgresql"], about["replenish"], about["date"],
                        about["cores"], "; QUICK" if about["quick"] else "")))
    return '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d"' \
        ' font-family="sans-serif" font-size="12">\n<rect width="100%%"' \
        ' height="100%%" fill="white"/>\n%s\n</svg>\n' % (
            LEFT + WIDTH + 60, top, "\n".join(out))
