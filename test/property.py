#!/usr/bin/python3
"""Random statements at watched tables must leave nothing for verify() to find.

Every round makes a shop (an order table and a stock table with keys of a
random type), watches it, and lets several sessions loose on it: inserts, COPY,
updates of every column, upserts, MERGE, TRUNCATE, savepoints, prepared
transactions, bad values, at every isolation level, with ticks in between.
Odd rounds interleave the sessions in one thread, so that a seed repeats them
exactly; even rounds run them at the same time.  At any moment, in any
session, replenish.verify() must return no row, and the stock shown by
replenish.status must be the stock table's own sum.
"""

import argparse
import io
import random
import sys
import threading
import time

import psycopg2

# What a shop's own statements may run into: its own locks, its own unique
# key, its own serialization conflicts, a value its own column refuses.
ALLOWED = {
    "55P03",  # lock_not_available: another session of the shop holds the row
    "40P01",  # deadlock_detected: two multi-row updates of the shop
    "40001",  # serialization_failure
    "23505",  # unique_violation
    "21000",  # ON CONFLICT or MERGE meets a row twice
}
MODES = ["manual", "worker", "immediate", "auto"]
STATUSES = ["new", "paid", "shipped", "cancelled", None]


class Failure(Exception):
    """Something that must never happen."""


class Log:
    """The statements of one round, in the order they were sent."""

    def __init__(self):
        self.lines = []
        self.lock = threading.Lock()

    def add(self, who, text):
        with self.lock:
            self.lines.append("%s: %s" % (who, text))


class Shop:
    """One round's tables: how they are declared and what is written there."""

    def __init__(self, rng, number, direct):
        self.rng = rng
        self.direct = direct        # write to partitions by their own names
        self.orders = "shop.orders_%d" % number
        self.stock = "shop.stock_%d" % number
        self.key_type = rng.choice(["text", "integer", "uuid", "bigint"])
        self.at_type = rng.choice(["timestamptz", "timestamptz", "timestamp"])
        self.qty_type = rng.choice(["numeric", "integer", "float8"])
        self.with_status = rng.random() < 0.5
        self.partitioned = rng.random() < 0.25
        # no other round has the same
        self.skus = [self.make_sku(number, i)
                     for i in range(rng.randint(1, 6))]

    def make_sku(self, number, i):
        if self.key_type == "text":
            return "'sku %d %d%s'" % (number, i,
                                      self.rng.choice(["", "é", "-X"]))
        if self.key_type == "uuid":
            return "'%032x'" % self.rng.getrandbits(128)
        return str((-1) ** i * (1000 * number + i))

    def describe(self):
        return "%s keys, %s, %s%s%s" % (
            self.key_type, self.at_type, self.qty_type,
            ", with status" if self.with_status else "",
            ", partitioned" if self.partitioned else "")

    def create(self):
        yield "CREATE SCHEMA IF NOT EXISTS shop"
        yield ("CREATE TABLE %s (id int %s, gone text, sku %s, location text,"
               " channel text, qty %s, at %s, status text)%s" % (
                   self.orders,
                   "NOT NULL" if self.partitioned else "PRIMARY KEY",
                   self.key_type, self.qty_type, self.at_type,
                   " PARTITION BY HASH (id)" if self.partitioned else ""))
        if self.partitioned:
            yield "ALTER TABLE %s ADD PRIMARY KEY (id)" % self.orders
            for i in range(2):
                yield ("CREATE TABLE %s_p%d PARTITION OF %s FOR VALUES WITH"
                       " (MODULUS 2, REMAINDER %d)" % (
                           self.orders, i, self.orders, i))
        yield "ALTER TABLE %s DROP COLUMN gone" % self.orders
        yield ("CREATE TABLE %s (sku %s, location text, on_hand numeric,"
               " reserved numeric, on_order numeric)" % (
                   self.stock, self.key_type))

    def watch(self):
        yield ("SELECT replenish.watch_orders('%s', 'sku', 'qty', 'at',"
               " location => 'location', channel => 'channel'%s)" % (
                   self.orders,
                   ", status => 'status', counted => '{new,paid,shipped}'"
                   if self.with_status else ""))
        yield ("SELECT replenish.watch_stock('%s', 'sku', 'on_hand',"
               " location => 'location', reserved => 'reserved',"
               " on_order => 'on_order')" % self.stock)

    def drop(self):
        yield "DROP TABLE %s, %s" % (self.orders, self.stock)


