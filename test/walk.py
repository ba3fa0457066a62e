#!/usr/bin/python3
"""From CREATE EXTENSION to go_live() on a real year of a shop's orders.

Run it with "make walk"; the orders (the UCI data set "Online Retail") are read
from ../shared/data next to the checkout, and without them there is nothing to
do.  The walk is the README's: suggest_watch() prints the calls, preview() is
asked with the arguments of those calls, they are executed as they were
printed, backfill() counts the year, first_look() lists what to do first and
go_live() ends the quiet start, all at the moment of the last order.  The data
has no stock, so there is a made-up table of it: each SKU has between nothing
and six months of what it sold in the last ninety days, and every fourth one
has a month's worth on order, both by a hash of its code.
"""

import argparse
import os
import re
import subprocess
import sys
import time

import psycopg2

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "shared", "data", "online_retail.csv.gz")
TABLES = """
    CREATE TABLE orders (invoice text, sku text, qty int, unit_price numeric,
                         ordered_at timestamp, country text, customer text);
    CREATE TABLE stock (sku text PRIMARY KEY, on_hand int, on_order int)"""
STOCK = """
    INSERT INTO stock
    SELECT sku, greatest(ceil(per_day * (abs(hashtext(sku)::bigint) %% 180)), 0),
           CASE WHEN abs(hashtext('coming' || sku)::bigint) %% 4 = 0
                THEN greatest(ceil(per_day * 30), 0) ELSE 0 END
    FROM (SELECT sku, coalesce(sum(qty) FILTER (WHERE ordered_at > %s::timestamp
              - interval '90 days'), 0) / 90.0 AS per_day
          FROM orders WHERE sku ~ '^[0-9]{5}' GROUP BY sku) s"""


