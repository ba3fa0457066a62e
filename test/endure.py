#!/usr/bin/python3
"""A long day of a shop, and what grows on the way.

Run it with "make endure" (an hour; SECONDS=20 is a short form that is part of
"make test").  Orders come at a steady rate, in one table and as headers with
lines, and are cancelled; stock is counted, sold and filled up; statuses are
read; policies change; old orders are deleted; a program listens and reads the
events after its cursor; autovacuum has the server's defaults.  In the third of
four phases a snapshot stays open, as a dump or a report would keep it;
--snapshot has it open from the end of the warm-up to the end of all.

Every so often it is noted how large each table and index of ours is, what a
movement costs the worker in CPU and the server in WAL, the memory of the
worker and of the sessions, how long orders take, and how long it is from a
commit to its notification.  At the end the phases are compared: what is flat
stays within what is written beside it.  CPU is the process's own
(/proc/PID/schedstat), so that other work on the machine shows little.
"""

import argparse
import json
import os
import random
import select
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import psycopg2

PHASES = ["warm-up", "plain", "snapshot", "after"]
SHARES = [0.20, 0.25, 0.30, 0.25]
ITEMS = 2000
PROBE = "probe"

SCHEMA = """
SET replenish.evaluate = manual;
CREATE EXTENSION IF NOT EXISTS replenish;
CREATE TABLE sale (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL, qty integer NOT NULL, channel text NOT NULL,
    status text NOT NULL DEFAULT 'paid',
    at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX ON sale (at);
CREATE TABLE basket (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel text NOT NULL, status text NOT NULL DEFAULT 'paid',
    at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX ON basket (at);
CREATE TABLE basket_line (basket bigint NOT NULL REFERENCES basket,
    line integer NOT NULL, sku text NOT NULL, qty integer NOT NULL,
    PRIMARY KEY (basket, line));
CREATE TABLE stock (sku text PRIMARY KEY, on_hand integer NOT NULL)
    WITH (fillfactor = 50);
INSERT INTO stock SELECT 'sku-' || i, 100 + i % 100
    FROM generate_series(1, {items}) i UNION ALL SELECT '{probe}', 1000;
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', channel => 'channel',
    status => 'status', counted => '{{paid}}', keep => '{keep} minutes');
SELECT replenish.watch_orders('basket_line', 'sku', 'qty', 'at',
    channel => 'channel', status => 'status', counted => '{{paid}}',
    header => 'basket', header_key => 'basket', keep => '{keep} minutes');
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('{probe}', 100);
INSERT INTO replenish.policy (fixed_threshold) VALUES (60);
CALL replenish.backfill('sale');
CALL replenish.backfill('basket_line');
CALL replenish.backfill('stock');
SELECT replenish.tick();
SELECT replenish.go_live();
"""

# What the shop's sessions do: its weight, its movements, and how.
SCRIPTS = {
    "order": (50, """
\\set i random(1, {items})
INSERT INTO sale (sku, qty, channel) VALUES ('sku-' || :i, 1, 'web');
"""),
    "basket": (15, """
\\set i random(1, {items})
BEGIN;
INSERT INTO basket (channel) VALUES ('app') RETURNING id \\gset
INSERT INTO basket_line VALUES (:id, 1, 'sku-' || :i, 1),
    (:id, 2, 'sku-' || :i % 1000 + 1, 2), (:id, 3, 'sku-' || :i % 100 + 1, 1);
COMMIT;
"""),
    # sold by ones, filled up when it is low
    "stock": (20, """
\\set i random(1, {items})
UPDATE stock SET on_hand = CASE WHEN on_hand > 20 THEN on_hand - 1
    ELSE 150 END WHERE sku = 'sku-' || :i;
"""),
    "cancel": (6, """
\\set n random(1, 400)
UPDATE sale SET status = 'cancelled'
WHERE id = (SELECT max(id) - :n FROM sale);
"""),
    "cancel basket": (3, """
\\set n random(1, 100)
UPDATE basket SET status = 'cancelled'
WHERE id = (SELECT max(id) - :n FROM basket);
"""),
    "read": (6, """
\\set i random(1, {items})
SELECT * FROM replenish.status WHERE sku = 'sku-' || :i;
"""),
}

