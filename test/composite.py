#!/usr/bin/python3
"""A composite, and said to be one: what happened to different shops, as one.

Run it with "make replay".  The order lines of a real gift shop ("Online
Retail") are those of one shop with two channels and three warehouses overseas:
every third invoice is from the live room, the others from the web, and the
country says which warehouse serves it.  It buys what reorder_qty() asks for,
and each of its purchase orders takes as long as one that a real buyer of other
goods made (SCMS), on its mode of shipment, expected when that was.  Its live
room is open from 12 to 15 every day, with the viewers of two real streams, one
after the other; there is no public data of viewers and sales of the same
products.  It begins with the orders of eight months, and in stock with what it
will sell in four weeks and the time that half of those purchase orders took;
half of what the other warehouses need of that lies in London, which can send it
on.  At the end verify() must find nothing.

Without ../shared/data, or with --generated, made-up orders, shipments and
viewers take the same path.
"""

import argparse
import csv
import gzip
import math
import os
import random
import statistics
import sys
import time
from collections import Counter
from datetime import datetime, timedelta

import replay

START = datetime(2011, 8, 1)    # what was ordered before is history
DATA = os.path.dirname(replay.DATA)
PLACES = {"United Kingdom": "london", "EIRE": "london", "Channel Islands":
          "london", "Australia": "hongkong", "Japan": "hongkong",
          "Singapore": "hongkong", "Hong Kong": "hongkong", "USA": "hongkong"}
LAYOUT = """
    CREATE TABLE orders (invoice text, sku text, qty int, unit_price numeric,
                         ordered_at timestamptz, channel text, place text);
    CREATE TABLE stock (sku text, place text, on_hand int NOT NULL,
                        PRIMARY KEY (sku, place));
    CREATE TABLE purchase (id serial PRIMARY KEY, sku text, place text, qty int,
                           received int DEFAULT 0, ordered_at timestamptz,
                           promised date, arrived_at timestamptz, route text);
    CREATE TABLE room (channel text, viewers int, at timestamptz);
    CREATE EXTENSION replenish"""
WATCH = """
    INSERT INTO replenish.location VALUES ('london', 'Europe/London', '16:00'),
        ('venlo', 'Europe/Amsterdam', '12:00'),
        ('hongkong', 'Asia/Hong_Kong', NULL);
    INSERT INTO replenish.channel VALUES ('live', 'show'), ('web', 'commerce');
    INSERT INTO replenish.lane VALUES ('london', 'venlo', '4 days', 5),
        ('london', 'hongkong', '12 days', 20);
    SELECT replenish.watch_orders('orders', 'sku', 'qty', 'ordered_at',
        location => 'place', channel => 'channel', price => 'unit_price');
    SELECT replenish.watch_stock('stock', 'sku', 'on_hand',
        location => 'place');
    SELECT replenish.watch_inbound('purchase', 'sku', 'qty', 'ordered_at',
        'promised', 'arrived_at', location => 'place', route => 'route',
        received => 'received');
    SELECT replenish.watch_audience('room', 'channel', 'viewers', 'at');
    CALL replenish.backfill('orders');
    CALL replenish.backfill('stock')"""


def made_up_invoices(rng, days):
    """A small shop: forty items, two hours a day that sell most."""
    found = []
    start = START - timedelta(days=60)
    skus = ["item-%02d" % i for i in range(40)]
    for minute in range(0, (60 + days) * 1440, 7):
        at = start + timedelta(minutes=minute)
        if rng.random() < (0.9 if 12 <= at.hour < 15 else 0.3):
            country = rng.choice(["United Kingdom", "France", "Japan"])
            found.append((at, [
                (at, "N%d" % minute, sku, rng.randint(1, 4), "2.50", country,
                 None) for sku in rng.sample(skus, rng.randint(1, 3))]))
    return found


