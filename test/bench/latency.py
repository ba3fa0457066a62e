"""From an order's commit to the application that listens.

Each order turns an item orange, one after another.  Shop and listener are
this process; beside 16 clients it asks for a higher priority than theirs, for
what is measured is the database and not the client's turn on the processor.
"""

import os
import select
import statistics
import time

from common import Load, connect, quartiles
import shop


class Prober:
    """A shop and a listener, with items that each turn orange once."""

    def __init__(self, bench, name, orders):
        self.bench = bench
        self.name = name
        self.used = 0
        bench.run("""
            INSERT INTO replenish.policy (sku, location, fixed_threshold)
                SELECT '{0}-' || i, 'main', 100 FROM generate_series(1, {1}) i;
            INSERT INTO ours_stock
                SELECT '{0}-' || i, 'main', 200 FROM generate_series(1, {1}) i
            """.format(name, orders))
        bench.quiet()
        self.listener = connect()
        self.listener.cursor().execute("LISTEN replenish")
        self.shop = connect()
        self.shop.autocommit = False
        self.took, self.commits = [], []

    def probe(self):
        self.used += 1
        sku = "%s-%d" % (self.name, self.used)
        time.sleep(self.bench.rng.uniform(0.02, 0.04))
        cursor = self.shop.cursor()
        cursor.execute("INSERT INTO ours_orders (sku, qty, location, channel)"
                       " VALUES (%s, 1, 'main', 'live')", (sku,))
        cursor.execute("UPDATE ours_stock SET on_hand = 99 WHERE sku = %s",
                       (sku,))
        committing = time.perf_counter()
        self.shop.commit()
        begun = time.perf_counter()
        self.commits.append((begun - committing) * 1000)
        while not self.heard('"%s"' % sku):
            if not select.select([self.listener], [], [], 30)[0]:
                raise RuntimeError("no notification of " + sku)
        self.took.append((time.perf_counter() - begun) * 1000)

    def heard(self, text):
        """Whether a notification that contains this text has come."""
        self.listener.poll()
        found = any(text in n.payload for n in self.listener.notifies)
        self.listener.notifies.clear()
        return found

    def report(self, key, what, goals):
        self.listener.close()
        self.shop.close()
        for label, share, goal in zip(("p50", "p99"), (.5, .99), goals):
            took, commit = (sorted(series)[int(share * (len(series) - 1))]
                            for series in (self.took, self.commits))
            self.bench.results.figure(
                "%s.%s" % (key, label), "commit to notification, %s, %s"
                % (what, label), took, "ms", goal=("<=", goal), commit=commit,
                note="the order's own commit took %.2g ms" % commit)


def idle(bench):
    prober = Prober(bench, "idle", bench.sizes.probes)
    for _ in range(bench.sizes.probes):
        prober.probe()
    prober.report("latency.idle", "idle", (1, 5))
    decision(bench)


def decision(bench):
    """The part of it that is the decision, and the server's round trip."""
    bench.run("SET replenish.evaluate = manual")
    took = []
    for i in range(bench.sizes.probes // 4):
        bench.run("BEGIN")
        bench.run("INSERT INTO ours_orders (sku, qty, location, channel)"
                  " VALUES ('idle-%d', 1, 'main', 'live')" % (i + 1))
        took.append(bench.wall_ms("SELECT replenish.tick()"))
        bench.run("ROLLBACK")
    bench.run("RESET replenish.evaluate")
    bench.results.figure("latency.tick", "    tick() that decides one item",
                         statistics.median(took), "ms", quartiles(took))


def loaded(bench):
    """Beside orders of ours, and of the floor: what the worker costs them."""
    sizes = bench.sizes
    prober = Prober(bench, "loaded", sizes.turns * sizes.load_seconds * 60)
    ratios, floors = [], []
    for _ in range(sizes.turns):
        tps = {}
        for side in bench.rng.sample(["floor", "ours"], 2):
            load = Load(side, shop.script(side, "single", 1), 16,
                        sizes.load_seconds)
            try:
                os.setpriority(os.PRIO_PROCESS, 0, -10)
            except PermissionError:
                pass
            took, commits = len(prober.took), len(prober.commits)
            until = time.monotonic() + sizes.load_seconds - .3
            while time.monotonic() < until:
                prober.probe()
            if side == "floor":         # beside those nothing is claimed
                del prober.took[took:], prober.commits[commits:]
            try:
                os.setpriority(os.PRIO_PROCESS, 0, 0)
            except PermissionError:
                pass
            tps[side] = load.orders_per_second()
            bench.quiet()
        ratios.append(tps["ours"] / tps["floor"])
        floors.append(tps["floor"])
    prober.report("latency.loaded", "16 clients", (12, 40))
    bench.results.add(
        "latency.tps", "    orders/s of those 16 clients meanwhile", unit="/s",
        values={"floor": statistics.median(floors)},
        ratios={"ours": [statistics.median(ratios), *quartiles(ratios)]},
        goal=(">=", .95), note="in turn with the floor, not beside it")