RELATIONS = """
SELECT c.relname, pg_relation_size(c.oid) / 1024,
    coalesce(s.n_dead_tup, 0), c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE n.nspname = 'replenish' AND c.relkind IN ('r', 'i')
UNION ALL
SELECT c.relname || ' toast', pg_relation_size(c.reltoastrelid) / 1024, 0, 't'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'replenish' AND c.reltoastrelid <> 0
"""

# One row for each event, for ever: the shop deletes what it has no use for.
APPENDED = {"event", "event_pkey", "event_item_idx", "event toast"}


def connect(name):
    db = psycopg2.connect(application_name=name)
    db.autocommit = True
    return db


def cpu_ns(pid):
    with open("/proc/%d/schedstat" % pid, encoding="ascii") as file:
        return int(file.read().split()[0])


def memory_kb(pid):
    """What a process has for itself: not the shared buffers."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] \
        if values else float("nan")


class Hand(threading.Thread):
    """Somebody who does something again and again in a session of his own."""

    def __init__(self, name, pause, work):
        super().__init__(name=name, daemon=True)
        self.pause, self.work = pause, work
        self.over = threading.Event()
        self.error = None

    def run(self):
        try:
            cursor = connect(self.name).cursor()
            while not self.over.wait(self.pause):
                self.work(cursor)
        except Exception as error:      # told at the end, whatever it is
            self.error = error


class Endurance:
    def __init__(self, options):
        self.options = options
        self.rng = random.Random(7)
        self.samples = []
        self.passed = self.failed = 0
        self.cursor_seq = 0
        self.events = 0
        self.probes = []
        self.log_part = b""
        self.log_at = 0

    def check(self, ok, what):
        print("%-6s %s" % ("ok" if ok else "NOT OK", what), flush=True)
        if ok:
            self.passed += 1
        else:
            self.failed += 1

    # ---- the shop ----

    def start_orders(self):
        self.dir = tempfile.mkdtemp(dir=os.environ["PREFIX"])
        command = [os.path.join(os.environ["PRIVATE_BINDIR"], "pgbench"), "-n",
                   "-M", "prepared", "-c", "6", "-R", str(self.options.rate),
                   "-T", str(self.options.seconds + 600), "-l",
                   "--log-prefix", os.path.join(self.dir, "log")]
        for number, (weight, script) in enumerate(SCRIPTS.values()):
            path = os.path.join(self.dir, "%d.sql" % number)
            with open(path, "w", encoding="ascii") as file:
                file.write(script.format(items=ITEMS))
            command += ["-f", "%s@%d" % (path, weight)]
        self.pgbench = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.log = os.path.join(self.dir, "log.%d" % self.pgbench.pid)

    def read_log(self):
        """Milliseconds of each transaction since the last time, by script."""
        times = [[] for _ in SCRIPTS]
        if os.path.exists(self.log):
            with open(self.log, "rb") as file:
                file.seek(self.log_at)
                said = file.read()
            self.log_at += len(said)
            lines = (self.log_part + said).split(b"\n")
            self.log_part = lines.pop()
            for line in lines:
                field = line.split()
                # not what it waited for a free session
                times[int(field[3])].append(
                    (int(field[2]) - int(field[6])) / 1000)
        return dict(zip(SCRIPTS, times))

    def probe(self, cursor):
        """One item sells out and is filled up in turn: commit to nudge."""
        self.probe_full = not getattr(self, "probe_full", True)
        cursor.execute("UPDATE stock SET on_hand = %s WHERE sku = %s",
                       (1000 if self.probe_full else 1, PROBE))
        committed = time.monotonic()
        while time.monotonic() < committed + 60:
            if select.select([self.listener], [], [], 1)[0]:
                self.listener.poll()
            while self.listener.notifies:
                said = json.loads(self.listener.notifies.pop(0).payload)
                if PROBE in said.get("subject", ""):
                    self.probes.append((time.monotonic() - committed) * 1000)
                    return
        raise RuntimeError("no notification within a minute")

    def consume(self, cursor):
        cursor.execute("SELECT seq FROM replenish.events_after(%s)",
                       (self.cursor_seq,))
        seqs = [row[0] for row in cursor.fetchall()]
        if seqs != list(range(self.cursor_seq + 1,
                              self.cursor_seq + 1 + len(seqs))):
            raise RuntimeError("events after %d: a gap" % self.cursor_seq)
        self.cursor_seq += len(seqs)

    def change_policy(self, cursor):
        cursor.execute("""INSERT INTO replenish.policy (sku, fixed_threshold)
            VALUES (%s, %s) ON CONFLICT (sku, location, channel, scenario)
            DO UPDATE SET fixed_threshold = excluded.fixed_threshold""",
                       ("sku-%d" % self.rng.randint(1, 200),
                        self.rng.randint(40, 80)))
        cursor.execute("SELECT tier, count(*) FROM replenish.status GROUP BY 1")

    def clean(self, cursor):
        """What is older than what is kept for sure goes."""
        old = "clock_timestamp() - interval '%d minutes'" % (
            self.options.keep + 3)
        cursor.execute("DELETE FROM sale WHERE at < " + old)
        cursor.execute("DELETE FROM basket_line l USING basket b"
                       " WHERE b.id = l.basket AND b.at < " + old)
        cursor.execute("DELETE FROM basket b WHERE b.at < " + old +
                       " AND NOT EXISTS (SELECT FROM basket_line l"
                       " WHERE l.basket = b.id)")

    def hold(self, wanted):
        """Keep a snapshot open, or let it go."""
        if wanted and self.holder is None:
            self.holder = psycopg2.connect(application_name="holder")
            self.holder.set_session(isolation_level="REPEATABLE READ",
                                    readonly=True)
            self.held = self.count_seen()
        elif not wanted and self.holder is not None:
            self.check(self.count_seen() == self.held,
                       "the old snapshot sees what it saw at first")
            self.holder.close()
            self.holder = None

    def count_seen(self):
        cursor = self.holder.cursor()
        cursor.execute("""SELECT (SELECT sum(on_hand) FROM replenish.status),
            (SELECT count(*) FROM replenish.event),
            (SELECT count(*) FROM replenish.inbox)""")
        return cursor.fetchone()

    # ---- what it costs ----

    def sample(self, phase, last):
        times = self.read_log()
        probes, self.probes = self.probes, []
        self.cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0',"
                            " replenish.worker_pid(), (SELECT last_seq"
                            " FROM replenish.decider)")
        wal, worker, events = self.cursor.fetchone()
        self.cursor.execute("SELECT pid FROM pg_stat_activity"
                            " WHERE application_name = 'pgbench'")
        sessions = [row[0] for row in self.cursor.fetchall()]
        self.cursor.execute(RELATIONS)
        now = {"time": time.monotonic() - self.begun, "phase": phase,
               "wal": float(wal), "worker": worker, "events": events,
               "cpu": cpu_ns(worker) if worker else 0,
               "worker kB": memory_kb(worker) if worker else 0,
               "session kB": max(memory_kb(pid) for pid in sessions),
               "relations": {row[0]: row[1:] for row in
                             self.cursor.fetchall()},
               "number": sum(len(t) for t in times.values()),
               "order ms": times["order"], "probe ms": probes}
        if last is None or last["worker"] != worker:
            return now
        if not now["number"]:
            return last     # pgbench writes its log in pieces
        moved = max(1, now["number"])
        now["cpu us"] = (now["cpu"] - last["cpu"]) / 1000 / moved
        now["wal B"] = (now["wal"] - last["wal"]) / moved
        now["order p50"] = quantile(times["order"], 0.5)
        now["order p99"] = quantile(times["order"], 0.99)
        now["probe p50"] = quantile(probes, 0.5)
        now["probe p99"] = quantile(probes, 0.99)
        now["size kB"] = sum(v[0] for k, v in now["relations"].items()
                             if k not in APPENDED)
        now["inbox kB"] = sum(now["relations"][k][0] for k in
                              ("inbox_even", "inbox_odd"))
        now["dead"] = sum(v[1] for v in now["relations"].values())
        self.samples.append(now)
        if len(self.samples) == 1:
            print("    s phase     txn/s  worker  WAL  order ms    nudge ms   "
                  "worker session    size   inbox    dead  events")
            print("                       us/txn B/txn  p50   p99   p50   p99"
                  "      kB      kB      kB      kB")
        print("%5d %-9s %5.0f %7.0f %5.0f %4.1f %6.1f %5.1f %5.0f %7d %7d"
              " %7d %7d %7d %7d" % (
                  now["time"], phase, moved / (now["time"] - last["time"]),
                  now["cpu us"], now["wal B"], now["order p50"],
                  now["order p99"], now["probe p50"], now["probe p99"],
                  now["worker kB"], now["session kB"], now["size kB"],
                  now["inbox kB"], now["dead"], events), flush=True)
        return now

    def phase_at(self, second):
        end = 0
        for phase, share in zip(PHASES, SHARES):
            end += share * self.options.seconds
            if second < end:
                return phase
        return PHASES[-1]

    def run(self):
        self.holder = None
        setup = connect("setup")
        setup.cursor().execute(SCHEMA.format(
            items=ITEMS, probe=PROBE, keep=self.options.keep))
        setup.close()
        self.listener = connect("listener")
        self.listener.cursor().execute("LISTEN replenish")
        self.cursor = connect("sampler").cursor()
        self.cursor.execute("SELECT replenish.worker_pid()")
        self.start_orders()
        hands = [Hand("probe", 0.2, self.probe),
                 Hand("consumer", 1, self.consume),
                 Hand("policy", 5, self.change_policy),
                 Hand("cleaner", 10, self.clean)]
        for hand in hands:
            hand.start()
        interval = max(1.0, min(30.0, self.options.seconds / 24))
        self.begun = time.monotonic()
        last = None
        try:
            while time.monotonic() < self.begun + self.options.seconds:
                time.sleep(interval)
                phase = self.phase_at(time.monotonic() - self.begun)
                self.hold(phase == "snapshot" or
                          self.options.snapshot and phase != "warm-up")
                last = self.sample(phase, last)
                if self.pgbench.poll() is not None:
                    raise RuntimeError("pgbench ended: " +
                                       self.pgbench.stderr.read())
                for hand in hands:
                    if hand.error:
                        raise hand.error
        finally:
            for hand in hands:
                hand.over.set()
            for hand in hands:
                hand.join()
            self.pgbench.terminate()
            self.pgbench.wait()
        for hand in hands:
            if hand.error:
                raise hand.error
        self.hold(False)

    # ---- the verdict ----

    def median(self, phase, what, share=(0, 1)):
        """The median over a phase, or over a part of it."""
        values = [s[what] for s in self.samples if s["phase"] == phase]
        values = [v for v in values[int(len(values) * share[0]):
                                    max(1, int(len(values) * share[1]))]
                  if v == v]
        return statistics.median(values) if values else float("nan")

    def least(self, phase, what):
        return min(s[what] for s in self.samples if s["phase"] == phase)

    def flat(self, what, unit, before, after, factor, more=0):
        self.check(after <= before * factor + more,
                   "%-52s %9.1f -> %9.1f %s (x %.2f, at most x %.2f%s)" % (
                       what, before, after, unit,
                       after / before if before else 1, factor,
                       " + %g" % more if more else ""))

    def compare(self):
        plain, late = "plain", PHASES[-1]
        second = (0.5, 1)
        # a leak lifts the floor; malloc keeps a block of 8 MB for a while
        for what in ("worker", "session"):
            self.flat("memory of the %s, least" % what, "kB",
                      self.least(plain, what + " kB"),
                      self.least(late, what + " kB"), 1, 9216)
        if self.options.seconds < 600:
            return      # too short for more
        base, during = plain, "snapshot"
        if self.options.snapshot:
            base, during = PHASES[0], late
        self.flat("worker's CPU behind an old snapshot", "us per transaction",
                  self.median(base, "cpu us", second),
                  self.median(during, "cpu us", second), 2)
        self.flat("nudge behind an old snapshot, median", "ms",
                  self.median(base, "probe p50", second),
                  self.median(during, "probe p50", second), 2, 10)
        if self.options.snapshot:
            return      # what it still sees cannot go
        # the size when there was no old snapshot, and what is left of one
        # the rows lie in the many pages that the snapshot made, and stay there
        self.flat("worker's CPU, after it", "us per transaction",
                  self.median(plain, "cpu us"),
                  self.median(late, "cpu us", second), 2)
        self.flat("worker's CPU, from then on", "us per transaction",
                  self.median(late, "cpu us", (0, 0.5)),
                  self.median(late, "cpu us", second), 1.25)
        self.flat("WAL", "B per transaction", self.median(plain, "wal B"),
                  self.median(late, "wal B", second), 1.15)
        self.flat("order, median", "ms", self.median(plain, "order p50"),
                  self.median(late, "order p50", second), 1.3, 0.5)
        self.flat("order, 99 %", "ms", self.median(plain, "order p99"),
                  self.median(late, "order p99", second), 2, 10)
        self.flat("nudge, median", "ms", self.median(plain, "probe p50"),
                  self.median(late, "probe p50", second), 1.5, 5)
        self.flat("nudge, 99 %", "ms", self.median(plain, "probe p99"),
                  self.median(late, "probe p99", second), 2, 20)
        self.flat("dead rows", "", self.median(plain, "dead", second),
                  self.median(late, "dead", second), 1.5, 20000)
        for phase in (plain, late):
            self.grown(phase)

    def grown(self, phase):
        """Whatever is larger at its peak in a phase's second half.

        The two tables of the inbox fill and are emptied in turn, so how large
        they are at one moment says nothing.
        """
        part = [s for s in self.samples if s["phase"] == phase]
        halves = part[:len(part) // 2], part[len(part) // 2:]
        for name in sorted(part[-1]["relations"]):
            before, after = (max(s["relations"].get(name, (0,))[0] for s in half)
                             for half in halves)
            if name not in APPENDED and after > before * 1.05 + 256:
                self.flat("%s, %s" % (name, phase), "kB", before, after,
                          1.05, 256)
        before, after = (max(s["size kB"] for s in half) for half in halves)
        self.flat("all but events, %s" % phase, "kB", before, after, 1.05, 1024)

    def sizes(self):
        """Each relation at the end of each phase."""
        ends = [[s for s in self.samples if s["phase"] == phase][-1]
                for phase in PHASES]
        print("\n%-28s%s" % ("kB (dead rows)", "".join(
            "%20s" % p for p in PHASES)))
        for name in sorted(ends[-1]["relations"]):
            cells = [s["relations"].get(name, (0, 0)) for s in ends]
            if max(c[0] for c in cells) > 64:
                print("%-28s%s" % (name, "".join(
                    "%11d %8s" % (c[0], "(%d)" % c[1] if c[1] else "")
                    for c in cells)))
        print()

    def finish(self):
        """All is counted."""
        self.cursor.execute("SET replenish.evaluate = manual")
        for _ in range(100):
            self.cursor.execute("SELECT replenish.tick()")
            self.cursor.execute("SELECT replenish.inbox_waits()")
            if not self.cursor.fetchone()[0]:
                break
        self.cursor.execute("SELECT count(*) FROM replenish.verify()")
        wrong = self.cursor.fetchone()[0]
        self.check(wrong == 0, "verify() finds %d differences" % wrong)
        self.cursor.execute("SELECT what, detail FROM replenish.health()"
                            " WHERE NOT ok")
        ill = self.cursor.fetchall()
        self.check(not ill, "health() is content %s" % (ill or ""))
        self.consume(self.cursor)
        self.cursor.execute("SELECT last_seq FROM replenish.decider")
        told = self.cursor.fetchone()[0]
        self.check(self.cursor_seq == told > 0,
                   "the consumer has read %d events, all of them" % told)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--rate", type=int, default=200,
                        help="transactions per second")
    parser.add_argument("--keep", type=int, default=3,
                        help="minutes that orders are kept")
    parser.add_argument("--snapshot", action="store_true",
                        help="an old snapshot from the warm-up to the end")
    parser.add_argument("--output", help="file for all samples, as JSON")
    endurance = Endurance(parser.parse_args())
    endurance.run()
    if endurance.options.output:
        with open(endurance.options.output, "w", encoding="ascii") as file:
            json.dump([{k: v for k, v in s.items() if not isinstance(v, list)}
                       for s in endurance.samples], file)
    endurance.sizes()
    endurance.compare()
    endurance.finish()
    print("%d passed, %d failed" % (endurance.passed, endurance.failed))
    return 1 if endurance.failed else 0


if __name__ == "__main__":
    sys.exit(main())