class Writer:
    """Makes statements for one session from its own random numbers."""

    def __init__(self, shop, rng):
        self.shop = shop
        self.rng = rng

    def sku(self):
        if self.rng.random() < 0.02:
            return "NULL"
        return self.rng.choice(self.shop.skus)

    def location(self):
        return self.rng.choice(["NULL", "'east'", "'west'"])

    def channel(self):
        return self.rng.choice(["NULL", "'live'", "'shop'"])

    def status(self):
        s = self.rng.choice(STATUSES)
        return "NULL" if s is None else "'%s'" % s

    def qty(self):
        r = self.rng.random()
        if r < 0.02:
            return "NULL"
        if r < 0.04 and self.shop.qty_type != "integer":
            return self.rng.choice(["'NaN'", "'Infinity'", "1e15"])
        if r < 0.1:
            return str(-self.rng.randint(0, 5))
        if r < 0.2 and self.shop.qty_type != "integer":
            return "%.6f" % self.rng.uniform(0, 100)
        return str(self.rng.randint(1, 50))

    def at(self):
        r = self.rng.random()
        if r < 0.02:
            return self.rng.choice(["NULL", "'infinity'", "'-infinity'",
                                    "now() + interval '3 days'"])
        span = self.rng.choice([60, 3600, 86400, 86400 * 30, 86400 * 85])
        return "now() - interval '%d s'" % self.rng.randint(0, span)

    def row(self, new_id=None):
        return "(%d, %s, %s, %s, %s, %s, %s)" % (
            self.rng.randint(0, 300) if new_id is None else new_id,
            self.sku(), self.location(), self.channel(), self.qty(), self.at(),
            self.status())

    def where(self):
        kind = self.rng.random()
        if kind < 0.6:
            return "id = %d" % self.rng.randint(0, 300)
        if kind < 0.9:
            low = self.rng.randint(0, 300)
            return "id BETWEEN %d AND %d" % (low, low + self.rng.randint(0, 30))
        return "sku = %s" % self.rng.choice(self.shop.skus)

    def assignment(self):
        what = self.rng.choice(["sku", "location", "channel", "qty", "at",
                                "status", "qty = qty"])
        if what == "qty = qty":
            return what
        return "%s = %s" % (what, getattr(self, what)())

    def target(self):
        """The order table, or now and then a partition of it directly."""
        if (self.shop.direct and self.shop.partitioned
                and self.rng.random() < 0.3):
            return "%s_p%d" % (self.shop.orders, self.rng.randint(0, 1))
        return self.shop.orders

    def statement(self):
        """One statement of the shop; a pair (statement, data) for COPY."""
        orders, stock, rng = self.shop.orders, self.shop.stock, self.rng
        columns = "(id, sku, location, channel, qty, at, status)"
        kind = rng.choices(
            ["insert", "rows", "series", "copy", "update", "update2", "delete",
             "upsert", "merge", "cte", "truncate", "stock", "stock_update",
             "stock_delete", "stock_truncate", "add_column"],
            [14, 8, 3, 4, 12, 6, 8, 8, 5, 4, 1, 8, 8, 3, 0.5, 0.3])[0]
        if kind == "insert":
            return "INSERT INTO %s %s VALUES %s" % (
                orders, columns, self.row())
        if kind == "rows":
            first = rng.randint(0, 300)
            rows = [self.row(first + i) for i in range(rng.randint(2, 20))]
            return ("INSERT INTO %s %s VALUES %s ON CONFLICT DO NOTHING" % (
                orders, columns, ", ".join(rows)))
        if kind == "series":
            return ("INSERT INTO %s %s SELECT g, %s, %s, %s, g %% 7, "
                    "now() - g * interval '1 minute', 'paid' "
                    "FROM generate_series(%d, %d) g ON CONFLICT DO NOTHING" % (
                        orders, columns, self.sku(), self.location(),
                        self.channel(), 400 + rng.randint(0, 100),
                        520 + rng.randint(0, 200)))
        if kind == "copy":
            first = 1000 + rng.randint(0, 10 ** 6)
            lines = ["%d\t%s\t%s\tcopied\t%d\t%s\tpaid\n" % (
                first + i, rng.choice(self.shop.skus).strip("'"),
                rng.choice(["east", "west", "\\N"]), rng.randint(0, 9),
                time.strftime("%Y-%m-%d %H:%M:00+00",
                              time.gmtime(time.time() - rng.randint(0, 10**6))))
                for i in range(rng.randint(1, 60))]
            return ("COPY %s %s FROM STDIN" % (orders, columns),
                    "".join(lines))
        if kind == "update":
            return "UPDATE %s SET %s WHERE %s" % (
                self.target(), self.assignment(), self.where())
        if kind == "update2":
            return "UPDATE %s SET qty = %s, sku = %s, at = %s WHERE %s" % (
                orders, self.qty(), self.sku(), self.at(), self.where())
        if kind == "delete":
            return "DELETE FROM %s WHERE %s" % (self.target(), self.where())
        if kind == "upsert":
            return ("INSERT INTO %s %s VALUES %s, %s ON CONFLICT (id) DO "
                    "UPDATE SET qty = excluded.qty, sku = excluded.sku" % (
                        orders, columns, self.row(), self.row()))
        if kind == "merge":
            low = rng.randint(0, 300)
            return ("MERGE INTO %s o USING generate_series(%d, %d) g "
                    "ON o.id = g "
                    "WHEN MATCHED AND g %% 3 = 0 THEN DELETE "
                    "WHEN MATCHED THEN UPDATE SET %s "
                    "WHEN NOT MATCHED THEN INSERT %s VALUES "
                    "(g, %s, %s, %s, %s, %s, %s)" % (
                        orders, low, low + rng.randint(0, 20),
                        self.assignment().replace("qty = qty",
                                                  "qty = o.qty"), columns,
                        self.sku(), self.location(), self.channel(),
                        self.qty(), self.at(), self.status()))
        if kind == "cte":
            return ("WITH d AS (DELETE FROM %s WHERE %s RETURNING id), "
                    "u AS (UPDATE %s SET on_hand = on_hand + 1 WHERE %s) "
                    "INSERT INTO %s %s SELECT id + 2000000, %s, %s, %s, %s, "
                    "%s, 'paid' FROM d ON CONFLICT DO NOTHING" % (
                        orders, self.where(), stock,
                        "sku = %s" % rng.choice(self.shop.skus), orders,
                        columns, self.sku(), self.location(), self.channel(),
                        self.qty(), self.at()))
        if kind == "truncate":
            return "TRUNCATE %s" % self.target()
        if kind == "stock":
            rows = ["(%s, %s, %s, %d, %d)" % (
                self.sku(), self.location(),
                rng.choice(["NULL", "%d" % rng.randint(-5, 500), "12.5"]),
                rng.randint(0, 5), rng.randint(0, 50))
                for _ in range(rng.randint(1, 4))]
            return "INSERT INTO %s VALUES %s" % (stock, ", ".join(rows))
        if kind == "stock_update":
            what = rng.choice(["on_hand = on_hand - 1", "reserved = 3",
                               "on_order = on_order + 10",
                               "location = %s" % self.location(),
                               "sku = %s" % self.sku()])
            return "UPDATE %s SET %s WHERE sku = %s" % (
                stock, what, rng.choice(self.shop.skus))
        if kind == "stock_delete":
            return "DELETE FROM %s WHERE sku = %s" % (
                stock, rng.choice(self.shop.skus))
        if kind == "stock_truncate":
            return "TRUNCATE %s" % stock
        return "ALTER TABLE %s ADD COLUMN extra_%d int" % (
            orders, rng.getrandbits(30))


