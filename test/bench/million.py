"""A million items: what the worker costs when nothing happens, and status."""

import statistics
import time

from common import Session, cpu_ns, quartiles

DATABASE = "million"
# one item in a hundred is orange or red: it sells, and has little
SETUP = """
CREATE EXTENSION replenish;
SET replenish.evaluate = manual;
CREATE TABLE orders (sku text, qty integer, at timestamptz);
CREATE TABLE stock (sku text PRIMARY KEY, on_hand integer);
INSERT INTO stock SELECT 'sku-' || i, CASE i % 100 WHEN 0 THEN 1 + i / 100 % 2
    ELSE 1000 END FROM generate_series(1, {0}) i;
INSERT INTO orders SELECT 'sku-' || i, 5, now() - interval '10 days'
    FROM generate_series(100, {0}, 100) i;
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
CALL replenish.backfill('orders');
CALL replenish.backfill('stock')"""
# what was decided of some, for as many others
COPIES = 20
COPY = """
CREATE TEMP TABLE copied AS TABLE replenish.{0};
DO $$ BEGIN
    FOR n IN 2..{1} LOOP
        UPDATE copied SET sku = substring(sku from 'sku-[0-9]+') || '-' || n;
        INSERT INTO replenish.{0} TABLE copied;
    END LOOP;
END $$;
DROP TABLE copied;
"""


def build(bench):
    """The shop of a million items."""
    if bench.ask("SELECT count(*) FROM pg_database WHERE datname = '%s'"
                 % DATABASE):
        return Session(DATABASE)
    bench.run("CREATE DATABASE " + DATABASE)
    session = Session(DATABASE)
    if session.ask("SELECT count(*) FROM pg_available_extensions"
                   " WHERE name = 'pg_walinspect'"):
        session.run("CREATE EXTENSION pg_walinspect")
    items = bench.sizes.items // COPIES
    for statement in SETUP.format(items).split(";\n"):
        session.run(statement)
    took = session.wall_ms("SELECT replenish.tick()") / 1000
    for table in ("item", "item_demand", "item_stock"):
        session.run(COPY.format(table, COPIES))
    session.run("VACUUM ANALYZE")
    session.run("CHECKPOINT")
    session.run("RESET replenish.evaluate")
    bench.results.figure("million.decide", "first decision on %d items" % items, took, "s")
    return session


def settled(session):
    """Wait until nobody writes any more, for a while at most."""
    until = time.monotonic() + 60
    wal = -1
    while time.monotonic() < until and wal != session.wal():
        wal = session.wal()
        time.sleep(3)


def written(session, since):
    """Bytes of WAL since then, but for what the server notes of itself."""
    now = session.ask("SELECT pg_current_wal_insert_lsn()")
    if now == since or not session.ask("SELECT count(*) FROM pg_extension"
                                       " WHERE extname = 'pg_walinspect'"):
        return int(session.ask("SELECT '%s'::pg_lsn - '%s'" % (now, since)))
    return int(session.ask(
        "SELECT coalesce(sum(combined_size), 0) FROM pg_get_wal_stats('%s',"
        " '%s') WHERE \"resource_manager/record_type\" NOT IN"
        " ('Standby', 'XLOG')" % (since, now)))


def idle(bench):
    """WAL of the whole server, and CPU of the worker, while nobody orders."""
    session = build(bench)
    bench.run("ALTER SYSTEM SET autovacuum = off")
    bench.run("SELECT pg_reload_conf()")
    session.run("SELECT replenish.wake()")
    until = time.monotonic() + 60
    while session.ask("SELECT replenish.worker_pid() IS NULL"):
        if time.monotonic() > until:
            raise RuntimeError("no worker for a million items")
        time.sleep(0.1)
    bench.quiet(session)
    settled(session)
    pid = session.ask("SELECT replenish.worker_pid()")
    cpu = cpu_ns(pid)
    since = session.ask("SELECT pg_current_wal_insert_lsn()")
    time.sleep(bench.sizes.idle_seconds)
    cpu, wal = cpu_ns(pid) - cpu, written(session, since)
    what = "idle, %d items, %d s" % (bench.sizes.items,
                                           bench.sizes.idle_seconds)
    bench.results.figure("idle.cpu", what + ", worker, of a core",
                         cpu / bench.sizes.idle_seconds / 1e7, "%",
                         goal=("<=", .1))
    bench.results.figure("idle.wal", what + ", WAL", wal, "B",
                         goal=("<=", 0))
    bench.run("ALTER SYSTEM RESET autovacuum")
    bench.run("SELECT pg_reload_conf()")
    session.close()


