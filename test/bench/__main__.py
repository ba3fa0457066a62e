#!/usr/bin/python3
"""What watching a table costs: the table, the file, the picture.

Run it with "make bench"; "make bench-report" makes the README's tables and the
picture from the file of a run.  shop.py says what is compared, common.py how
CPU is measured, results.py what the file holds.
"""

import argparse
import importlib
import json
import os
import re
import sys
import time
import traceback
from types import SimpleNamespace

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

FULL = SimpleNamespace(
    orders=5000, commits=500, repetitions=15,       # per turn, one backend
    bulk=1000000, bulk_turns=4,
    turns=3, seconds=2,                             # many backends
    probes=300, load_seconds=4,
    drains=3, ticks=500, tick_repetitions=40,
    items=1000000, idle_seconds=20, status_repetitions=5,
    agg_rows=10000000, groups=100000, agg_turns=3, forecasts=2000)
QUICK = SimpleNamespace(
    orders=1000, commits=100, repetitions=3, bulk=50000, bulk_turns=2,
    turns=1, seconds=1, probes=30, load_seconds=2, drains=1, ticks=10,
    tick_repetitions=5, items=20000, idle_seconds=3, status_repetitions=3,
    agg_rows=500000, groups=10000, agg_turns=1, forecasts=200)


# name, module and function, in the order of a run
PARTS = (
    ("idle latency", "latency", "idle"), ("cpu", "orders", "cpu"),
    ("bulk", "orders", "bulk"), ("clients", "clients", "clients"),
    ("lock waits", "clients", "waits"),
    ("loaded latency", "latency", "loaded"), ("drain", "decider", "drain"),
    ("viewers", "viewers", "viewers"),
    ("old snapshot", "decider", "snapshot"),
    ("million idle", "million", "idle"),
    ("million status", "million", "status"),
    ("aggregates", "aggregates", "aggregates"),
    ("forecast", "aggregates", "forecast"),
    ("profile", "perf_profile", "profile"))


def measure(options):
    from common import Bench
    import report
    from results import Results
    import shop
    results = Results(options.quick)
    bench = Bench(QUICK if options.quick else FULL, results)
    failed = []
    shop.build(bench)
    for name, module, function in PARTS:
        if re.search(options.only, name) and \
                (name != "profile" or options.profile):
            results.part = name
            begun = time.monotonic()
            try:
                getattr(importlib.import_module(module), function)(bench)
            except Exception:       # the other parts are worth having
                traceback.print_exc()
                failed.append(name)
            results.about["parts"][name] = round(time.monotonic() - begun)
    results.describe(bench)
    results.write(options.json)
    with open(options.json, encoding="utf-8") as file:
        table = report.text(json.load(file))
    print(table, end="")
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(table)
    if failed:
        sys.exit("failed: " + ", ".join(failed))


def make_report(options):
    """The README's tables, the picture, and the file that they are from."""
    import markdown
    import plot
    with open(options.json, encoding="utf-8") as file:
        text = file.read()
    results = json.loads(text)
    if results["about"]["quick"]:
        sys.exit("%s is of a quick run" % options.json)
    for language, name in enumerate(("README.md", "doc/README.zh-CN.md")):
        if not markdown.insert(os.path.join(TOP, name), results, language):
            sys.exit("%s has no place for the table" % name)
    for name, content in (("bench.json", text),
                          ("bench.svg", plot.svg(results))):
        with open(os.path.join(TOP, "doc", name), "w",
                  encoding="utf-8") as file:
            file.write(content)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", default="bench.json",
                        help="what was found, for machines")
    parser.add_argument("--output", default="bench.txt",
                        help="what was found, for people")
    parser.add_argument("--only", default="", metavar="REGEX",
                        help="parts whose name matches: " + ", ".join(
                            name for name, _, _ in PARTS))
    parser.add_argument("--quick", action="store_true",
                        help="small sizes, to try it out: no figures to trust")
    parser.add_argument("--profile", action="store_true",
                        help="also where a bulk insert spends its time (perf)")
    parser.add_argument("--report", action="store_true",
                        help="measure nothing: doc/bench.* and the"
                        " READMEs' tables from --json")
    options = parser.parse_args()
    if options.report:
        make_report(options)
    else:
        measure(options)


if __name__ == "__main__":
    main()
