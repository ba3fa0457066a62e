"""Where the time of a bulk insert goes: perf record of one backend."""

import os
import re
import shutil
import subprocess
import sys

import shop


def profile(bench):
    """The functions that take most of it, with and without us."""
    if not shutil.which("perf"):
        print("there is no perf on this machine", file=sys.stderr)
        return
    shares = {}
    for side in ("floor", "ours"):
        data = os.path.join(os.environ["PREFIX"], "perf.%s" % side)
        perf = subprocess.Popen(
            ["perf", "record", "-q", "-o", data, "-p", str(bench.pid)],
            stderr=subprocess.DEVNULL)
        bench.run("BEGIN; SELECT pg_sleep(.5)")
        for _ in range(3):
            bench.run(shop.bulk(side, bench.sizes.bulk))
        bench.run("ROLLBACK")
        bench.run("VACUUM %s_orders" % side)
        perf.terminate()
        perf.wait()
        said = subprocess.run(
            ["perf", "report", "-i", data, "--stdio", "--no-children", "-g",
             "none", "--sort", "dso,symbol"], text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        shares[side] = {}
        for share, dso, symbol in re.findall(
                r"^\s+([\d.]+)%\s+(\S+)\s+\[\S\] (\S+)", said, re.M):
            # of functions without a name only the file is known
            name = "%s: %s" % (dso, "(unnamed)" if symbol.startswith("0x")
                               else symbol)
            shares[side][name] = shares[side].get(name, 0) + float(share)
    bench.results.about["profile"] = {
        side: dict(sorted(found.items(), key=lambda s: -s[1])[:25])
        for side, found in shares.items()}
    own = sum(share for name, share in shares["ours"].items()
              if name.startswith("replenish.so"))
    bench.results.figure("profile.own", "    replenish.so's share of the CPU"
                         " of INSERT ... SELECT", own, "%")
