"""The table as text."""

# beside the floor
SIDES = ["control", "empty", "ours", "peer"]

LEGEND = """\
Ratios are to "floor", the same work on a table without a trigger, taking turns
or side by side with it; in brackets the middle half of the repetitions.
"control" is the floor against itself: what differs from 1 is noise.  "empty"
has statement triggers that do nothing, "ours" is watched by replenish, and
"peer" has what a shop would write itself: a plpgsql AFTER ROW upsert of a
summary row, with pg_notify.  CPU: the least of all repetitions, lower is
better.  orders/s: the median, higher is better.
"""


def number(value):
    """Three digits, and no exponent."""
    if value == 0 or abs(value) >= 99.95:
        return "%.0f" % value
    if abs(value) < .001:
        return "%.1g" % value
    return "%.*f" % (3 if abs(value) < .0995 else 2 if abs(value) < 9.995
                     else 1, value)


def unit(row, name):
    return (" " + name).rstrip() if name and not name.startswith("/") else ""


def ratio(found):
    middle, low, high = found
    if low == high:
        return number(middle)
    return "%s (%s-%s)" % tuple(map(number, found))


def adds(row):
    """What the row is about, or what ours adds to the floor."""
    if "figure" in row:
        f = row["figure"]
        text = number(f["value"]) + unit(row, f["unit"])
        if f.get("low", f.get("high")) != f.get("high"):
            text += " (%s-%s)" % (number(f["low"]), number(f["high"]))
        return text
    values = row["values"]
    if "ours" in values:
        return "%+.3g %s" % (values["ours"] - values["floor"], row["unit"])
    return ""


def goal(row):
    if "goal" not in row:
        return ""
    name = row["figure"]["unit"] if "figure" in row else ""
    return "%s %s%s" % (row["sense"], number(row["goal"]) if row["goal"] % 1
                        else "%d" % row["goal"], unit(row, name))


def line(row, wide):
    values = row.get("values", {})
    text = "%-56s" % row["what"]
    if wide:
        text += "%10s" % (number(values["floor"]) + unit(row, row["unit"])
                          if "floor" in values else "")
        for side in SIDES:
            cell = ""
            if side in row.get("ratios", {}):
                cell = ratio(row["ratios"][side])
            elif side in values and "ratios" not in row:
                cell = number(values[side])
            text += "%18s" % cell
    text += "%*s%12s" % (12 if wide else 24, adds(row), goal(row))
    if "met" in row:
        text += "  yes" if row["met"] else "  NO"
    return text.rstrip()


def section(part, rows):
    """The rows of one part, with those columns that it has."""
    wide = any("values" in row for row in rows)
    head = "%-56s" % ("-- %s --" % part)
    if wide:
        head += "%10s" % "floor" + "".join("%18s" % s for s in SIDES)
        head += "%12s" % "ours adds"
    else:
        head += "%24s" % ""
    out = ["", (head + "%12s" % "goal").rstrip()]
    for row in rows:
        # a ratio of such a row has its own line's width
        fits = wide and len(adds(row)) < 12
        out.append(line(row, fits))
        if "note" in row:
            out.append("        " + row["note"])
    return out


def text(results):
    about, rows = results["about"], results["rows"]
    out = ["PostgreSQL %(postgresql)s, replenish %(replenish)s,"
           " %(date)s, %(cores)d cores of %(processor)s" % about]
    out.append("%d s; load average %.1f before, %.1f after%s" % (
        about["seconds"], about["load_before"], about["load_after"],
        ".  QUICK: SMALLER SIZES, FOR TRYING OUT ONLY" if about["quick"]
        else ""))
    out += ["", LEGEND.rstrip()]
    for part in dict.fromkeys(row["part"] for row in rows):
        out += section(part, [row for row in rows if row["part"] == part])
    goals = [row["met"] for row in rows if "met" in row]
    out += ["", "%d of %d goals met" % (sum(goals), len(goals))]
    for side, shares in about.get("profile", {}).items():
        out += ["", "INSERT ... SELECT, %s: share of CPU" % side]
        out += ["%6.2f %%  %s" % (share, name)
                for name, share in shares.items()]
    return "\n".join(out) + "\n"
