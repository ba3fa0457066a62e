#!/usr/bin/python3
"""Processes of a server are killed at random moments; nothing is lost.

A shop is under load: orders of several sessions in all manners of
transactions, somebody who watches, recounts, and moves partitions about, the
worker that decides, a listener, and in a database beside it an extension that
is installed, updated and dropped over and over.  Then a process is killed
(kill -9): a session's, the worker's, a parallel worker's, one of the server's
own, the postmaster's; or the server is shut down at once.  After its recovery
verify() finds no difference, an independent count agrees (oracle.py), no event
is lost, doubled or another than was heard, what was prepared can be committed,
and the first session brings the worker back.
"""

import argparse
import random
import re
import sys
import time
from collections import Counter

import psycopg2

import server
import shop
from keeper import Keeper, Life, create_life
from load import Ledger, Listener, Orders
from oracle import Oracle, check_life
from server import Failure, connect, rows, until

WORKERS = """SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'replenish worker' AND datname = 'shop'"""


def brief(statement):
    """A statement by its first words."""
    return re.sub(r"[ \n]+", " ", re.sub(r"[ (]*(%.*|\(.*|'[^ ]*'.*|VALUES.*)",
                                        "", statement))[:48].strip()


class Run:
    """A shop, and what was done to it."""

    def __init__(self, options):
        self.options = options
        self.ledger = Ledger()
        self.oracle = Oracle(self.ledger)
        self.killed = Counter()
        self.busy = Counter()       # what the killed ones were doing
        self.interrupted = Counter()    # what was not answered any more
        self.orders = 0
        self.pages = 0              # of the inbox, and how often they shrank
        self.trimmed = 0
        self.listener = None

    def create(self):
        admin = connect("postgres")
        for name in ("shop", "life"):
            rows(admin, "CREATE DATABASE " + name)
            # whoever promises anything must see to it himself
            rows(admin, "ALTER DATABASE %s SET synchronous_commit = off" %
                 name)
        rows(admin, "ALTER DATABASE shop SET replenish.quiet_start = off")
        admin.close()
        conn = connect("shop", evaluate="manual")
        shop.create(conn)
        conn.close()
        conn = connect("life")
        create_life(conn)
        conn.close()

    def begin(self, watcher, rng):
        """The first session brings the worker back, which decides and
        tells."""
        expect = rows(watcher, WORKERS)
        if expect:
            raise Failure("there is a worker already: %s" % expect)
        self.listener = Listener()
        self.listener.start()
        tier = self.oracle.tiers.get("beat", "normal")
        conn = connect("shop", "first")
        if rng.random() < 0.2:
            rows(conn, "SELECT * FROM replenish.status")
            until("who only reads brings the worker back",
                  lambda: rows(watcher, WORKERS))
        rows(conn, "INSERT INTO stock VALUES ('beat', %s)",
             -980 if tier == "normal" else 980)
        conn.close()
        known = len(self.oracle.events)
        until("the first order is decided and told", lambda: any(
            facts and facts[1] == "beat" and facts[2] == tier
            for first, _, facts in self.listener.heard if first > known))
        if len(rows(watcher, WORKERS)) != 1:
            raise Failure("not one worker: %s" % rows(watcher, WORKERS))

    def cycle(self, number):
        rng = random.Random("%d/%d" % (self.options.seed, number))
        watcher = server.connect_again("postgres")
        self.begin(watcher, rng)
        evaluate = "immediate" if rng.random() < 0.15 else None

        def seed():
            return random.Random(rng.random())
        clients = [Orders("order %d" % i, seed(), self.ledger, evaluate)
                   for i in range(4)]
        clients += [Keeper("keeper", seed()), Life("life", seed())]
        for client in clients:
            client.start()
        until("orders go in", lambda: any(c.gone.is_set() for c in clients)
              or sum(c.done for c in clients[:4]) > rng.choice([0, 10, 40]))
        time.sleep(rng.choice([0, 0.02, 0.1, 0.3]))
        self.wait_for_turn(rng)
        kinds = [k for k in server.VICTIMS
                 if not self.options.victim or k in self.options.victim]
        kind, what = server.kill(watcher, rng.choices(
            kinds, [server.VICTIMS[k] for k in kinds])[0], rng)
        if not any(c.gone.wait(5) for c in clients[:1]):
            # it was a process that had ended by itself
            kind, what = server.kill(watcher, "order", rng)
        self.killed[kind] += 1
        self.busy["%s: %s" % (kind, brief(what))] += 1
        for client in clients + [self.listener]:
            client.join(server.PATIENCE)
            if client.is_alive():
                raise Failure("%s outlives a crash: %s" % (client.name, what))
        watcher.close()
        if kind in ("postmaster", "immediate"):
            server.start()
        for client in clients:
            if client.failure:
                raise Failure("%s: %s" % (client.name, client.failure))
            if client.sent:
                self.interrupted["%s: %s" % (
                    client.name.split()[0], brief(client.sent))] += 1
        self.orders += sum(c.done for c in clients[:4])
        self.look(rng, evaluate is None, "%s (%s)" % (kind, what))

    def wait_for_turn(self, rng):
        """At times, kill when the inbox's tables take turns."""
        left = 60 - time.time() % 60
        if left < 2 or rng.random() < 0.02 and left < 15:
            time.sleep(max(0, left + rng.uniform(-0.05, 0.15)))
            self.busy["(at the turn of the minute)"] += 1

    def look(self, rng, in_turn, after):
        conn = server.connect_again("shop")
        try:
            self.oracle.check(conn, self.listener, rng, in_turn)
            pages = rows(conn, "SELECT pg_relation_size("
                         "'replenish.inbox_even') + pg_relation_size("
                         "'replenish.inbox_odd')")[0][0] // 8192
            self.trimmed += pages < self.pages
            self.pages = pages
            # of what is prepared no row can be deleted
            if not self.oracle.kept and rows(
                    conn, "SELECT count(*) > 4000 FROM receipt")[0][0]:
                rows(conn, "DELETE FROM orders WHERE random() < 0.8")
                rows(conn, "DELETE FROM lines WHERE random() < 0.8")
                rows(conn, "TRUNCATE receipt")
                self.ledger.clear()
                self.oracle.settle(conn)
                self.oracle.check_verify(conn, "when old orders went")
        except (Failure, psycopg2.Error) as failure:
            raise Failure("after kill of %s: %s" % (after, failure))
        finally:
            conn.close()
        conn = server.connect_again("life")
        try:
            check_life(conn, rng)
        except (Failure, psycopg2.Error) as failure:
            raise Failure("life after kill of %s: %s" % (after, failure))
        finally:
            conn.close()

    def report(self):
        for title, counts in (("killed", self.busy),
                              ("interrupted", self.interrupted)):
            print("--- %s:" % title)
            for what, n in sorted(counts.items()):
                print("%6d  %s" % (n, what))
        print("%d orders, %d events, the inbox emptied %d times, killed: %s" % (
            self.orders, len(self.oracle.events), self.trimmed, ", ".join(
                "%s %d" % k for k in self.killed.most_common())))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int,
                        default=random.SystemRandom().randrange(10 ** 6))
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seconds", type=float,
                        help="stop after so long, however many kills")
    parser.add_argument("--victim", choices=server.VICTIMS, action="append",
                        help="kill these only")
    options = parser.parse_args()
    print("crash test, seed %d" % options.seed, flush=True)
    run = Run(options)
    run.create()
    begun = time.monotonic()
    failed = 0
    done = 0
    while done < options.kills and not failed and (
            options.seconds is None
            or time.monotonic() - begun < options.seconds):
        try:
            run.cycle(done)
            done += 1
        except Failure as failure:
            print("--- the server's log:\n" + server.last_words())
            print("--- kill %d failed: %s" % (done, failure))
            failed = 1
        if done % 50 == 0:
            print("%d kills in %d s" % (done, time.monotonic() - begun),
                  flush=True)
    run.report()
    print("%d passed, %d failed" % (done, failed))
    return failed


if __name__ == "__main__":
    sys.exit(main())
