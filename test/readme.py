#!/usr/bin/python3
"""Run the examples of README.md, its translations and doc/formulas.md as a test.

Every ```sql block of a file runs in one psql session, in order.  Where a plain
block follows, it must be what psql prints, but for row counts and blank lines.
A statement that fails is a failure.  Called through private-cluster.sh.
"""

import os
import re
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
FILES = ["README.md", "doc/README.zh-CN.md", "doc/formulas.md"]
MARK = "--- end of block ---"


def blocks(path):
    """(sql, expected or None) of each SQL block."""
    with open(path, encoding="utf-8") as file:
        found = re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.M | re.S)
    for i, (kind, text) in enumerate(found):
        if kind == "sql":
            after = found[i + 1] if i + 1 < len(found) else ("-", "")
            yield text, after[1] if after[0] == "" else None


def tables(text):
    """The lines that matter of what psql prints."""
    return [line.rstrip() for line in text.splitlines()
            if line.strip() and not re.match(r"\(\d+ rows?\)$", line)]


def run(path):
    examples = list(blocks(path))
    script = "".join("%s\n\\echo %s\n" % (sql, MARK) for sql, _ in examples)
    database = "readme_%d" % FILES.index(os.path.relpath(path, TOP))
    subprocess.run(["createdb", database], check=True)
    psql = subprocess.run(
        ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", database],
        input=script, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    outputs = psql.stdout.split(MARK + "\n")
    passed = failed = 0
    for i, (sql, expected) in enumerate(examples):
        ran = i < len(outputs) - 1
        output = outputs[i] if i < len(outputs) else "(not reached)\n"
        if not ran or (expected is not None
                       and tables(output) != tables(expected)):
            failed += 1
            print("%s: block %d\n%s--- printed\n%s--- expected\n%s" % (
                os.path.relpath(path, TOP), i + 1, sql, output,
                expected or "(no error)\n"))
        else:
            passed += 1
    return passed, failed


def main():
    counts = [run(os.path.join(TOP, name)) for name in FILES
              if os.path.exists(os.path.join(TOP, name))]
    failed = sum(f for _, f in counts)
    print("%d passed, %d failed" % (sum(p for p, _ in counts), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