def status(bench):
    """The view, with nothing waiting in the inbox."""
    session = build(bench)
    bench.quiet(session)
    n = bench.sizes.status_repetitions

    def timed(sql, repetitions):
        took = [session.wall_ms(sql) for _ in range(repetitions + 1)][1:]
        return min(took), quartiles(took)
    one, spread = timed("SELECT * FROM replenish.status WHERE sku = 'sku-700'"
                        " AND location = 'default'", 10 * n)
    bench.results.figure("status.one", "status, one item of %d"
                         % bench.sizes.items, one, "ms", spread,
                         goal=("<=", 1))
    took, spread = timed("SELECT * FROM replenish.waiting_stock()", 10 * n)
    bench.results.figure("status.waiting", "    of it, to look into the inbox",
                         took, "ms", spread)
    worst = "FROM replenish.status WHERE tier >= 'orange'"
    count = session.ask("SELECT count(*) " + worst)
    took, spread = timed("SELECT * " + worst, n)
    bench.results.figure("status.worst", "status, all %d orange and red"
                         % count, took, "ms", spread, goal=("<=", 50))
    took, spread = timed("SELECT * FROM replenish.sku_status"
                         " WHERE sku = 'sku-700'", 10 * n)
    bench.results.figure("status.sku", "sku_status, one SKU", took, "ms",
                         spread, goal=("<=", 2))
    took, spread = timed("SELECT * FROM replenish.sku_status WHERE sku = ANY"
                         " (ARRAY(SELECT sku %s))" % worst, n)
    bench.results.figure("status.skus", "sku_status of the SKUs that are"
                         " orange or red somewhere", took, "ms", spread)
    sums = "count(locations), sum(on_hand), sum(on_order), sum(threshold)," \
        " max(first_stockout_eta), sum(reorder_qty), max(worst_location)"
    every = "SELECT %s FROM replenish.sku_status" % sums
    took, spread = timed(every + " WHERE worst_tier >= 'orange'", 1)
    bench.results.figure("status.skus.tier", "sku_status by worst_tier", took,
                         "ms", spread)
    took, spread = timed(every, 1)
    bench.results.figure("status.skus.all", "sku_status, all", took, "ms",
                         spread)
    took, spread = timed("SELECT * FROM replenish.channel_status", 1)
    bench.results.figure("status.channels", "channel_status", took, "ms",
                         spread)
    columns = "count(on_hand), count(on_order), sum(threshold), max(tier)," \
        " max(stockout_eta), max(reorder_qty), max(decided_at)"
    whole = "SELECT %s FROM replenish." % columns
    for key, how, workers, goal in (
            ("whole", "serial", 0, ("<=", 3)),
            ("planned", "as planned", 2, None)):
        session.run("SET max_parallel_workers_per_gather = %d" % workers)
        plain, full = [], []
        for _ in range(n + 1):
            plain.append(session.wall_ms(whole + "item"))
            full.append(session.wall_ms(whole + "status"))
        pairs = [f / p for f, p in zip(full[1:], plain[1:])]
        bench.results.figure(
            "status." + key, "status, all items / scan of the table, %s"
            % how, statistics.median(pairs), "x",
            quartiles(pairs), goal=goal,
            note="the scan takes %.0f ms" % min(plain))
    session.close()
