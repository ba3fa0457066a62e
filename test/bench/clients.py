"""Orders per second of many clients, and what they wait for.

Floor and another side run at the same time, with as many clients each, so
that noise meets both.
"""

import os
import re
import statistics

from common import ITEMS, Load, cpu_ns, quartiles
import shop

ASYNC = "-c synchronous_commit=off"

# key, statement, items, what it is called
LOADS = (
    ("hot", "single", 1, "hot item"),
    ("uniform", "single", ITEMS, "10000 items"),
    ("five", "five", 10, "5 lines of 10 items"))
STOCK = ("stock", "stock", 1, "stock updates, hot row")


def run(sides, load, clients, seconds, settings):
    """Orders per second of sides that run at the same time."""
    running = [Load(side, shop.script(side, load[1], load[2]), clients,
                    seconds, settings) for side in sides]
    return [process.orders_per_second() for process in running]


def in_turn(bench, load, clients, seconds, settings):
    """The peer by itself, and the floor by itself: who waits leaves room."""
    tps = {}
    for side in bench.rng.sample(["peer", "floor"], 2):
        tps[side], = run([side], load, clients, seconds, settings)
    return tps["peer"], tps["floor"]


def compare(bench, load, clients, bound, goal):
    key, _, _, name = load
    sizes = bench.sizes
    settings = ASYNC if bound else ""
    pairs = {"control": [], "ours": []}
    worker = orders = 0
    for _ in range(sizes.turns):
        for side in pairs:
            bench.quiet()
            pid = bench.ask("SELECT coalesce(replenish.worker_pid(), 0)")
            cpu = cpu_ns(pid) if pid else 0
            tps = run([side, "floor"], load, clients, sizes.seconds, settings)
            pairs[side].append(tps)
            if side == "ours" and pid:
                bench.quiet()
                worker += cpu_ns(pid) - cpu
                orders += tps[0] * sizes.seconds
    # far from one: once will do; where it deadlocks it takes a minute to end
    if key != "five":
        pairs["peer"] = [in_turn(bench, load, clients, sizes.seconds,
                                 settings)]
    elif clients == 16 and not bound:
        pairs["peer"] = [in_turn(bench, load, clients, sizes.seconds * 3,
                                 settings)]
    ratios = {}
    for side, found in pairs.items():
        each = [tps / floor for tps, floor in found]
        ratios[side] = [statistics.median(each), *quartiles(each)]
    bench.results.add(
        "tps.%s.%d%s" % (key, clients, ".cpu" if bound else ""),
        "orders/s, %s, %d client%s%s" % (
            name, clients, "" if clients == 1 else "s",
            ", no fsync" if bound else ""),
        unit="/s", values={"floor": statistics.median(
            floor for _, floor in pairs["control"])}, ratios=ratios,
        goal=(">=", goal) if goal else None,
        note="worker: %.1f us of CPU per order" % (worker / 1000 / orders)
        if orders else None)
    return ratios


def versus(bench, key, what, ratios, goal):
    """How far ours is from what a shop would write."""
    ours, peer = ratios["ours"], ratios["peer"]
    least = 1e-9
    bench.results.figure(
        key, what, ours[0] / max(peer[0], least), "x",
        (ours[1] / max(peer[2], least), ours[2] / max(peer[1], least)),
        goal=(">=", goal))


def clients(bench):
    for load in LOADS:
        for number in (1, 16, 64):
            for bound in (False, True):
                if number == 1 and bound:
                    continue            # part cpu, with commit
                goal = None if number == 1 else .92 if bound else .95
                ratios = compare(bench, load, number, bound, goal)
                if (load[0], number, bound) == ("hot", 64, False):
                    versus(bench, "versus.hot",
                           "    ours against peer, hot item, 64 clients",
                           ratios, 12)
                if (load[0], number, bound) == ("five", 16, False):
                    versus(bench, "versus.five",
                           "    ours against peer, five lines, 16 clients",
                           ratios, 100)
    compare(bench, STOCK, 16, False, None)


def waited(bench, side):
    """(waits for locks, waits for a table to grow, deadlocks) of a side."""
    path = os.path.join(os.environ["PREFIX"], "server.log")
    begin = os.path.getsize(path)
    deadlocks = bench.deadlocks()
    # what a wait of a millisecond looks like is looked at, and logged
    settings = "-c log_lock_waits=on -c deadlock_timeout=1ms"
    for name, statement, items, _ in LOADS:
        Load(side, shop.script(side, statement, items), 16,
             bench.sizes.seconds, settings).orders_per_second()
    bench.quiet()
    with open(path, encoding="utf-8", errors="replace") as file:
        file.seek(begin)
        log = file.read()
    growing = re.findall(r"still waiting for .* on extension of relation (\d+)",
                         log)
    for relation in growing:
        name = bench.ask("SELECT %s::regclass::text" % relation)
        bench.growing[name] = bench.growing.get(name, 0) + 1
    return (len(re.findall("still waiting for ", log)) - len(growing),
            len(growing), bench.deadlocks() - deadlocks)


def waits(bench):
    """What a wait for a lock is: a millisecond or more of it is in the log."""
    bench.growing = {}
    counts = {side: waited(bench, side) for side in ("floor", "ours", "peer")}
    for i, (key, what, goal) in enumerate((
            ("locks", "lock waits of >= 1 ms", ("<=", 0)),
            ("growing", "waits >= 1 ms for a table to grow", None),
            ("deadlocks", "deadlocks", ("<=", 0)))):
        values = {side: found[i] for side, found in counts.items()}
        bench.results.figure(
            "waits." + key, "%s, 16 clients, %d s" % (
                what, bench.sizes.seconds * len(LOADS)),
            values["ours"] - values["floor"], "", goal=goal, values=values,
            unit="", note=", ".join("%s %d" % pair for pair in
                                    bench.growing.items()) or None
            if key == "growing" else None)
