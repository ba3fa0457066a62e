#!/usr/bin/python3
"""A year of a real shop's orders through the triggers, on their own clock.

Run it with "make replay"; the orders (the UCI data set "Online Retail") are
read from ../shared/data next to the checkout, and without them there is
nothing to do.  The shop writes its order lines invoice by invoice, keeps its
own stock table, lets replenish.tick() decide on the orders' clock, buys once a
day what reorder_qty asks for, and receives it after a lead time.  A sale that
the shelf cannot serve is taken all the same and owed: stock below zero.  At
the end verify() must find nothing, and a second database that counts the same
orders in one flat table by backfill alone, and demand_agg over the raw rows,
must give the same summaries to the bit.

With --split an invoice is a header and its lines, which come together or one
after the other, in any order; with --monthly the orders are partitioned by
month, and months that are older than the shop keeps its orders are dropped on
the way.  Either must end with the summaries of the flat table.
"""

import argparse
import csv
import gzip
import itertools
import math
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta

import psycopg2

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "shared", "data", "online_retail.csv.gz")
TIERS = ["normal", "yellow", "orange", "red"]
STOCK = """
    CREATE TABLE stock (sku text PRIMARY KEY, location text NOT NULL,
                        on_hand int NOT NULL, on_order int NOT NULL DEFAULT 0);
    CREATE TABLE purchase (id serial PRIMARY KEY, sku text, qty int,
                           ordered_at timestamptz, received_at timestamptz)"""
WATCH_STOCK = ("SELECT replenish.watch_stock('stock', 'sku', 'on_hand',"
               " on_order => 'on_order')")
# every summary, its window's end at the same moment
SUMMARIES = """SELECT sku, replenish.demand_at(demand, %s)::text
               FROM replenish.item_demand ORDER BY sku"""


def connect(**keywords):
    conn = psycopg2.connect(**keywords)
    conn.autocommit = True
    cursor = conn.cursor()
    # the shop's clocks show UK time
    cursor.execute("SET TimeZone = 'Europe/London'")
    return cursor


def read_invoices(days):
    """Order lines grouped by invoice, in the order of their time."""
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as file:
        lines = [(datetime.fromisoformat(r["ordered_at"]), r["invoice"],
                  r["sku"], int(r["qty"]), r["unit_price"], r["country"],
                  r["customer"] or None) for r in csv.DictReader(file)]
    lines.sort(key=lambda line: line[0])
    if days:
        until = lines[0][0] + timedelta(days=days)
        lines = [line for line in lines if line[0] < until]
    return [(at, list(group)) for (at, _), group in
            itertools.groupby(lines, key=lambda line: line[:2])]


def opening_stock(invoices):
    """Per SKU the first sale and three times what its first four weeks sell."""
    first, units = {}, Counter()
    for at, lines in invoices:
        for line in lines:
            since = first.setdefault(line[2], at)
            if at < since + timedelta(days=28):
                units[line[2]] += line[3]
    return {sku: max(1, 3 * units[sku]) for sku in first}


class Flat:
    """Orders as one table of lines with everything on them."""

    columns = ("(invoice text, sku text, qty int, unit_price numeric,"
               " ordered_at timestamptz, country text, customer text)")
    tables = "CREATE TABLE orders " + columns
    watch = """SELECT replenish.watch_orders('orders', 'sku', 'qty',
                   'ordered_at')"""
    everything = "SELECT * FROM orders"

    def __init__(self, db, rng):
        self.db = db
        self.rng = rng

    def values(self, rows):
        row = "(%s)" % ",".join(["%s"] * len(rows[0]))
        return b",".join(self.db.mogrify(row, r) for r in rows).decode()

    def insert(self, lines):
        """The statements that enter an invoice."""
        return "INSERT INTO orders VALUES " + self.values(
            [(invoice, sku, qty, price, at, country, customer) for
             at, invoice, sku, qty, price, country, customer in lines])

    def turn(self, at):
        """The statements that are due before an invoice of that moment."""
        return []

    def finish(self):
        """What is still to be written at the end."""
        return []


