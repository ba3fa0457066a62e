"""The server that is killed, and who of its processes is."""

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import psycopg2

DATA = Path(os.environ.get("PREFIX", "")) / "data"
# What a restart takes at most, on the busiest of machines.
PATIENCE = 120

# A process that is killed on purpose is one of these.
VICTIMS = {"order": 35, "worker": 22, "keeper": 15, "parallel": 6, "life": 9,
           "system": 5, "postmaster": 10, "immediate": 4}

PROCESSES = """
    SELECT pid, backend_type, application_name, state, datname,
        left(regexp_replace(query, '\\s+', ' ', 'g'), 60)
    FROM pg_stat_activity
    WHERE CASE %s WHEN 'worker' THEN backend_type = 'replenish worker'
        WHEN 'parallel' THEN backend_type = 'parallel worker'
        WHEN 'system' THEN backend_type IN ('checkpointer', 'walwriter',
            'background writer', 'autovacuum launcher', 'autovacuum worker')
        ELSE application_name LIKE %s AND backend_type = 'client backend'
        END"""


class Failure(Exception):
    """Something that must never happen."""


def connect(database, name="driver", evaluate=None, **options):
    """A session; with 'evaluate' it may have no worker started for it."""
    if evaluate:
        options["replenish.evaluate"] = evaluate
    conn = psycopg2.connect(
        dbname=database, application_name=name,
        options=" ".join("-c %s=%s" % o for o in options.items()))
    conn.autocommit = True
    return conn


def rows(conn, sql, *values):
    with conn.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


def until(what, condition):
    """Wait until something is so; its value."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise Failure("waited in vain until " + what)


def connect_again(database):
    """A session as soon as there can be one."""
    def attempt():
        try:
            return connect(database, evaluate="manual",
                           statement_timeout="60s")
        except psycopg2.OperationalError:
            return None
    return until("the server takes connections", attempt)


def control(*arguments):
    """Run pg_ctl as the server's user; whether it was content."""
    command = shlex.split(os.environ["AS_SERVER_USER"]) + [
        os.environ["PRIVATE_BINDIR"] + "/pg_ctl", *arguments, "-s",
        "-D", str(DATA)]
    return subprocess.run(command, cwd=DATA.parent, check=False,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


def start():
    """Start it; what a killed postmaster has left may take a while to go."""
    log = str(DATA.parent / "server.log")
    until("the server starts",
          lambda: control("start", "-w", "-t", str(PATIENCE), "-l", log))


def last_words():
    """The end of the server's log."""
    with open(DATA.parent / "server.log", encoding="utf-8") as log:
        return "".join(log.readlines()[-60:])


def find_victim(conn, kind, rng):
    """A process of that kind, busy if one is; None where there is none."""
    found = []
    # rather while it does something; those that help are seldom there
    for _ in range(600 if kind == "parallel"
                   else rng.choice([1, 1, 40, 40, 150])):
        found = rows(conn, PROCESSES, kind, kind + "%") or found
        busy = [f for f in found if f[3] == "active"]
        if busy:
            time.sleep(rng.choice([0, 0.001, 0.003, 0.01, 0.05]))
            return rng.choice(busy)
        if kind == "system":
            break
        time.sleep(0.002)
    return rng.choice(found) if found else None


def kill(conn, kind, rng):
    """Kill a process, or all; returns (kind, what it was doing)."""
    if kind == "immediate":
        if not control("stop", "-m", "immediate", "-t", str(PATIENCE)):
            raise Failure("it does not stop")
        return kind, "immediate shutdown"
    if kind == "postmaster":
        with open(DATA / "postmaster.pid", encoding="ascii") as file:
            os.kill(int(file.readline()), signal.SIGKILL)
        return kind, "postmaster"
    victim = find_victim(conn, kind, rng)
    if victim is None:
        return kill(conn, "order", rng)
    pid, backend, _, state, _, query = victim
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return kill(conn, kind, rng)
    return kind, "%s, %s" % (
        backend if kind in ("system", "parallel") else query,
        state or "no state")
