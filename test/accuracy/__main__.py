#!/usr/bin/python3
"""How good forecasts, alerts and quantities are: the table and the file.

Run it with "make accuracy"; "make accuracy-report" makes the README's tables
from the file of a run.  Each part is a module with a function

    run(context) -> list of rows, made with context.row()

that measures one thing through SQL, with its peers in the same run.  The data,
the tasks, the scores and the twenty peers of forecasting are those of ../shared
beside the checkout; without them there is nothing to run.
"""

import argparse
import importlib
import json
import os
import re
import sys
import time
import traceback

from context import Context, MODEL

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

# name and module, in the order of a run
PARTS = (
    ("forecasts", "forecasts"),
    ("alerts", "alerts"),
    ("inventory", "stock"),
    ("lead time", "lead_time"),
    ("bursts", "bursts"),
    ("hidden demand", "hidden"),
)


def measure(options):
    import table
    if not os.path.exists(os.path.join(MODEL, "accuracy.py")):
        print("skipped: no shared/model beside the checkout")
        return
    context = Context(options)
    rows, failed = [], []
    for name, module in PARTS:
        if not re.search(options.only, name):
            continue
        context.part = name
        begun = time.monotonic()
        try:
            rows += importlib.import_module(module).run(context)
        except Exception:       # the other parts are worth having
            traceback.print_exc()
            failed.append(name)
        context.about["parts"][name] = round(time.monotonic() - begun)
    results = context.results(rows)
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1, ensure_ascii=False)
        file.write("\n")
    text = table.text(results)
    print(text, end="")
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(text)
    if failed:
        sys.exit("failed: " + ", ".join(failed))


def make_report(options):
    """The README's tables, and the file that they are from."""
    import table
    with open(options.json, encoding="utf-8") as file:
        text = file.read()
    results = json.loads(text)
    if results["about"]["quick"]:
        sys.exit("%s is of a quick run" % options.json)
    for language, name in enumerate(("README.md", "doc/README.zh-CN.md")):
        if not table.insert(os.path.join(TOP, name), results, language):
            sys.exit("%s has no place for the table" % name)
    with open(os.path.join(TOP, "doc", "accuracy.json"), "w",
              encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", default="accuracy.json",
                        help="what was found, for machines")
    parser.add_argument("--output", default="accuracy.txt",
                        help="what was found, for people")
    parser.add_argument("--only", default="", metavar="REGEX",
                        help="parts whose name matches: " + ", ".join(
                            name for name, _ in PARTS))
    parser.add_argument("--sets", default="uci,m5,carparts,synth",
                        help="of these data sets only (default: %(default)s)")
    parser.add_argument("--half", choices=("first", "second"),
                        help="on one half of the items only: choose on the"
                        " first, report on the second")
    parser.add_argument("--no-ets", action="store_true",
                        help="without R's ets, which takes minutes")
    parser.add_argument("--quick", action="store_true",
                        help="few items, to try it out: no figures to trust")
    parser.add_argument("--report", action="store_true",
                        help="measure nothing: doc/accuracy.json and the"
                        " READMEs' tables from --json")
    options = parser.parse_args()
    if options.report:
        make_report(options)
    else:
        measure(options)


if __name__ == "__main__":
    main()