class Session:
    """One connection that sends a random run of statements."""

    def __init__(self, dsn, name, shop, rng, log, mode, prepare):
        self.conn = psycopg2.connect(dsn)
        self.conn.autocommit = True
        self.cursor = self.conn.cursor()
        self.name = name
        self.shop = shop
        self.rng = rng
        self.log = log
        self.mode = mode
        self.prepare = prepare
        self.writer = Writer(shop, rng)
        self.in_transaction = False
        self.plain = True           # the transaction has read committed level
        self.savepoints = 0
        self.prepared = []
        self.statements = 0
        self.refused = 0
        self.send("SET lock_timeout = '40ms'")

    def close(self):
        self.conn.close()

    def send(self, sql, data=None):
        """Send one statement; False where the shop's own limits refused it."""
        self.log.add(self.name, sql)
        self.statements += 1
        try:
            if data is None:
                self.cursor.execute(sql)
            else:
                self.cursor.copy_expert(sql, io.StringIO(data))
            return True
        except psycopg2.Error as error:
            self.log.add(self.name, "-- %s %s" % (
                error.pgcode, str(error).strip().split("\n")[0]))
            if error.pgcode not in ALLOWED:
                raise Failure("%s: unexpected error %s: %s\n  %s" % (
                    self.name, error.pgcode, str(error).strip(), sql))
            self.refused += 1
            return False

    def undo(self):
        """After a refused statement: back to a savepoint, or altogether."""
        if not self.in_transaction:
            return
        if self.savepoints and self.rng.random() < 0.7:
            self.send("ROLLBACK TO s%d" % self.savepoints)
        else:
            self.end("ROLLBACK")

    def begin(self):
        level = self.rng.choices(
            ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"],
            [6, 2, 2])[0]
        self.send("BEGIN ISOLATION LEVEL %s" % level)
        self.plain = level == "READ COMMITTED"
        self.in_transaction = True
        self.savepoints = 0

    def end(self, how):
        self.in_transaction = False
        self.savepoints = 0
        self.send(how)

    def step(self):
        """One random step."""
        rng = self.rng
        r = rng.random()
        if r < 0.05 and not self.in_transaction:
            self.begin()
        elif r < 0.25 and self.in_transaction:
            how = rng.random()
            if how < 0.65:
                self.end("COMMIT")
            elif how < 0.85 or not self.prepare:
                self.end("ROLLBACK")
            else:
                gid = "%s-%d" % (self.shop.orders, rng.getrandbits(40))
                self.in_transaction = False
                self.savepoints = 0
                if self.send("PREPARE TRANSACTION '%s'" % gid):
                    self.prepared.append(gid)
        elif r < 0.30 and not self.in_transaction:
            self.begin()
        elif r < 0.36 and self.in_transaction:
            self.savepoints += 1
            self.send("SAVEPOINT s%d" % self.savepoints)
        elif r < 0.40 and self.savepoints:
            self.send("ROLLBACK TO s%d" % self.savepoints)
        elif r < 0.42 and self.savepoints:
            self.send("RELEASE s%d" % self.savepoints)
            self.savepoints -= 1
        elif r < 0.45 and self.prepared and not self.in_transaction:
            self.finish_prepared()
        elif r < 0.52 and not self.in_transaction:
            self.send("SELECT replenish.tick()")
        elif r < 0.55 and (self.plain or not self.in_transaction):
            self.verify()
        elif r < 0.56 and not self.in_transaction:
            self.send("CALL replenish.backfill('%s')" % rng.choice(
                [self.shop.orders, self.shop.stock]))
        elif r < 0.565 and not self.in_transaction:
            self.send("CALL replenish.repair()")
        else:
            statement = self.writer.statement()
            data = None
            if isinstance(statement, tuple):
                statement, data = statement
            if not self.send(statement, data):
                self.undo()

    def finish_prepared(self):
        self.send("%s PREPARED '%s'" % (
            self.rng.choice(["COMMIT", "COMMIT", "ROLLBACK"]),
            self.prepared.pop()))

    def finish(self):
        """Leave no transaction open."""
        if self.in_transaction:
            self.end(self.rng.choice(["COMMIT", "ROLLBACK"]))
        while self.prepared:
            self.finish_prepared()

    def verify(self):
        """verify() must find nothing, whatever else is under way."""
        if not self.send("SELECT * FROM replenish.verify()"):
            self.undo()
            return
        rows = self.cursor.fetchall()
        if not rows:
            return
        names = [d[0] for d in self.cursor.description]
        raise Failure("%s: verify() found %d difference(s):\n  %s" % (
            self.name, len(rows), "\n  ".join(
                str(dict(zip(names, r))) for r in rows[:10])))

    def check_status(self, join):
        """The stock that status shows is the sum of the stock table."""
        self.send("""
            WITH shop AS (
              SELECT sku::text AS sku, coalesce(location, 'default') AS location,
                     coalesce(sum(on_hand), 0) AS on_hand,
                     coalesce(sum(reserved), 0) AS reserved,
                     coalesce(sum(on_order), 0) AS on_order
              FROM %s WHERE sku IS NOT NULL AND on_hand IS NOT NULL
              GROUP BY 1, 2),
            seen AS (
              SELECT sku, location, on_hand, reserved, on_order
              FROM replenish.status
              WHERE sku IN (%s))
            SELECT sku, location, shop.*, seen.*
            FROM shop %s seen USING (sku, location)
            WHERE (coalesce(shop.on_hand, 0), coalesce(shop.reserved, 0),
                   coalesce(shop.on_order, 0))
               IS DISTINCT FROM
                  (coalesce(seen.on_hand, 0)::numeric,
                   coalesce(seen.reserved, 0)::numeric,
                   coalesce(seen.on_order, 0)::numeric)
            ORDER BY 1, 2""" % (
                self.shop.stock,
                ", ".join("(%s::%s)::text" % (sku, self.shop.key_type)
                          for sku in self.shop.skus), join))
        rows = self.cursor.fetchall()
        if rows:
            raise Failure("status differs from the stock table:\n  %s" %
                          "\n  ".join(str(r) for r in rows[:10]))


