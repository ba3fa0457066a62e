"""What every part works with: a session, the data, and how a row is made.

A row is a dictionary, as the file has it:

    part, name, zh      where it belongs and what it says, in two languages
    ours, peers         the value of ours, and of each peer by its name
    unit                of the values: %, days, units, ...
    better              "low", "high", or the value to be near to
    sense, goal, met    "<=" or ">=" and a value, or "in" and a range
    note                how it was measured, and the like
    readme              whether the README's table shows it
"""

import gzip
import io
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

import psycopg2

SHARED = os.path.realpath(os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared"))
MODEL = os.path.join(SHARED, "model")
DATA = os.path.join(SHARED, "data")


def rounded(thing):
    """The same with four significant digits."""
    if isinstance(thing, float):
        return float("%.4g" % thing)
    if isinstance(thing, list):
        return [rounded(v) for v in thing]
    if isinstance(thing, dict):
        return {k: rounded(v) for k, v in thing.items()}
    return thing


class Context:
    """The session that the parts share, their data, and how much to do."""

    def __init__(self, options):
        self.begun = time.monotonic()
        self.quick = options.quick
        self.half = options.half
        self.no_ets = options.no_ets
        self.names = options.sets.split(",")
        self.part = ""
        self.sets = {}
        self.about = {"quick": options.quick, "half": options.half,
                      "parts": {}}
        # what is compiled is not written beside the shared files
        os.environ.setdefault("NUMBA_CACHE_DIR", os.path.join(
            tempfile.gettempdir(), "replenish-numba-%d" % os.getuid()))
        sys.path.append(MODEL)
        self.db = psycopg2.connect("")
        self.db.autocommit = True
        self.cursor = self.db.cursor()
        self.run("CREATE EXTENSION IF NOT EXISTS replenish")
        self.run("SET timezone = 'UTC'")
        self.run("SET search_path = public, replenish")

    def run(self, sql, *parameters):
        """Run a statement; parameters stand for its %s."""
        self.cursor.execute(sql, parameters or None)

    def rows(self, sql, *parameters):
        """Run a query; what it returns, as a list of tuples."""
        self.run(sql, *parameters)
        return self.cursor.fetchall()

    def frame(self, sql):
        """Run a query without parameters; what it returns, as a pandas
        frame."""
        import pandas
        out = io.StringIO()
        self.cursor.copy_expert("COPY (%s) TO STDOUT (FORMAT csv, HEADER)"
                                % sql, out)
        out.seek(0)
        return pandas.read_csv(out)

    def table(self, name, types, frame):
        """Make a table in public, anew, of a pandas frame; types are those of
        its columns, in order, separated by commas."""
        self.run("DROP TABLE IF EXISTS public." + name)
        self.run("CREATE TABLE public.%s (%s)" % (name, ", ".join(
            map(" ".join, zip(frame.columns, types.split(","))))))
        self.load("public." + name, frame)
        self.run("ANALYZE public." + name)

    def load(self, relation, frame):
        """Append a pandas frame to a table with the same columns."""
        text = io.StringIO()
        frame.to_csv(text, index=False, header=False)
        text.seek(0)
        self.cursor.copy_expert("COPY %s (%s) FROM STDIN (FORMAT csv)" % (
            relation, ", ".join(frame.columns)), text)

    def data(self, name):
        """Open a file of the shared data as text."""
        return gzip.open(os.path.join(DATA, name), "rt", encoding="utf-8")

    def set(self, name):
        """A set of tasks of accuracy.py, or the wanted part of it."""
        if name not in self.sets:
            import sets
            self.sets[name] = sets.load(name, self.quick, self.half)
        return self.sets[name]

    def say(self, what):
        """What is going on, for those who wait."""
        print("%4.0f s  %s: %s" % (time.monotonic() - self.begun, self.part,
                                   what), file=sys.stderr, flush=True)

    def row(self, name, zh, ours, peers, unit, goal=None, better="low",
            note=None, readme=True):
        """A row; goal is (sense, value); "best" is that of the best peer."""
        row = {"part": self.part, "name": name, "zh": zh, "ours": float(ours),
               "peers": {k: float(v) for k, v in peers.items()},
               "unit": unit, "better": better, "readme": readme}
        if note:
            row["note"] = note
        if goal:
            sense, value = goal
            if value == "best":
                value = (min if better == "low" else max)(
                    row["peers"].values())
            row.update(sense=sense, goal=value, met=bool(
                value[0] <= ours <= value[1] if sense == "in"
                else ours <= value if sense == "<=" else ours >= value))
        self.say("%s: %.4g %s" % (name, ours, unit))
        return row

    def results(self, rows):
        """All rows, with what was measured on what."""
        commit = subprocess.run(
            ["git", "-C", os.path.dirname(os.path.abspath(__file__)),
             "describe", "--always", "--dirty"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.about.update({
            "format": 1,
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "postgresql": self.rows("SHOW server_version")[0][0].split()[0],
            "replenish": self.rows("SELECT extversion FROM pg_extension"
                                   " WHERE extname = 'replenish'")[0][0],
            "commit": commit.stdout.strip() or None,
            "machine": "%d cores, %s" % (os.cpu_count(), platform.machine()),
            "seconds": round(time.monotonic() - self.begun)})
        return json.loads(json.dumps(
            {"about": self.about, "rows": rounded(rows)}))
