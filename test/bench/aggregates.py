"""Summaries of raw rows against sum(float8), and the forecast.

CPU is that of the session's process; with parallel workers also theirs, from
what the postmaster knows of its children that have ended, in ticks of 10 ms.
"""

import os
import re
import subprocess
import time

from common import Session, cpu_ns, quartiles, reaped_ns

TABLE = """
CREATE UNLOGGED TABLE sale (item integer NOT NULL, qty float8 NOT NULL,
    at timestamptz NOT NULL) WITH (autovacuum_enabled = off);
INSERT INTO sale SELECT i * 7919::bigint % {1}, 1 + i % 3,
    timestamptz '2026-11-20 12:00+00' - i % 86399 * interval '1 minute'
    FROM generate_series(1, {0}) i;
VACUUM ANALYZE sale;
"""
CALLS = {
    "floor": "sum(qty)",
    "control": "sum(qty)",
    "ours": "replenish.demand_agg(qty, at)",
    "velocity": "replenish.demand_velocity(qty, at, '2026-11-20 12:00+00',"
                " '1 hour')",
}


def postmaster():
    path = os.path.join(os.environ["PREFIX"], "data", "postmaster.pid")
    with open(path, encoding="ascii") as file:
        return int(file.readline())


def cost(session, sql):
    """CPU in seconds, of the session and of its workers."""
    parent = postmaster()
    children, own = reaped_ns(parent), cpu_ns(session.pid)
    session.run(sql)
    own = cpu_ns(session.pid) - own
    time.sleep(.1)                      # until the workers are reaped
    return (own + reaped_ns(parent) - children) / 1e9


def compare(bench, session, grouped, workers):
    session.run("SET max_parallel_workers_per_gather = %d" % workers)

    def run(side):
        call = CALLS[side]
        if grouped:
            # every group is finished, and none is sent
            return cost(session, "SELECT item, %s FROM sale GROUP BY item"
                        " OFFSET %d" % (call, bench.sizes.agg_rows))
        return cost(session, "SELECT %s FROM sale" % call)
    found = bench.turns(list(CALLS), bench.sizes.agg_turns, run, 0)
    velocity = found.pop("velocity")
    for key, series in (("demand_agg", found["ours"]),
                        ("demand_velocity", velocity)):
        found["ours"] = series
        bench.results.compare(
            "agg.%s.%s.%s" % (key, "grouped" if grouped else "one",
                              "parallel" if workers else "serial"),
            "CPU, %s() / sum(), %s, %s" % (
                key, "%d groups" % bench.sizes.groups if grouped
                else "ungrouped", "%d workers" % workers if workers
                else "serial"), "s", found,
            goal=("<=", 1.2 if grouped else 1.3))


def aggregates(bench):
    bench.run("ALTER SYSTEM SET autovacuum = off")
    bench.run("SELECT pg_reload_conf()")
    session = Session()
    for statement in TABLE.format(bench.sizes.agg_rows,
                                  bench.sizes.groups).split(";\n"):
        if statement:
            session.run(statement)
    session.run("SET work_mem = '2GB'")
    session.run("SET max_parallel_workers_per_gather = 2")
    # with so few processors the planner must be told
    session.run("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
                " SET min_parallel_table_scan_size = 0")
    for grouped in (False, True):
        for workers in (0, 2):
            compare(bench, session, grouped, workers)
    session.run("DROP TABLE sale")
    session.close()
    bench.run("ALTER SYSTEM RESET autovacuum")
    bench.run("SELECT pg_reload_conf()")


KINDS = """
CREATE TEMP TABLE summary AS
SELECT k.kind, (SELECT replenish.demand_agg(k.size, '2026-11-20 12:00+00'
        ::timestamptz - (d * k.every + i % 7 * .1) * interval '1 day')
    FROM generate_series(1, k.days / k.every) d) AS demand
FROM (VALUES ('rare', 1, 10, 200), ('daily', 3, 1, 60), ('busy', 40, 1, 300))
    k (kind, size, every, days), generate_series(1, {0}) i
"""


def forecast(bench):
    """Model, forecast and five quantiles of one item, in us."""
    binary = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "forecast_cost")
    said = subprocess.run([binary], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    for i, line in enumerate(said.splitlines()[1:]):
        name, numbers = re.match(r"(.*?)\s\s+([\d ]+)$", line).groups()
        model, mean, quantiles, whole = map(float, numbers.split())
        bench.results.figure(
            "forecast.core.%d" % i, "forecast, 5 quantiles, %s" % name,
            whole / 1000, "us", goal=("<=", 2),
            note="model %.2f, forecast %.2f, quantiles %.2f" % (
                model / 1000, mean / 1000, quantiles / 1000))
    session = Session()
    items = bench.sizes.forecasts
    session.run(KINDS.format(items))
    for kind in ("rare", "daily", "busy"):
        # beside it: the same summaries read by a function that does little
        calls = {"floor": "demand, '2026-11-20 12:00+00', '1 hour'",
                 "ours": "demand, '2026-11-20 12:00+00', '28 days',"
                         " '{.5,.8,.9,.95,.975}'"}
        names = {"floor": "demand_velocity", "ours": "demand_quantiles"}
        found = bench.turns(["floor", "ours"], bench.sizes.repetitions,
                            lambda side: session.cpu_us(
            "SELECT count(replenish.%s(%s)) FROM summary WHERE kind = '%s'" % (
                names[side], calls[side], kind)) / items)
        took = min(found["ours"])
        bench.results.figure(
            "forecast.sql.%s" % kind, "    demand_quantiles() in SQL, %s"
            % kind, took, "us", quartiles(found["ours"]),
            note="reading the row and its velocity takes %.2f us"
            % min(found["floor"]))
    session.close()