def run_together(sessions, steps):
    """Let every session run in a thread of its own."""
    errors = []

    def work(session):
        try:
            for _ in range(steps):
                session.step()
            session.finish()
        except Exception as error:      # reported by the caller
            errors.append(error)

    threads = [threading.Thread(target=work, args=(s,)) for s in sessions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def run_round(number, seed, options, databases):
    """One shop, from its tables' creation to their end."""
    rng = random.Random("%d/%d" % (seed, number))
    mode = options.mode or rng.choice(MODES)
    together = number % 2 == 0
    shop = Shop(rng, number, options.direct)
    log = Log()
    dsn = "dbname=%s" % databases[mode]
    # An immediate decision notifies in the order's own transaction.
    prepare = mode in ("manual", "worker")
    sessions = []
    what = "round %d (%s, %s, %s)" % (
        number, mode, "together" if together else "interleaved",
        shop.describe())
    if options.verbose:
        print(what, flush=True)
    try:
        admin = Session(dsn, "admin", shop, rng, log, mode, False)
        sessions.append(admin)
        admin.send("SET lock_timeout = '10s'")
        for sql in shop.create():
            admin.send(sql)
        writer = Writer(shop, rng)
        for _ in range(5):
            statement = writer.statement()
            if isinstance(statement, str):
                admin.send(statement)
        for sql in shop.watch():
            admin.send(sql)
        for table in (shop.orders, shop.stock):
            admin.send("CALL replenish.backfill('%s')" % table)
        for i in range(3):
            sessions.append(Session(
                dsn, "s%d" % (i + 1), shop,
                random.Random("%d/%d/%d" % (seed, number, i)), log, mode,
                prepare))
        for _ in range(3):
            if together:
                run_together(sessions[1:], 40)
            else:
                for _ in range(120):
                    rng.choice(sessions[1:]).step()
                for session in sessions[1:]:
                    session.finish()
            admin.verify()
            admin.check_status("JOIN")      # the rest is not decided yet
            admin.send("SELECT replenish.tick()")
            admin.verify()
            admin.check_status("FULL JOIN")
        if rng.random() < 0.5:
            for table in (shop.orders, shop.stock):
                admin.send("SELECT replenish.unwatch('%s')" % table)
        for sql in shop.drop():
            admin.send(sql)
        admin.send("SELECT replenish.tick()")
        admin.verify()
        return (sum(s.statements for s in sessions),
                sum(s.refused for s in sessions))
    except (Failure, psycopg2.Error) as error:
        print("--- statements of %s" % what)
        print("\n".join(log.lines))
        print("--- %s, seed %d failed: %s" % (what, seed, error))
        print("--- repeat with: --seed %d --round %d" % (seed, number))
        raise Failure(str(error))
    finally:
        for session in sessions:
            session.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int,
                        default=random.SystemRandom().randrange(10 ** 6))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--round", type=int, help="this round only")
    parser.add_argument("--mode", choices=MODES, help="this mode only")
    parser.add_argument("--direct", action="store_true",
                        help="also write to partitions by their own names")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    print("property test, seed %d" % options.seed, flush=True)

    databases = {}
    root = psycopg2.connect("")
    root.autocommit = True
    cursor = root.cursor()
    for mode in MODES:
        databases[mode] = "property_%s" % mode
        cursor.execute("CREATE DATABASE %s" % databases[mode])
        cursor.execute("ALTER DATABASE %s SET replenish.evaluate = '%s'" % (
            databases[mode], mode))
        with psycopg2.connect(dbname=databases[mode]) as conn:
            conn.cursor().execute("CREATE EXTENSION replenish")
        conn.close()

    until = time.monotonic() + options.seconds
    number = options.round or 0
    passed = statements = refused = 0
    try:
        while True:
            if options.round is None:
                number += 1
            n, r = run_round(number, options.seed, options, databases)
            passed += 1
            statements += n
            refused += r
            if options.round is not None or time.monotonic() >= until:
                break
        failed = 0
    except Failure:
        failed = 1
    print("%d rounds, %d statements, %d refused by the shop's own locks" % (
        passed + failed, statements, refused))
    print("%d passed, %d failed" % (passed, failed))
    return failed


if __name__ == "__main__":
    sys.exit(main())
