"""What an order pays: CPU and WAL of one backend.

CPU is the server process's own, of one transaction that is rolled back, so
that nothing else has anything to do; or of many small ones that do not wait
for the disk.  Noise only adds: the least of all repetitions counts.
"""

import os

from common import ITEMS, SIDES, cpu_ns
import shop

# statement, what it is called, goal of WAL per line
SINGLE = (
    ("single", "order of one line", 120),
    ("five", "order of five lines", 80),
    ("stock", "stock update", None),
    ("cancel", "cancellation by status", None),
    ("delete", "cancellation by DELETE", None))
COMMITTED = (
    ("single", ITEMS, "one line, 10000 items"),
    ("single", 1, "one line, hot item"),
    ("stock", 1, "stock, hot row"))


def measured(bench, packets, units):
    """CPU in us and WAL in bytes per unit, of a transaction rolled back."""
    bench.run("BEGIN")
    wal = bench.wal()
    cpu = cpu_ns(bench.pid)
    for packet in packets:
        bench.run(packet)
    cpu = cpu_ns(bench.pid) - cpu
    wal = bench.wal() - wal
    bench.run("ROLLBACK")
    return cpu / 1000 / units, wal / units


def run_orders(bench, side, name):
    """Send orders in packets, each item as often as any other."""
    width = shop.STATEMENTS[name][0]
    orders = bench.sizes.orders // width
    skus = list(range(1, ITEMS + 1))
    bench.rng.shuffle(skus)
    calls = ["EXECUTE %s_%s(%s)" % (side, name, ",".join(
        str(skus[(i * width + k) % ITEMS]) for k in range(width)))
        for i in range(orders)]
    return measured(bench, [";".join(calls[i:i + 100])
                            for i in range(0, orders, 100)], orders)


def run_commits(bench, side, name, items):
    """Orders that each commit, without waiting for the disk."""
    bench.run("SET synchronous_commit = off")
    cpu = cpu_ns(bench.pid)
    for _ in range(bench.sizes.commits):
        bench.run("EXECUTE %s_%s(%d)" % (side, name,
                                         bench.rng.randint(1, items)))
    cpu = cpu_ns(bench.pid) - cpu
    bench.run("RESET synchronous_commit")
    return cpu / 1000 / bench.sizes.commits


def cpu(bench):
    wal_rows = []
    for name, what, wal_goal in SINGLE:
        found = bench.turns(SIDES, bench.sizes.repetitions,
                            lambda side: run_orders(bench, side, name))
        bench.results.compare(
            "cpu." + name, "CPU, %s" % what, "us",
            {side: [c for c, _ in pairs] for side, pairs in found.items()})
        if wal_goal:
            wal_rows.append((name, what, wal_goal, {
                side: min(w for _, w in pairs) / shop.STATEMENTS[name][0]
                for side, pairs in found.items()}))
    for name, items, what in COMMITTED:
        found = bench.turns(SIDES, bench.sizes.repetitions, lambda side:
                            run_commits(bench, side, name, items))
        bench.results.compare(
            "commit.%s.%s" % (name, "hot" if items == 1 else "uniform"),
            "CPU + commit, %s" % what, "us", found)
    bench.quiet()
    for name, what, goal, least in wal_rows:
        bench.results.figure(
            "wal." + name, "WAL per line, %s" % what,
            least["ours"] - least["floor"], "B", goal=("<=", goal),
            values=least, unit="B",
            ratios={side: [v / least["floor"]] * 3
                    for side, v in least.items()},
            note="most of it is two SKUs, place and channel as text")


def run_bulk(bench, side, rows, statement):
    result = measured(bench, [statement], rows)[0]
    bench.run("VACUUM %s_orders" % side)
    if side == "ours":
        bench.run("VACUUM replenish.inbox_even, replenish.inbox_odd")
    return result


def bulk(bench):
    """One statement of a million rows; fewer where each takes longest."""
    size = bench.sizes.bulk
    few = size // 10
    bench.run("SET synchronous_commit = off")

    def file(rows):
        return os.path.join(os.environ["PREFIX"], "orders.%d" % rows)
    for rows in (size, few):
        bench.run("COPY (%s) TO '%s'" % (shop.rows(rows), file(rows)))
    kinds = (
        ("insert", "INSERT SELECT", 1.10, size,
         lambda side, n: shop.bulk(side, n)),
        ("copy", "COPY", 1.10, size, lambda side, n: "COPY %s FROM '%s'" % (
            shop.COLUMNS.format(side), file(n))),
        ("spread", "INSERT SELECT, own minutes", None,
         size // 5, lambda side, n: shop.bulk(side, n, shop.SPREAD)))
    for key, what, goal, rows, statement in kinds:
        def run(side):
            n = few if side == "peer" else rows
            return run_bulk(bench, side, n, statement(side, n))
        found = bench.turns(SIDES, bench.sizes.bulk_turns, run)
        row = bench.results.compare(
            "bulk." + key, "CPU per row, %s, %d rows" % (what, rows), "us",
            found, goal=("<=", goal) if goal else None)
        if goal:
            row["note"] = "%.2f of it is PostgreSQL's own, for a statement" \
                " trigger that does nothing" % row["ratios"]["empty"][0]
    bench.run("RESET synchronous_commit")
    bench.run("CHECKPOINT")
