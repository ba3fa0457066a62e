#!/usr/bin/python3
"""A live-stream day: one show, one item that runs out, and who hears of it.

Run it with "make demo".  A small shop with two months of orders has its tables
watched.  Then a day goes by, an order at a time: quiet hours, a show at eight
in the evening, and an item that was good for months is good for minutes.
Orders go in through the shop's own INSERTs and UPDATEs, the clock is
replenish.tick(as_of), and a second connection LISTENs.  At the end the same
happens in real time, with the background worker.  Only the customers are
invented: every tier, rate, quantity and moment shown is the extension's.
"""

import argparse
import json
import math
import os
import random
import select
import statistics
import sys
import time
from datetime import datetime, timedelta, timezone

import psycopg2

LAMP, MUG = "LAMP-01", "MUG-07"
HOURLY = [1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 6, 6, 6, 6, 7, 8, 9, 10, 9, 6, 3,
          2]
PER_DAY = {LAMP: 30.0, MUG: 12.0}
OPENING = {LAMP: 2700, MUG: 1500}
SHOW_BEGINS, SHOW_ENDS = 20 * 60, 22 * 60
WORSE = {"normal": 0, "yellow": 1, "orange": 2, "red": 3}


class Screen:
    """Text for a terminal of 80 columns, with or without colour or Unicode."""

    ANSI = {"normal": "32", "yellow": "33", "orange": "38;5;208", "red": "31",
            "dim": "2", "bold": "1"}

    def __init__(self):
        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self.fill = dict(zip(WORSE, "█▓▒░" if utf8 else "#=-."))
        self.heard = "◀" if utf8 else "<"
        self.colour = (sys.stdout.isatty() and not os.environ.get("NO_COLOR")
                       and os.environ.get("TERM") != "dumb")

    def paint(self, text, how):
        if not self.colour:
            return text
        return "\033[%sm%s\033[0m" % (self.ANSI[how], text)

    def say(self, text="", how=None):
        print(self.paint(text, how) if how else text, flush=True)

    def title(self, text):
        self.say()
        self.say(text, "bold")


def span(delta):
    """How long, in the unit in which people would say it."""
    if delta is None:
        return "not within a year"
    minutes = delta.total_seconds() / 60
    if minutes < 120:
        return "in %.0f minutes" % minutes
    if minutes < 2880:
        return "in %.0f hours" % (minutes / 60)
    return "in %.0f days" % (minutes / 1440)


def poisson(rng, mean):
    """A Poisson number; the products stay small here."""
    limit, k, p = math.exp(-mean), 0, rng.random()
    while p > limit:
        k += 1
        p *= rng.random()
    return k


def connect(**settings):
    conn = psycopg2.connect("")
    conn.autocommit = True
    cursor = conn.cursor()
    for name, value in settings.items():
        cursor.execute("SELECT set_config(%s, %s, false)",
                       (name.replace("__", "."), value))
    return conn, cursor