class Split(Flat):
    """Headers that say when, from where and whether; lines that say what."""

    tables = """
        CREATE TABLE orders (id int PRIMARY KEY, invoice text, state text,
                             ordered_at timestamptz, country text,
                             customer text);
        CREATE TABLE line (order_id int, sku text, qty int,
                           unit_price numeric)"""
    watch = """SELECT replenish.watch_orders('line', 'sku', 'qty',
                   'ordered_at', status => 'state', counted => '{paid}',
                   header => 'orders', header_key => 'order_id')"""
    everything = """SELECT invoice, sku, qty, unit_price, ordered_at, country,
                        customer FROM orders JOIN line ON order_id = id
                    WHERE state = 'paid'"""

    def __init__(self, db, rng):
        super().__init__(db, rng)
        self.number = 0
        self.late = []              # statements that come after their time

    def insert(self, lines):
        self.number += 1
        at, invoice, _, _, _, country, customer = lines[0]
        state = self.rng.choice(["paid", "paid", "draft"])
        header = "INSERT INTO orders VALUES " + self.values(
            [(self.number, invoice, state, at, country, customer)])
        what = "INSERT INTO line VALUES " + self.values(
            [(self.number, line[2], line[3], line[4]) for line in lines])
        if state == "draft":
            self.late.append("UPDATE orders SET state = 'paid' WHERE id = %d" %
                             self.number)
        first, second = self.rng.sample([header, what], 2)
        if self.rng.random() < 0.3:
            self.late.insert(0, second)
            return first
        return first + ";" + second

    def turn(self, at):
        # some wait for minutes, some for hours
        if self.rng.random() < 0.8:
            return []
        return self.finish()

    def finish(self):
        late, self.late = self.late, []
        return late


class Monthly(Flat):
    """A partition for each month, and none from before what is kept."""

    tables = "CREATE TABLE orders %s PARTITION BY RANGE (ordered_at);" \
             "CREATE TABLE archive %s" % (Flat.columns, Flat.columns)
    everything = "SELECT * FROM orders UNION ALL SELECT * FROM archive"
    keep = timedelta(days=90)       # as watch_orders() has it
    ways = ["", "ALTER TABLE orders DETACH PARTITION %s", "TRUNCATE %s",
            "DELETE FROM %s"]

    def __init__(self, db, rng):
        super().__init__(db, rng)
        self.months = []            # (partition, its end)
        self.dropped = 0

    def turn(self, at):
        statements = []
        if not self.months or at >= self.months[-1][1]:
            begin = at.replace(day=1, hour=0, minute=0, second=0)
            end = (begin + timedelta(days=32)).replace(day=1)
            name = begin.strftime("orders_%Y_%m")
            statements.append(
                "CREATE TABLE %s PARTITION OF orders"
                " FOR VALUES FROM ('%s') TO ('%s')" % (name, begin, end))
            self.months.append((name, end))
        # later than that: the decider's clock stands while nobody orders
        while self.months[0][1] + self.keep + timedelta(days=14) < at:
            name, _ = self.months.pop(0)
            way = self.ways[self.dropped % len(self.ways)]
            self.dropped += 1
            statements += ["INSERT INTO archive SELECT * FROM " + name,
                           way % name if way else "SELECT",
                           "DROP TABLE " + name]
        return statements


