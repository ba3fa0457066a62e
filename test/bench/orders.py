#!/usr/bin/python3
"""What watching a table adds to an order.

Run it with "make bench".  Every figure compares the same work on tables that
differ in their trigger only:

    floor    none
    control  none either: what differs from floor is noise
    empty    a statement trigger with a transition table that does nothing
    ours     watched by replenish, its worker running
    peer     what a shop would write: AFTER ROW, upsert of a summary, pg_notify

CPU is the server process's own (/proc/PID/schedstat), of one transaction that
is rolled back, so that nothing else has anything to do; variants take turns,
and the least of all repetitions counts.  Orders per second are measured with
two pgbench at the same time, floor and variant, so that noise meets both.
Spread is the range of the middle half of the repetitions' ratios.
"""

import argparse
import os
import random
import re
import select
import statistics
import subprocess
import sys
import time

import psycopg2

ITEMS = 10000
SIDES = ["floor", "control", "empty", "ours", "peer"]

TABLES = """
CREATE TABLE {0}_orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL, qty integer NOT NULL, location text NOT NULL,
    channel text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE {0}_stock (sku text, location text, on_hand integer NOT NULL,
    PRIMARY KEY (sku, location)) WITH (fillfactor = 50);
INSERT INTO {0}_stock SELECT 'sku-' || i, 'main', 1000000
    FROM generate_series(1, {1}) i;
"""

TRIGGERS = {
    "floor": "",
    "control": "",
    "empty": """
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RETURN NULL; END';
CREATE TRIGGER orders AFTER INSERT ON empty_orders
    REFERENCING NEW TABLE AS new FOR EACH STATEMENT EXECUTE FUNCTION nothing();
CREATE TRIGGER stock AFTER UPDATE ON empty_stock REFERENCING OLD TABLE AS old
    NEW TABLE AS new FOR EACH STATEMENT EXECUTE FUNCTION nothing();
""",
    "ours": """
SELECT replenish.watch_orders('ours_orders', 'sku', 'qty', 'at', 'location',
    'channel');
SELECT replenish.watch_stock('ours_stock', 'sku', 'on_hand', 'location');
CALL replenish.backfill('ours_stock');
""",
    "peer": """
CREATE TABLE summary (sku text, location text, sold bigint NOT NULL,
    on_hand bigint NOT NULL, PRIMARY KEY (sku, location))
    WITH (fillfactor = 50);
INSERT INTO summary SELECT sku, location, 0, on_hand FROM peer_stock;
CREATE FUNCTION sell() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    new_sold bigint;
BEGIN
    INSERT INTO summary AS s VALUES (NEW.sku, NEW.location, NEW.qty, 0)
    ON CONFLICT (sku, location) DO UPDATE SET sold = s.sold + excluded.sold
    RETURNING s.sold INTO new_sold;
    -- one order in a hundred is news
    IF new_sold % 100 = 0 THEN
        PERFORM pg_notify('peer', NEW.sku);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO summary AS s VALUES (NEW.sku, NEW.location, 0, NEW.on_hand)
    ON CONFLICT (sku, location) DO UPDATE SET on_hand = excluded.on_hand;
    IF NEW.on_hand % 100 = 0 THEN
        PERFORM pg_notify('peer', NEW.sku);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER orders AFTER INSERT ON peer_orders
    FOR EACH ROW EXECUTE FUNCTION sell();
CREATE TRIGGER stock AFTER UPDATE ON peer_stock
    FOR EACH ROW EXECUTE FUNCTION move();
"""}

# Prepared once per side; each line of an order has its own SKU.
LINE = "('sku-' || ${}, 1, 'main', 'live')"
INSERT = "INSERT INTO {}_orders (sku, qty, location, channel) VALUES "
STATEMENTS = {
    "single": (1, INSERT + LINE.format(1)),
    "five": (5, INSERT + ", ".join(LINE.format(i) for i in range(1, 6))),
    "stock": (1, "UPDATE {}_stock SET on_hand = on_hand - 1"
                 " WHERE sku = 'sku-' || $1 AND location = 'main'"),
}

