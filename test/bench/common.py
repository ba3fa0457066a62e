"""What every part of the benchmark works with: a session, its CPU, turns."""

import os
import random
import re
import statistics
import subprocess
import time

import psycopg2

ITEMS = 10000
SIDES = ["floor", "control", "empty", "ours", "peer"]


def connect(database=None):
    conn = psycopg2.connect("" if database is None else "dbname=" + database)
    conn.autocommit = True
    return conn


def cpu_ns(pid):
    """Nanoseconds that a process has run, as the scheduler counts them."""
    with open("/proc/%d/schedstat" % pid, encoding="ascii") as file:
        return int(file.read().split()[0])


def reaped_ns(pid):
    """Nanoseconds that those children of a process ran that have ended."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[13:15])) * 10**9 // os.sysconf("SC_CLK_TCK")


def quartiles(values):
    """(low, high) of the middle half; of few values, of all."""
    if len(values) < 4:
        return min(values), max(values)
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


class Session:
    """One connection and the server process behind it."""

    def __init__(self, database=None):
        self.db = connect(database)
        self.cursor = self.db.cursor()
        self.pid = self.ask("SELECT pg_backend_pid()")

    def run(self, sql):
        self.cursor.execute(sql)

    def ask(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchone()[0]

    def wal(self):
        return int(self.ask("SELECT pg_current_wal_insert_lsn() - '0/0'"))

    def cpu_us(self, sql):
        """Microseconds of CPU of a statement."""
        before = cpu_ns(self.pid)
        self.cursor.execute(sql)
        return (cpu_ns(self.pid) - before) / 1000

    def wall_ms(self, sql):
        """Milliseconds that a statement takes."""
        before = time.perf_counter()
        self.cursor.execute(sql)
        return (time.perf_counter() - before) * 1000

    def close(self):
        self.db.close()


class Bench(Session):
    """The session that the parts share, what they found, and how much to do."""

    def __init__(self, sizes, results):
        super().__init__()
        self.sizes = sizes
        self.results = results
        self.rng = random.Random(1)

    def quiet(self, session=None):
        """Wait until the worker has nothing left to do."""
        until = time.monotonic() + 120
        while (session or self).ask("SELECT replenish.inbox_waits()"):
            if time.monotonic() > until:
                raise RuntimeError("the worker does not empty the inbox")
            time.sleep(0.02)

    def evaluate(self, mode):
        """Set who decides, for new sessions and the workers."""
        self.run("ALTER SYSTEM SET replenish.evaluate = %s" % mode)
        self.run("SELECT pg_reload_conf()")
        until = time.monotonic() + 60
        while mode == "manual" and self.ask(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'replenish worker'"):
            if time.monotonic() > until:
                raise RuntimeError("the worker does not leave")
            time.sleep(0.05)

    def turns(self, sides, repetitions, run, warm_up=1):
        """What run(side) returns, side by side, taking turns."""
        found = {side: [] for side in sides}
        for turn in range(repetitions + warm_up):
            order = list(sides)
            self.rng.shuffle(order)
            for side in order:
                value = run(side)
                if turn >= warm_up:
                    found[side].append(value)
        return found

    def deadlocks(self):
        time.sleep(0.1)
        return self.ask("SELECT deadlocks FROM pg_stat_database"
                        " WHERE datname = current_database()")


class Load:
    """A pgbench that runs until it is waited for."""

    def __init__(self, name, script, clients, seconds, settings=""):
        path = os.path.join(os.environ["PREFIX"], name + ".pgbench")
        with open(path, "w", encoding="ascii") as file:
            file.write(script)
        self.process = subprocess.Popen(
            [os.path.join(os.environ["PRIVATE_BINDIR"], "pgbench"), "-n",
             "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)),
             "-T", str(seconds), "--max-tries=1000", "-f", path],
            env=dict(os.environ, PGOPTIONS=settings), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def orders_per_second(self):
        said = self.process.communicate()[0]
        found = re.search(r"tps = ([0-9.]+)", said)
        if self.process.returncode != 0 or not found:
            raise RuntimeError("pgbench failed: " + said)
        return float(found.group(1))