class Shop:
    def __init__(self, options, invoices):
        self.rng = random.Random(options.seed)
        self.step = timedelta(minutes=options.tick_minutes)
        self.db = connect()
        layout = (Split if options.split else
                  Monthly if options.monthly else Flat)
        self.layout = layout(self.db, random.Random(options.seed + 1))
        self.invoices = invoices
        self.opening = opening_stock(invoices)
        self.on_hand = {}           # as the shop's table has it
        self.sold = Counter()
        self.arrivals = []          # (moment, sku, units, purchase)
        self.empty_since = {}
        self.empty = defaultdict(timedelta)
        self.seq = 0
        self.tier = {}
        self.changes = []           # (at, sku, from, to)
        self.ticks = 0
        self.decided = 0
        self.spent = Counter()      # seconds by kind of work

    def timed(self, kind, sql, args=None):
        begun = time.monotonic()
        self.db.execute(sql, args)
        self.spent[kind] += time.monotonic() - begun

    def values(self, row, rows):
        return b",".join(self.db.mogrify(row, r) for r in rows).decode()

    def move(self, sku, units, at):
        """Keep the books on what stood empty."""
        self.on_hand[sku] += units
        if self.on_hand[sku] <= 0:
            self.empty_since.setdefault(sku, at)
        elif sku in self.empty_since:
            self.empty[sku] += at - self.empty_since.pop(sku)

    def enter(self, at, lines):
        """One invoice as the shop enters it: lines, then stock."""
        change = Counter()
        for line in lines:
            change[line[2]] += line[3]
        new = [sku for sku in change if sku not in self.on_hand]
        stock = ""
        if new:
            stock = "INSERT INTO stock (sku, location, on_hand) VALUES %s;" % (
                self.values("(%s,'default',%s)",
                            [(sku, self.opening[sku]) for sku in new]))
            self.on_hand.update((sku, self.opening[sku]) for sku in new)
        orders = self.layout.insert(lines)
        update = ("UPDATE stock SET on_hand = on_hand - v.qty FROM (VALUES %s)"
                  " v(sku, qty) WHERE stock.sku = v.sku" % self.values(
                      "(%s,%s)", sorted(change.items())))
        self.timed("orders", "BEGIN;" + stock + orders)
        self.timed("stock", update + ";COMMIT")
        for sku, units in change.items():
            self.sold[sku] += units
            self.move(sku, -units, at)

    def receive(self, now):
        """Take in what has arrived."""
        due = [a for a in self.arrivals if a[0] <= now]
        self.arrivals = [a for a in self.arrivals if a[0] > now]
        for at, sku, units, purchase in due:
            self.timed("stock", """
                BEGIN;
                UPDATE stock SET on_hand = on_hand + %s,
                                 on_order = on_order - %s WHERE sku = %s;
                UPDATE purchase SET received_at = %s WHERE id = %s;
                COMMIT""", (units, units, sku, at, purchase))
            self.move(sku, units, at)

    def buy(self, now):
        """Once a day: order what is asked for."""
        self.timed("read", """SELECT sku, ceil(reorder_qty)
                              FROM replenish.status WHERE reorder_qty > 0
                              ORDER BY sku""")
        asked = self.db.fetchall()
        for sku, units in asked:
            units = int(units)
            self.timed("stock", """
                BEGIN;
                UPDATE stock SET on_order = on_order + %s WHERE sku = %s;
                INSERT INTO purchase (sku, qty, ordered_at)
                VALUES (%s, %s, %s) RETURNING id""",
                       (units, sku, sku, units, now))
            purchase = self.db.fetchone()[0]
            self.timed("stock", "COMMIT")
            # a lead time of 30 days, give or take 8
            days = self.rng.lognormvariate(math.log(30) - 0.034, 0.26)
            self.arrivals.append((now + timedelta(days=days), sku, units,
                                  purchase))
        return len(asked)

    def tick(self, now):
        self.timed("tick", "SELECT decided FROM replenish.tick(%s)", (now,))
        self.decided += self.db.fetchone()[0]
        self.ticks += 1
        while True:
            self.timed("read", """SELECT seq, sku, from_tier, to_tier
                                  FROM replenish.events_after(%s, 10000)
                                  ORDER BY seq""", (self.seq,))
            rows = self.db.fetchall()
            for seq, sku, old, new in rows:
                self.seq = seq
                if new is not None and old != new:
                    self.tier[sku] = new
                    self.changes.append((now, sku, old, new))
            if len(rows) < 10000:
                break

    def run(self):
        """The year; returns the clock at its end."""
        self.db.execute(self.layout.tables)
        self.db.execute(STOCK)
        self.db.execute("CREATE EXTENSION replenish")
        self.db.execute(self.layout.watch)
        self.db.execute(WATCH_STOCK)
        print("%-9s%9s%8s%8s%8s%8s%8s%9s%7s" % (
            "month", "lines", "changes", "normal", "yellow", "orange", "red",
            "ordered", "empty"), flush=True)
        clock = self.invoices[0][0] + self.step
        day, month = None, None
        lines = bought = seen = 0
        for at, invoice in self.invoices:
            if at >= clock:
                self.tick(clock)
                clock = at + self.step
            if at.date() != day:
                self.receive(at)
                if day is not None:
                    bought += self.buy(at)
                day = at.date()
            if month not in (None, at.strftime("%Y-%m")):
                self.report(month, lines, bought, seen)
                lines, bought, seen = 0, 0, len(self.changes)
            month = at.strftime("%Y-%m")
            for sql in self.layout.turn(at):
                self.timed("orders", sql)
            self.enter(at, invoice)
            lines += len(invoice)
        for sql in self.layout.finish():
            self.timed("orders", sql)
        self.tick(clock)
        self.report(month, lines, bought, seen)
        for sku in list(self.empty_since):
            self.empty[sku] += clock - self.empty_since.pop(sku)
        return clock

    def report(self, month, lines, bought, seen):
        self.db.execute("SELECT tier, count(*) FROM replenish.status"
                        " GROUP BY tier")
        tiers = dict(self.db.fetchall())
        print("%-9s%9d%8d%8d%8d%8d%8d%9d%7d" % (
            (month, lines, len(self.changes) - seen)
            + tuple(tiers.get(t, 0) for t in TIERS)
            + (bought, len(self.empty_since))), flush=True)

    def timeline(self, items):
        """Tier changes and empty shelves of the best sellers."""
        best = [sku for sku, _ in self.sold.most_common(items)]
        print("\ntier changes of the %d best sellers" % len(best))
        for sku in best:
            print("%s: %d units sold, %s without stock" % (
                sku, self.sold[sku], days(self.empty.get(sku, timedelta()))))
            for at, which, old, new in self.changes:
                if which == sku:
                    print("  %s  %s -> %s" % (at.strftime("%Y-%m-%d %H:%M"),
                                              old, new))
        worst = sorted(((d, sku) for sku, d in self.empty.items() if d),
                       reverse=True)
        total = sum((d for d, _ in worst), timedelta())
        print("\nsold out at some time: %d of %d items, %s in all" % (
            len(worst), len(self.on_hand), days(total)))
        for d, sku in worst[:10]:
            print("  %-14s%s" % (sku, days(d)))


