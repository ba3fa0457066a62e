"""The table, as text and for the READMEs.

In a README it goes between two comments; nothing there is written by hand.
"""

import re
import textwrap

BEGIN = "<!-- from doc/accuracy.json by \"make accuracy-report\" -->"
END = "<!-- end -->"


def number(value, unit=""):
    """Three digits, and no exponent."""
    size = abs(value)
    digits = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 \
        if size >= .9995 else 3
    return ("%.*f %s" % (digits, value, unit)).rstrip()


def bound(goal):
    """The value of a goal, or its range."""
    return " to ".join(map(number, goal)) if isinstance(goal, list) \
        else number(goal)


def ranked(row):
    """Names of the peers, the best first."""
    peers, better = row["peers"], row["better"]
    return sorted(peers, key=lambda name: peers[name] if better == "low"
                  else -peers[name] if better == "high"
                  else abs(peers[name] - better))


def text(results):
    about, out = results["about"], []
    out.append("PostgreSQL %(postgresql)s, replenish %(replenish)s,"
               " %(date)s, %(seconds)d s" % about
               + (".  QUICK: FEW ITEMS, FOR TRYING OUT ONLY"
                  if about["quick"] else "")
               + (".  %s half of the items only" % about["half"]
                  if about["half"] else ""))
    part = None
    for row in results["rows"]:
        if row["part"] != part:
            part = row["part"]
            out += ["", "-- %s --" % part]
        line = "%-58s %10s" % (row["name"], number(row["ours"], row["unit"]))
        if "goal" in row:
            line += "  %s %s %s" % (row["sense"], bound(row["goal"]),
                                    "yes" if row["met"] else "NO")
        out.append(line)
        if row["peers"]:
            out.append("        " + ", ".join(
                "%s %s" % (name, number(row["peers"][name]))
                for name in ranked(row)))
        if "note" in row:
            out.append("        " + row["note"])
    goals = [row["met"] for row in results["rows"] if "met" in row]
    out += ["", "%d of %d goals met" % (sum(goals), len(goals))]
    return "\n".join(out) + "\n"


TRADE = "MA28 x 1.25"
HEAD = ("| | replenish | best peer | 28 days' mean × 1.25 |",
        "| | replenish | 最好的同类 | 28 天均值 × 1.25 |")
INTRO = (
    "PostgreSQL {postgresql}, replenish {replenish}, {date}. {met} of {goals}"
    " goals are met; [the file](doc/accuracy.json) has them, all peers, and"
    " what was measured how.",
    "PostgreSQL {postgresql}，replenish {replenish}，{date}。{goals} 个目标达到"
    " {met} 个；目标、全部同类和测量方法见[数据文件](accuracy.json)。")


def cell(row, name):
    return number(row["peers"][name], row["unit"]) if name in row["peers"] \
        else ""


def lines(results, language):
    """Lines of the part between the comments."""
    goals = [row["met"] for row in results["rows"] if "met" in row]
    intro = INTRO[language].format(met=sum(goals), goals=len(goals),
                                   **results["about"])
    out = [intro if language else textwrap.fill(intro, 120), "",
           HEAD[language], "|---|---|---|---|"]
    for row in results["rows"]:
        if not row["readme"]:
            continue
        best = ranked(row)[:1]
        out.append("| %s | %s | %s | %s |" % (
            row["zh" if language else "name"],
            number(row["ours"], row["unit"]),
            "%s (%s)" % (cell(row, best[0]), best[0]) if best else "",
            cell(row, TRADE)))
    return out


def insert(path, results, language):
    """Put the table into a README; false if it has no place for it."""
    with open(path, encoding="utf-8") as file:
        old = file.read()
    found = re.search("%s\n.*?%s" % (re.escape(BEGIN), re.escape(END)), old,
                      re.S)
    if not found:
        return False
    with open(path, "w", encoding="utf-8") as file:
        file.write("%s%s\n%s\n%s%s" % (
            old[:found.start()], BEGIN,
            "\n".join(lines(results, language)).replace("|  |", "| |"), END,
            old[found.end():]))
    return True
