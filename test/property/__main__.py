#!/usr/bin/python3
"""Random statements at watched tables must leave nothing for verify() to find.

Every round makes a shop (order lines, perhaps with headers, stock or snapshots
of it, perhaps purchase orders and counts of viewers, with keys of a random
type, in plain tables, partitions or inheritance trees; shop.py), watches it, and lets several sessions loose on it:
inserts, COPY, updates of every column, upserts, MERGE, TRUNCATE, savepoints,
prepared transactions, bad values, at every isolation level and as a
replication would; partitions that come and go, tables and columns that are
renamed, codes that get another meaning; with ticks in between.  Odd rounds
interleave the sessions in one thread, so that a seed repeats them exactly;
even rounds run them at the same time.  At any moment, in any session,
replenish.verify() must return no row, and replenish.status must show what the
shop's own tables say (oracle.py).
"""

import argparse
import random
import sys
import threading
import time
from collections import Counter

import psycopg2

import oracle
from common import Failure, Log
from session import Session
from shop import Shop

FEATURES = ["status", "headers", "snapshots", "aliases", "replica", "changes",
            "parts", "workers", "inbound", "audience"]
MODES = ["manual", "worker", "immediate", "auto"]


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


def escape(admin):
    """Rows that no trigger saw are found and mended."""
    table = admin.rng.choice(admin.shop.watched())
    admin.send("ALTER TABLE %s DISABLE TRIGGER USER" % table.name)
    admin.send(admin.writer.insert(table))
    admin.send(admin.writer.delete(table))
    admin.send("ALTER TABLE %s ENABLE TRIGGER USER" % table.name)
    admin.send(admin.writer.insert(table))
    admin.send("CALL replenish.repair()")
    admin.verify()


def rewatch(admin):
    """What is watched anew counts once."""
    for sql in admin.shop.unwatch():
        admin.send(sql)
    admin.send(admin.writer.insert(admin.shop.lines))
    start(admin)
    admin.verify()


def start(admin):
    for sql in admin.shop.watch():
        admin.send(sql)
    for table in admin.shop.watched():
        admin.send("CALL replenish.backfill('%s')" % table.name)


def settle(admin):
    """Nobody writes: both views of the shop are the same, decided or not."""
    admin.verify()
    oracle.check(admin, False)
    if admin.rng.random() < 0.1:
        escape(admin)
    if admin.rng.random() < 0.1:
        rewatch(admin)
    # of what was recounted a tick may take a part
    while True:
        admin.send("SELECT replenish.tick()")
        admin.verify()
        if not admin.rows("SELECT FROM replenish.backlog LIMIT 1"):
            break
    oracle.check(admin, True)


def play(admin, sessions, together):
    """A round, from its tables' creation to their end."""
    shop, rng = admin.shop, admin.rng
    admin.send("SET lock_timeout = '10s'")
    for sql in shop.create():
        admin.send(sql)
    for _ in range(5):
        statement = admin.writer.statement()
        if isinstance(statement, str):
            admin.send(statement)
    start(admin)
    for _ in range(3):
        if together:
            run_together(sessions, 40)
        else:
            for _ in range(120):
                rng.choice(sessions).step()
            for session in sessions:
                session.finish()
        settle(admin)
    if rng.random() < 0.5:
        for sql in shop.unwatch():
            admin.send(sql)
    for sql in shop.drop():
        admin.send(sql)
    admin.send("SELECT replenish.tick()")
    admin.verify()


def run_round(number, seed, options, databases):
    """One shop; returns what happened in it."""
    rng = random.Random("%d/%d" % (seed, number))
    mode = options.mode or rng.choice(MODES)
    together = number % 2 == 0
    log = Log()
    dsn = "dbname=%s" % databases[mode]
    # An immediate decision notifies in the order's own transaction.
    prepare = mode in ("manual", "worker")
    shop = Shop(rng, number, options.server, options.without)
    what = "round %d (%s, %s, %s)" % (
        number, mode, "together" if together else "interleaved",
        shop.described())
    if options.verbose:
        print(what, flush=True)
    sessions = []
    try:
        admin = Session(dsn, "admin", shop, rng, log, False)
        sessions.append(admin)
        for i in range(3):
            sessions.append(Session(
                dsn, "s%d" % (i + 1), shop,
                random.Random("%d/%d/%d" % (seed, number, i)), log, prepare))
        play(admin, sessions[1:], together)
        return Counter(statements=sum(s.statements for s in sessions),
                       refused=sum(s.refused for s in sessions),
                       changes=sum(s.changes for s in sessions))
    except (Failure, psycopg2.Error) as error:
        print("--- statements of %s" % what)
        print("\n".join(log.lines))
        print("--- %s, seed %d failed: %s" % (what, seed, error))
        print("--- repeat with: --seed %d --round %d" % (seed, number))
        raise Failure(str(error))
    finally:
        for session in sessions:
            session.close()


def create_databases():
    """One for each way to have decisions made."""
    databases = {}
    root = psycopg2.connect("")
    root.autocommit = True
    cursor = root.cursor()
    for mode in MODES:
        name = databases[mode] = "property_%s" % mode
        cursor.execute("CREATE DATABASE %s" % name)
        cursor.execute("ALTER DATABASE %s SET replenish.evaluate = '%s'" % (
            name, mode))
        cursor.execute("ALTER DATABASE %s SET replenish.quiet_start = off" %
                       name)
        with psycopg2.connect(dbname=name) as conn:
            conn.cursor().execute("CREATE EXTENSION replenish")
        conn.close()
    return databases, root.server_version


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int,
                        default=random.SystemRandom().randrange(10 ** 6))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--round", type=int, help="this round only")
    parser.add_argument("--mode", choices=MODES, help="this mode only")
    parser.add_argument("--without", choices=FEATURES, action="append",
                        default=[], help="no shop that has this")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    print("property test, seed %d" % options.seed, flush=True)

    databases, options.server = create_databases()
    until = time.monotonic() + options.seconds
    number = options.round or 0
    passed = failed = 0
    count = Counter()
    try:
        while True:
            if options.round is None:
                number += 1
            count += run_round(number, options.seed, options, databases)
            passed += 1
            if options.round is not None or time.monotonic() >= until:
                break
    except Failure:
        failed = 1
    print("%d rounds, %d statements, %d refused by the shop's own locks,"
          " %d changes of tables" % (passed + failed, count["statements"],
                                     count["refused"], count["changes"]))
    print("%d passed, %d failed" % (passed, failed))
    return failed


if __name__ == "__main__":
    sys.exit(main())