# Rows of one statement: all of now, or each of a minute of its own.
BULK = """INSERT INTO {0}_orders (sku, qty, location, channel, at)
    SELECT 'sku-' || i %% %d, 1, 'main', 'live', {1}
    FROM generate_series(1, {2}) i""" % ITEMS
NOW = "now()"
SPREAD = "now() - i % 1999 * interval '1 minute'"


class Bench:
    def __init__(self, options):
        self.options = options
        self.begun = time.monotonic()
        self.rng = random.Random(1)
        self.rows = []
        self.db = connect()
        self.cursor = self.db.cursor()
        self.cursor.execute("SELECT pg_backend_pid()")
        self.pid = self.cursor.fetchone()[0]

    def ask(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchone()[0]

    def add(self, what, floor, ratios, added, goal="", met=None):
        """One line of the table; ratios are (middle, low, high) by side."""
        self.rows.append((what, floor, ratios, added, goal, met))
        print("%4.0f s  %s" % (time.monotonic() - self.begun, what.strip()),
              file=sys.stderr, flush=True)

    def quiet(self):
        """Wait until the worker has nothing left to do."""
        until = time.monotonic() + 60
        while self.ask("SELECT replenish.inbox_waits()"):
            if time.monotonic() > until:
                raise RuntimeError("the worker does not empty the inbox")
            time.sleep(0.02)

    # ---- setup ----

    def prepare(self):
        self.cursor.execute("CREATE EXTENSION replenish;"
                            " SELECT replenish.go_live()")
        for side in SIDES:
            self.cursor.execute(TABLES.format(side, ITEMS) + TRIGGERS[side])
            for name, (_, sql) in STATEMENTS.items():
                nargs = STATEMENTS[name][0]
                self.cursor.execute("PREPARE %s_%s (%s) AS %s" % (
                    side, name, ", ".join(["integer"] * nargs),
                    sql.format(side)))
        self.quiet()
        self.cursor.execute("VACUUM ANALYZE")
        self.cursor.execute("CHECKPOINT")

    # ---- one backend: CPU and WAL ----

    def run_orders(self, side, name, orders):
        """Send orders in packets; return CPU in us and WAL per order."""
        width = STATEMENTS[name][0]
        skus = list(range(1, ITEMS + 1))
        self.rng.shuffle(skus)
        calls = ["EXECUTE %s_%s(%s)" % (side, name, ",".join(
            str(skus[(i * width + k) % ITEMS]) for k in range(width)))
            for i in range(orders)]
        packets = [";".join(calls[i:i + 100]) for i in range(0, orders, 100)]
        return self.measured(packets, orders)

    def measured(self, packets, units):
        self.cursor.execute("BEGIN")
        wal = self.ask("SELECT pg_current_wal_insert_lsn() - '0/0'")
        cpu = cpu_ns(self.pid)
        for packet in packets:
            self.cursor.execute(packet)
        cpu = cpu_ns(self.pid) - cpu
        wal = self.ask("SELECT pg_current_wal_insert_lsn() - '0/0'") - wal
        self.cursor.execute("ROLLBACK")
        return cpu / 1000 / units, float(wal) / units

    def run_bulk(self, side, at):
        """One statement of many rows; fewer where each takes longest."""
        rows = self.options.bulk // (10 if side == "peer" else 1)
        return self.measured([BULK.format(side, at, rows)], rows)

    def turns(self, sides, repetitions, run):
        """Results of every side, taking turns, as two lists per side."""
        cpu = {side: [] for side in sides}
        wal = {side: [] for side in sides}
        for turn in range(repetitions + 1):
            order = list(sides)
            self.rng.shuffle(order)
            for side in order:
                c, w = run(side)
                if turn > 0:        # the first warms up
                    cpu[side].append(c)
                    wal[side].append(w)
        return cpu, wal

    def compare(self, what, cpu, goal=None):
        """Add CPU results to the table."""
        floor = min(cpu["floor"])
        ratios = {}
        for side in cpu:
            low, _, high = statistics.quantiles(
                [v / f for v, f in zip(cpu[side], cpu["floor"])], n=4)
            ratios[side] = (min(cpu[side]) / floor, low, high)
        added = "%.2f us" % (min(cpu["ours"]) - floor)
        self.add(what, "%.2f us" % floor, ratios, added,
                 "" if goal is None else "<= %.2f" % goal,
                 None if goal is None else ratios["ours"][0] <= goal)

    def micro(self):
        n = self.options.repetitions
        wal_rows = []
        for name, what, orders, wal_goal in (
                ("single", "one line", 10000, 120),
                ("five", "five lines", 2000, 80),
                ("stock", "stock update", 10000, None)):
            cpu, wal = self.turns(SIDES, n, lambda side: self.run_orders(
                side, name, orders))
            self.compare("CPU per statement, " + what, cpu)
            if wal_goal:
                wal_rows.append((what, STATEMENTS[name][0], wal, wal_goal))
        for at, what, goal in ((NOW, "one minute", 1.10),
                               (SPREAD, "each its minute", None)):
            cpu, _ = self.turns(SIDES, max(3, n // 3), lambda side:
                                self.run_bulk(side, at))
            self.compare("CPU per row, INSERT ... SELECT, " + what, cpu, goal)
        cpu, _ = self.turns(["floor", "control", "ours", "peer"], n,
                            self.run_commits)
        self.compare("CPU per order and its commit", cpu)
        self.quiet()
        for what, lines, wal, goal in wal_rows:
            least = {side: min(wal[side]) / lines for side in wal}
            added = least["ours"] - least["floor"]
            self.add("WAL per line, " + what, "%.0f B" % least["floor"],
                     {side: (least[side] / least["floor"],) * 3
                      for side in least}, "%.0f B" % added,
                     "<= %d B" % goal, added <= goal)

    def run_commits(self, side):
        """Orders that each commit, without waiting for the disk."""
        self.cursor.execute("SET synchronous_commit = off")
        cpu = cpu_ns(self.pid)
        for _ in range(500):
            self.cursor.execute("EXECUTE %s_single(%d)" % (
                side, self.rng.randint(1, ITEMS)))
        cpu = cpu_ns(self.pid) - cpu
        self.cursor.execute("RESET synchronous_commit")
        return cpu / 1000 / 500, 0

    # ---- many backends: orders per second ----

    def pgbench(self, side, script, clients, seconds, async_commit):
        path = os.path.join(os.environ["PREFIX"], "%s.pgbench" % side)
        with open(path, "w", encoding="ascii") as file:
            file.write(script.format(side))
        env = dict(os.environ)
        if async_commit:
            env["PGOPTIONS"] = "-c synchronous_commit=off"
        return subprocess.Popen(
            [os.path.join(os.environ["PRIVATE_BINDIR"], "pgbench"), "-n",
             "-M", "prepared", "-c", str(clients), "-j", "2",
             "-T", str(seconds), "--max-tries=1000", "-f", path],
            env=env, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)

    def side_by_side(self, side, *args):
        """Orders per second of a side and of the floor at the same time."""
        running = [self.pgbench(s, *args) for s in (side, "floor")]
        tps = []
        for process in running:
            said = process.communicate()[0]
            found = re.search(r"tps = ([0-9.]+)", said)
            if process.returncode != 0 or not found:
                raise RuntimeError("pgbench failed: " + said)
            tps.append(float(found.group(1)))
        return tps

    def concurrency(self):
        o = self.options
        for what, script, clients, async_commit, goal in (
                ("hot item, 16 clients", single("1"), 16, False, .95),
                ("10000 items, 16 clients", single("random(1, %d)" % ITEMS),
                 16, False, .95),
                ("five lines of 10 items, 16 clients", five(10), 16, False,
                 .95),
                ("hot item, 64 clients", single("1"), 64, False, .95),
                ("hot item, 16 clients, CPU-bound", single("1"), 16, True,
                 .92)):
            ratio = {side: [] for side in ("control", "ours", "peer")}
            floor = []
            deadlocks = 0
            worker = orders = 0
            for turn in range(o.turns):
                for side in ratio:
                    self.quiet()
                    before = self.deadlocks()
                    pid = self.ask("SELECT replenish.worker_pid()")
                    cpu = cpu_ns(pid)
                    tps, base = self.side_by_side(
                        side, script, clients, o.seconds, async_commit)
                    ratio[side].append(tps / base)
                    if side == "control":
                        floor.append(base)
                    elif side == "ours":
                        worker += cpu_ns(pid) - cpu
                        orders += tps * o.seconds
                        deadlocks += self.deadlocks() - before
            middle = {side: (statistics.median(r), min(r), max(r))
                      for side, r in ratio.items()}
            ours = middle["ours"][0]
            self.add("orders/s, " + what, "%.0f" % statistics.median(floor),
                     middle, "worker %.1f us" % (worker / 1000 / orders),
                     ">= %.2f" % goal, ours >= goal)
            against = {"five lines of 10 items, 16 clients": 100,
                       "hot item, 64 clients": 12}.get(what)
            if against:
                self.add("    ours against peer", "", {"ours": (
                    ours / middle["peer"][0],) * 3}, "",
                    ">= %d" % against, ours / middle["peer"][0] >= against)
            if what.startswith("five"):
                self.add("    deadlocks beside ours", "", {}, str(deadlocks),
                         "0", deadlocks == 0)

    def deadlocks(self):
        time.sleep(0.1)
        return self.ask("SELECT deadlocks FROM pg_stat_database"
                        " WHERE datname = current_database()")

    # ---- from the commit to the listener ----

    def latency(self, what, orders, goals):
        """Orders that each turn an item orange, one after another."""
        name = "late%d" % len(self.rows)
        self.cursor.execute("""
            INSERT INTO replenish.policy (sku, location, fixed_threshold)
                SELECT '{0}-' || i, 'main', 100 FROM generate_series(1, {1}) i;
            INSERT INTO ours_stock
                SELECT '{0}-' || i, 'main', 200 FROM generate_series(1, {1}) i
            """.format(name, orders))
        self.quiet()
        listener = connect()
        listener.cursor().execute("LISTEN replenish")
        shop = connect()
        shop.autocommit = False
        took, commits = [], []
        for i in range(1, orders + 1):
            sku = "%s-%d" % (name, i)
            time.sleep(self.rng.uniform(0.02, 0.04))
            cursor = shop.cursor()
            cursor.execute("INSERT INTO ours_orders (sku, qty, location,"
                           " channel) VALUES (%s, 1, 'main', 'live')", (sku,))
            cursor.execute("UPDATE ours_stock SET on_hand = 99"
                           " WHERE sku = %s", (sku,))
            committing = time.monotonic()
            shop.commit()
            begun = time.monotonic()
            commits.append((begun - committing) * 1000)
            while not heard(listener, '"%s"' % sku):
                if not select.select([listener], [], [], 10)[0]:
                    raise RuntimeError("no notification of " + sku)
            took.append((time.monotonic() - begun) * 1000)
        took.sort()
        commits.sort()
        for label, share, goal in zip(("p50", "p99"), (.5, .99), goals):
            value = took[int(share * (len(took) - 1))]
            # beside it what the order's own commit took
            self.add("commit to notification, %s, %s" % (what, label),
                     "%.1f ms" % commits[int(share * (len(took) - 1))], {},
                     "%.1f ms" % value, "<= %d ms" % goal, value <= goal)
        listener.close()
        shop.close()

    def idle(self):
        self.latency("idle", 200, (1, 5))

    def loaded(self):
        """Beside orders, and right after them: what they leave behind."""
        load = self.pgbench("ours", single("1"), 16, 8, False)
        self.latency("16 clients", 100, (12, 40))
        load.communicate()
        self.latency("idle again", 100, (1, 5))

    # ---- what the worker does with it ----

    def drain(self):
        rows = 2 * self.options.bulk
        cpu, ticks = [], []
        self.quiet()
        for _ in range(3):
            self.cursor.execute("SET replenish.evaluate = manual; BEGIN")
            self.cursor.execute(BULK.format("ours", SPREAD, rows))
            waiting = self.ask("SELECT count(*) FROM replenish.inbox")
            began = cpu_ns(self.pid)
            self.cursor.execute("SAVEPOINT a; SELECT replenish.become_decider();"
                                " SELECT count(*) FROM replenish.drain(now());"
                                " ROLLBACK TO a")
            cpu.append(waiting / (cpu_ns(self.pid) - began) * 1000)
            began = cpu_ns(self.pid)
            self.cursor.execute("SELECT replenish.tick()")
            ticks.append(waiting / (cpu_ns(self.pid) - began) * 1000)
            self.cursor.execute("ROLLBACK; RESET replenish.evaluate")
        for what, rates, goal in (("drain", cpu, 1.0),
                                  ("tick, %d items" % ITEMS, ticks, .4)):
            self.add("movements per CPU second, " + what, "", {},
                     "%.2f M/s" % max(rates), ">= %.1f M/s" % goal,
                     max(rates) >= goal)

    # ---- the table ----

    def report(self):
        sides = SIDES[1:]
        lines = ["%-52s%11s" % ("", "floor") + "".join(
            "%18s" % s for s in sides) + "%16s%12s" % ("ours adds", "goal")]
        for what, floor, ratios, added, goal, met in self.rows:
            line = "%-52s%11s" % (what, floor)
            for side in sides:
                cell = ""
                if side in ratios:
                    middle, low, high = ratios[side]
                    cell = "%.3g" % middle if low == high else \
                        "%.2f (%.2f-%.2f)" % (middle, low, high)
                line += "%18s" % cell
            line += "%16s%12s" % (added, goal)
            if met is not None:
                line += "  yes" if met else "  NO"
            lines.append(line.rstrip())
        return "\n".join(lines) + "\n"


def connect():
    conn = psycopg2.connect("")
    conn.autocommit = True
    return conn


def cpu_ns(pid):
    with open("/proc/%d/schedstat" % pid, encoding="ascii") as file:
        return int(file.read().split()[0])


def heard(listener, text):
    """Whether a notification that contains this text has come."""
    listener.poll()
    found = any(text in n.payload for n in listener.notifies)
    listener.notifies.clear()
    return found


def single(sku):
    """pgbench script of an order of one line."""
    return ("\\set s %s\n" % sku) + (INSERT + LINE.format(1)).replace(
        "$1", ":s") + ";\n"


def five(items):
    """pgbench script of an order of five lines, in no order."""
    script = "".join("\\set s%d random(1, %d)\n" % (i, items)
                     for i in range(1, 6))
    return script + re.sub(r"\$(\d)", r":s\1", STATEMENTS["five"][1]) + ";\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", metavar="FILE", help="write the table here")
    parser.add_argument("--repetitions", type=int, default=9,
                        help="turns of each side with one backend")
    parser.add_argument("--turns", type=int, default=3,
                        help="turns of each side with many backends")
    parser.add_argument("--seconds", type=int, default=2,
                        help="length of such a turn")
    parser.add_argument("--bulk", type=int, default=200000,
                        help="rows of INSERT ... SELECT")
    parser.add_argument("--only", help="idle, micro, concurrency, loaded or drain")
    options = parser.parse_args()
    begun = time.monotonic()
    bench = Bench(options)
    bench.prepare()
    for part in ("idle", "micro", "concurrency", "loaded", "drain"):
        if options.only in (None, part):
            getattr(bench, part)()
    table = bench.report()
    print(table, end="")
    print("%.0f s" % (time.monotonic() - begun))
    if options.output:
        with open(options.output, "w", encoding="ascii") as file:
            file.write(table)


if __name__ == "__main__":
    main()
