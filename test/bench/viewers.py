"""Viewers beside orders: two hundred rooms, a count a second in each."""

import statistics
import threading
import time

from common import ITEMS, Load, Session, quartiles
import shop

ROOMS = 200
TABLE = """CREATE TABLE IF NOT EXISTS room_stat (room text, viewers integer,
               at timestamptz);
           SELECT replenish.watch_audience('room_stat', 'room', 'viewers',
               'at')"""
# six hours of them, so that it is known what is usual
PAST = """INSERT INTO room_stat
          SELECT CASE i %% 10 WHEN 0 THEN 'live' ELSE 'room-' || i END, 500,
              now() - (120 + m) * interval '1 minute'
          FROM generate_series(1, {0}) i, generate_series(1, 360) m""".replace(
              "%%", "%")
COUNT = """INSERT INTO room_stat VALUES ('%s', %d, clock_timestamp())"""


class Counters:
    """Counts viewers in another session, each a transaction of its own, until
    it is stopped."""

    def __init__(self):
        self.stop = threading.Event()
        self.done = 0
        self.late = 0.0
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        session = Session()
        session.run("SET synchronous_commit = off")
        begun = time.monotonic()
        while not self.stop.is_set():
            room = self.done % ROOMS
            due = begun + self.done / ROOMS
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self.late = max(self.late, -wait)
            # they wander by a tenth, and one in ten doubles for a while
            viewers = 500 + (self.done * 7919) % 50
            if room % 10 == 3 and self.done // ROOMS % 8 >= 4:
                viewers *= 2
            session.run(COUNT % ("live" if room % 10 == 0
                                 else "room-%d" % room, viewers))
            self.done += 1
        session.close()

    def end(self):
        self.stop.set()
        self.thread.join()


def turn(bench, counting, clients, seconds):
    """Orders per second of a watched shop over those of the floor, at the same
    time; orders per second, and how many were counted."""
    bench.quiet()
    counters = Counters() if counting else None
    running = [Load(side, shop.script(side, "single", ITEMS), clients, seconds)
               for side in ("ours", "floor")]
    ours, floor = [load.orders_per_second() for load in running]
    if counters:
        counters.end()
    return ours / floor, ours, counters.done if counters else 0


def tick(bench):
    """CPU of a tick for a count in each room, in us per count."""
    bench.run("INSERT INTO room_stat SELECT 'room-' || i, 500, now()"
              " FROM generate_series(1, %d) i" % ROOMS)
    return bench.cpu_us("SELECT replenish.tick()") / ROOMS


def viewers(bench):
    bench.run(TABLE)
    bench.run(PAST.format(ROOMS))
    bench.quiet()
    bench.run("VACUUM ANALYZE")
    s = bench.sizes
    clients, seconds = 4, s.seconds * 3
    with_, without = [], []
    for _ in range(s.turns + 1):
        for counting in bench.rng.sample([True, False], 2):
            (with_ if counting else without).append(
                turn(bench, counting, clients, seconds))
    pairs = [a[0] / b[0] for a, b in zip(with_[1:], without[1:])]
    bench.results.figure(
        "viewers.orders", "orders/s to the floor, %d clients, with %d rooms"
        " counted each second / without" % (clients, ROOMS),
        statistics.median(pairs), "x", quartiles(pairs), goal=(">=", .95),
        note="%.0f counts a second, beside %.0f orders a second" % (
            with_[-1][2] / seconds, with_[-1][1]))
    bench.quiet()
    bench.evaluate("manual")
    took = [tick(bench) for _ in range(s.tick_repetitions + 1)][1:]
    bench.results.figure(
        "viewers.tick", "a count of viewers, of %d rooms in one tick" % ROOMS,
        min(took), "us", quartiles(took))
    bench.evaluate("auto")
    bench.quiet()
    differ = bench.ask("SELECT count(*) FROM replenish.verify('room_stat')")
    if differ:
        raise RuntimeError("%d differences in what was counted" % differ)
    bench.run("SELECT replenish.unwatch('room_stat')")
