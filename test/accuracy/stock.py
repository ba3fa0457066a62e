"""Inventory: how much stock each method needs for the demand that it fills.

Every morning what is due arrives, and every item is reviewed: where the stock
position (on hand and on order) is below the threshold, reorder_qty() is
ordered, and is on the shelf after a real lead time, which is the same for all
methods.  Then the day's real demand is met as far as the shelf goes; the rest
is lost.  Thresholds and targets are replay.py's.

A higher service level fills more and stocks more, so the whole curve of each
method is drawn, and read where it has the fill rate, or the stock, that ours
has at its default; the trade's rules are given the factor that they need for
it.  Each item counts the same, and its stock is in days of its own mean demand
since it was first sold; the units of all items are also counted together.
"""

import numpy as np
from numba import njit, prange
import pandas as pd

import replay

BUFFER = .25
SCALES = np.array([.4, .6, .8])     # of the lowest level, to begin with
STRETCH = np.array([1.3, 1.7, 2.5])     # of the highest level, to go on
FILLED = .95                    # also compared at this fill rate


@njit(cache=True)
def reorder_qty(position, threshold, target):
    """reorder_qty() in whole units, with the default buffer."""
    if position >= threshold - 5e-7:
        return 0.0
    need = (target - position) * (1 + BUFFER)
    return np.ceil(need - 5e-7)


@njit(parallel=True, cache=True)
def simulate(demand, threshold, cycle, lead, first, orders, out):
    """Run the replay from each item's first day, with its target in stock.

    out: of each item from its day counted on: demand, filled, sum of the stock
    on hand at the end of the days, days, days on which demand was not met,
    replenishment cycles, those with unmet demand.  orders: position on each day
    with an order, and its quantity.
    """
    for i in prange(demand.shape[0]):
        days = demand.shape[1]
        due = np.zeros(days)
        on_hand = on_order = 0.0
        short = False
        out[i] = 0
        for t in range(first[i, 0], days):
            line = threshold[i, t]
            target = max(line + cycle[i, t], 1.5 * line)
            if t == first[i, 0]:
                on_hand = target
            on_hand += due[t]
            on_order -= due[t]
            counts = t >= first[i, 1]
            if due[t] > 0 and counts:
                out[i, 5] += 1
                out[i, 6] += short
                short = False
            position = on_hand + on_order
            quantity = reorder_qty(position, line, target)
            orders[i, t, 0], orders[i, t, 1] = position, quantity
            if quantity > 0:
                on_order += quantity
                if t + lead[i, t] < days:
                    due[t + lead[i, t]] += quantity
            met = min(max(demand[i, t], 0.0), on_hand)
            on_hand -= met
            if counts:
                lost = demand[i, t] - met > 1e-9
                short = short or lost
                out[i, 0] += demand[i, t]
                out[i, 1] += met
                out[i, 2] += on_hand
                out[i, 3] += 1
                out[i, 4] += lost


class Shop:
    """What is the same for all methods."""

    def __init__(self, r):
        self.replay, s = r, r.set
        size = r.demand.shape
        # each item begins when it has thresholds, and counts once the first
        # orders have come
        begin = np.where(r.old.any(1), r.old.argmax(1), size[1])
        self.first = np.stack([begin, begin + r.horizon], 1)
        # three weeks and three sales are needed to say how long stock lasts
        sold = [(d[b:] > 0).sum() if b < size[1] else 0
                for d, b in zip(r.demand, self.first[:, 1])]
        self.counted = (self.first[:, 1] + 21 <= size[1]) \
            & (np.array(sold) >= 3)
        # of the whole series, so that who hardly sells in the end has a scale
        self.per_day = np.array([y[a:].mean() for y, a in zip(s.Y, s.S)])
        self.orders = np.zeros((*size, 2))

    def run(self, threshold, cycle, lead):
        out = np.zeros((len(self.first), 7))
        simulate(self.replay.demand, threshold, cycle, lead, self.first,
                 self.orders, out)
        return out

    def summary(self, threshold, cycle):
        """Share of demand filled, days of stock, share of days short, share of
        cycles without a loss, and share filled of all units together."""
        demand, filled, stock, days, short, cycles, bad = sum(
            self.run(threshold, cycle, lead)[self.counted]
            for lead in self.replay.leads).T
        return ((filled / demand).mean(),
                (stock / days / self.per_day[self.counted]).mean(),
                (short / days).mean(), 1 - bad.sum() / cycles.sum(),
                filled.sum() / demand.sum(),
                (stock / days).sum() / (demand / days).sum())

    def curve(self, thresholds, cycle):
        """The summary at each level, a row for each of its numbers."""
        levels = [*(SCALES[:, None, None] * thresholds[0]), *thresholds,
                  *(STRETCH[:, None, None] * thresholds[-1])]
        return np.array([self.summary(level, cycle)
                         for level in replay.finer(levels)]).T


