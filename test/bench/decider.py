"""What the decider does with it: the rate, and an old snapshot in its way."""

import statistics

from common import ITEMS, connect, cpu_ns, quartiles
import shop


def drain(bench):
    """Movements of 10000 items, in a transaction that is rolled back."""
    drains, ticks, walls = [], [], []
    bench.quiet()
    bench.evaluate("manual")
    for _ in range(bench.sizes.drains):
        bench.run("BEGIN")
        bench.run(shop.bulk("ours", bench.sizes.bulk, shop.SPREAD))
        waiting = bench.ask("SELECT count(*) FROM replenish.inbox")
        drains.append(waiting / bench.cpu_us(
            "SAVEPOINT a; SELECT replenish.become_decider();"
            " SELECT count(*) FROM replenish.drain(now(), NULL, 0, false);"
            " ROLLBACK TO a"))
        cpu = cpu_ns(bench.pid)
        walls.append(waiting / bench.wall_ms("SELECT replenish.tick()") / 1000)
        ticks.append(waiting / (cpu_ns(bench.pid) - cpu) * 1000)
        bench.run("ROLLBACK")
        bench.run("VACUUM ours_orders, replenish.inbox_even,"
                  " replenish.inbox_odd")
    bench.evaluate("auto")
    what = "%%s, %d movements, per s of CPU" % waiting
    bench.results.figure("drain.rate", what % "drain", max(drains), "M/s",
                         quartiles(drains), goal=(">=", 1))
    bench.results.figure("drain.tick", what % "drain and decide", max(ticks), "M/s", quartiles(ticks),
                         goal=(">=", .4), note="they are of %d items; by the clock %.2g"
                         " M/s" % (ITEMS, max(walls)))


def one_tick(bench, orders, items, first=1):
    """A tick after some orders, in us of CPU."""
    bench.run("INSERT INTO ours_orders (sku, qty, location, channel)"
              " SELECT 'sku-' || %d + i %% %d, 1, 'main', 'live'"
              " FROM generate_series(1, %d) i" % (first, items, orders))
    return bench.cpu_us("SELECT replenish.tick()")


# what any table does whose rows are updated as often
PLAIN = "UPDATE floor_stock SET on_hand = on_hand - 1 WHERE location = 'main'" \
    " AND sku IN (SELECT 'sku-' || i FROM generate_series(1, 100) i)"


def a_while(bench, held):
    """A million orders in many ticks; then what the next ticks cost."""
    s = bench.sizes
    for _ in range(s.ticks):
        # each its own row of the inbox, as orders that come one by one
        bench.run(shop.bulk("ours", s.bulk // s.ticks, "now() - i / 100"
                            " * interval '1 minute'", 100))
        bench.run("SELECT replenish.tick()")
        bench.run(PLAIN)
    # as autovacuum would have; it can remove only what nobody can see
    bench.run("VACUUM replenish.inbox_even, replenish.inbox_odd, floor_stock,"
              " replenish.item_demand, replenish.item_stock, replenish.item")
    if not held:
        bench.run("CHECKPOINT")
    quiet, busy, plain = [], [], []
    for i in range(s.tick_repetitions):
        quiet.append(one_tick(bench, 1, 1, 5000 + i))
        busy.append(one_tick(bench, 100, 100))
        plain.append(bench.cpu_us(PLAIN))
    return quiet, busy, plain


def snapshot(bench):
    """The same with and without a transaction that sees it all."""
    bench.quiet()
    bench.evaluate("manual")
    bench.run("SELECT replenish.tick()")
    without = a_while(bench, False)
    old = connect()
    old.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    old.cursor().execute("SELECT count(*) FROM replenish.inbox")
    beside = a_while(bench, True)
    old.rollback()
    old.close()
    bench.run("VACUUM replenish.inbox_even, replenish.inbox_odd,"
              " replenish.item_demand, replenish.item_stock, replenish.item")
    bench.evaluate("auto")
    for i, (key, what, goal) in enumerate((
            ("quiet", "tick, one quiet item", ("<=", 2)),
            ("busy", "tick, 100 busy items", ("<=", 2)),
            ("plain", "    plain UPDATE of 100 rows likewise", None))):
        plain = statistics.median(without[i])
        pairs = [v / plain for v in beside[i]]
        bench.results.figure(
            "snapshot." + key, what + ", beside an old snapshot",
            statistics.median(pairs), "x", quartiles(pairs), goal=goal,
            note="%.0f us without it; a million orders in %d ticks since"
            % (plain, bench.sizes.ticks) if bench.sizes.bulk == 10**6 else
            "%.0f us without it" % plain)