def days(delta):
    return "%.1f days" % (delta.total_seconds() / 86400)


def same_by_backfill(layout, clock):
    """Count the same orders in one go elsewhere; number of differences."""
    here = connect()
    here.execute("CREATE DATABASE replay_again")
    there = connect(dbname="replay_again")
    there.execute(Flat.tables)
    there.execute("CREATE EXTENSION replenish")
    there.execute("SET replenish.evaluate = 'manual'")
    subprocess.run("psql -qc 'COPY (%s) TO STDOUT' | psql -qd replay_again"
                   " -c 'COPY orders FROM STDIN'" %
                   layout.everything.replace("'", "'\\''"),
                   shell=True, check=True)
    there.execute(Flat.watch)
    begun = time.monotonic()
    there.execute("CALL replenish.backfill('orders')")
    there.execute("SELECT replenish.tick(%s)", (clock,))
    took = time.monotonic() - begun
    there.execute("""SELECT sku, replenish.demand_at(replenish.demand_agg(
                         qty, ordered_at), %s)::text
                     FROM orders GROUP BY sku""", (clock,))
    raw = dict(there.fetchall())
    first, decided = state(here, clock)
    again, decided_again = state(there, clock)
    differ = sum(first.get(sku) != again.get(sku) or
                 first.get(sku) != raw.get(sku)
                 for sku in {*first, *again, *raw})
    print("%d summaries from the triggers, %d by backfill in %.1f s, %d by"
          " demand_agg: %d differ" % (len(first), len(again), took, len(raw),
                                      differ))
    # where there is no stock table nobody knows what an empty shelf hid
    here.execute("""SELECT sku FROM replenish.item_absence
                    UNION SELECT sku FROM replenish.item
                    WHERE out_since IS NOT NULL""")
    hidden = {sku for sku, in here.fetchall()}
    same = {*decided, *decided_again} - hidden
    apart = sum(decided.get(sku) != decided_again.get(sku) for sku in same)
    print("what is forecast from them for %d items that were never out of"
          " stock: %d differ" % (len(same), apart))
    return differ + apart