NOMINAL = replay.FINER * (len(SCALES) + replay.NOMINAL)


def check(context, shop, threshold, cycle):
    """Raise an error unless reorder_qty() gives the same orders."""
    shop.run(threshold, cycle, shop.replay.leads[0])
    item, day = np.nonzero(np.arange(cycle.shape[1]) >= shop.first[:, :1])
    line = threshold[item, day]
    context.table("ordered", "float8,float8,float8,float8", pd.DataFrame({
        "position": shop.orders[item, day, 0], "threshold": line,
        "target": np.maximum(line + cycle[item, day], 1.5 * line),
        "quantity": shop.orders[item, day, 1]}))
    differ, total = context.rows("""
        SELECT count(*) FILTER (WHERE quantity <> reorder_qty(
                position, threshold, target, %s, 0, 1)), count(*)
        FROM public.ordered""", BUFFER)[0]
    if differ:
        raise RuntimeError("%d of %d quantities are not reorder_qty()'s" % (
            differ, total))


def rows_of(context, name):
    r = replay.load(context, name, "real", 1)
    shop = Shop(r)
    check(context, shop, r.methods["replenish"][0][replay.NOMINAL],
          r.methods["replenish"][1])
    curves = {method: shop.curve(*found)
              for method, found in r.methods.items()}
    usual = {"MA28 x 1.25": replay.FINER * (
        len(SCALES) + int(np.flatnonzero(replay.FACTORS == 1.25)[0]))}
    fill, stock = curves["replenish"][:2, NOMINAL]
    rows = []
    for column, what, zh, better in (
            (0, "fill rate", "满足率", "high"),
            (1, "mean stock", "平均库存", "low"),
            (2, "days with a stock-out", "缺货天数", "low"),
            (3, "cycles without a stock-out", "无缺货周期", "high")):
        scale, unit = (1, "days") if column == 1 else (100, "%")
        rows.append(context.row(
            "%s: %s at the default service level" % (name, what),
            "%s：默认服务水平下的%s" % (name, zh),
            scale * curves["replenish"][column, NOMINAL],
            {m: scale * c[column, usual.get(m, NOMINAL)]
             for m, c in curves.items() if m != "replenish"}, unit,
            better=better, readme=column in (0, 2),
            note="%d items" % shop.counted.sum()))
    for what, zh, wanted, of, column, unit, better in (
            ("mean stock at equal fill rate", "同等满足率下的平均库存",
             fill, 0, 1, "days", "low"),
            ("mean stock at a fill rate of 95 %", "满足率 95 % 时的平均库存",
             FILLED, 0, 1, "days", "low"),
            ("mean stock at equal fill rate of all units together",
             "全部件数合计，同等满足率下的平均库存",
             curves["replenish"][4, NOMINAL], 4, 5, "days", "low"),
            ("fill rate at equal stock", "同等库存下的满足率",
             stock, 1, 0, "%", "high"),
            ("days with a stock-out at equal stock", "同等库存下的缺货天数",
             stock, 1, 2, "%", "low")):
        mine, peers, note = replay.reading(curves, wanted, of, column)
        scale = 100 if unit == "%" else 1
        rows.append(context.row(
            "%s: %s" % (name, what), "%s：%s" % (name, zh), scale * mine,
            {m: scale * v for m, v in peers.items()}, unit,
            (">=" if better == "high" else "<=", "best"), better, note,
            readme="together" not in what))
    return rows


def run(context):
    rows = []
    for name in context.names:
        if name in replay.DAYS:
            rows += rows_of(context, name)
    return rows
