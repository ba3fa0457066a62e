"""What was found: rows with ratios and spread, goals, and the machine.

A row is a dictionary, as the file has it:

    part, key, what     where it belongs, its name, and what it says
    unit                of the values: us, ms, B, /s, ...
    values              the value of each side
    ratios              of each side to the floor: [middle, low, high]
    figure              what the row is about, where that is no ratio: a value,
                        its unit, and perhaps low and high
    sense, goal, met    "<=" or ">=", against the ratio of ours or the figure
    note                where the limit is, and the like
"""

import json
import os
import platform
import subprocess
import sys
import time

from common import quartiles

FORMAT = 1


class Results:
    def __init__(self, quick):
        self.begun = time.monotonic()
        self.part = ""
        self.rows = []
        self.about = {"quick": quick, "load_before": os.getloadavg()[0],
                      "parts": {}}

    def add(self, key, what, **fields):
        goal = fields.pop("goal", None)
        row = {"part": self.part, "key": key, "what": what}
        row.update((k, v) for k, v in fields.items() if v is not None)
        if goal:
            row["sense"], row["goal"] = goal
            value = row["figure"]["value"] if "figure" in row \
                else row["ratios"]["ours"][0]
            row["met"] = value <= goal[1] if goal[0] == "<=" \
                else value >= goal[1]
        self.rows.append(row)
        print("%4.0f s  %s" % (time.monotonic() - self.begun, what),
              file=sys.stderr, flush=True)
        return row

    def compare(self, key, what, unit, found, goal=None, note=None):
        """Repetitions of each side, paired by their turn.

        Noise only adds: the middle of the ratios is that of the least values,
        the spread that of the turns.
        """
        values, ratios = {}, {}
        for side, series in found.items():
            low, high = quartiles([v / f for v, f in
                                   zip(series, found["floor"])])
            values[side] = min(series)
            ratios[side] = [min(series) / min(found["floor"]), low, high]
        return self.add(key, what, unit=unit, values=values, ratios=ratios,
                        goal=goal, note=note)

    def figure(self, key, what, value, of, spread=None, **fields):
        """A value, in units "of", that is compared with its goal only."""
        figure = {"value": value, "unit": of}
        if spread:
            figure["low"], figure["high"] = spread
        return self.add(key, what, figure=figure, **fields)

    def describe(self, bench):
        """Note what was measured, on what."""
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            models = {line.split(":")[1].strip() for line in file
                      if line.startswith("model name")}
        top = os.path.dirname(os.path.abspath(__file__))
        commit = subprocess.run(
            ["git", "-C", top, "describe", "--always", "--dirty"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.about.update({
            "format": FORMAT,
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "postgresql": bench.ask("SHOW server_version").split()[0],
            "replenish": bench.ask("SELECT extversion FROM pg_extension"
                                   " WHERE extname = 'replenish'"),
            "commit": commit.stdout.strip() or None,
            "processor": ", ".join(sorted(models)) or platform.machine(),
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            "seconds": round(time.monotonic() - self.begun),
            "load_after": os.getloadavg()[0]})

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"about": self.about, "rows": rounded(self.rows)}, file,
                      indent=1, ensure_ascii=False)
            file.write("\n")


def rounded(thing):
    """The same with four significant digits."""
    if isinstance(thing, float):
        return float("%.4g" % thing)
    if isinstance(thing, list):
        return [rounded(v) for v in thing]
    if isinstance(thing, dict):
        return {k: rounded(v) for k, v in thing.items()}
    return thing