class Demo:
    def __init__(self, options):
        self.fast = options.fast
        self.rng = random.Random(options.seed)
        self.screen = Screen()
        self.curve = []             # (minute of the day, units, tier)
        self.changes = []           # (minute of the day, from, to)
        self.lines = None           # threshold at the day's beginning
        self.shop_conn, self.shop = connect()
        self.listener, self.ears = connect()
        now = datetime.now(timezone.utc)
        self.day = (now - timedelta(days=1)).replace(
            hour=0, minute=0, second=0, microsecond=0)

    def run(self, sql, args=None):
        self.shop.execute(sql, args)
        return self.shop.fetchall() if self.shop.description else None

    def at(self, minute):
        return self.day + timedelta(minutes=minute)

    # ---- the shop ----

    def open_shop(self):
        """Tables that a shop has anyway, two months of orders, and the watch."""
        self.screen.title("A shop with two months of orders")
        self.run("""CREATE TABLE orders (id bigserial PRIMARY KEY, sku text,
                    qty int, ordered_at timestamptz, room text)""")
        self.run("CREATE TABLE stock (sku text PRIMARY KEY, on_hand int,"
                 " on_order int NOT NULL DEFAULT 0)")
        rows = []
        for ago in range(60, 0, -1):
            for sku, mean in PER_DAY.items():
                for hour, weight in enumerate(HOURLY):
                    for _ in range(poisson(
                            self.rng, mean * weight / sum(HOURLY))):
                        rows.append((sku, 1, self.day - timedelta(days=ago)
                                     + timedelta(hours=hour, seconds=self.rng.
                                                 randrange(3600)), "web"))
        rows.sort(key=lambda row: row[2])
        values = b",".join(self.shop.mogrify("(%s,%s,%s,%s)", r)
                           for r in rows).decode()
        self.run("INSERT INTO orders (sku, qty, ordered_at, room) VALUES "
                 + values)
        for sku, units in OPENING.items():
            self.run("INSERT INTO stock VALUES (%s, %s)", (sku, units))
        # the extension's clock is the day's, from the first decision on
        for sql in (
                "SELECT replenish.watch_stock('stock', 'sku', 'on_hand',"
                " on_order => 'on_order')",
                "CALL replenish.backfill('stock')",
                "SELECT replenish.tick('%s')" % self.at(8 * 60).isoformat(
                    " ", "minutes"),
                "SELECT replenish.watch_orders('orders', 'sku', 'qty',"
                " 'ordered_at',\n    channel => 'room')",
                "CALL replenish.backfill('orders')",
                # what is so already is no news: from here on changes are told
                "SELECT replenish.go_live('%s')" % self.at(8 * 60).isoformat(
                    " ", "minutes")):
            self.screen.say("  " + sql + ";", "dim")
            self.run(sql)
        self.ears.execute("LISTEN replenish")
        self.tick(8 * 60)
        for row in self.run("""
                SELECT sku, available, threshold, tier,
                       stockout_eta - %s AS left FROM replenish.status
                ORDER BY sku""", (self.at(8 * 60),)):
            sku, units, threshold, tier, left = row
            self.screen.say(
                "  %-8s %5.0f units, threshold %5.0f: %s, sold out %s" % (
                    sku, units, threshold, tier, span(left)))
            if sku == LAMP:
                self.lines = float(threshold)

    def sell(self, sku, units, minute, room):
        """What a shop does: write the order lines, take them off the shelf."""
        self.run("BEGIN")
        left = self.run("SELECT on_hand FROM stock WHERE sku = %s FOR UPDATE",
                        (sku,))[0][0]
        units = min(units, left)
        if units > 0:
            moments = sorted(self.rng.random() for _ in range(units))
            values = b",".join(self.shop.mogrify(
                "(%s,1,%s,%s)", (sku, self.at(minute + m), room))
                for m in moments).decode()
            self.run("INSERT INTO orders (sku, qty, ordered_at, room) VALUES "
                     + values)
            self.run("UPDATE stock SET on_hand = on_hand - %s WHERE sku = %s",
                     (units, sku))
        self.run("COMMIT")

    # ---- the clock and the listener ----

    def tick(self, minute):
        self.run("SELECT replenish.tick(%s)", (self.at(minute),))

    def hear(self, minute):
        """Everything that has arrived on the second connection."""
        self.listener.poll()
        while self.listener.notifies:
            note = json.loads(self.listener.notifies.pop(0).payload)
            data = note.get("data", {})
            if LAMP not in note.get("subject", ""):
                continue
            if not self.changes:
                self.screen.say("        %s the first notification, as it"
                                " arrived:" % self.screen.heard, "bold")
                for name, value in note.items():
                    if name == "data":
                        continue
                    self.screen.say("            %-19s%s" % (name, value), "dim")
                for name, value in data.items():
                    self.screen.say("            data.%-14s%s" % (
                        name, value), "dim")
            self.changes.append((minute, data.get("from"), data.get("to")))
            since = ""
            if len(self.changes) > 1:
                since = ", %d minutes after the last" % (
                    minute - self.changes[-2][0])
            self.screen.say("  %s  %s %s -> %s%s" % (
                self.clock(minute), self.screen.heard, data.get("from"),
                data.get("to"), since), data.get("to"))

    @staticmethod
    def clock(minute):
        return "%02d:%02d" % (minute // 60 % 24, minute % 60)

    def look(self, minute, show=True):
        """Read the item's row of replenish.status, as BI would."""
        units, tier, velocity, left, qty = self.run("""
            SELECT available, tier, velocity, stockout_eta - %s, reorder_qty
            FROM replenish.status WHERE sku = %s""",
                                                    (self.at(minute), LAMP))[0]
        self.curve.append((minute, float(units), tier))
        if show:
            width = 24
            filled = round(width * float(units) / OPENING[LAMP])
            bar = self.screen.paint(self.screen.fill[tier] * filled, tier)
            self.screen.say("  %s  %s%s%5.0f left%7s/h  sold out %s" % (
                self.clock(minute), bar, " " * (width - filled), units,
                "%.*f" % (velocity < 9.95, velocity), span(left)))
        return tier, qty

    def pace(self, seconds):
        if not self.fast:
            time.sleep(seconds)

    # ---- the day ----

    def live_through(self):
        self.screen.title("The day, a minute at a time (%s, UTC)" %
                          self.day.date())
        red_since = ordered_at = None
        for minute in range(8 * 60, 23 * 60):
            show = SHOW_BEGINS <= minute < SHOW_ENDS
            for sku, mean in PER_DAY.items():
                rate = mean * HOURLY[minute // 60] / sum(HOURLY) / 60
                self.sell(sku, poisson(self.rng, rate), minute, "web")
            if minute == SHOW_BEGINS:
                self.screen.say("  %s  the show begins" % self.clock(minute),
                                "bold")
            if show and not ordered_at:
                # shown after ten minutes, then word goes round
                age = minute - SHOW_BEGINS - 10
                if age >= 0:
                    self.sell(LAMP, poisson(self.rng, 42 * (
                        1 - math.exp(-age / 12))), minute, "live")
            self.tick(minute + 1)
            quiet = minute % 120 == 0 and not show
            tier, qty = self.look(minute + 1, quiet or (
                show and minute % 5 == 0))
            self.hear(minute + 1)
            if tier == "red" and red_since is None:
                red_since = minute
            if red_since and not ordered_at and minute - red_since >= 5:
                ordered_at = minute
                self.screen.say(
                    "  %s  red: promotion stops, %.0f units are ordered, as"
                    " reorder_qty says" % (self.clock(minute + 1), qty), "bold")
                self.run("UPDATE stock SET on_order = on_order + %s"
                         " WHERE sku = %s", (qty, LAMP))
                self.tick(minute + 1)
                self.hear(minute + 1)
            self.pace(0.1 if show and not ordered_at else 0.006)

    def draw(self):
        """The day's stock, with the lines that it fell through."""
        self.screen.title("%s on the shelf; lines at 150, 100 and 50 %% of the"
                          " threshold" % LAMP)
        width, height = 66, 14
        first, last = SHOW_BEGINS - 30, SHOW_ENDS + 30
        top = max(units for _, units, _ in self.curve)
        columns = []
        for c in range(width):
            upto = first + (last - first) * (c + 1) / width
            columns.append([x for x in self.curve if x[0] <= upto][-1])
        marks = {round(height * self.lines * share / top): share
                 for share in (1.5, 1.0, 0.5)}
        for level in range(height, 0, -1):
            line = ""
            for _, units, tier in columns:
                if round(height * units / top) >= level:
                    line += self.screen.paint(self.screen.fill[tier], tier)
                else:
                    line += "-" if level in marks else " "
            label = "%.0f %%" % (100 * marks[level]) if level in marks else ""
            self.screen.say("  %5.0f %s %s" % (top * level / height, line,
                                               label))
        half_hours = range(first, last, 30)
        self.screen.say("        " + "".join(
            "%-*s" % (width // len(half_hours), self.clock(m))
            for m in half_hours))

    # ---- real time ----

    def live_worker(self, rounds=20):
        self.screen.title("Now in real time, with the background worker")
        self.run("ALTER DATABASE postgres SET replenish.evaluate = 'worker'")
        self.shop_conn.close()
        self.shop_conn, self.shop = connect()
        threshold = self.run("SELECT threshold FROM replenish.status"
                             " WHERE sku = %s", (MUG,))[0][0]
        low = max(1, int(threshold * 0.8))
        high = int(threshold * 4) + 10
        self.run("UPDATE stock SET on_hand = %s WHERE sku = %s", (high, MUG))
        self.wait_for(MUG, 3)
        took = []
        for i in range(rounds):
            begun = time.monotonic()
            self.run("UPDATE stock SET on_hand = %s WHERE sku = %s",
                     (low if i % 2 == 0 else high, MUG))
            data = self.wait_for(MUG, 5)
            if data is None:
                self.screen.say("  no notification within 5 seconds", "red")
                return False
            took.append((time.monotonic() - begun) * 1000)
            if i < 4:
                self.screen.say("  %s: %s -> %s, heard %.1f ms after the"
                                " COMMIT was sent" % (
                                    MUG, data["from"], data["to"], took[-1]),
                                data["to"])
            self.pace(0.15)
        self.screen.say("  %d changes: median %.1f ms, fastest %.1f, slowest"
                        " %.1f" % (len(took), statistics.median(took),
                                   min(took), max(took)))
        return True

    def wait_for(self, sku, seconds):
        """The next tier change of the item, or None."""
        until = time.monotonic() + seconds
        while True:
            self.listener.poll()
            while self.listener.notifies:
                note = json.loads(self.listener.notifies.pop(0).payload)
                if sku in note.get("subject", ""):
                    return note["data"]
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.listener], [], [], left)[0]:
                return None

    def check(self):
        """The story that the listener heard must be the one told."""
        tiers = [to for _, _, to in self.changes]
        wrong = []
        if tiers != ["yellow", "orange", "red", "normal"]:
            wrong.append("the listener heard %s" % tiers)
        left = self.run("SELECT count(*) FROM replenish.verify()")[0][0]
        if left:
            wrong.append("verify() finds %d differences" % left)
        else:
            self.screen.say("  replenish.verify(): no difference between the"
                            " tables and what was counted")
        for what in wrong:
            self.screen.say("  FAILED: " + what, "red")
        return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fast", action="store_true",
                        help="without pauses for the reader")
    parser.add_argument("--seed", type=int, default=8)
    options = parser.parse_args()
    conn, cursor = connect()
    cursor.execute("CREATE EXTENSION replenish")
    cursor.execute("ALTER DATABASE postgres SET replenish.evaluate = 'manual'")
    conn.close()
    demo = Demo(options)
    demo.open_shop()
    demo.live_through()
    demo.draw()
    heard = demo.live_worker()
    told = demo.check()
    return 0 if heard and told else 1


if __name__ == "__main__":
    sys.exit(main())