def real_shipments():
    """(mode, days promised, days taken) of those where all is known."""
    with gzip.open(os.path.join(DATA, "scms_shipments.csv.gz"), "rt",
                   encoding="utf-8", newline="") as file:
        for r in csv.DictReader(file):
            if r["po_sent"] and r["scheduled"] and r["delivered"]:
                sent, promised, came = (datetime.fromisoformat(r[c]) for c in (
                    "po_sent", "scheduled", "delivered"))
                if came > sent:
                    yield (r["shipment_mode"] or "other",
                           (promised - sent).days, (came - sent).days)


def real_viewers():
    """Viewers every five seconds, one stream after the other."""
    with gzip.open(os.path.join(DATA, "live_viewers_5s.csv.gz"), "rt",
                   encoding="utf-8", newline="") as file:
        return [int(r["viewers"]) for r in csv.DictReader(file)]


class Composite:
    def __init__(self, options):
        self.rng = random.Random(options.seed)
        self.days = options.composite_days
        self.generated = options.generated or not os.path.exists(replay.DATA)
        if self.generated:
            self.invoices = made_up_invoices(self.rng, options.composite_days)
            self.shipments = [(mode, days, max(1, round(
                days * math.exp(self.rng.gauss(0, .3))))) for mode, days in
                self.rng.choices([("Air", 6), ("Ocean", 30)], k=500)]
            self.viewers = [max(0, round(50 + 40 * math.sin(i / 300)
                                         + self.rng.gauss(0, 5)))
                            for i in range(3000)]
        else:
            self.invoices = list(replay.read_invoices(None))
            self.shipments = list(real_shipments())
            self.viewers = real_viewers()
        self.history = [i for i in self.invoices if i[0] < START]
        self.invoices = self.invoices[len(self.history):]
        self.rng.shuffle(self.shipments)
        self.db = replay.connect()
        self.db.execute("SET TimeZone = 'UTC'")
        self.known = set()
        self.due = []               # (moment, purchase, sku, place, units)
        self.next_viewer = 0
        self.seq = 0
        self.reasons = Counter()
        self.counted = Counter()

    def place(self, country):
        return PLACES.get(country, "venlo" if country != "Japan"
                          else "hongkong")

    def opening(self):
        """What is sold until orders of the first day are there, and four weeks
        more."""
        start = self.invoices[0][0]
        need = 28 + statistics.median(took for _, _, took in self.shipments)
        known = min(need, (self.invoices[-1][0] - start).days + 1)
        sold = Counter()
        for at, lines in self.invoices:
            if at < start + timedelta(known):
                for line in lines:
                    sold[line[2], self.place(line[5])] += max(line[3], 0)
        stock = Counter()
        for (sku, place), units in sold.items():
            units = round(units * need / known)
            there = units if place == "london" else units // 2
            stock[sku, place] += there
            stock[sku, "london"] += units - there
        self.db.execute("INSERT INTO stock VALUES " + b",".join(
            self.db.mogrify("(%s,%s,%s)", (*key, units))
            for key, units in sorted(stock.items())).decode())
        self.known = set(stock)

    def rows(self, at, lines):
        """The order lines of an invoice as those of the shop."""
        channel = "live" if int(lines[0][1].lstrip("CNA") or 0) % 3 == 0 \
            else "web"
        return [(invoice, sku, qty, price, at, channel, self.place(country))
                for _, invoice, sku, qty, price, country, _ in lines]

    def insert(self, rows):
        return "INSERT INTO orders VALUES " + b",".join(
            self.db.mogrify("(%s,%s,%s,%s,%s,%s,%s)", r)
            for r in rows).decode()

    def enter(self, at, lines):
        rows = self.rows(at, lines)
        change = Counter()
        for _, sku, qty, _, _, _, place in rows:
            change[sku, place] += qty
        new = [key for key in change if key not in self.known]
        self.known.update(new)
        sql = ["BEGIN"]
        if new:
            sql.append("INSERT INTO stock VALUES " + b",".join(
                self.db.mogrify("(%s,%s,0)", key) for key in new).decode())
        sql.append(self.insert(rows))
        sql.append(
            "UPDATE stock s SET on_hand = s.on_hand - v.qty FROM (VALUES %s)"
            " v(sku, place, qty) WHERE s.sku = v.sku AND s.place = v.place"
            % b",".join(self.db.mogrify("(%s,%s,%s)", (*k, v)) for k, v in
                        sorted(change.items())).decode())
        self.db.execute(";".join(sql + ["COMMIT"]))
        self.counted["order lines"] += len(rows)

    def stream(self, since, until):
        """The room's viewers between two moments, every five seconds."""
        rows = []
        at = max(since, until - timedelta(hours=3))
        while at < until:
            if 12 <= at.hour < 15:
                rows.append(("live", self.viewers[
                    self.next_viewer % len(self.viewers)], at))
                self.next_viewer += 1
            at += timedelta(seconds=5)
        if rows:
            self.db.execute("INSERT INTO room VALUES " + b",".join(
                self.db.mogrify("(%s,%s,%s)", r) for r in rows).decode())
        self.counted["counts of viewers"] += len(rows)

    def receive(self, now):
        """What has arrived, two thirds of it first where it is much."""
        for due in [d for d in self.due if d[0] <= now]:
            self.due.remove(due)
            at, purchase, sku, place, units, rest = due
            part = units * 2 // 3 if units > 50 and not rest else units
            self.db.execute(
                "BEGIN; UPDATE purchase SET received = received + %s,"
                " arrived_at = %s WHERE id = %s;"
                " UPDATE stock SET on_hand = on_hand + %s"
                " WHERE sku = %s AND place = %s; COMMIT",
                (part, at, purchase, part, sku, place))
            if part < units:
                self.due.append((at + timedelta(days=2), purchase, sku, place,
                                 units - part, True))
            self.counted["receipts"] += 1

    def send(self, now):
        """Once a day: send what another warehouse can spare."""
        self.db.execute("SELECT sku, from_location, to_location, units,"
                        " arrives_at - %s FROM replenish.transfer"
                        " ORDER BY 1, 2, 3", (now,))
        for sku, giver, taker, units, takes in self.db.fetchall():
            # on its way it is an order of the taker's
            self.db.execute(
                "BEGIN; UPDATE stock SET on_hand = on_hand - %(n)s"
                " WHERE sku = %(s)s AND place = %(g)s;"
                " INSERT INTO purchase (sku, place, qty, ordered_at, promised,"
                " route) VALUES (%(s)s, %(t)s, %(n)s, %(at)s, %(on)s,"
                " 'transfer') RETURNING id", {
                    "n": int(units), "s": sku, "g": giver, "t": taker,
                    "at": now, "on": (now + takes).date()})
            purchase = self.db.fetchone()[0]
            self.db.execute("COMMIT")
            self.due.append((now + takes, purchase, sku, taker, int(units),
                             True))
            self.counted["transfers"] += 1

    def buy(self, now):
        """Once a day: order what is asked for, as somebody did elsewhere."""
        self.db.execute("SELECT sku, location, ceil(reorder_qty)"
                        " FROM replenish.status WHERE reorder_qty > 0"
                        " ORDER BY 1, 2")
        for sku, place, units in self.db.fetchall():
            mode, promised, took = self.shipments[
                self.counted["purchase orders"] % len(self.shipments)]
            self.db.execute(
                "INSERT INTO purchase (sku, place, qty, ordered_at, promised,"
                " route) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
                (sku, place, int(units), now,
                 (now + timedelta(days=promised)).date(), mode))
            self.due.append((now + timedelta(days=took),
                             self.db.fetchone()[0], sku, place, int(units),
                             False))
            self.counted["purchase orders"] += 1

    def tick(self, now):
        self.db.execute("SELECT decided FROM replenish.tick(%s)", (now,))
        self.counted["decisions"] += self.db.fetchone()[0]
        self.db.execute("SELECT seq, occurred_at, sku, location, from_tier,"
                        " to_tier, reason FROM replenish.events_after(%s,"
                        " 100000) ORDER BY seq", (self.seq,))
        for self.seq, *event in self.db.fetchall():
            self.reasons[event[-1]] += 1
            if event[-1] == "audience_surge" and self.reasons[event[-1]] <= 5:
                print("  %s  %s at %s: %s -> %s, the room is full" % (
                    event[0].strftime("%m-%d %H:%M"), *event[1:5]))

    def report(self, now):
        self.db.execute("""
            SELECT location, count(*), count(*) FILTER (WHERE tier = 'red'),
                count(*) FILTER (WHERE tier = 'orange'),
                count(*) FILTER (WHERE tier = 'yellow'),
                count(*) FILTER (WHERE gap > '0')
            FROM replenish.status GROUP BY 1 ORDER BY 1""")
        for row in self.db.fetchall():
            print("%s  %-9s%6d items%6d red%6d orange%6d yellow%6d"
                  " empty before their next arrival" % (
                      now.strftime("%Y-%m-%d"), *row))
        self.db.execute("SELECT route, replenish.lead_time_n(lead_time), late"
                        " FROM replenish.route_record"
                        " WHERE location = '' AND route <> '' ORDER BY 1")
        print("            routes: " + ", ".join(
            "%s %d receipts, %d late" % r for r in self.db.fetchall()),
            flush=True)

    def run(self):
        self.db.execute(LAYOUT)
        for at, lines in self.history:
            self.db.execute(self.insert(self.rows(at, lines)))
        self.opening()
        for statement in WATCH.split(";"):
            self.db.execute(statement)
        clock = self.invoices[0][0]
        day = clock.date()
        until = clock + timedelta(self.days)
        for at, lines in self.invoices:
            if at >= until:
                break
            while at >= clock:
                later = clock + timedelta(minutes=30)
                self.stream(clock - timedelta(minutes=30), clock)
                self.tick(clock)
                clock = later
            if at.date() != day:
                self.receive(at)
                self.send(at)
                self.buy(at)
                if at.date().isocalendar()[1] != day.isocalendar()[1]:
                    self.report(at)
                day = at.date()
            self.enter(at, lines)
        self.tick(clock)
        self.report(clock)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--composite-days", type=int, default=56)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--generated", action="store_true",
                        help="made-up data though there is real")
    options = parser.parse_known_args()[0]
    begun = time.monotonic()
    for setting in ("evaluate = 'manual'", "quiet_start = off"):
        replay.connect().execute("ALTER DATABASE %s SET replenish.%s" % (
            os.environ.get("PGDATABASE", "postgres"), setting))
    shop = Composite(options)
    print("a composite of %s: orders of one shop as two channels and three"
          " warehouses,\nshipments of another buyer as its purchase orders,"
          " viewers of two streams as its room" % (
              "made-up data" if shop.generated else "real data"))
    shop.run()
    print("%s; %.0f s" % (", ".join("%d %s" % (n, what) for what, n in
                                    shop.counted.items()),
                          time.monotonic() - begun))
    print("tier changes: " + ", ".join(
        "%d %s" % (n, why) for why, n in shop.reasons.most_common()))
    shop.db.execute("SELECT channel, round(sold_24h), round(100 * share)"
                    " FROM replenish.channel_status ORDER BY 1")
    print("channels on the last day: " + ", ".join(
        "%s %d units, %s %%" % row for row in shop.db.fetchall()))
    shop.db.execute("SELECT channel, elasticity, evidence FROM replenish.room")
    print("sales move with viewers by: " + ", ".join(
        "%s %.2f (evidence %.1f)" % row for row in shop.db.fetchall()))
    shop.db.execute("SELECT * FROM replenish.verify()")
    rows = shop.db.fetchall()
    print("verify(): %d differences" % len(rows))
    for row in rows[:10]:
        print("  %s" % (row,))
    # each part of it has played
    missing = [what for what in ("order lines", "counts of viewers",
                                 "receipts", "purchase orders", "transfers")
               if not shop.counted[what]]
    if missing:
        print("nothing of: " + ", ".join(missing))
    failed = bool(rows) + bool(missing)
    print("%d passed, %d failed" % (2 - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