class Walk:
    def __init__(self, width):
        conn = psycopg2.connect("")
        conn.autocommit = True
        self.db = conn.cursor()
        self.width = width
        self.spent = []
        self.passed = self.failed = 0
        # the shop's clocks show UK time
        self.run("ALTER DATABASE %s SET timezone = 'Europe/London'" %
                 os.environ.get("PGDATABASE", "postgres"))
        self.run("SET timezone = 'Europe/London'")
        self.run("SET replenish.evaluate = 'manual'")

    def run(self, sql, args=None):
        self.db.execute(sql, args)
        return self.db.fetchall() if self.db.description else []

    def step(self, what, sql, args=None):
        """Run one statement of the walk and say what it took."""
        begun = time.monotonic()
        rows = self.run(sql, args)
        took = time.monotonic() - begun
        self.spent.append((what, took))
        print("\n%s;  -- %.1f s" % (self.db.query.decode() if len(
            self.db.query) < 400 else what, took), flush=True)
        return rows

    def table(self, rows, *names):
        """Print rows as psql would, cut to the width of the terminal."""
        cells = [list(names)] + [["" if v is None else str(v) for v in row]
                                 for row in rows]
        widths = [max(len(r[i]) for r in cells) for i in range(len(names))]
        for row in cells:
            print(("  " + "  ".join(v.ljust(w) for v, w in zip(row, widths))
                   ).rstrip()[:self.width])

    def check(self, what, good):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED: " + what)

    def load(self):
        self.run(TABLES)
        subprocess.run(
            "gzip -dc '%s' | psql -qc \"COPY orders FROM STDIN"
            " (FORMAT csv, HEADER)\"" % DATA, shell=True, check=True)
        rows, first, last = self.run(
            "SELECT count(*), min(ordered_at), max(ordered_at) FROM orders")[0]
        self.run(STOCK, (last,))
        self.run("VACUUM ANALYZE")
        print("%d order lines of a year, %s to %s, and a table of stock" % (
            rows, first, last))
        return last

    def walk(self, now):
        self.step("CREATE EXTENSION", "CREATE EXTENSION replenish")
        calls = self.step("suggest_watch()",
                          "SELECT kind, call, reason FROM replenish.suggest_watch()"
                          " WHERE rank = 1 ORDER BY kind")
        for kind, call, reason in calls:
            print("  %s\n    %s" % (call, reason.replace("\n", "\n    ")))
        self.check("suggest_watch() finds orders and stock", [
            re.sub(r", (channel|location|status).*?(?=, price|\))", "", c)
            for _, c, _ in calls] == [
                "SELECT replenish.watch_orders('public.orders', sku => 'sku',"
                " qty => 'qty', at => 'ordered_at', price => 'unit_price');",
                "SELECT replenish.watch_stock('public.stock', sku => 'sku',"
                " on_hand => 'on_hand', on_order => 'on_order');"])
        orders, stock = (call for _, call, _ in calls)
        preview = orders.replace("watch_orders", "preview").replace(
            "SELECT ", "SELECT * FROM ").replace(
                ");", ", stock => 'public.stock')")
        rows = self.step("preview()", preview)
        self.table([(w, "" if ok else "look", n, d) for w, ok, n, d, _ in rows],
                   "what", "", "rows", "detail")
        print("  hints:")
        for what, ok, _, _, hint in rows:
            if hint and not ok:
                print("    %s: %s" % (what, hint))
        previewed = next(n for w, _, n, _, _ in rows if w == "counted")
        self.step("watch_orders()", orders.rstrip(";"))
        self.step("watch_stock()", stock.rstrip(";"))
        self.step("backfill()", "CALL replenish.backfill('public.orders')")
        self.step("backfill()", "CALL replenish.backfill('public.stock')")
        decided = self.step("tick()", "SELECT decided FROM replenish.tick(%s)",
                            (now,))[0][0]
        print("  %d items decided" % decided)
        self.table(self.step("status", "SELECT tier, count(*), sum(reorder_qty)"
                             " FROM replenish.status GROUP BY tier"
                             " ORDER BY tier DESC"),
                   "tier", "items", "to order")
        rows = self.step("first_look()",
                         "SELECT rank, sku, tier, available, on_order, per_day,"
                         " reorder_qty, price, money_at_risk::integer, why"
                         " FROM replenish.first_look() ORDER BY rank")
        self.table(rows, "rank", "sku", "tier", "available", "on_order",
                   "per_day", "reorder_qty", "price", "at risk", "why")
        self.check("first_look() has twenty items", len(rows) == 20)
        money = [r[8] for r in rows]
        self.check("ranked by money", None not in money
                   and money == sorted(money, reverse=True))
        events = self.run("SELECT count(*) FROM replenish.event")[0][0]
        self.check("a quiet start", events == 0)
        self.step("go_live()", "SELECT replenish.go_live(%s)", (now,))
        event = self.run("SELECT type, facts - 'first_look' FROM replenish.event")
        print("  %s" % event)
        self.check("one summary", len(event) == 1)
        print()
        self.table([(w, "%.1f" % t) for w, t in self.spent]
                   + [("all", "%.1f" % sum(t for _, t in self.spent))],
                   "step", "seconds")
        total = self.run("SELECT count(*) FROM orders")[0][0]
        faults = self.run("SELECT coalesce(sum(rows), 0) FROM replenish.fault"
                          " WHERE source = 1")[0][0]
        self.check("what was previewed was counted", previewed == total - faults)
        self.check("verify() finds nothing", self.run(
            "SELECT count(*) FROM replenish.verify()")[0][0] == 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--width", type=int, default=180,
                        help="cut lines of tables to this")
    options = parser.parse_args()
    if not os.path.exists(DATA):
        print("skipped: no shared/data beside the checkout")
        return 0
    walk = Walk(options.width)
    walk.walk(walk.load())
    print("%d passed, %d failed" % (walk.passed, walk.failed))
    return 1 if walk.failed else 0


if __name__ == "__main__":
    sys.exit(main())