def state(db, clock):
    """Every summary, and what is decided on it at the same moment."""
    db.execute(SUMMARIES, (clock,))
    summaries = dict(db.fetchall())
    db.execute("SELECT replenish.touch(NULL, NULL)")
    db.execute("SELECT replenish.tick(%s)", (clock,))
    db.execute("""SELECT sku, velocity, sold_24h, same_period, forecast,
                      forecast_sd, threshold, target, decided_at
                  FROM replenish.status""")
    return summaries, {row[0]: row for row in db.fetchall()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--days", type=int, help="only so many days")
    parser.add_argument("--tick-minutes", type=int, default=60)
    parser.add_argument("--items", type=int, default=5,
                        help="best sellers in the timeline")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", action="store_true",
                        help="orders as headers and lines")
    parser.add_argument("--monthly", action="store_true",
                        help="orders partitioned by month, old ones dropped")
    parser.add_argument("--composite-days", type=int, help="see composite.py")
    parser.add_argument("--generated", action="store_true",
                        help="see composite.py")
    options = parser.parse_args()
    if options.split and options.monthly:
        parser.error("--split and --monthly are two layouts")
    if not os.path.exists(DATA):
        print("skipped: no shared/data beside the checkout")
        return 0
    invoices = read_invoices(options.days)
    count = sum(len(lines) for _, lines in invoices)
    print("%d order lines in %d invoices, %s to %s" % (
        count, len(invoices), invoices[0][0], invoices[-1][0]))
    for setting in ("evaluate = 'manual'", "quiet_start = off"):
        connect().execute("ALTER DATABASE %s SET replenish.%s" % (
            os.environ.get("PGDATABASE", "postgres"), setting))
    shop = Shop(options, invoices)
    begun = time.monotonic()
    clock = shop.run()
    took = time.monotonic() - begun
    shop.timeline(options.items)

    spent = shop.spent
    print("\n%.0f s in all; %d order lines through the triggers: %.0f lines/s;"
          % (took, count, count / spent["orders"]))
    print("%d ticks: %.0f ticks/s, %.1f ms each; %d decisions: %.0f a second;"
          % (shop.ticks, shop.ticks / spent["tick"],
             1000 * spent["tick"] / shop.ticks, shop.decided,
             shop.decided / spent["tick"]))
    print("%d tier changes; the shop's stock table %.0f s, reading %.0f s" % (
        len(shop.changes), spent["stock"], spent["read"]))
    failed = 0
    begun = time.monotonic()
    shop.db.execute("SELECT * FROM replenish.verify()")
    rows = shop.db.fetchall()
    # nor has anything happened that might have gone unseen
    shop.db.execute("SELECT relation, stale FROM replenish.watched"
                    " WHERE stale IS NOT NULL OR NOT enabled")
    rows += shop.db.fetchall()
    print("verify(): %d differences in %.1f s" % (
        len(rows), time.monotonic() - begun))
    for row in rows[:10]:
        print("  %s" % (row,))
    failed += bool(rows)
    failed += bool(same_by_backfill(shop.layout, clock))
    print("%d passed, %d failed" % (2 - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
